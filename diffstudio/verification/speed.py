"""The time of one solver step against that of diffusers on the same tensors, the network's left out."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from diffstudio.diffusion.chain import reverse
from diffstudio.diffusion.noise import SampleNoise
from diffstudio.diffusion.times import levels
from diffstudio.verification.row import Row
from diffstudio.verification.truths import path_of

SHAPE = (16, 1, 32, 32)
STEPS = 20
BLOCKS, RUNS = 7, 9  # the least of seven medians of nine runs: other programs only ever add time
SCHEDULERS = {
    "ddim": "DDIMScheduler",
    "ddpm": "DDPMScheduler",
    "dpmpp_2m": "DPMSolverMultistepScheduler",
    "unipc": "UniPCMultistepScheduler",
    "euler": "EulerDiscreteScheduler",
}


def step_times() -> list[Row]:
    """Our time as a share of theirs, for each solver that both have.

    Raises:
        ImportError: diffusers is not installed.
    """
    import diffusers

    rows = []
    for solver, name in SCHEDULERS.items():
        ours, theirs = _fastest(
            lambda solver=solver: _ours(solver), lambda name=name: _theirs(getattr(diffusers, name)())
        )
        note = f"{ours * 1e6:.0f} µs, {name} {theirs * 1e6:.0f} µs"
        rows.append(Row("speed", f"one step of {solver}", ours / theirs, 0.5, note=note))
    return rows


def _fastest(*runs: Callable[[], float]) -> list[float]:
    """The least of the medians of each; the runs take turns, so that a busy machine slows all of them alike."""
    blocks = [[sorted(run() for _ in range(RUNS))[RUNS // 2] for run in runs] for _ in range(BLOCKS)]
    return [min(block[i] for block in blocks) for i in range(len(runs))]


def _ours(solver: str) -> float:
    """Seconds a step of a whole chain, its bookkeeping included."""
    path = path_of("vp_linear")
    grid, x = levels(path, STEPS), torch.zeros(SHAPE)
    chain = reverse(lambda x, at, cond: x, path, grid, x, SampleNoise(0, SHAPE[0], SHAPE[1:]), solver=solver)
    before = time.perf_counter()
    for _ in chain:
        pass
    return (time.perf_counter() - before) / STEPS


@torch.no_grad()
def _theirs(scheduler: Any) -> float:
    scheduler.set_timesteps(STEPS)
    x: Tensor = torch.zeros(SHAPE)
    out = torch.zeros(SHAPE)
    scheduler.scale_model_input(x, scheduler.timesteps[0])
    before = time.perf_counter()
    for t in scheduler.timesteps:
        x = scheduler.step(out, t, x).prev_sample
    return (time.perf_counter() - before) / STEPS
