"""One Brownian path for each sample: its increments, its independence of the steps, and what it is for."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from exact import Gaussian

from diffstudio.diffusion.brownian import CELL, BrownianNoise
from diffstudio.diffusion.chain import reverse
from diffstudio.diffusion.noise import SampleNoise
from diffstudio.diffusion.paths import make_path
from diffstudio.diffusion.times import Level, level
from diffstudio.specs import PathSpec


def on_grid(places):
    """Levels of a VP path at so many cells from λ = 0."""
    lam = [CELL * place for place in places]
    return [Level(0.5, 1 / math.sqrt(1 + math.exp(-2 * x)), 1 / math.sqrt(1 + math.exp(2 * x))) for x in lam]


def make(seed=0, samples=400, width=50):
    return BrownianNoise(seed, samples, (width,), dtype=torch.float64)


LEVELS = on_grid([-1500.4, -512, -350.9, -1.2, 0, 1.3, 320.5, 1250])


def clock(at):
    return (at.a / at.s) ** 2


def test_increments_add_up():
    noise = make(samples=5)
    for a, b, c in itertools.combinations(LEVELS, 3):
        whole, parts = noise.increment(a, c), noise.increment(a, b) + noise.increment(b, c)
        torch.testing.assert_close(parts, whole, rtol=1e-12, atol=1e-12 * math.sqrt(clock(c)))


@pytest.mark.parametrize("pair", list(itertools.combinations(LEVELS, 2)))
def test_noise_has_mean_0_and_variance_1(pair):
    z = make().between(*pair)  # 20,000 numbers
    assert z.mean().item() == pytest.approx(0, abs=4 / math.sqrt(z.numel()))
    assert z.var().item() == pytest.approx(1, abs=4 * math.sqrt(2 / z.numel()))


def test_an_increment_is_the_noise_in_the_clock():
    noise = make(samples=3)
    a, b = LEVELS[1], LEVELS[5]
    expected = noise.between(a, b) * math.sqrt(clock(b) - clock(a))
    torch.testing.assert_close(noise.increment(a, b), expected, rtol=1e-9, atol=1e-9)


def test_disjoint_intervals_are_independent():
    noise = make()
    drawn = torch.stack([noise.between(a, b).flatten() for a, b in itertools.pairwise(LEVELS)])
    correlation = torch.corrcoef(drawn) - torch.eye(len(drawn), dtype=torch.float64)
    assert correlation.abs().max() < 4 / math.sqrt(drawn.shape[1])


def test_the_path_depends_neither_on_the_steps_nor_on_the_order_of_questions():
    pairs = list(itertools.combinations(LEVELS, 2))
    in_order, backwards = make(samples=2), make(samples=2)
    asked = {pair: in_order.between(*pair) for pair in pairs}
    for pair in reversed(pairs):
        assert torch.equal(backwards.between(*pair), asked[pair])
        assert torch.equal(make(samples=2).between(*pair), asked[pair])


def test_a_sample_is_the_same_alone_and_in_any_batch():
    batch = make(42, 4).between(LEVELS[2], LEVELS[6])
    for i in range(4):
        assert torch.equal(make(42 + i, 1).between(LEVELS[2], LEVELS[6])[0], batch[i])
    correlation = torch.corrcoef(make(0, 50, 2000).between(LEVELS[2], LEVELS[6]))
    assert (correlation - torch.eye(50, dtype=torch.float64)).abs().max() < 0.12


def test_it_is_no_noise_of_the_chain_itself():
    """Its streams are others than those of x_T and of the forward chain."""
    z = make(0, 1, 1000).between(LEVELS[2], LEVELS[6])
    for stream in (0, 1, 2, 3):
        eps = SampleNoise(0, 1, (1000,), dtype=torch.float64, stream=stream).draw()
        assert abs(torch.corrcoef(torch.cat([z, eps]))[0, 1]) < 0.12


def test_the_ends_of_a_path_are_levels_like_others():
    noise = make()
    noisy, clean = Level(1, 0, 1), Level(0, 1, 0)
    for pair in ((noisy, LEVELS[0]), (LEVELS[-1], clean), (noisy, clean)):
        assert noise.between(*pair).var().item() == pytest.approx(1, abs=0.04)
    total = noise.increment(noisy, LEVELS[2]) + noise.increment(LEVELS[2], LEVELS[6])
    torch.testing.assert_close(noise.increment(noisy, LEVELS[6]), total)


def test_a_step_within_a_cell_is_fresh_noise():
    noise = make()
    at, to = on_grid([0.1, 0.2])
    one, two = noise.between(at, to), noise.between(at, to)
    assert not torch.equal(one, two)
    assert one.var().item() == pytest.approx(1, abs=0.04)


def test_the_tree_stays_small():
    noise = make(samples=2)
    for pair in itertools.pairwise(on_grid(range(-2000, 2000, 7))):
        noise.between(*pair)
        assert len(noise._tree) <= 17


def _errors(solver, noise_of, params=None):
    """Root mean square distance between the ends of chains of N and 2N steps, N = 20, 40, 80."""
    path, truth = make_path(PathSpec(name="vp_cosine")), Gaussian()
    x = torch.randn(40, 20, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    ends = []
    for n in (20, 40, 80, 160):
        grid = [level(path, path.t_at_log_snr(-4 + 8 * i / n)) for i in range(n + 1)]
        *_, last = reverse(truth.denoise, path, grid, x, noise_of(), solver=solver, params=params)
        ends.append(last.xt)
    return [(a - b).square().mean().sqrt().item() for a, b in itertools.pairwise(ends)]


@pytest.mark.parametrize(
    ("solver", "params", "order"),
    [("ddpm", {}, 1), ("dpmpp_2m_sde", {}, 1), ("dpmpp_2m_sde", {"variant": 2}, 1), ("dpmpp_2m_sde", {"eta": 0.5}, 1)],
)
def test_more_steps_refine_the_same_sample(solver, params, order):
    """Strong convergence on one path; with fresh noise the ends are simply two samples."""
    brownian = _errors(solver, lambda: BrownianNoise(7, 40, (20,), dtype=torch.float64), params)
    fresh = _errors(solver, lambda: SampleNoise(7, 40, (20,), dtype=torch.float64), params)
    slopes = [math.log2(a / b) for a, b in itertools.pairwise(brownian)]
    assert all(slope > order - 0.25 for slope in slopes), (brownian, slopes)
    assert brownian[-1] < 0.02 * fresh[-1]
