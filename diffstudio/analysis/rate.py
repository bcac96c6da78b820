"""How fast a recorded run went."""

from __future__ import annotations

import numpy as np

from diffstudio.traces.reader import Trace


def steps_per_second(trace: Trace) -> float:
    """Of the reverse chain, or of the forward chain that is alone; 0 where there is nothing to divide."""
    both = any(chain.name == "reverse" for chain in trace.header.chains)
    first = trace.first_of(1) if both else 0
    if first is None or len(trace) - first < 2:
        return 0.0
    last = len(trace) - 1
    if trace.has_scalar("nfe"):
        asked = np.flatnonzero(np.diff(trace.scalars("nfe")[first:]) > 0)
        last = first + int(asked[-1]) + 1 if len(asked) else last  # a step without a network call takes no time
    seconds = trace.scalar(last, "seconds") - trace.scalar(first, "seconds")
    steps = trace.scalar(last, "step") - trace.scalar(first, "step")
    return steps / seconds if seconds > 0 else 0.0
