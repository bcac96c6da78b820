"""Noise with one generator per sample, so that a sample is the same alone, in any batch and on any device."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, Protocol

import torch
from torch import Tensor

from diffstudio.diffusion.times import Level

Law = Literal["gaussian", "uniform"]


class Noise(Protocol):
    """What a reverse chain draws from."""

    def between(self, at: Level, to: Level) -> Tensor:
        """The noise of a step from one level to a cleaner one: (B, *shape) on the CPU, mean 0, variance 1."""
        ...


def generator_seed(seed: int, stream: int = 0) -> int:
    """The 32 bits by which a CPU generator begins, from a seed of 63 bits and a stream, an independent use of it.

    0 is the reverse chain, 1 the forward Markov chain, 2 and 3 its Brownian paths and what lies beside them.
    torch's CPU generator keeps the lower 32 bits of what it is given. The upper ones are stirred by a bijection that
    leaves 0 alone (the finaliser of MurmurHash3, Appleby 2011) and added: seeds that differ by a multiple of 2³² draw
    other numbers, and those below 2³² what they always drew.
    """
    # An odd constant moves the streams far apart.
    return (seed + _stirred(seed >> 32) + stream * 0x9E3779B97F4A7C15) % 2**32


def sample_seeds(seed: int, samples: int) -> list[int]:
    """The seed of each sample: seed + i, after the largest of 63 bits from 0 on."""
    return [(seed + i) % 2**63 for i in range(samples)]


def _stirred(word: int) -> int:
    """A bijection of 32 bits that changes about half of them for each one that is changed."""
    word = (word ^ word >> 16) * 0x85EBCA6B % 2**32
    word = (word ^ word >> 13) * 0xC2B2AE35 % 2**32
    return word ^ word >> 16


# Draws made at once for small samples, whose calls would cost more than their numbers. torch fills normal numbers in
# blocks of 16, so where a sample is a multiple of that the stream is the same, drawn at once or one by one.
AHEAD = 8
AHEAD_NUMBERS = 4096


class SampleNoise:
    """A stream of noise for each sample: sample i of seed s draws what sample 0 of seed s + i draws."""

    def __init__(
        self, seed: int, samples: int, shape: Sequence[int], *, dtype: torch.dtype = torch.float32, stream: int = 0
    ) -> None:
        """`stream`: see `generator_seed`."""
        self._shape = tuple(shape)
        self._dtype = dtype
        count = math.prod(self._shape)
        self._ahead = AHEAD if count % 16 == 0 and count <= AHEAD_NUMBERS else 1
        self._drawn: list[Tensor] = []
        self._generators = [
            torch.Generator().manual_seed(generator_seed(of, stream)) for of in sample_seeds(seed, samples)
        ]

    def draw(self, law: Law = "gaussian") -> Tensor:
        """The next noise of every sample, on the CPU: (B, *shape), mean 0, variance 1."""
        if law == "gaussian":
            if not self._drawn:
                shape = self._ahead, *self._shape
                rows = [torch.randn(shape, generator=g, dtype=self._dtype) for g in self._generators]
                self._drawn = list(torch.stack(rows, 1).unbind(0))[::-1]
            return self._drawn.pop()
        out = torch.empty(len(self._generators), *self._shape, dtype=self._dtype)
        bound = math.sqrt(3)
        for row, generator in zip(out, self._generators, strict=True):
            row.uniform_(-bound, bound, generator=generator)
        return out

    def between(self, at: Level, to: Level) -> Tensor:
        """Fresh noise, whatever the levels are."""
        return self.draw()
