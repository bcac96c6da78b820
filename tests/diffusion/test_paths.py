"""Paths against their definitions, written out a second time."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from diffstudio import options
from diffstudio.diffusion.paths import PATHS, make_path, mixing, vp_linear
from diffstudio.diffusion.times import GRIDS, level, levels
from diffstudio.specs import PathSpec

ALL = [make_path(PathSpec(name=name)) for name in PATHS]


def test_every_row_of_the_options_has_its_function():
    assert set(PATHS) == set(options.PATHS)
    assert set(GRIDS) == set(options.GRIDS)


@pytest.mark.parametrize("path", ALL, ids=lambda p: p.name)
def test_starts_at_the_data_and_only_loses_signal(path):
    t = np.linspace(0, 1, 501)
    assert path.a(0.0) == pytest.approx(1)
    assert path.s(0.0) == pytest.approx(0, abs=1e-12)
    snr = path.log_snr(t)
    assert np.all(np.diff(snr[1:]) < 0)


@pytest.mark.parametrize("path", ALL, ids=lambda p: p.name)
def test_derivatives_are_those_of_the_coefficients(path):
    # Away from the table's knots, where a piecewise path has a kink.
    t = (np.arange(7, 93, 7) + 0.5) / (path.n or 100)
    h = 1e-7
    for f, df in ((path.a, path.da), (path.s, path.ds)):
        numeric = (f(t + h) - f(t - h)) / (2 * h)
        np.testing.assert_allclose(df(t), numeric, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("path", [p for p in ALL if p.name.startswith("vp")], ids=lambda p: p.name)
def test_vp_preserves_variance(path):
    t = np.linspace(0, 1, 300)
    np.testing.assert_allclose(path.a(t) ** 2 + path.s(t) ** 2, 1, atol=1e-12)


def test_vp_linear_is_ddpms_table():
    alpha_bar, path = 1.0, vp_linear()
    for k in range(1, 1001):
        alpha_bar *= 1 - (1e-4 + (0.02 - 1e-4) * (k - 1) / 999)
        assert level(path, k / 1000).a ** 2 == pytest.approx(alpha_bar, rel=1e-10)
    assert alpha_bar == pytest.approx(4.0358e-5, rel=1e-4)  # the value DDPM reports as nearly no signal


@pytest.mark.parametrize("decay", [0.0, 0.5, 1.0])
def test_mixing_is_the_recursion(decay):
    path, n, alpha = mixing(0.1, 40, decay), 40, 0.1
    x, variance = 1.0, 0.0
    for k in range(1, n + 1):
        share = alpha * k**-decay
        x, variance = (1 - share) * x, (1 - share) ** 2 * variance + share**2
        at = level(path, k / n)
        assert (at.a, at.s) == (pytest.approx(x, rel=1e-12), pytest.approx(math.sqrt(variance), rel=1e-12))


@pytest.mark.parametrize("path", ALL, ids=lambda p: p.name)
def test_t_at_log_snr_inverts(path):
    for t in (0.01, 0.2, 0.5, 0.9):
        assert path.t_at_log_snr(float(path.log_snr(np.float64(t)))) == pytest.approx(t, abs=1e-9)


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("path", ALL, ids=lambda p: p.name)
@pytest.mark.parametrize("steps", [1, 2, 30])
def test_grids_fall_from_the_start_to_the_data(path, grid, steps):
    found = levels(path, steps, grid)
    t = [at.t for at in found]
    assert len(t) == steps + 1
    assert (t[0], t[-1]) == (1.0, 0.0)
    assert all(a > b for a, b in itertools.pairwise(t))
    assert found[-1].s == 0


def test_karras_is_equation_5():
    found = levels(make_path(PathSpec(name="ve")), 18, "karras")
    for i, at in enumerate(found[:-1]):
        sigma = (80 ** (1 / 7) + i / 17 * (0.002 ** (1 / 7) - 80 ** (1 / 7))) ** 7
        assert at.sigma == pytest.approx(sigma, rel=1e-9)
