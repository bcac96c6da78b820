"""Noise of one Brownian path for each sample, so that more steps refine the same sample."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from diffstudio.diffusion.noise import SampleNoise, stream_seed
from diffstudio.diffusion.times import Level

REACH = 16.0  # λ = log(a/s) from −16 to 16; beyond it lie levels that are pure noise or clean to seven digits
DEPTH = 15  # halvings from there to the finest interval
END = 2**DEPTH
FINEST = 2 * REACH / END  # in λ, about 0.001
# Of a seed torch's CPU generator uses 32 bits. There multiples of the golden ratio's share of 2³² lie at least 50,000
# apart, so the seeds of no two places meet in a batch below that size.
SPREAD = 0x9E3779B9
KEPT_BYTES = 256 << 20  # of the tree; what does not fit is drawn again when it is needed


class BrownianNoise:
    """z = (B(τ′) − B(τ))/√(τ′ − τ) with one Brownian motion B for each sample, in the clock τ = (a/s)² = e^{2λ}.

    The noise of a reverse step has the standard deviation s′√(1 − e^{−2h}), h = λ′ − λ. Times e^{λ′}/s′ that is
    √(τ′ − τ): the posterior noise of DDPM and the noise of the SDE solvers are increments of one motion in τ.

    B is defined by halving in λ: each middle is drawn from the Brownian bridge between its two ends, by a generator
    whose key is (seed of the sample, place). So it depends neither on the steps nor on the order of questions, and
    sample i of seed s has the path of sample 0 of seed s + i. Levels are rounded to multiples of 2⁻¹⁰ in λ. A step
    shorter than that, or one back to more noise, draws fresh noise that belongs to no path.
    """

    def __init__(
        self, seed: int, samples: int, shape: Sequence[int], *, dtype: torch.dtype = torch.float32, stream: int = 2
    ) -> None:
        """`stream`: as in `SampleNoise`, where 0 and 1 are taken."""
        self._first = stream_seed(seed, stream)
        self._shape = (samples, *shape)
        self._dtype = dtype
        self._generator = torch.Generator()  # seeded anew for each sample and place
        self._fresh = SampleNoise(seed, samples, shape, dtype=dtype, stream=stream + 1)
        self._tree: dict[int, Tensor] = {}  # B at the places of the last way down

    def between(self, at: Level, to: Level) -> Tensor:
        """The noise of a step from one level to a cleaner one: (B, *shape) on the CPU, mean 0, variance 1."""
        start, end = _place(at), _place(to)
        if start >= end:
            return self._fresh.draw()
        # z = (B(τ′) − B(τ))/√(τ′ − τ)
        return self._difference(start, end).mul_(1 / math.sqrt(_clock(end) - _clock(start)))

    def increment(self, at: Level, to: Level) -> Tensor:
        """B(τ′) − B(τ), the levels rounded as above: (B, *shape)."""
        return self._difference(_place(at), _place(to))

    def _difference(self, start: int, end: int) -> Tensor:
        before = self._at(start)  # asked first: the tree still has it from the step before
        return self._at(end) - before

    def _at(self, place: int) -> Tensor:
        """B at a place, by halving from the whole range."""
        if place == 0:
            return torch.zeros(self._shape, dtype=self._dtype)
        if place in self._tree:
            return self._tree[place]
        low, high = 0, END
        at_low, at_high = torch.zeros(self._shape, dtype=self._dtype), self._end()
        way = {high: at_high}
        while place != high:
            middle = (low + high) // 2
            at_middle = self._tree.get(middle)
            if at_middle is None:
                at_middle = self._bridge(low, at_low, middle, high, at_high)
            way[middle] = at_middle
            if place <= middle:
                high, at_high = middle, at_middle
            else:
                low, at_low = middle, at_middle
        size = max(1, at_high.numel() * at_high.element_size())
        self._tree = dict(list(way.items())[: KEPT_BYTES // size])
        return at_high

    def _end(self) -> Tensor:
        """B at the end of the range: N(0, τ)."""
        return self._tree[END] if END in self._tree else self._normal(END).mul_(math.sqrt(_clock(END)))

    def _bridge(self, low: int, at_low: Tensor, middle: int, high: int, at_high: Tensor) -> Tensor:
        """B in the middle, given both ends: B_l + f·(B_r − B_l) + √(f·(τ_r − τ_m))·ξ, f = (τ_m − τ_l)/(τ_r − τ_l)."""
        whole, left = _clock(high) - _clock(low), _clock(middle) - _clock(low)
        f = left / whole
        out = self._normal(middle).mul_(math.sqrt(f * (_clock(high) - _clock(middle))))
        return out.add_(at_low, alpha=1 - f).add_(at_high, alpha=f)

    def _normal(self, place: int) -> Tensor:
        """ξ of a place: standard normal, (B, *shape)."""
        out = torch.empty(self._shape, dtype=self._dtype)
        for i, row in enumerate(out):
            row.normal_(generator=self._generator.manual_seed((self._first + i + place * SPREAD) % 2**63))
        return out


def _place(at: Level) -> int:
    """The nearest place of the finest interval, from 0 (pure noise) to END (clean)."""
    lam = min(max(0.5 * at.log_snr, -REACH), REACH)
    return round((lam + REACH) / FINEST)


def _clock(place: int) -> float:
    """τ = e^{2λ} at a place; at the first place τ = 0, where B starts."""
    return math.exp(2 * (place * FINEST - REACH)) if place > 0 else 0.0
