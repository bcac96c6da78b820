"""How well a chain that was run backwards comes back to its data."""

from __future__ import annotations

import numpy as np

from diffstudio.traces.reader import Trace


def round_trip_error(trace: Trace) -> np.ndarray | None:
    """‖x_0 − x_end‖/‖x_0‖ of each sample, (B,), x_0 the data and x_end the sample at the end of the reverse chain.

    None unless the whole run is there, the forward chain is an inversion, and the reverse chain started from its end.
    """
    request, first = trace.header.request, trace.first_of(1)
    inverted = str(request.get("forward", "")).startswith("invert") and request.get("source") in ("data", "file")
    if not inverted or first in (None, 0) or not trace.complete:
        return None
    x0, end = (trace.array(k, "xt").reshape(trace.batch, -1).astype(np.float64) for k in (0, len(trace) - 1))
    return np.linalg.norm(x0 - end, axis=1) / np.linalg.norm(x0, axis=1)
