"""From Steps to records: arrays and the scalars that every step carries."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from diffstudio.modalities import Meaning
from diffstudio.traces.format import FieldSpec

SPLIT = ("x0_cond", "x0_free")  # the halves of guidance
CHAIN_NUMBER = {"forward": 0, "reverse": 1}


class Appender(Protocol):
    """What takes the records: a trace writer."""

    def append(self, scalars: Mapping[str, float], arrays: Mapping[str, np.ndarray]) -> int: ...


class Recorder:
    """Appends steps to a trace, with their norms. It keeps the last state of the chain for the differences."""

    def __init__(
        self,
        writer: Appender,
        every: int,
        steps: int,
        fields: Sequence[FieldSpec] = (),
        meaning: Meaning | None = None,
    ) -> None:
        """every: record every k-th step, and step number `steps`. fields: what is declared, extras of a step too.

        meaning: of the states, where their modality has its own measures; None is that of plain numbers.
        """
        self._writer = writer
        self._every = every
        self._steps = steps
        self._extras = tuple(spec.name for spec in fields if spec.name not in ("xt", "x0_hat"))
        self._measures = Measures(meaning)
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
            "dx_norm": self._measures.change(xt, before[1]) if before else 0.0,
            "eps_norm": self._measures.noise(xt, x0_hat, at),
            "x0_change": self._measures.change(x0_hat, before[2]) if before and x0_hat is not before[2] else 0.0,
            "seconds": time.monotonic() - self._begun,
        }
        self._before = (step.chain, xt, x0_hat)
        extras = {
            name: step.extras[name].cpu().numpy() if name in step.extras else self._measures.known(name, x0_hat)
            for name in self._extras
        }
        arrays = {"xt": xt, "x0_hat": x0_hat, **extras}
        self._writer.append(scalars | self._measures.scalars(arrays), arrays)
        self.records += 1
        return True


class Measures:
    """Distances of states, and what a modality records beside them."""

    def __init__(self, meaning: Meaning | None) -> None:
        self._meaning = meaning
        kind = None if meaning is None else meaning.kind
        self._change = None if kind is None else kind.change
        self._scalars = {} if kind is None else kind.scalars
        self._known = {} if meaning is None else {extra.name: extra.known for extra in meaning.kind.extras(meaning)}

    def change(self, new: np.ndarray, old: np.ndarray) -> float:
        """How far a state is from the one before."""
        if self._change is None or self._meaning is None:
            return _rms_norm(new - old)
        return self._change(self._meaning, new, old)

    def noise(self, xt: np.ndarray, x0_hat: np.ndarray, at) -> float:
        """The norm of ε̂; none where states are no numbers."""
        return _rms_norm(xt - at.a * x0_hat) / at.s if at.s > 0 and self._change is None else 0.0

    def known(self, name: str, x0_hat: np.ndarray) -> np.ndarray:
        """A field where x̂0 is the truth. A step without halves has x̂0 for both: their difference is none."""
        return self._known[name](x0_hat) if name in self._known else x0_hat

    def scalars(self, arrays: Mapping[str, np.ndarray]) -> dict[str, float]:
        """The modality's own numbers of a record."""
        if self._meaning is None:
            return {}
        return {name: measure(self._meaning, arrays) for name, measure in self._scalars.items()}


def _rms_norm(difference: np.ndarray) -> float:
    """√(mean over the batch of ‖·‖²)."""
    flat = difference.ravel()
    return math.sqrt(float(np.dot(flat, flat)) / len(difference))
