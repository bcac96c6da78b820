"""From data to noise and back: how much of x_0 is lost."""

from __future__ import annotations

import torch

from diffstudio.diffusion.chain import round_trip
from diffstudio.diffusion.times import level
from diffstudio.verification.row import Row
from diffstudio.verification.truths import Mixture, path_of

STEPS = 50
# (solver, refinements, the largest error that is right for so many steps)
CASES = (("ddim", 0, 0.1), ("ddim", 20, 1e-5), ("heun", 0, 1e-2), ("dpmpp_2m", 0, 5e-2))


def inversion() -> list[Row]:
    """‖x_0 − reverse(invert(x_0))‖/‖x_0‖, the worst of 8 samples of a mixture, 50 steps."""
    rows = []
    x0 = torch.randn(8, 20, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x0 = x0.sign() + 0.3 * x0.roll(1, 0)
    for name in ("flow", "vp_cosine"):
        path = path_of(name)
        # From σ = 0.01 to 10 in equal steps of log σ, and the data before it.
        grid = [level(path, 0.0)]
        grid += [level(path, path.t_at_log_snr(9.2 - 13.8 * i / (STEPS - 1))) for i in range(STEPS)]
        for solver, refinements, bound in CASES:
            error = round_trip(Mixture().denoise, path, grid, x0, solver=solver, refinements=refinements)
            label = f"{solver}{f', {refinements} refinements' if refinements else ''}, {name}"
            rows.append(Row("inversion", label, error.max().item(), bound, note=f"{STEPS} steps"))
    return rows
