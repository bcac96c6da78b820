"""Predictions and their inverses, guidance, and a denoiser used on another path."""

from __future__ import annotations

import pytest
import torch
from exact import Gaussian

from diffstudio import options
from diffstudio.diffusion.denoiser import estimate, from_network, on_path, target, x0_from
from diffstudio.diffusion.guidance import classifier_free
from diffstudio.diffusion.paths import make_path
from diffstudio.diffusion.times import Level, level, levels
from diffstudio.specs import PathSpec


@pytest.mark.parametrize("prediction", options.PREDICTIONS)
@pytest.mark.parametrize("at", [Level(0.5, 0.8, 0.6), Level(0.3, 0.7, 0.3), Level(0.9, 1.0, 40.0)])
def test_the_right_output_gives_x0_back(prediction, at):
    generator = torch.Generator().manual_seed(0)
    x0, eps = (torch.randn(4, 3, dtype=torch.float64, generator=generator) for _ in range(2))
    a, s = torch.tensor(at.a, dtype=torch.float64), torch.tensor(at.s, dtype=torch.float64)
    out = target(prediction, x0, eps, a, s)
    torch.testing.assert_close(x0_from(prediction, out, at.a * x0 + at.s * eps, at.a, at.s), x0)


def test_eps_at_zero_signal_is_refused():
    with pytest.raises(ValueError, match="a = 0"):
        x0_from("eps", torch.ones(1), torch.ones(1), 0.0, 1.0)


def test_from_network_passes_time_and_labels():
    seen = {}

    def network(x, t, labels):
        seen.update(t=t, labels=labels)
        return torch.zeros_like(x)

    labels = torch.tensor([1, 2])
    out = from_network(network, "flow")(torch.ones(2, 1), Level(0.25, 0.75, 0.25), labels)
    assert seen["t"].tolist() == [0.25, 0.25]
    assert seen["labels"] is labels
    torch.testing.assert_close(out, torch.ones(2, 1))


def test_guidance_extrapolates_and_skips_what_it_does_not_need():
    sizes = []

    def denoise(x, at, cond):
        sizes.append(len(x))
        return torch.where(cond[:, None] == 9, 1.0, 3.0).expand_as(x)  # 9 is "any"

    x, cond, at = torch.zeros(4, 2), torch.zeros(4, dtype=torch.long), Level(0.5, 0.5, 0.5)
    for w, expected, size in ((0, 1.0, 4), (1, 3.0, 4), (2.5, 1 + 2.5 * 2, 8)):
        assert estimate(classifier_free(denoise, w, 9)(x, at, cond)).x0_hat.unique().item() == expected
        assert sizes[-1] == size


@pytest.mark.parametrize("name", ["vp_linear", "vp_cosine", "ve", "mixing"])
def test_a_denoiser_moves_to_another_path(name):
    """The exact denoiser of a Gaussian, asked through the flow path, is the exact denoiser of the other path."""
    flow, other, truth = make_path(PathSpec(name="flow")), make_path(PathSpec(name=name)), Gaussian()
    moved = on_path(truth.denoise, flow)
    x = torch.linspace(-2, 2, 9, dtype=torch.float64)[:, None]
    for at in levels(other, 8)[:-1]:
        if at.a > 0:
            torch.testing.assert_close(moved(x * (at.a + at.s), at, None), truth.denoise(x * (at.a + at.s), at))


def test_beyond_the_trained_end_the_nearest_level_is_asked():
    asked = []

    def denoise(x, at, cond):
        asked.append(at)
        return x

    vp = make_path(PathSpec(name="vp_linear"))
    on_path(denoise, vp)(torch.ones(1, 1), level(make_path(PathSpec(name="flow")), 1.0), None)
    assert asked[0].t == pytest.approx(1.0)
