"""What a network of a text knows, and one step of a reverse chain over tokens.

A text is (B, 1, L): the number of a token in each cell, V = mask. a(t) of the path is the chance that a cell still has
its own token, s = 1 − a that it has lost it: to the mask ("masked", absorbing), or to a random token ("uniform").
All distributions are float64: in single precision the inverse of a cumulative sum prefers some tokens (Zheng et al.
2024 show how it lowers the temperature).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from diffstudio.diffusion.denoiser import Condition, Denoiser, Estimate, Network
from diffstudio.diffusion.times import Level

BEST = 5  # guesses of each cell that are kept: (B, BEST, L)
Embedding = Tensor  # (V, C)


def token_denoiser(network: Network, vocabulary: int, process: str, device: torch.device) -> Denoiser:
    """A network's logits as the distribution of x_0: the extra "probabilities", (B, V, L), and what `beliefs` gives.

    masked: a revealed cell is what it shows, and no cell is guessed to be a mask (SUBS, Sahoo et al. 2024, section
    3.2.3). The states may lie elsewhere than the network: the answer lies with the state.
    """

    def denoise(x: Tensor, at: Level, cond: Condition) -> Estimate:
        placed = x.to(device, torch.float32)
        times = torch.full((len(x),), at.t, device=device)
        found = network(placed, times, cond).to(x.device, torch.float64).softmax(1)
        if process == "masked":
            known = one_hot(x, vocabulary + 1)[:, :vocabulary]
            found = torch.where(x == vocabulary, found, known)
        return Estimate(found.argmax(1, keepdim=True).to(x.dtype), {"probabilities": found, **beliefs(found)})

    return denoise


def embedding_denoiser(network: Network, embedding: Embedding) -> Denoiser:
    """Logits at a noisy embedding (B, C, L) as x̂0, the mean of the tokens' vectors (Dieleman et al. 2022, CDCD)."""

    def denoise(x: Tensor, at: Level, cond: Condition) -> Estimate:
        times = torch.full((len(x),), at.t, device=x.device)
        found = network(x, times, cond).double().softmax(1)
        mean = torch.einsum("bvl,vc->bcl", found, embedding.to(x.device, torch.float64))
        return Estimate(mean.to(x.dtype), beliefs(found))

    return denoise


def beliefs(probabilities: Tensor) -> dict[str, Tensor]:
    """What is recorded of a distribution (B, V, L): the likeliest tokens, their chances, and the entropy in bits.

    guesses, odds: (B, BEST, L), fewer where the vocabulary has fewer.  entropy: (B, 1, L).
    """
    odds, guesses = probabilities.topk(min(BEST, probabilities.shape[1]), dim=1)
    bits = -torch.xlogy(probabilities, probabilities).sum(1, keepdim=True) / math.log(2)
    return {"guesses": guesses.float(), "odds": odds.float(), "entropy": bits.float()}


def one_hot(x: Tensor, size: int) -> Tensor:
    """(B, 1, L) → (B, size, L) float64."""
    return functional.one_hot(x[:, 0].long(), size).transpose(1, 2).double()


def drawn(probabilities: Tensor, u: Tensor) -> Tensor:
    """A token for each cell by the inverse of the cumulative sum: (B, V, L) and u (B, 1, L) in [0, 1) → (B, 1, L)."""
    sums = probabilities.cumsum(1)
    return (u * sums[:, -1:] >= sums[:, :-1]).sum(1, keepdim=True).to(torch.float32)


def tempered(probabilities: Tensor, temperature: float) -> Tensor:
    """p^(1/T), normalised: below 1 the likely tokens gain."""
    if temperature == 1:
        return probabilities
    sharp = (probabilities / probabilities.amax(1, keepdim=True)) ** (1 / temperature)
    return sharp / sharp.sum(1, keepdim=True)


Draw = Callable[[], Tensor]  # (B, 1, L) in [0, 1), new at each call, each sample from its own stream


@dataclass(frozen=True)
class TokenStep:
    """What a solver of tokens sees of a step.

    x: x_t, (B, 1, L).  found: the network's distribution of x_0, (B, V, L) float64.  at, to: the two levels.
    process: "masked" or "uniform".
    cells: how many of each sample the process has a hold on, (B, 1, 1) float64: at level s so many times s are lost.
    """

    x: Tensor
    found: Tensor
    at: Level
    to: Level
    draw: Draw
    process: str
    cells: Tensor


TokenSolver = Callable[..., Tensor]


def ancestral(step: TokenStep, temperature: float = 1.0) -> Tensor:
    """A sample of q(x_t′ | x_t, x_0) with x_0 from the network's distribution; both processes.

    masked: each masked cell is revealed with the chance (s − s′)/s, as a token of the distribution (Sahoo et al. 2024,
    eq. 7). uniform: see `uniform_posterior`.
    """
    x, at, to = step.x, step.at, step.to
    found = tempered(step.found, temperature)
    vocabulary = found.shape[1]
    if step.process == "uniform":
        return drawn(uniform_posterior(x, found, at, to), step.draw())
    revealed = (x == vocabulary) & (step.draw() < (at.s - to.s) / at.s)
    return torch.where(revealed, drawn(found, step.draw()), x)


def uniform_posterior(x: Tensor, found: Tensor, at: Level, to: Level) -> Tensor:
    """p(x_t′ | x_t) where tokens are replaced by random ones: (B, V, L).

    Σ over x_0 of p(x_0)·q(x_t|x_t′)·q(x_t′|x_0)/q(x_t|x_0), with q(x_t|x_0) = a·[x_t = x_0] + s/V and
    q(x_t|x_t′) = r·[x_t = x_t′] + (1 − r)/V, r = a/a′ (Austin et al. 2021, D3PM, eq. 3 and 4).
    """
    size = found.shape[1]
    here = one_hot(x, size)
    weights = found / (at.a * here + at.s / size)
    kept = at.a / to.a
    return (kept * here + (1 - kept) / size) * (to.a * weights + to.s / size * weights.sum(1, keepdim=True))


def surest_first(step: TokenStep, temperature: float = 1.0, randomness: float = 0.5) -> Tensor:
    """Reveal masked cells until cells·s′ of them are left, those first whose drawn token is likeliest.

    What is left is counted from the start, not from the state before, so that no rounding adds up: however many steps
    there are, the share of masks is that of the process to within half a cell.
    randomness: of the order, the weight of Gumbel noise on log p, fading with s (Chang et al. 2022, MaskGIT).
    """
    found = tempered(step.found, temperature)
    masked = step.x == found.shape[1]
    token = drawn(found, step.draw())
    sure = found.gather(1, token.long()).clamp_min(1e-300).log()
    gumbel = -(-step.draw().clamp_min(1e-300).log()).clamp_min(1e-300).log()
    order = torch.where(masked, sure + randomness * step.at.s * gumbel, -torch.inf)
    rank = order.argsort(dim=2, descending=True, stable=True).argsort(dim=2)
    left = (step.cells * step.to.s).round()
    return torch.where(masked & (rank < masked.sum(2, keepdim=True) - left), token, step.x)


SOLVERS: dict[str, TokenSolver] = {"tokens_ancestral": ancestral, "tokens_surest": surest_first}
