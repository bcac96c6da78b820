"""Tiny pipelines of diffusers with random weights, and what a test does with them."""

from __future__ import annotations

import pytest
import torch
from tqdm import tqdm

torch.set_num_threads(1)


class Replayed:
    """Noise of one generator for the whole batch, as diffusers draws it."""

    def __init__(self, shape, generator):
        self.shape, self.generator = shape, generator

    def between(self, at, to):
        return torch.randn(self.shape, generator=self.generator)


@pytest.fixture(scope="session")
def diffusers():
    tqdm.monitor_interval = 0  # its progress bars would leave a thread
    return pytest.importorskip("diffusers")


@pytest.fixture
def make_unet(diffusers):
    """A UNet2DModel of a few thousand weights; changes replace its arguments."""

    def make(**changes):
        torch.manual_seed(0)
        plain = {
            "sample_size": 8,
            "block_out_channels": (8, 16),
            "norm_num_groups": 4,
            "layers_per_block": 1,
            "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
            "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
        }
        return diffusers.UNet2DModel(**{**plain, **changes}).eval().requires_grad_(False)

    return make


@pytest.fixture
def replayed():
    return Replayed
