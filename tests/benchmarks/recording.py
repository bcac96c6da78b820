"""Recorded sampling over the bare network loop: what x_t and x̂0 of every step in a trace cost.

python tests/benchmarks/recording.py

The bare loop is DPM-Solver++ 2M written out: the same network, guidance and coefficients, and nothing else. Both end in
the same samples. They take turns at every step, so that a slower moment of the machine meets both; a run's time is the
sum of its steps' medians over the rounds, the recording's opening and its closing included. A round's trace
is deleted before the next, which finds its memory again: where a virtual machine must ask its host for fresh memory,
that takes eight times as long as to write into it, and the bare loop asks for none.
"""

from __future__ import annotations

import itertools
import math
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from table import Row, report
from torch import Tensor

from diffstudio.checkpoints.catalog import default_catalog
from diffstudio.diffusion.noise import SampleNoise
from diffstudio.diffusion.times import Level, levels
from diffstudio.networks.model import Model, load_model
from diffstudio.studio.engine import Engine
from diffstudio.studio.request.request import Request
from diffstudio.traces.reader import Trace

STEPS, BATCH, ROUNDS, LABEL = 50, 16, 15, 3
DONE = object()


def coefficients(grid: list[Level]) -> list[tuple[float, float, float, float, float]]:
    """(t, s, and c, d, e of x′ = c·x + d·x̂0 + e·(x̂0 − x̂0_before)) of every step on the flow path (Lu et al. 2022)."""
    found, h_before = [], math.inf
    for at, to in itertools.pairwise(grid):
        h = 0.5 * (to.log_snr - at.log_snr)
        c = to.s / at.s
        d = to.a - at.a * c
        e = d * h / (2 * h_before) if math.isfinite(h) and math.isfinite(h_before) else 0.0
        found.append((at.t, at.s, c, d, e))
        h_before = h
    return found


@torch.no_grad()
def bare(model: Model, x: Tensor, guidance: float) -> Iterator[Tensor]:
    """The states, by the shortest loop that computes them."""
    labels, guided = torch.full((BATCH,), LABEL), guidance != 1
    cond = torch.cat([labels, torch.full_like(labels, model.any_label)]) if guided else labels
    before = x
    for t, s, c, d, e in coefficients(levels(model.path, STEPS)):
        twice = torch.cat([x, x]) if guided else x
        x0_hat = twice - s * model.network(twice, torch.full((len(twice),), t), cond)
        if guided:
            asked, free = x0_hat.chunk(2)
            x0_hat = free + guidance * (asked - free)
        x = c * x + d * x0_hat + e * (x0_hat - before) if e else c * x + d * x0_hat
        before = x0_hat
        yield x


def in_turn(runs: list[Iterator[object]]) -> tuple[list[list[float]], list[object]]:
    """Drive iterators to their ends, a step of each in turn; the seconds of their steps, and what they yielded last."""
    seconds, last, going = [[] for _ in runs], [DONE for _ in runs], set(range(len(runs)))
    turn = 0
    while going:
        for i in sorted(going, reverse=turn % 2 == 1):
            begun = time.perf_counter()
            found = next(runs[i], DONE)
            seconds[i].append(time.perf_counter() - begun)
            if found is DONE:
                going.remove(i)
            else:
                last[i] = found
        turn += 1
    return seconds, last


def compare(engine: Engine, model: Model, folder: Path, guidance: float, forward: str) -> tuple[float, str]:
    """Recorded over bare sampling; and its spread over the rounds, with the seconds of both."""
    fields = {"label": LABEL, "steps": STEPS, "samples": BATCH, "guidance": guidance, "forward": forward, "seed": 0}
    request = Request.model_validate({"model": "digits", "device": "cpu", **fields})
    start = SampleNoise(0, BATCH, model.card.shape).draw().contiguous(memory_format=torch.channels_last)
    rounds = []
    for turn in range(ROUNDS + 1):
        path = folder / f"{guidance}-{forward}-{turn}.trace"
        seconds, (_, samples) = in_turn([engine.run(request, path), bare(model, start, guidance)])
        if turn:
            rounds.append(seconds)
            path.unlink()
            continue
        with Trace.open(path) as trace:  # the first round warms caches, and proves that both do the same
            same = torch.from_numpy(trace.array(len(trace) - 1, "xt").copy())
            torch.testing.assert_close(samples, same, atol=1e-3, rtol=0)
    recorded, alone = (sum(map(statistics.median, zip(*one, strict=True))) for one in zip(*rounds, strict=True))
    single = [sum(a) / sum(b) for a, b in rounds]
    spread = f"{min(single):.3f} to {max(single):.3f} in {ROUNDS} rounds; {recorded:.2f} s recorded, {alone:.2f} s bare"
    return recorded / alone, spread


def measure() -> list[Row]:
    """Recorded over bare sampling, with guidance (a network call of twice the batch) and without, and both chains."""
    engine, model, rows = Engine(default_catalog()), load_model("digits"), []
    with tempfile.TemporaryDirectory() as folder:
        for what, guidance, forward, target in (
            ("guidance 1.5", 1.5, "off", 1.03),
            ("no guidance", 1.0, "off", 1.03),
            ("guidance 1.5, the forward chain too", 1.5, "fixed", None),
        ):
            ratio, spread = compare(engine, model, Path(folder), guidance, forward)
            title = f"recorded sampling over the bare loop, digits, batch {BATCH}, {STEPS} steps, {what}"
            rows.append(Row(title, ratio, "×", spread, target, digits=3))
    return rows


if __name__ == "__main__":
    report(measure)
