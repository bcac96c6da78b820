"""How fast a recorded run went."""

from __future__ import annotations

from diffstudio.traces.reader import Trace


def steps_per_second(trace: Trace) -> float:
    """Of the reverse chain; 0 where there is nothing to divide."""
    first = trace.first_of(1)
    if first is None or len(trace) - first < 2:
        return 0.0
    seconds = trace.scalar(len(trace) - 1, "seconds") - trace.scalar(first, "seconds")
    steps = trace.scalar(len(trace) - 1, "step") - trace.scalar(first, "step")
    return steps / seconds if seconds > 0 else 0.0
