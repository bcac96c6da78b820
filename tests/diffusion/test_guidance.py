"""Guidance against its formulas, and against diffusers' where both have the same."""

from __future__ import annotations

import inspect
import math

import pytest
import torch
from exact import Gaussian

from diffstudio import options
from diffstudio.diffusion.denoiser import Estimate, estimate, target
from diffstudio.diffusion.guidance import guided, rescaled
from diffstudio.diffusion.times import Level
from diffstudio.errors import BadInput

AT = Level(0.5, 0.8, 0.6)
ANY = 9
PREDICTIONS = ["eps", "x0", "v", "flow"]


class Shades:
    """x̂0 = shade of the label + 0.1·x, with an extra; remembers the size and the labels of each call."""

    def __init__(self, factor=1.0):
        self.factor, self.calls = factor, []

    def __call__(self, x, at, cond):
        self.calls.append(None if cond is None else cond.tolist())
        shade = torch.zeros(len(x), dtype=x.dtype) if cond is None else cond.to(x.dtype)
        x0_hat = self.factor * shade.view(-1, *[1] * (x.ndim - 1)) + 0.1 * x
        return Estimate(x0_hat, {"variance_range": 2 * x0_hat})


def state(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_the_rows_of_the_options_are_the_arguments():
    arguments = set(inspect.signature(guided).parameters)
    assert set(options.GUIDANCE) == arguments - {"denoise", "null", "prediction", "sigma_data", "split"}


def test_the_defaults_of_the_rows_are_within_their_bounds_and_guide():
    params = [param for row in options.GUIDANCE.values() for param in row.params]
    assert all(p.low <= p.default <= p.high for p in params)
    value = {p.name: p.default for p in params}
    interval = (value["low"], value["high"])
    guide = guided(Shades(), scale=value["scale"], null=ANY, interval=interval, rescale=value["rescale"])
    assert set(guide(state(2, 3), AT, torch.tensor([1, 2])).extras) == {"variance_range"}


def test_the_split_gives_both_halves_and_changes_nothing():
    x, cond = state(2, 3), torch.tensor([1, 2])
    for w in (0.0, 1.0, 2.5):
        with_split = guided(Shades(), scale=w, null=ANY, split=True)(x, AT, cond)
        without = estimate(guided(Shades(), scale=w, null=ANY)(x, AT, cond))
        torch.testing.assert_close(with_split.extras["x0_cond"], cond[:, None] + 0.1 * x)
        torch.testing.assert_close(with_split.extras["x0_free"], ANY + 0.1 * x)
        assert torch.equal(with_split.x0_hat, without.x0_hat)
    # What the network gave beside x̂0 is that of the class.
    assert set(with_split.extras) == {"x0_cond", "x0_free", "variance_range"}
    torch.testing.assert_close(with_split.extras["variance_range"], 2 * with_split.extras["x0_cond"])


def test_the_negative_class_stands_where_any_stood():
    denoise = Shades()
    found = guided(denoise, scale=3.0, null=ANY, negative=4)(state(2, 3), AT, torch.tensor([1, 2]))
    expected = torch.tensor([[4 + 3 * (1 - 4)], [4 + 3 * (2 - 4)]]) + 0.1 * state(2, 3)
    torch.testing.assert_close(found.x0_hat, expected)
    assert denoise.calls == [[1, 2, 4, 4]]


def test_autoguidance_asks_the_weak_network_for_the_same_class():
    good, weak = Shades(), Shades(0.5)
    x, cond = state(2, 3), torch.tensor([1, 2])
    found = guided(good, scale=2.0, null=ANY, weak=weak)(x, AT, cond)
    torch.testing.assert_close(found.x0_hat, (0.5 + 2 * 0.5) * cond[:, None] + 0.1 * x)
    assert (good.calls, weak.calls) == ([[1, 2]], [[1, 2]])


def test_autoguidance_needs_no_classes():
    good, weak = Gaussian(std=0.5).denoise, Gaussian(std=0.9).denoise
    x = state(4, 1)
    found = guided(good, scale=1.5, null=0, weak=weak)(x, AT, None)
    torch.testing.assert_close(found.x0_hat, 1.5 * good(x, AT) - 0.5 * weak(x, AT))


@pytest.mark.parametrize(("w", "asked"), [(1.0, "good"), (0.0, "weak")])
def test_one_denoiser_alone_is_one_call(w, asked):
    calls = {"good": Shades(), "weak": Shades(0.5)}
    guided(calls["good"], scale=w, null=ANY, weak=calls["weak"])(state(2, 3), AT, torch.tensor([1, 2]))
    assert {name for name, shades in calls.items() if shades.calls} == {asked}


def test_without_a_class_there_is_nothing_to_guide():
    denoise = Shades()
    found = guided(denoise, scale=3.0, null=ANY, rescale=0.5, split=True)(state(2, 3), AT, None)
    torch.testing.assert_close(found.x0_hat, 0.1 * state(2, 3))
    assert "x0_free" not in found.extras


@pytest.mark.parametrize(
    ("sigma", "inside"), [(0.2, False), (0.2001, True), (1.0, True), (2.0, True), (2.001, False), (math.inf, False)]
)
def test_the_interval_excludes_its_low_end_and_includes_its_high_one(sigma, inside):
    at = Level(0.5, 0.0, 1.0) if math.isinf(sigma) else Level(0.5, 1.0, sigma)
    denoise = Shades()
    found = estimate(guided(denoise, scale=3.0, null=ANY, interval=(0.2, 2.0))(state(1, 3), at, torch.tensor([1])))
    assert denoise.calls == ([[1, ANY]] if inside else [[1]])
    torch.testing.assert_close(found.x0_hat, 0.1 * state(1, 3) + (ANY + 3 * (1 - ANY) if inside else 1))


def test_the_split_is_given_outside_of_the_interval_too():
    found = guided(Shades(), scale=3.0, null=ANY, interval=(2, 3), split=True)(state(1, 3), AT, torch.tensor([1]))
    torch.testing.assert_close(found.x0_hat, 1 + 0.1 * state(1, 3))
    assert "x0_free" in found.extras


@pytest.mark.parametrize("interval", [(2.0, 2.0), (3.0, 1.0), (-0.1, 1.0), (math.nan, 1.0)])
def test_an_empty_interval_is_refused(interval):
    with pytest.raises(BadInput, match="expected 0 ≤ low < high"):
        guided(Shades(), scale=2.0, null=ANY, interval=interval)


def test_a_weak_model_and_a_negative_class_exclude_each_other():
    with pytest.raises(BadInput, match="leave the negative class out"):
        guided(Shades(), scale=2.0, null=ANY, weak=Shades(), negative=1)


def outputs(prediction, x0_hat, x, at):
    """What a network of that prediction would have put out."""
    a, s = torch.tensor(at.a, dtype=x.dtype), torch.tensor(at.s, dtype=x.dtype)
    return target(prediction, x0_hat, (x - a * x0_hat) / s, a, s)


@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize("share", [0.0, 0.7, 1.0])
@pytest.mark.parametrize("at", [AT, Level(0.9, 1.0, 14.0), Level(0.3, 0.7, 0.3)])
def test_rescaling_is_equations_15_and_16_on_the_output(prediction, share, at):
    x, x0_hat, x0_cond = state(3, 1, 4, 4), 2.5 * state(3, 1, 4, 4, seed=1), state(3, 1, 4, 4, seed=2)
    found = outputs(prediction, rescaled(x0_hat, x0_cond, x, at, share, prediction), x, at)
    for i in range(3):
        cfg, pos = (outputs(prediction, rows, x, at)[i] for rows in (x0_hat, x0_cond))
        rescaled_cfg = cfg * pos.std() / cfg.std()
        torch.testing.assert_close(found[i], share * rescaled_cfg + (1 - share) * cfg)


@pytest.mark.parametrize("prediction", ["eps", "v"])
def test_rescaled_guidance_is_that_of_diffusers(prediction):
    theirs = pytest.importorskip("diffusers.guiders.guider_utils").rescale_noise_cfg
    x, cond = state(3, 2, 4, 4), torch.tensor([0, 1, 2])

    def denoise(x, at, labels):
        return 0.3 * x + torch.sin(labels.view(-1, 1, 1, 1) + 5 * x)

    found = guided(denoise, scale=4.0, null=ANY, rescale=0.7, prediction=prediction)(x, AT, cond)
    pos = outputs(prediction, denoise(x, AT, cond), x, AT)
    neg = outputs(prediction, denoise(x, AT, torch.full_like(cond, ANY)), x, AT)
    expected = theirs(neg + 4.0 * (pos - neg), pos, guidance_rescale=0.7)
    torch.testing.assert_close(outputs(prediction, found.x0_hat, x, AT), expected)


def test_rescaling_a_constant_leaves_it():
    x = torch.zeros(2, 3)
    flat = torch.full((2, 3), 0.4)
    assert torch.equal(rescaled(flat, flat, x, AT, 1.0, "x0"), flat)


def test_no_guidance_is_not_rescaled_and_full_unconditioning_is():
    denoise, x, cond = Shades(), state(2, 3), torch.tensor([1, 2])
    alone = estimate(guided(denoise, scale=1.0, null=ANY, rescale=1.0)(x, AT, cond)).x0_hat
    torch.testing.assert_close(alone, cond[:, None] + 0.1 * x)
    denoise.calls.clear()
    guided(denoise, scale=0.0, null=ANY, rescale=1.0)(x, AT, cond)
    assert denoise.calls == [[1, 2, ANY, ANY]]
