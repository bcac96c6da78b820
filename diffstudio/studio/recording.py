"""From Steps to records: arrays and the scalars that every step carries."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from diffstudio.traces.format import FieldSpec

SPLIT = ("x0_cond", "x0_free")  # the halves of guidance
CHAIN_NUMBER = {"forward": 0, "reverse": 1}


class Appender(Protocol):
    """What takes the records: a trace writer."""

    def append(self, scalars: Mapping[str, float], arrays: Mapping[str, np.ndarray]) -> int: ...


class Recorder:
    """Appends steps to a trace, with their norms. It keeps the last state of the chain for the differences."""

    def __init__(self, writer: Appender, every: int, steps: int, fields: Sequence[FieldSpec] = ()) -> None:
        """every: record every k-th step, and step number `steps`. fields: what is declared, extras of a step too."""
        self._writer = writer
        self._every = every
        self._steps = steps
        self._extras = tuple(spec.name for spec in fields if spec.name not in ("xt", "x0_hat"))
        self._begun = time.monotonic()
        self._before: tuple[str, np.ndarray, np.ndarray] | None = None
        self.records = 0

    def add(self, step) -> bool:
        """Record a `diffusion.chain.Step` if it is one of every k-th or the last; True if it was recorded."""
        if step.index % self._every and step.index != self._steps:
            return False
        xt, x0_hat = step.xt.detach().cpu().numpy(), step.x0_hat.detach().cpu().numpy()
        at = step.level
        before = self._before if self._before and self._before[0] == step.chain else None
        scalars = {
            "chain": CHAIN_NUMBER[step.chain],
            "step": step.index,
            "t": at.t,
            "a": at.a,
            "s": at.s,
            "log_snr": at.log_snr,
            "nfe": step.nfe,
            "dx_norm": _rms_norm(xt - before[1]) if before else 0.0,
            "eps_norm": _rms_norm(xt - at.a * x0_hat) / at.s if at.s > 0 else 0.0,
            "x0_change": _rms_norm(x0_hat - before[2]) if before and x0_hat is not before[2] else 0.0,
            "seconds": time.monotonic() - self._begun,
        }
        self._before = (step.chain, xt, x0_hat)
        # Where a step has no halves (the forward chain, the data itself) x̂0 stands for both: their difference is none.
        extras = {name: step.extras[name].cpu().numpy() if name in step.extras else x0_hat for name in self._extras}
        self._writer.append(scalars, {"xt": xt, "x0_hat": x0_hat, **extras})
        self.records += 1
        return True


def _rms_norm(difference: np.ndarray) -> float:
    """√(mean over the batch of ‖·‖²)."""
    flat = difference.ravel()
    return math.sqrt(float(np.dot(flat, flat)) / len(difference))
