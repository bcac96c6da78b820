"""Chains: generators of Steps. Who iterates decides about threads, recording and stopping; to cancel is to stop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from diffstudio.diffusion.denoiser import Condition, Denoiser, Estimate, estimate
from diffstudio.diffusion.noise import Noise, SampleNoise
from diffstudio.diffusion.paths import Path
from diffstudio.diffusion.solvers import SOLVERS, Past, StepContext, forward_std, kept
from diffstudio.diffusion.times import Level


@dataclass(frozen=True)
class Step:
    """One state of a chain.

    xt: (B, …), the state at `level`.
    x0_hat: (B, …). Reverse: D(x_t); at the end (s = 0) x_t itself. Forward: the true x_0.
    nfe: network calls made in this chain so far (a guided call counts once).
    extras: what the denoiser gave beside x̂0, by name, each (B, …).
    """

    chain: Literal["forward", "reverse"]
    index: int
    level: Level
    xt: Tensor
    x0_hat: Tensor
    nfe: int
    extras: Mapping[str, Tensor] = field(default_factory=dict)


PAST = 3  # states that a solver may look back on


def forward_fixed(x0: Tensor, levels: Sequence[Level], eps: Tensor) -> Iterator[Step]:
    """x_t = a·x_0 + s·ε with one ε per sample at every level.

    levels: from the data to the noise. x0, eps: (B, …).
    """
    for k, at in enumerate(levels):
        yield Step("forward", k, at, at.a * x0 + at.s * eps, x0, 0)


def forward_markov(
    x0: Tensor, levels: Sequence[Level], noise: SampleNoise, law: Literal["gaussian", "uniform"] = "gaussian"
) -> Iterator[Step]:
    """The Markov chain x_k = c·x_{k−1} + n·θ_k with c = a_k/a_{k−1} and n² = s_k² − c²·s_{k−1}².

    On a path's own table this is DDPM's chain, or the mixing chain with c = 1 − α_k and n = α_k.

    levels: from the data to the noise, starting where s = 0. x0: (B, …).
    """
    xt = x0
    yield Step("forward", 0, levels[0], xt, x0, 0)
    for k in range(1, len(levels)):
        before, at = levels[k - 1], levels[k]
        xt = kept(at, before) * xt + forward_std(at, before) * noise.draw(law).to(x0.device, x0.dtype)
        yield Step("forward", k, at, xt, x0, 0)


@torch.no_grad()
def reverse(
    denoise: Denoiser,
    path: Path,
    levels: Sequence[Level],
    x_start: Tensor,
    noise: Noise,
    *,
    solver: str = "dpmpp_2m",
    cond: Condition = None,
    params: dict[str, float] | None = None,
) -> Iterator[Step]:
    """From x_start at levels[0] to the data: yields len(levels) Steps, each after at most one or two network calls.

    x_start: (B, …) on the device where the network is. noise: for solvers that draw, per-sample streams.
    """
    step_fn = SOLVERS[solver]
    counted = _Counter(denoise, cond)

    def draw(at: Level, to: Level) -> Tensor:
        return noise.between(at, to).to(x_start.device, x_start.dtype)

    x = x_start
    past: tuple[Past, ...] = ()
    memory: dict[str, object] = {}
    last = len(levels) - 1
    for k, at in enumerate(levels):
        if at.s == 0:
            # x_t = a·x_0 here: there is nothing left to predict.
            yield Step("reverse", k, at, x, x / at.a, counted.calls)
            return
        found = counted(x, at)
        yield Step("reverse", k, at, x, found.x0_hat, counted.calls, found.extras)
        if k < last:
            context = StepContext(
                x, found.x0_hat, at, levels[k + 1], path, counted.x0_hat, draw, past, last - k - 1, memory, found.extras
            )
            past = (*past[-PAST + 1 :], Past(at, x, found.x0_hat))
            x = step_fn(context, **(params or {}))


class _Counter:
    """A denoiser with its condition bound, that counts its calls."""

    def __init__(self, denoise: Denoiser, cond: Condition) -> None:
        self._denoise = denoise
        self._cond = cond
        self.calls = 0

    def __call__(self, x: Tensor, at: Level) -> Estimate:
        self.calls += 1
        return estimate(self._denoise(x, at, self._cond))

    def x0_hat(self, x: Tensor, at: Level) -> Tensor:
        """D(x_t) alone."""
        return self(x, at).x0_hat
