"""Numbers in sentences."""

from __future__ import annotations

from collections.abc import Sequence

MOST = 8  # samples that are listed


def samples(which: Sequence[int]) -> str:
    """ "sample 3", "samples 0, 1 and 4"; of many how many they are, "12 samples"."""
    if len(which) == 1:
        return f"sample {which[0]}"
    if len(which) > MOST:
        return f"{len(which):,} samples"
    return f"samples {', '.join(map(str, which[:-1]))} and {which[-1]}"
