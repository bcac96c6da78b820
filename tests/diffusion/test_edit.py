"""Editing by the chain against what it promises: norms, marginals, and the known region untouched."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from exact import Gaussian, gaussian

from diffstudio.diffusion.chain import reverse
from diffstudio.diffusion.edit import known_region, spherical, variation
from diffstudio.diffusion.noise import SampleNoise
from diffstudio.diffusion.paths import make_path
from diffstudio.diffusion.times import Level, levels
from diffstudio.errors import BadInput
from diffstudio.specs import PathSpec

FLOW = make_path(PathSpec(name="flow"))
DOUBLE = torch.float64


def draw(*shape, seed=0, dtype=DOUBLE):
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def test_an_edit_stays_nearer_to_its_picture_the_weaker_it_is():
    """With a Gaussian the ODE keeps x_t/spread: the edited point is correlated with the first as x_t is."""
    truth, x0 = Gaussian(0.0, 0.6), 0.6 * draw(4000, 1)
    found = []
    for strength in (0.2, 0.5, 0.8, 1.0):
        grid = levels(FLOW, round(200 * strength), t_start=strength)
        noise = SampleNoise(3, 4000, (1,), dtype=DOUBLE)
        start = grid[0].a * x0 + grid[0].s * noise.draw()
        *_, last = reverse(truth.denoise, FLOW, grid, start, noise, solver="heun")
        kept = torch.corrcoef(torch.stack([x0[:, 0], last.xt[:, 0]]))[0, 1].item()
        assert kept == pytest.approx(grid[0].a * 0.6 / truth.spread(grid[0]), abs=0.03)
        assert last.xt.std().item() == pytest.approx(0.6, rel=0.04)
        found.append(kept)
    assert found == sorted(found, reverse=True)


def test_the_known_region_has_the_marginal_of_its_level_and_the_rest_is_left():
    x0, x = torch.full((400, 1, 6, 6), 0.8, dtype=DOUBLE), draw(400, 1, 6, 6, seed=9)
    mask = torch.zeros(1, 6, 6)
    mask[:, :3] = 1
    at = Level(0.4, 0.7, 0.3)
    project = known_region(x0, mask, SampleNoise(0, 400, (1, 6, 6), dtype=DOUBLE, stream=4))
    first, second = project(x, at), project(x, at)
    assert torch.equal(first[:, :, :3], x[:, :, :3])
    known = first[:, :, 3:]
    assert known.mean().item() == pytest.approx(0.7 * 0.8, abs=5 * 0.3 / math.sqrt(known.numel()))
    assert known.std().item() == pytest.approx(0.3, rel=0.03)
    # Fresh noise each time.
    assert abs(torch.corrcoef(torch.stack([known.flatten(), second[:, :, 3:].flatten()]))[0, 1]) < 0.05


def test_at_the_data_the_known_region_is_exactly_the_original():
    x0, x = draw(3, 5, dtype=torch.float32), torch.full((3, 5), math.nan)
    mask = torch.tensor([0.0, 1.0, 0.0, 0.0, 1.0])
    found = known_region(x0, mask, SampleNoise(0, 3, (5,)))(x, Level(0.0, 1.0, 0.0))
    assert torch.equal(found[:, mask == 0], x0[:, mask == 0])
    assert found[:, mask == 1].isnan().all()


def test_a_soft_mask_mixes():
    x0, x = draw(2, 4), draw(2, 4, seed=1)
    mask = torch.tensor([0.0, 0.25, 0.5, 1.0], dtype=DOUBLE)
    found = known_region(x0, mask, SampleNoise(0, 2, (4,), dtype=DOUBLE))(x, Level(0.0, 1.0, 0.0))
    torch.testing.assert_close(found, mask * x + (1 - mask) * x0)


def test_a_known_coordinate_draws_the_other_one_to_where_the_data_are():
    """A slanted Gaussian in the plane: with x known and a little resampling, y follows its regression on x."""
    covariance = torch.tensor([[1.0, 0.9], [0.9, 1.0]], dtype=DOUBLE)
    known = gaussian(torch.zeros(2, dtype=DOUBLE), covariance)
    x0 = torch.stack([draw(1000, seed=5), torch.zeros(1000, dtype=DOUBLE)], dim=1)
    project = known_region(x0, torch.tensor([0.0, 1.0]), SampleNoise(0, 1000, (2,), dtype=DOUBLE, stream=4))
    noise, grid = SampleNoise(1, 1000, (2,), dtype=DOUBLE), levels(FLOW, 40)
    x = noise.draw()
    for at, to in itertools.pairwise(grid):
        for _ in range(4):  # the resampling of RePaint, written out: a step down, the known part back, a step up
            x = project(x, at)
            *_, last = reverse(known.denoise, FLOW, [at, to], x, noise, solver="ddpm")
            x, down = last.xt, last.xt
            if to.s > 0:
                keep = at.a / to.a
                x = keep * down + math.sqrt(max(0.0, at.s**2 - (keep * to.s) ** 2)) * noise.draw()
        x = down
    x = project(x, grid[-1])
    assert torch.equal(x[:, 0], x0[:, 0])
    slope = (x[:, 0] * x[:, 1]).mean() / x[:, 0].square().mean()
    assert slope.item() == pytest.approx(0.9, abs=0.08)


@pytest.mark.parametrize(
    ("mask", "sentence"),
    [
        (torch.ones(1, 5, 6), r"the mask is of shape \(1, 5, 6\), expected one that fits \(2, 1, 6, 6\)"),
        (torch.ones(3, 1, 1, 6, 6), "expected one that fits"),
        (torch.ones(3, 6, 6), "expected one that fits"),
        (torch.full((6, 6), 1.5), "not between 0 and 1"),
        (torch.full((6, 6), -0.1), "not between 0 and 1"),
        (torch.full((6, 6), math.nan), "not between 0 and 1"),
    ],
)
def test_a_mask_that_does_not_fit_is_refused(mask, sentence):
    with pytest.raises(BadInput, match=sentence):
        known_region(torch.zeros(2, 1, 6, 6), mask, SampleNoise(0, 2, (1, 6, 6)))


@pytest.mark.parametrize("weight", [0.0, 0.3, 0.5, 1.0])
def test_a_point_between_two_noises_lies_on_the_arc(weight):
    """Of equal norms: the norm is kept, the angle divided, and the point lies in their plane."""
    a, b = draw(6, 1, 8, 8), draw(6, 1, 8, 8, seed=1)
    b = b * (a.flatten(1).norm(dim=1) / b.flatten(1).norm(dim=1)).view(-1, 1, 1, 1)
    found = spherical(a, b, weight)
    norms = a.flatten(1).norm(dim=1)
    torch.testing.assert_close(found.flatten(1).norm(dim=1), norms)

    def angle(one, other):
        return torch.acos(((one * other).flatten(1).sum(1) / norms**2).clamp(-1, 1))

    torch.testing.assert_close(angle(a, found), weight * angle(a, b), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(angle(found, b), (1 - weight) * angle(a, b), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("degrees", [45, 17, 5, 1, 0.1])
def test_noises_that_are_near_each_other_are_joined_by_their_arc_too(degrees):
    """Where a straight line would be shorter by (1 − cos Ω/2) in its middle."""
    a = draw(3, 200)
    beside = draw(3, 200, seed=1)
    length = a.norm(dim=1, keepdim=True)
    beside = beside - (beside * a).sum(1, keepdim=True) / length**2 * a
    beside = beside / beside.norm(dim=1, keepdim=True) * length
    angle = math.radians(degrees)
    b = math.cos(angle) * a + math.sin(angle) * beside
    for weight in (0.25, 0.5):
        expected = math.cos(weight * angle) * a + math.sin(weight * angle) * beside
        torch.testing.assert_close(spherical(a, b, weight), expected, rtol=1e-9, atol=1e-9)


def test_the_ends_are_the_noises_and_each_sample_has_its_weight():
    a, b = draw(3, 784), draw(3, 784, seed=1)
    found = spherical(a, b, torch.tensor([0.0, 1.0, 0.4]))
    torch.testing.assert_close(found[0], a[0])
    torch.testing.assert_close(found[1], b[1])
    torch.testing.assert_close(found[2], spherical(a[2:], b[2:], 0.4)[0])


def test_what_is_between_two_gaussian_noises_is_gaussian_noise():
    found = spherical(draw(50, 784), draw(50, 784, seed=1), 0.5)
    assert found.std().item() == pytest.approx(1, rel=0.02)
    straight = 0.5 * (draw(50, 784) + draw(50, 784, seed=1))
    assert straight.std().item() == pytest.approx(math.sqrt(0.5), rel=0.02)


@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE])
def test_parallel_and_opposite_noises_are_joined_by_a_line(dtype):
    a = draw(2, 50, dtype=dtype)
    for b in (a, a * (1 + 1e-6), 2 * a, -a):
        torch.testing.assert_close(spherical(a, b, 0.25), 0.75 * a + 0.25 * b, rtol=1e-3, atol=1e-3)
    assert spherical(a, torch.zeros_like(a), 0.5).isfinite().all()


def test_a_variation_is_the_way_to_the_other_seed():
    a, b = draw(4, 100), draw(4, 100, seed=1)
    assert torch.equal(variation(a, b, 0.3), spherical(a, b, 0.3))
    near = (variation(a, b, 0.05) - a).norm() / a.norm()
    assert 0 < near < 0.15
    for strength in (-0.1, 1.1, math.nan):
        with pytest.raises(BadInput, match="expected 0 to 1"):
            variation(a, b, strength)
