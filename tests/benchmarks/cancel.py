"""Stop in the middle of a run: how soon the window says so, and how many network calls begin afterwards (none).

python tests/benchmarks/cancel.py
"""

from __future__ import annotations

import random
import time

from table import Row, report, worst
from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook
from window import open_window, until, wait

from diffstudio.gui.app import Studio
from diffstudio.networks.unet import UNet

STOPS = 15
BATCHES = (16, 256)  # a network call of 256 takes as long as many steps of 16


class Calls:
    """Counts the calls of the network that have begun."""

    def __init__(self) -> None:
        self.begun = 0
        self._hook = register_module_forward_pre_hook(self._count)

    def _count(self, module: nn.Module, arguments: object) -> None:
        self.begun += isinstance(module, UNet)

    def close(self) -> None:
        """Count no more."""
        self._hook.remove()


def stop_once(studio: Studio, calls: Calls, pause: int) -> tuple[float, float, int]:
    """Stop some time after the first step: milliseconds until that is said and painted, until the end; later calls."""
    runs, window = studio.parts.runs, studio.parts.window
    studio.commands.run("generate")
    until(runs.progressed)
    wait(pause)
    begun, before = time.perf_counter(), calls.begun
    studio.commands.run("stop")
    window.message.repaint()
    said = time.perf_counter()
    assert "topping" in window.message.text()
    until(runs.ended)
    ended = time.perf_counter()
    trace = runs.trace
    assert trace is None or not trace.complete, "the run was over before it was stopped"
    return 1000 * (said - begun), 1000 * (ended - begun), calls.begun - before


def measure() -> list[Row]:
    """Stops at random moments of runs of small and of large batches."""
    rows, rng, calls = [], random.Random(0), Calls()
    with open_window() as studio:
        sampling = studio.parts.sampling
        sampling.set_request(sampling.request().model_copy(update={"steps": 200}))
        for batch in BATCHES:
            sampling.set_request(sampling.request().model_copy(update={"samples": batch}))
            stops = [stop_once(studio, calls, rng.randrange(300)) for _ in range(STOPS)]
            said, ended, later = (list(column) for column in zip(*stops, strict=True))
            rows += [
                worst(f"stop acknowledged on the screen, {batch} digits", said, "ms", 100),
                worst("the run ended (the network call that goes is its last)", ended, "ms"),
                worst("network calls begun after the stop", [float(n) for n in later], "calls", 0, digits=0),
            ]
    calls.close()
    return rows


if __name__ == "__main__":
    report(measure)
