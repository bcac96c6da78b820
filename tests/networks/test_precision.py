"""Half precision: near float32, in half the bytes, for every kind of network; the chain stays float32."""

from __future__ import annotations

import pytest
import torch

from diffstudio.diffusion.denoiser import estimate
from diffstudio.diffusion.times import level
from diffstudio.networks.model import load_file
from diffstudio.networks.precision import half_dtype
from diffstudio.resources import resource

BUNDLED = ["digits", "digits-ddpm", "shapes-2d", "bouncing-digits", "spoken-digits", "words", "words-gaussian"]


def bundled(name):
    return sorted(resource("checkpoints").glob(f"{name}*.safetensors"), key=lambda path: (len(path.name), path.name))[0]


def held(network):
    return sum(weight.numel() * weight.element_size() for weight in network.parameters())


@pytest.mark.parametrize("name", BUNDLED)
def test_a_bundled_model_in_half_the_bytes_says_about_the_same(name):
    whole, half = (load_file(bundled(name), precision=precision) for precision in ("float32", "half"))
    assert held(half.network) * 2 == held(whole.network)
    assert {weight.dtype for weight in half.network.parameters()} == {torch.bfloat16}
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(3, *whole.card.shape, generator=generator)
    if whole.card.discrete:
        x = torch.full_like(x, len(whole.card.text.vocabulary))
    at, labels = level(whole.path, 0.5), whole.labels(0, 3)
    expected, found = (estimate(model.denoiser(x, at, labels)) for model in (whole, half))
    assert found.x0_hat.dtype == torch.float32
    if whole.card.discrete:
        near = (expected.extras["probabilities"] - found.extras["probabilities"]).abs().max()
        assert near < 0.05
    else:
        assert (found.x0_hat - expected.x0_hat).norm() < 0.03 * expected.x0_hat.norm()


def test_it_is_bfloat16_on_the_cpu():
    assert half_dtype(torch.device("cpu")) == torch.bfloat16
    assert half_dtype(torch.device("mps")) == torch.float16
