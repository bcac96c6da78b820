"""Paths against their definitions, written out a second time."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diffstudio import options
from diffstudio.diffusion.paths import (
    PATHS,
    edm,
    flow,
    make_path,
    mixing,
    vp_cosine_table,
    vp_from_betas,
    vp_linear,
    vp_scaled_linear,
    vp_sigmoid,
    vp_table,
    zero_terminal_snr,
)
from diffstudio.diffusion.times import level
from diffstudio.specs import PathSpec

BETAS = (0.02, 0.1, 0.3, 0.05, 0.4)
SPECS = [PathSpec(name=name, betas=BETAS if row.needs == "betas" else None) for name, row in options.PATHS.items()]
VARIANTS = [
    PathSpec(name="flow", params={"shift": 3.0}),
    PathSpec(name="flow", params={"shift": 0.3}),
    PathSpec(name="flow_resolution", params={"tokens": 4096}),
    PathSpec(name="edm", params={"rho": 3.0, "sigma_max": 10.0}),
    PathSpec(name="mixing", params={"alpha": 0.9, "decay": 1.0, "n": 20}),
    PathSpec(name="vp_table", betas=(*BETAS, 1.0)),
    *(
        PathSpec(name=name, params={"zero_snr": 1}, betas=BETAS if row.needs == "betas" else None)
        for name, row in options.PATHS.items()
        if any(p.name == "zero_snr" for p in row.params)
    ),
]
ALL = [make_path(spec) for spec in [*SPECS, *VARIANTS]]
EACH = pytest.mark.parametrize(
    "path", ALL, ids=[" ".join([s.name, *(f"{k}={v:g}" for k, v in s.params.items())]) for s in [*SPECS, *VARIANTS]]
)


def test_every_row_of_the_options_has_its_function():
    assert set(PATHS) == set(options.PATHS)


def test_the_window_can_read_paths_and_levels_without_torch():
    code = "import sys, diffstudio.diffusion.times, diffstudio.diffusion.paths; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@EACH
def test_starts_at_the_data_and_only_loses_signal(path):
    t = np.linspace(0, 1, 501)
    assert path.a(0.0) == pytest.approx(1)
    assert path.s(0.0) == pytest.approx(0, abs=1e-12)
    snr = path.log_snr(t)
    assert np.all(np.diff(snr[1:]) < 0)


@EACH
def test_derivatives_are_those_of_the_coefficients(path):
    # Away from the table's knots, where a piecewise path has a kink.
    t = (np.arange(7, 93, 7) + 0.5) / 100
    t = (np.floor(t * path.n) + 0.4) / path.n if path.n else t
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


def _alpha_bar(beta, n):
    return np.cumprod([1 - beta(k) for k in range(n)])


def _cosine(u):
    return math.cos((u + 0.008) / 1.008 * math.pi / 2) ** 2


@pytest.mark.parametrize(
    ("path", "beta"),
    [
        (vp_scaled_linear(50), lambda k: (0.00085**0.5 + (0.012**0.5 - 0.00085**0.5) * k / 49) ** 2),
        (vp_cosine_table(50), lambda k: min(1 - _cosine((k + 1) / 50) / _cosine(k / 50), 0.999)),
        (vp_sigmoid(50), lambda k: 1e-4 + (0.02 - 1e-4) / (1 + math.exp(6 - 12 * k / 49))),
        (vp_table(BETAS), lambda k: BETAS[k]),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_table_is_the_product_of_its_betas(path, beta):
    expected = _alpha_bar(beta, path.n)
    t = np.array([path.t_at_timestep(k) for k in range(path.n)])
    np.testing.assert_allclose(path.a(t) ** 2, expected, rtol=1e-11)
    np.testing.assert_allclose(path.s(t), np.sqrt(1 - expected), rtol=1e-9)


def test_zero_terminal_snr_is_algorithm_1():
    """Lin et al. 2023: √ᾱ keeps its first value, ends at 0, and every other is on the straight line between."""
    for betas in (np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2, np.array(BETAS)):
        before = np.sqrt(np.cumprod(1 - betas))
        after = np.sqrt(np.cumprod(1 - zero_terminal_snr(betas)))
        np.testing.assert_allclose(after, (before - before[-1]) * before[0] / (before[0] - before[-1]), atol=1e-12)
        assert (after[0], after[-1]) == (pytest.approx(before[0], rel=1e-12), 0.0)
        path = vp_from_betas(zero_terminal_snr(betas))
        np.testing.assert_allclose(path.a((np.arange(len(betas)) + 1) / len(betas)), after, atol=1e-12)


def test_where_no_signal_is_left_the_rescaling_changes_the_last_beta_alone():
    betas = np.full(2000, 0.5)
    np.testing.assert_array_equal(zero_terminal_snr(betas), [*betas[:-1], 1.0])
    np.testing.assert_array_equal(zero_terminal_snr(np.array([0.1, 0.2, 1.0])), [0.1, 0.2, 1.0])


def test_the_last_step_to_no_signal_is_a_straight_line_of_a():
    path = vp_table((0.19, 0.64, 1.0))
    a2 = math.sqrt(0.81 * 0.36)
    for share in (0.25, 0.5, 1.0):
        at = level(path, (2 + share) / 3)
        assert (at.a, at.s) == (pytest.approx(a2 * (1 - share)), pytest.approx(math.sqrt(1 - (a2 * (1 - share)) ** 2)))


@pytest.mark.parametrize("shift", [0.5, 1.0, 3.0])
def test_the_shift_of_flow_multiplies_sigma(shift):
    path = flow(shift)
    for t in (0.05, 0.5, 0.95):
        at = level(path, t)
        assert at.sigma == pytest.approx(shift * t / (1 - t), rel=1e-12)
        assert at.a + at.s == pytest.approx(1, abs=1e-15)
    assert (level(path, 1.0).a, level(path, 1.0).s) == (0.0, pytest.approx(1.0))


def test_equal_steps_on_the_edm_path_are_karras_spacing():
    path = edm()
    for i in range(18):
        sigma = (80 ** (1 / 7) * (1 - i / 18)) ** 7  # equation 5 with σ_min = 0 at i = 18
        assert level(path, 1 - i / 18).sigma == pytest.approx(sigma, rel=1e-12)


@pytest.mark.parametrize("decay", [0.0, 0.5, 1.0])
def test_mixing_is_the_recursion(decay):
    path, n, alpha = mixing(0.1, 40, decay), 40, 0.1
    x, variance = 1.0, 0.0
    for k in range(1, n + 1):
        share = alpha * k**-decay
        x, variance = (1 - share) * x, (1 - share) ** 2 * variance + share**2
        at = level(path, k / n)
        assert (at.a, at.s) == (pytest.approx(x, rel=1e-12), pytest.approx(math.sqrt(variance), rel=1e-12))


@EACH
@given(t=st.floats(1e-6, 1 - 1e-6))
@settings(deadline=None, max_examples=60)
def test_t_at_log_snr_inverts(path, t):
    """To 1e-12 of log-SNR, or what a t in double precision can tell where log-SNR is steep in t."""
    log_snr = float(path.log_snr(np.float64(t)))
    found = np.float64(path.t_at_log_snr(log_snr))
    steep = abs(2 * (path.da(found) / path.a(found) - path.ds(found) / path.s(found)))
    assert abs(float(path.log_snr(found)) - log_snr) <= 1e-12 * max(1, abs(log_snr)) + 1e-15 * steep


@EACH
def test_beyond_its_ends_a_path_has_its_ends(path):
    assert path.t_at_log_snr(math.inf) == 0
    assert path.t_at_log_snr(-math.inf) == 1
    assert path.t_at_log_snr(1e6) < 1e-3
    assert path.t_at_log_snr(-1e6) == 1
    assert path.t_at_log_snr(float(path.log_snr(np.float64(1.0)))) == pytest.approx(1, abs=1e-12)


STEEP = [
    mixing(0.9999, 10_000, 0.0),
    mixing(0.9999, 50, 1.0),
    vp_linear(1000, 0.5, 0.999),
    vp_linear(1000, 0.5, 0.999, zero_snr=1),
    vp_linear(100_000, 1e-8, 0.999, zero_snr=1),
    vp_table((1e-12, 0.5, 0.999999, 1e-12, 1.0)),
]


@pytest.mark.parametrize("path", STEEP, ids=lambda p: f"{p.name}-{p.n}")
def test_a_steep_path_is_inverted_where_it_has_signal(path):
    for log_snr in (20.0, 3.0, 0.0, -3.0, -20.0):
        t = np.float64(path.t_at_log_snr(log_snr))
        assert float(path.log_snr(t)) == pytest.approx(log_snr, abs=1e-6)


def test_timesteps_count_from_the_first_noise():
    path = vp_linear()
    assert [path.timestep(t) for t in (1.0, 0.901, 0.001, 0.0)] == [999, 900, 0, 0]
    assert [path.timestep(path.t_at_timestep(k)) for k in range(1000)] == list(range(1000))
    assert path.t_at_timestep(-1) == 0
    for ask in (lambda: flow().timestep(0.5), lambda: flow().t_at_timestep(3)):
        with pytest.raises(ValueError, match="path 'flow' has no integer training steps"):
            ask()


def test_a_table_of_the_library_is_checked_as_one_of_a_file():
    with pytest.raises(ValueError, match=r"path 'vp_table': beta 2 of the table is nan, expected 1e-12 to 1"):
        vp_table([0.1, math.nan, 0.2])


@pytest.mark.parametrize(("tokens", "mu"), [(256, 0.5), (4096, 1.15), (2176, 0.825), (1, 0.5 - 0.65 * 255 / 3840)])
def test_the_flow_shifted_by_size_has_the_sigmas_of_the_flow_times_e_to_the_mu(tokens, mu):
    t = np.linspace(0.01, 0.99, 50)
    path = make_path(PathSpec(name="flow_resolution", params={"tokens": tokens}))
    np.testing.assert_allclose(path.s(t) / path.a(t), math.exp(mu) * t / (1 - t), rtol=1e-12)
    assert path.name == "flow_resolution"


def test_the_shift_by_size_has_an_end():
    path = make_path(PathSpec(name="flow_resolution", params={"tokens": 1_000_000}))
    assert path.s(0.5) / path.a(0.5) == pytest.approx(100)
