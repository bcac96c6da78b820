"""The tensors that a view can ask for: what is recorded, and what follows from it."""

from __future__ import annotations

import numpy as np

from diffstudio.errors import BadFile
from diffstudio.traces.reader import Trace

TENSORS = ("xt", "x0_hat", "eps_hat", "delta", "x0_cond", "x0_free", "split")
NEEDS = {  # the fields that a trace must hold for each
    "xt": ("xt",), "x0_hat": ("x0_hat",), "eps_hat": ("xt", "x0_hat"), "delta": ("xt",),
    "x0_cond": ("x0_cond",), "x0_free": ("x0_free",), "split": ("x0_cond", "x0_free"),
}  # fmt: skip


def available(trace: Trace) -> list[str]:
    """Those of TENSORS that a trace holds, and that have a meaning for its states."""
    held = {spec.name for spec in trace.header.fields}
    without = meaningless(trace)
    return [name for name in TENSORS if held.issuperset(NEEDS[name]) and name not in without]


def meaningless(trace: Trace) -> tuple[str, ...]:
    """Those of TENSORS that say nothing of such states; () where the trace does not say what its states are."""
    try:
        return trace.meaning.kind.meaningless(trace.meaning)
    except (BadFile, KeyError):
        return ()


def is_true(trace: Trace, k: int) -> bool:
    """Whether record k's x0_hat is the true x_0 (forward chain), not a guess; then eps_hat is the true ε too.

    An inversion is a forward chain that the network made: there x̂0 is its guess.
    """
    return trace.chain(k) == 0 and not str(trace.header.request.get("forward", "")).startswith("invert")


def is_first(trace: Trace, k: int) -> bool:
    """Whether record k begins its chain."""
    return k == 0 or trace.chain(k) != trace.chain(k - 1)


def tensor(trace: Trace, k: int, name: str, sample: int | slice | None = None) -> np.ndarray:
    """One of TENSORS at record k: (B, …) float32, or (…) for one sample.

    eps_hat = (x_t − a·x̂0)/s, zero where s = 0. delta = x_t − the recorded state before it in the same chain, zero at
    a chain's first record. split = x0_cond − x0_free, what guidance goes along.

    Raises:
        KeyError: a name that is neither recorded nor one of TENSORS.
    """
    if name == "eps_hat":
        xt, x0_hat = trace.array(k, "xt", sample), trace.array(k, "x0_hat", sample)
        a, s = trace.scalar(k, "a"), trace.scalar(k, "s")
        with np.errstate(invalid="ignore", over="ignore"):  # half precision may have overflowed: ∞ − ∞ is NaN
            if s <= 0:
                return np.zeros_like(xt)
            out = np.float32(a) * x0_hat
            np.subtract(xt, out, out=out)
            out /= np.float32(s)
            return out
    if name == "delta":
        xt = trace.array(k, "xt", sample)
        if is_first(trace, k):
            return np.zeros_like(xt)
        with np.errstate(invalid="ignore", over="ignore"):
            return xt - trace.array(k - 1, "xt", sample)
    if name == "split":
        with np.errstate(invalid="ignore", over="ignore"):
            return trace.array(k, "x0_cond", sample) - trace.array(k, "x0_free", sample)
    return trace.array(k, name, sample)
