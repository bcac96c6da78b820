"""Noise of one Brownian path for each sample, so that more steps refine the same sample."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from diffstudio.diffusion.noise import SampleNoise, generator_seed, sample_seeds
from diffstudio.diffusion.times import Level

REACH = 16.0  # λ = log(a/s) from −16 to 16; beyond it lie levels that are pure noise or clean to seven digits
DEPTH = 14  # halvings from there to a cell
END = 2**DEPTH
CELL = 2 * REACH / END  # in λ, about 0.002
# Of the 32 bits of a generator's seed: multiples of the golden ratio's share of 2³² lie at least 50,000 apart, so the
# seeds of no two places meet in a batch below that size.
SPREAD = 0x9E3779B9
KEPT_BYTES = 256 << 20  # of the tree; what does not fit is drawn again when it is needed


class BrownianNoise:
    """z = (B(τ′) − B(τ))/√(τ′ − τ) with one Brownian motion B for each sample, in the clock τ = (a/s)² = e^{2λ}.

    The noise of a reverse step has the standard deviation s′√(1 − e^{−2h}), h = λ′ − λ. Times e^{λ′}/s′ that is
    √(τ′ − τ): the posterior noise of DDPM and the noise of the SDE solvers are increments of one motion in τ.

    B is defined by halving in λ down to cells: each middle is drawn from the Brownian bridge between its two ends, by
    a generator seeded for (seed of the sample, place), and so is the one value that a cell has inside. It depends
    neither on the steps nor on the order of questions, and sample i of seed s has the path of sample 0 of seed s + i.
    The law is exact for a chain with at most one level in a cell. A step within a cell, or one back to more noise,
    draws fresh noise that belongs to no path.
    """

    def __init__(
        self, seed: int, samples: int, shape: Sequence[int], *, dtype: torch.dtype = torch.float32, stream: int = 2
    ) -> None:
        """`stream`: see `generator_seed`; the one after it is taken as well."""
        self._seeds = [generator_seed(of, stream) for of in sample_seeds(seed, samples)]
        self._shape = (samples, *shape)
        self._dtype = dtype
        self._generator = torch.Generator()  # seeded anew for each sample and place
        self._fresh = SampleNoise(seed, samples, shape, dtype=dtype, stream=stream + 1)
        self._tree: dict[int, Tensor] = {}  # B at the places of the last way down
        # λ and B(τ) of the last answer
        self._last: tuple[float, Tensor] = -REACH, torch.zeros(self._shape, dtype=dtype)

    def between(self, at: Level, to: Level) -> Tensor:
        """The noise of a step from one level to a cleaner one: (B, *shape) on the CPU, mean 0, variance 1."""
        start, end = _within(at), _within(to)
        if _cell(start) >= _cell(end):
            return self._fresh.draw()
        # z = (B(τ′) − B(τ))/√(τ′ − τ)
        return self._difference(start, end).mul_(1 / math.sqrt(_clock(end) - _clock(start)))

    def increment(self, at: Level, to: Level) -> Tensor:
        """B(τ′) − B(τ): (B, *shape)."""
        return self._difference(_within(at), _within(to))

    def _difference(self, start: float, end: float) -> Tensor:
        before = self._at(start)  # asked first: it is the last answer of the step before
        return self._at(end) - before

    def _at(self, lam: float) -> Tensor:
        """B at λ, by halving from the whole range."""
        if lam != self._last[0]:
            cell = _cell(lam)
            low, at_low = 0, torch.zeros(self._shape, dtype=self._dtype)
            high, at_high = END, self._end()
            way = {high: at_high}
            while high - low > 1:
                middle = (low + high) // 2
                at_middle = self._tree.get(middle)
                if at_middle is None:
                    at_middle = self._bridge(_place(low), at_low, _place(middle), _place(high), at_high, middle)
                way[middle] = at_middle
                if cell < middle:
                    high, at_high = middle, at_middle
                else:
                    low, at_low = middle, at_middle
            inside = END + 1 + cell  # a number that no place has
            self._last = lam, self._bridge(_place(low), at_low, lam, _place(high), at_high, inside)
            size = at_high.numel() * at_high.element_size()
            self._tree = dict(list(way.items())[: KEPT_BYTES // max(1, size)])
        return self._last[1]

    def _end(self) -> Tensor:
        """B at the end of the range: N(0, τ)."""
        return self._tree[END] if END in self._tree else self._normal(END).mul_(math.sqrt(_clock(REACH)))

    def _bridge(self, low: float, at_low: Tensor, lam: float, high: float, at_high: Tensor, place: int) -> Tensor:
        """B at λ, given both ends: B_l + f·(B_r − B_l) + √(f·(τ_r − τ))·ξ, f = (τ − τ_l)/(τ_r − τ_l)."""
        left, right = _clock(lam) - _clock(low), _clock(high) - _clock(lam)
        if left <= 0 or right <= 0:  # λ is one of the ends, or rounding has put it beyond
            return at_low if left <= 0 else at_high
        f = left / (left + right)
        out = self._normal(place).mul_(math.sqrt(f * right))
        return out.add_(at_low, alpha=1 - f).add_(at_high, alpha=f)

    def _normal(self, place: int) -> Tensor:
        """ξ of a place: standard normal, (B, *shape)."""
        out = torch.empty(self._shape, dtype=self._dtype)
        for seed, row in zip(self._seeds, out, strict=True):
            row.normal_(generator=self._generator.manual_seed((seed + place * SPREAD) % 2**32))
        return out


def _within(at: Level) -> float:
    """λ of a level, within reach."""
    return min(max(0.5 * at.log_snr, -REACH), REACH)


def _cell(lam: float) -> int:
    """The cell in which λ lies, from 0 to END − 1; the end of the range is in a cell of its own."""
    return int((lam + REACH) / CELL)


def _place(number: int) -> float:
    """λ where a cell begins."""
    return number * CELL - REACH


def _clock(lam: float) -> float:
    """τ = e^{2λ}; at the start of the range τ = 0, where B starts."""
    return math.exp(2 * lam) if lam > -REACH else 0.0
