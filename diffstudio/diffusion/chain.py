"""Chains: generators of Steps. Who iterates decides about threads, recording and stopping; to cancel is to stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from diffstudio.diffusion.denoiser import Condition, Denoiser, Estimate, estimate
from diffstudio.diffusion.noise import Noise, SampleNoise
from diffstudio.diffusion.paths import Path
from diffstudio.diffusion.solvers import SOLVERS, Past, StepContext, forward_std, kept
from diffstudio.diffusion.times import Level
from diffstudio.errors import BadInput
from diffstudio.options import SOLVERS as SOLVER_ROWS


@dataclass(frozen=True)
class Step:
    """One state of a chain.

    xt: (B, …), the state at `level`.
    x0_hat: (B, …). Reverse and inversion: D(x_t); at the clean end (s = 0) x_t itself. Forward: the true x_0.
    nfe: network calls made in this chain so far (a guided call counts once, and so does one for a part of the batch).
    extras: what the denoiser gave beside x̂0, by name, each (B, …).
    remark: what the solver could not do as it was asked, on the way to this state; once in a chain.
    """

    chain: Literal["forward", "reverse"]
    index: int
    level: Level
    xt: Tensor
    x0_hat: Tensor
    nfe: int
    extras: Mapping[str, Tensor] = field(default_factory=dict)
    remark: str = ""


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


Projection = Callable[[Tensor, Level], Tensor]


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
    project: Projection | None = None,
    resample: int = 1,
) -> Iterator[Step]:
    """From x_start at levels[0] to the data: yields len(levels) Steps, one for each level.

    x_start: (B, …) on the device where the network is. noise: for solvers that draw, per-sample streams.
    project: takes x_{t′} and its level after each step and gives the x_{t′} that goes on; inpainting puts the known
        region there.
    resample: passes of each step; between two of them x_{t′} is noised to t again (Lugmayr et al. 2022, RePaint,
        algorithm 1), which needs noise that is new at each call (`SampleNoise`). The last pass is the one yielded.
    """
    walk = _Walk(denoise, cond, path, noise, solver, params or {}, len(levels) - 1)
    project = project or _unchanged
    x = x_start
    for k, at in enumerate(levels):
        if at.s == 0:
            # x_t = a·x_0 here: there is nothing left to predict.
            yield Step("reverse", k, at, x, x / at.a, walk.calls, remark=walk.remark())
            return
        last = k + 1 == len(levels)
        to = at if last else levels[k + 1]
        for _ in range(0 if last or to.s == 0 else resample - 1):
            x_to = project(walk.step(x, walk.ask(x, at), at, to), to)
            # x_t = (a/a′)·x_{t′} + √(s² − (a/a′)²s′²)·z, on another trajectory than the past
            x = kept(at, to) * x_to + forward_std(at, to) * walk.draw(at, to)
            walk.forget()
        found = walk.ask(x, at)
        yield Step("reverse", k, at, x, found.x0_hat, walk.calls, found.extras, walk.remark())
        if last:
            return
        x = walk.step(x, found, at, to)
        if project is not _unchanged:
            x = project(x, to)
            walk.memory.clear()  # what a corrector keeps would undo the projection; the earlier x̂0 still hold


@torch.no_grad()
def invert(
    denoise: Denoiser,
    path: Path,
    levels: Sequence[Level],
    x0: Tensor,
    *,
    solver: str = "ddim",
    cond: Condition = None,
    params: dict[str, float] | None = None,
    refinements: int = 0,
) -> Iterator[Step]:
    """From the data to the noise that a deterministic solver would bring back to it: yields len(levels) Steps.

    It is the solver's own step with t′ > t: for "ddim" DDIM inversion with the ε̂ of the current state (Song et al.
    2020, section 4.3), for "heun" its second-order form. Where s = 0 no ε̂ is defined: the first noisy state is taken
    to be a·x_0, which is off by O(s²), so the first noisy level should be a quiet one.

    levels: from the data to the noise. x0: (B, …).
    refinements: for "ddim", fixed-point iterations of each step towards the x_{t′} that the reverse step leads back to
        x_t exactly, one call each (Pan et al. 2023, AIDI).

    Raises:
        BadInput: a solver that draws noise, or refinements of another than "ddim".
    """
    if SOLVER_ROWS[solver].stochastic:
        raise BadInput(f"inversion needs a deterministic solver, and '{solver}' draws noise")
    if refinements and solver != "ddim":
        raise BadInput(f"only inversion by 'ddim' can be refined, found '{solver}'")
    walk = _Walk(denoise, cond, path, _NoNoise(), solver, params or {}, len(levels) - 1)
    x = x0
    for k, at in enumerate(levels):
        found = walk.ask(x, at) if at.s > 0 else Estimate(x / at.a)
        yield Step("forward", k, at, x, found.x0_hat, walk.calls, found.extras, walk.remark())
        if k + 1 == len(levels):
            return
        to, before = levels[k + 1], x
        x = walk.step(before, found, at, to) if at.s > 0 else (to.a / at.a) * before
        for _ in range(refinements):
            x = _refined(before, at, x, to, walk.ask(x, to).x0_hat)


def _refined(x: Tensor, at: Level, x_to: Tensor, to: Level, x0_hat: Tensor) -> Tensor:
    """A better x_{t′} for the DDIM step x = (s/s′)·x_{t′} + (a − a′s/s′)·D(x_{t′}); at s = 0, for x = a·D(x_{t′})."""
    if at.s == 0:
        return x_to + to.a * (x / at.a - x0_hat)
    c = at.s / to.s
    return (x - (at.a - c * to.a) * x0_hat) / c


def round_trip(
    denoise: Denoiser,
    path: Path,
    levels: Sequence[Level],
    x0: Tensor,
    *,
    solver: str = "ddim",
    cond: Condition = None,
    params: dict[str, float] | None = None,
    refinements: int = 0,
) -> Tensor:
    """‖x_0 − reverse(invert(x_0))‖/‖x_0‖ of each sample, (B,); levels from data to noise, errors as `invert`."""
    *_, noisy = invert(denoise, path, levels, x0, solver=solver, cond=cond, params=params, refinements=refinements)
    down = levels[::-1]
    *_, back = reverse(denoise, path, down, noisy.xt, _NoNoise(), solver=solver, cond=cond, params=params)
    return (x0 - back.xt).flatten(1).norm(dim=1) / x0.flatten(1).norm(dim=1)


def _unchanged(x: Tensor, at: Level) -> Tensor:
    return x


class _NoNoise:
    """The noise of a chain that must not draw any."""

    def between(self, at: Level, to: Level) -> Tensor:
        raise BadInput("inversion needs a deterministic solver: set η and churn to 0")


class _Walk:
    """A solver on its way along a chain: the calls that it made and what it remembers."""

    def __init__(
        self,
        denoise: Denoiser,
        cond: Condition,
        path: Path,
        noise: Noise,
        solver: str,
        params: dict[str, float],
        steps: int,
    ) -> None:
        self._denoise, self._cond, self._path, self._noise, self._steps = denoise, cond, path, noise, steps
        self._solver, self._params = SOLVERS[solver], params
        self._past: tuple[Past, ...] = ()
        self._place: Tensor | None = None
        self._said: list[str] = []
        self._told = False
        self.memory: dict[str, Any] = {}
        self.calls = 0

    def ask(self, x: Tensor, at: Level, rows: Tensor | None = None) -> Estimate:
        """What the denoiser knows of x_t; rows: the samples that x has, None for all of them."""
        self.calls += 1
        self._place = x
        cond = self._cond if rows is None or self._cond is None else self._cond[rows]
        return estimate(self._denoise(x, at, cond))

    def draw(self, at: Level, to: Level) -> Tensor:
        """Noise where the state is, in its type."""
        z, place = self._noise.between(at, to), self._place
        # On CUDA the copy need not wait for what the device still computes.
        return z if place is None else z.to(place.device, place.dtype, non_blocking=place.is_cuda)

    def step(self, x: Tensor, found: Estimate, at: Level, to: Level) -> Tensor:
        """x_{t′}."""
        context = StepContext(
            x=x,
            x0_hat=found.x0_hat,
            at=at,
            to=to,
            path=self._path,
            denoise=lambda x, at, rows=None: self.ask(x, at, rows).x0_hat,
            noise=self.draw,
            past=self._past,
            steps=self._steps,
            memory=self.memory,
            extras=found.extras,
            say=self._said.append,
        )
        self._past = (*self._past[-PAST + 1 :], Past(at, x, found.x0_hat))
        return self._solver(context, **self._params)

    def remark(self) -> str:
        """The first that the solver had to say, once; else ""."""
        if self._told or not self._said:
            return ""
        self._told = True
        return self._said[0]

    def forget(self) -> None:
        """Start anew from here: what was remembered belongs to another trajectory."""
        self._past = ()
        self.memory.clear()
