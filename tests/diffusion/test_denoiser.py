"""Predictions and their inverses, guidance, bounds, and a denoiser used on another path."""

from __future__ import annotations

import math

import pytest
import torch
from exact import Gaussian

from diffstudio import options
from diffstudio.diffusion.chain import reverse
from diffstudio.diffusion.clipping import CLIPS, clipped, dynamically_thresholded
from diffstudio.diffusion.denoiser import (
    Estimate,
    estimate,
    from_network,
    network_time,
    network_x,
    on_path,
    target,
    x0_from,
)
from diffstudio.diffusion.guidance import guided
from diffstudio.diffusion.paths import make_path
from diffstudio.diffusion.times import Level, level, levels
from diffstudio.specs import PathSpec

PREDICTIONS = [name for name in options.PREDICTIONS if name != "tokens"]  # those that are a number for each of x's


@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize("at", [Level(0.5, 0.8, 0.6), Level(0.3, 0.7, 0.3), Level(0.9, 1.0, 40.0)])
def test_the_right_output_gives_x0_back(prediction, at):
    generator = torch.Generator().manual_seed(0)
    x0, eps = (torch.randn(4, 3, dtype=torch.float64, generator=generator) for _ in range(2))
    a, s = torch.tensor(at.a, dtype=torch.float64), torch.tensor(at.s, dtype=torch.float64)
    out = target(prediction, x0, eps, a, s)
    torch.testing.assert_close(x0_from(prediction, out, at.a * x0 + at.s * eps, at.a, at.s), x0)


EDM_LEVELS = pytest.mark.parametrize(
    "at", [Level(0.5, 1.0, 3.0), Level(0.5, 1.0, 0.002), Level(0.5, 0.8, 0.6), Level(1.0, 0.05, 0.95)]
)


@EDM_LEVELS
@pytest.mark.parametrize("sigma_data", [0.5, 1.3])
def test_edm_is_the_preconditioning_of_karras_et_al(at, sigma_data):
    """Table 1 and equations 7 and 8, of the unscaled state x/a at σ = s/a."""
    x, x0, f = (torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(k)) for k in range(3))
    sigma, unscaled = at.s / at.a, x / at.a
    c_skip = sigma_data**2 / (sigma**2 + sigma_data**2)
    c_out = sigma * sigma_data / math.sqrt(sigma_data**2 + sigma**2)
    c_in, c_noise = 1 / math.sqrt(sigma**2 + sigma_data**2), 0.25 * math.log(sigma)
    torch.testing.assert_close(x0_from("edm", f, x, at.a, at.s, sigma_data), c_skip * unscaled + c_out * f)
    torch.testing.assert_close(network_x("edm", x, at.a, at.s, sigma_data), c_in * unscaled)
    assert network_time("edm", at.t, at.a, at.s) == pytest.approx(c_noise, rel=1e-12)
    eps = (x - at.a * x0) / at.s
    wanted = target("edm", x0, eps, torch.tensor(at.a).double(), torch.tensor(at.s).double(), sigma_data)
    torch.testing.assert_close(wanted, (x0 - c_skip * unscaled) / c_out)
    # The plain loss on F is λ(σ) times that on x̂0.
    weight = (sigma**2 + sigma_data**2) / (sigma * sigma_data) ** 2
    error = x0_from("edm", f, x, at.a, at.s, sigma_data) - x0
    torch.testing.assert_close((f - wanted).square(), weight * error.square())


@EDM_LEVELS
def test_an_edm_network_that_says_nothing_is_right_about_a_centred_gaussian(at):
    truth = Gaussian(0.0, 0.5)
    x = torch.linspace(-3, 3, 7, dtype=torch.float64)[:, None] * truth.spread(at)
    found = from_network(lambda x, t, labels: torch.zeros_like(x), "edm", sigma_data=0.5)(x, at, None)
    torch.testing.assert_close(found, truth.denoise(x, at))


def test_an_edm_network_is_asked_at_its_own_scale():
    seen = {}

    def network(x, t, labels):
        seen.update(x=x, t=t)
        return torch.zeros_like(x)

    at = Level(0.3, 0.8, 0.6)
    x = torch.randn(20_000, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * Gaussian(
        0.0, 0.7
    ).spread(at)
    from_network(network, "edm", sigma_data=0.7)(x, at, None)
    assert seen["x"].std().item() == pytest.approx(1, abs=0.03)
    assert seen["t"].unique().tolist() == pytest.approx([0.25 * math.log(0.75)])
    with pytest.raises(ValueError, match="edm prediction has no noise level where the signal is gone"):
        from_network(network, "edm")(x, Level(1.0, 0.0, 1.0), None)


def test_a_learned_range_is_the_second_half_of_the_channels():
    """v = −1 is β̃ and v = 1 is β."""
    x, at = torch.ones(2, 3, 4, 4), Level(0.25, 0.75, 0.25)
    v = torch.tensor([-1.0, 0.0, 1.0])[None, :, None, None].expand(2, 3, 4, 4)

    def network(x, t, labels):
        return torch.cat([0.5 * x, v], dim=1)

    for prediction in PREDICTIONS:
        found = from_network(network, prediction, learned_range=True)(x, at, None)
        plain = from_network(lambda x, t, labels: 0.5 * x, prediction)(x, at, None)
        torch.testing.assert_close(found.x0_hat, plain)
        assert found.extras["variance_range"][0, :, 0, 0].tolist() == [0.0, 0.5, 1.0]
    with pytest.raises(ValueError, match="the network gives 3 channels, expected 6 with a range"):
        from_network(lambda x, t, labels: x, "eps", learned_range=True)(x, at, None)


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
        assert estimate(guided(denoise, scale=w, null=9)(x, at, cond)).x0_hat.unique().item() == expected
        assert sizes[-1] == size


OTHERS = [
    *(PathSpec(name=name) for name in options.PATHS if name not in ("vp_table", "mixing_uniform")),
    PathSpec(name="vp_scaled_linear", params={"zero_snr": 1}),
    PathSpec(name="vp_table", betas=(0.1, 0.3, 0.2, 1.0)),
]


@pytest.mark.parametrize("spec", OTHERS, ids=lambda spec: spec.name)
def test_a_denoiser_moves_to_another_path(spec):
    """The exact denoiser of a Gaussian, asked through a path, is the exact denoiser of the other path."""
    truth, other = Gaussian(), make_path(spec)
    x = torch.linspace(-2, 2, 9, dtype=torch.float64)[:, None]
    for trained in (make_path(PathSpec(name="flow")), make_path(PathSpec(name="flow", params={"shift": 3}))):
        moved = on_path(truth.denoise, trained)
        for at in levels(other, 8)[:-1]:
            torch.testing.assert_close(moved(x * (at.a + at.s), at, None), truth.denoise(x * (at.a + at.s), at))


def test_beyond_the_trained_end_the_nearest_level_is_asked():
    asked = []

    def denoise(x, at, cond):
        asked.append(at)
        return x

    vp = make_path(PathSpec(name="vp_linear"))
    on_path(denoise, vp)(torch.ones(1, 1), level(make_path(PathSpec(name="flow")), 1.0), None)
    assert asked[0].t == pytest.approx(1.0)


def test_what_else_a_denoiser_knows_is_kept_on_another_path():
    vp, x = make_path(PathSpec(name="vp_linear")), torch.ones(3, 2)
    moved = on_path(lambda x, at, cond: Estimate(x, {"variance_range": 2 * x}), vp)
    found = moved(x, level(make_path(PathSpec(name="flow")), 0.4), None)
    torch.testing.assert_close(found.extras["variance_range"], 2 * found.x0_hat)


def known(x, at, cond):
    return Estimate(x, {"variance_range": x})


@pytest.mark.parametrize("name", list(CLIPS))
def test_a_bound_leaves_alone_what_is_within_the_data_and_what_else_is_known(name):
    x = torch.linspace(-1, 1, 12).view(2, 1, 2, 3)
    found = estimate(CLIPS[name](known)(x, Level(0.5, 0.5, 0.5), None))
    torch.testing.assert_close(found.x0_hat, x)
    assert found.extras["variance_range"] is x


def test_clipping_cuts_at_its_limit():
    x = torch.tensor([[-3.0, -0.4, 0.2, 7.0]])
    assert clipped(known)(x, Level(0.5, 0.5, 0.5), None).x0_hat.tolist() == [
        [-1, pytest.approx(-0.4), pytest.approx(0.2), 1]
    ]
    assert clipped(known, 2.0)(x, Level(0.5, 0.5, 0.5), None).x0_hat.abs().max() == 2
    assert CLIPS["none"](known) is known


@pytest.mark.parametrize("name", ["static", "dynamic"])
@pytest.mark.parametrize(("solver", "params"), [("ddim", {}), ("ddim", {"eta": 0.7}), ("ddpm", {})])
def test_a_clipped_step_can_keep_its_noise(name, solver, params):
    """x′ = a′·x̂0 + √(s′² − η²)·ε̂ + η·z with the ε̂ of the x̂0 before it was cut."""
    path, x = make_path(PathSpec(name="vp_linear")), torch.tensor([[-3.0, -0.4, 0.2, 4.0]])
    at, to = level(path, 0.6), level(path, 0.3)

    class Noise:
        def between(self, at, to):
            return torch.ones_like(x)

    def beyond(x, at, cond):
        return 2 * x

    ends = {}
    for kept in (0, 1):
        denoise = CLIPS[name](beyond, keep_eps=kept)
        ends[kept] = list(reverse(denoise, path, [at, to], x, Noise(), solver=solver, params=params))[-1].xt
    cut = estimate(CLIPS[name](beyond)(x, at, None)).x0_hat
    eta = (params.get("eta", 0) if solver == "ddim" else 1) * to.s * math.sqrt(1 - (to.s * at.a / (to.a * at.s)) ** 2)
    for kept, x0_hat in ((0, cut), (1, 2 * x)):
        expected = to.a * cut + math.sqrt(to.s**2 - eta**2) * (x - at.a * x0_hat) / at.s + eta
        torch.testing.assert_close(ends[kept], expected)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.995, 1.0])
@pytest.mark.parametrize("shape", [(3, 2), (3, 1), (3, 1, 7, 5)])
def test_dynamic_thresholding_scales_each_sample_by_its_own_percentile(shape, share):
    x = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x *= torch.tensor([0.1, 2.0, 30.0], dtype=torch.float64).view(-1, *[1] * (len(shape) - 1))
    found = dynamically_thresholded(known, share)(x, Level(0.5, 0.5, 0.5), None).x0_hat
    for row, bounded in zip(x, found, strict=True):
        q = max(1.0, torch.quantile(row.abs().flatten(), share).item())
        torch.testing.assert_close(bounded, row.clip(-q, q) / q)


def test_a_dynamic_threshold_has_an_upper_bound():
    x = torch.tensor([[50.0, -50.0, 3.0, 0.5]])
    found = dynamically_thresholded(known, 0.9, most=10.0)(x, Level(0.5, 0.5, 0.5), None).x0_hat
    torch.testing.assert_close(found, torch.tensor([[1.0, -1.0, 0.3, 0.05]]))
    same = dynamically_thresholded(known, 0.9, most=1.0)(x, Level(0.5, 0.5, 0.5), None).x0_hat
    assert torch.equal(same, x.clamp(-1, 1))
