"""How fast this machine's processor is: the time of one small convolution, against which networks are estimated."""

from __future__ import annotations

import time

REPEATS = 8


def reference_seconds() -> float:
    """Seconds that a convolution of 64 channels on 8 pictures of 14×14 takes on the processor, the best of some."""
    import torch

    states, kernel = torch.ones(8, 64, 14, 14), torch.ones(64, 64, 3, 3)
    found = []
    with torch.inference_mode():
        for _ in range(REPEATS):
            begun = time.perf_counter()
            torch.nn.functional.conv2d(states, kernel, padding=1)
            found.append(time.perf_counter() - begun)
    return min(found)
