"""Chains over tokens: siblings of those over numbers, with the same outer shape. Generators of Steps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from diffstudio.diffusion.chain import Step
from diffstudio.diffusion.denoiser import Denoiser, Estimate, estimate
from diffstudio.diffusion.noise import SampleNoise
from diffstudio.diffusion.times import Level
from diffstudio.diffusion.tokens import SOLVERS, Draw, TokenStep
from diffstudio.specs import TextSpec


@dataclass(frozen=True)
class Process:
    """How tokens are lost. name: "masked" or "uniform".  vocabulary: how many tokens there are; the mask is the next.

    draw: uniform numbers, (B, 1, L) float64 in [0, 1), a stream for each sample.
    """

    name: str
    vocabulary: int
    draw: Draw

    def hidden(self, x: Tensor) -> Tensor:
        """Where a state is masked."""
        return x == self.vocabulary if self.name == "masked" else torch.zeros_like(x, dtype=torch.bool)

    def lost(self, like: Tensor) -> Tensor:
        """What cells hold that have lost their token: the mask, or new random tokens."""
        if self.name == "masked":
            return torch.full_like(like, self.vocabulary)
        return (self.draw() * self.vocabulary).floor().to(like.dtype)


def process(text: TextSpec, seed: int, samples: int, shape: Sequence[int], stream: int = 0) -> Process:
    """The process of a text model, with streams of that seed."""
    noise = SampleNoise(seed, samples, shape, dtype=torch.float64, stream=stream)
    return Process(text.process, len(text.vocabulary), unit(noise))


def unit(noise: SampleNoise) -> Draw:
    """Numbers in [0, 1) from streams of variance 1; float64 streams have all their digits."""

    def draw() -> Tensor:
        return ((noise.draw("uniform") / math.sqrt(3) + 1) / 2).clamp(0, 1 - 2**-53)

    return draw


@dataclass(frozen=True)
class Fixed:
    """What the user wrote: tokens (1 or B, 1, L) where `where` is true; these cells are never lost nor drawn."""

    tokens: Tensor
    where: Tensor

    def put(self, x: Tensor) -> Tensor:
        """The state with the fixed cells as they are written."""
        return torch.where(self.where, self.tokens.to(x.dtype), x)


def prior(process: Process, samples: int, length: int, fixed: Fixed | None = None) -> Tensor:
    """x_T: nothing but masks, or random tokens; (B, 1, L) float32."""
    x = process.lost(torch.zeros(samples, 1, length))
    return x if fixed is None else fixed.put(x)


def forward_fixed(x0: Tensor, levels: Sequence[Level], process: Process) -> Iterator[Step]:
    """Each cell loses its token when s(t) passes a number of its own, and what it then holds stays.

    Of the masked process this is the Markov chain itself; of the uniform one it has the same distribution at each
    level. levels: from the data to the noise. x0: (B, 1, L).
    """
    last, after = process.draw(), process.lost(x0)
    for k, at in enumerate(levels):
        yield Step("forward", k, at, torch.where(last < at.s, after, x0), x0, 0)


def forward_markov(x0: Tensor, levels: Sequence[Level], process: Process) -> Iterator[Step]:
    """Each step a cell is lost with the chance 1 − a_k/a_{k−1}, to the mask or to a new random token."""
    xt = x0
    yield Step("forward", 0, levels[0], xt, x0, 0)
    for k in range(1, len(levels)):
        before, at = levels[k - 1], levels[k]
        xt = torch.where(process.draw() < 1 - at.a / before.a, process.lost(xt), xt)
        yield Step("forward", k, at, xt, x0, 0)


@torch.no_grad()
def reverse(
    denoise: Denoiser,
    process: Process,
    levels: Sequence[Level],
    x_start: Tensor,
    *,
    solver: str = "tokens_ancestral",
    params: Mapping[str, float] | None = None,
    fixed: Fixed | None = None,
) -> Iterator[Step]:
    """From x_start at levels[0] to the data: yields len(levels) Steps, one for each level.

    denoise: gives the extra "probabilities", (B, V, L) float64. The state stays on the CPU: a text is a few hundred
    bytes, and each sample draws there from its own stream.
    The extra "revealed", (B, 1, L), is the step that set a cell's token; 0 at the start, −1 for a masked cell.
    Of the masked process the network has no clock: while no cell changes its answer is kept (Sahoo et al. 2024).
    """
    x = x_start if fixed is None else fixed.put(x_start)
    calls, known, found = 0, None, Estimate(x)
    revealed = torch.where(process.hidden(x), -1.0, 0.0)
    # Of noised data by chance more or fewer are masked than the level says; what a prompt fixes never is.
    cells = process.hidden(x).sum(2, keepdim=True, dtype=torch.float64) / levels[0].s
    for k, at in enumerate(levels):
        if at.s == 0:
            yield Step("reverse", k, at, x, x, calls, {"revealed": revealed})
            return
        if known is None or process.name != "masked" or not torch.equal(known, x):
            known, found, calls = x, estimate(denoise(x, at, None)), calls + 1
        shown = {name: value for name, value in found.extras.items() if name != "probabilities"}
        yield Step("reverse", k, at, x, found.x0_hat, calls, {**shown, "revealed": revealed})
        if k + 1 == len(levels):
            return
        chances = found.extras["probabilities"]
        before = x
        step = TokenStep(x, chances, at, levels[k + 1], process.draw, process.name, cells)
        x = SOLVERS[solver](step, **(params or {}))
        x = x if fixed is None else fixed.put(x)
        revealed = torch.where(x == before, revealed, float(k + 1))
