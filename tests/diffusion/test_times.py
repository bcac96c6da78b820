"""Grids against their definitions, written out a second time, and what is refused before a run."""

from __future__ import annotations

import itertools
import math
import random

import numpy as np
import pytest

from diffstudio import options
from diffstudio.diffusion.paths import PATHS, make_path
from diffstudio.diffusion.times import GRIDS, level, levels, prediction_problem
from diffstudio.diffusion.times.grids import tokens
from diffstudio.diffusion.times.quantile import beta_quantile
from diffstudio.errors import BadInput
from diffstudio.specs import PathSpec, grid_problem

BETAS = tuple(0.001 + 0.02 * k / 99 for k in range(100))
SPECS = [PathSpec(name=name, betas=BETAS if row.needs == "betas" else None) for name, row in options.PATHS.items()]
SPECS.append(PathSpec(name="vp_scaled_linear", params={"zero_snr": 1}))
ALL = [make_path(spec) for spec in SPECS]
IDS = [spec.name + " zero_snr" * bool(spec.params) for spec in SPECS]
EACH = pytest.mark.parametrize("path", ALL, ids=IDS)
# Each grid on a path that begins without signal and on one that begins with some, and each path with the grid that
# asks for its inverse at every step.
BEGINS = {"times": ("flow", "ve"), "table": ("vp_scaled_linear zero_snr", "mixing")}
SUITED = sorted(
    {(name, grid) for grid, row in options.GRIDS.items() for name in BEGINS.get(row.needs or "", BEGINS["times"])}
    | {(name, "karras") for name in IDS}
)


def path_of(name, **params):
    return make_path(PathSpec(name=name, params=params))


def on(grid, path, steps, t_start=1.0, **given):
    times = [t_start * (1 - i / steps) for i in range(steps + 1)] if grid == "custom" else None
    return levels(path, steps, grid, t_start, times=times, shape=(3, 64, 64), **given)


def test_every_row_of_the_options_has_its_function():
    assert set(GRIDS) == set(options.GRIDS)


@pytest.mark.parametrize(("name", "grid"), SUITED)
def test_grids_fall_from_the_start_to_the_data(name, grid):
    for steps in (1, 2, 30):
        found = on(grid, ALL[IDS.index(name)], steps)
        t = [at.t for at in found]
        assert len(t) == steps + 1
        if grid in ("leading", "linspace"):
            assert 0 < t[0] <= 1
        else:
            assert t[0] == 1.0
        assert t[-1] == 0.0
        assert all(a > b for a, b in itertools.pairwise(t))
        assert found[-1].s == 0


@pytest.mark.parametrize(("name", "grid"), SUITED)
def test_a_run_from_the_middle_starts_where_its_state_is(name, grid):
    for t_start in (0.9996, 0.613, 0.3):
        t = [at.t for at in on(grid, ALL[IDS.index(name)], 12, t_start)]
        assert (len(t), t[0], t[-1]) == (13, t_start, 0.0)
        assert all(a > b for a, b in itertools.pairwise(t))


@pytest.mark.parametrize(("rho", "low", "high"), [(7.0, 0.002, 80.0), (3.0, 0.01, 20.0)])
@pytest.mark.parametrize("name", ["ve", "edm", "flow", "vp_cosine"])
def test_karras_is_equation_5(name, rho, low, high):
    path = path_of(name)
    found = levels(path, 18, "karras", params={"rho": rho, "sigma_min": low, "sigma_max": high})
    assert found[0] == level(path, 1.0)
    for i, at in enumerate(found[1:-1], start=1):
        sigma = (high ** (1 / rho) + i / 17 * (low ** (1 / rho) - high ** (1 / rho))) ** rho
        assert at.sigma == pytest.approx(sigma, rel=1e-9)


def test_a_start_below_the_last_sigma_still_has_a_decade_before_it():
    found = levels(path_of("ve", sigma_max=1), 4, "karras", 0.005, params={"rho": 1.0, "sigma_min": 0.01})
    assert [at.sigma for at in found] == pytest.approx([0.005, 0.0035, 0.002, 0.0005, 0])


def test_quadratic_is_the_square_of_equal_steps():
    assert [at.t for at in levels(path_of("flow"), 4, "quadratic", 0.8)] == pytest.approx(
        [0.8, 0.45, 0.2, 0.05, 0], abs=1e-15
    )


@EACH
def test_exponential_has_equal_ratios_of_sigma_and_log_snr_the_same(path):
    found = levels(path, 12, "exponential", params={"sigma_min": 0.01, "sigma_max": 5.0})
    high = min(5.0, found[0].sigma)
    for i, at in enumerate(found[1:-1], start=1):
        assert at.sigma == pytest.approx(high * (0.01 / high) ** (i / 11), rel=1e-9)
    bounds = {"log_snr_min": -2 * math.log(5), "log_snr_max": -2 * math.log(0.01)}
    for at, same in zip(found, levels(path, 12, "log_snr", params=bounds), strict=True):
        assert at.t == pytest.approx(same.t, abs=1e-12)


def test_log_snr_is_in_equal_steps_between_its_bounds():
    found = levels(path_of("flow"), 11, "log_snr")
    assert [at.log_snr for at in found[1:-1]] == pytest.approx([-8 + 2 * i for i in range(10)], abs=1e-9)


def test_shifted_flow_is_the_flow_with_a_shift():
    path = path_of("flow")
    for shift in (0.5, 3.0):
        found = levels(path, 10, "shifted", params={"shift": shift})
        same = levels(path_of("flow", shift=shift), 10)
        assert [at.a for at in found] == pytest.approx([at.a for at in same], abs=1e-14)
        for i, at in enumerate(found[1:-1], start=1):
            assert at.sigma == pytest.approx(shift * (10 - i) / i, rel=1e-12)


def test_a_shifted_run_from_the_middle_is_in_equal_steps_of_u():
    u = [at.t / (3 - 2 * at.t) for at in levels(path_of("flow"), 10, "shifted", 0.6)]
    assert [a - b for a, b in itertools.pairwise(u)] == pytest.approx([u[0] / 10] * 10)


@pytest.mark.parametrize(
    ("shape", "mu"),
    [((4, 32, 32), 0.5), ((16, 128, 128), 1.15), ((16, 96, 96), 0.5 + 0.65 * (2304 - 256) / 3840)],
)
def test_the_shift_by_size_is_flux_line(shape, mu):
    found = levels(path_of("flow"), 8, "shifted_resolution", shape=shape)
    same = levels(path_of("flow"), 8, "shifted", params={"shift": math.exp(mu)})
    assert [at.t for at in found] == pytest.approx([at.t for at in same], abs=1e-14)


def test_the_shift_by_size_has_an_end():
    found = levels(path_of("flow"), 8, "shifted_resolution", shape=(4096, 4, 4096, 4096))
    assert [at.t for at in found] == [at.t for at in levels(path_of("flow"), 8, "shifted", params={"shift": 100})]


@pytest.mark.parametrize(
    ("shape", "patch", "count"),
    [((2,), 2, 1), ((1, 28, 28), 2, 196), ((3, 5, 7), 2, 12), ((10, 3, 28, 28), 4, 490), ((1, 4096), 2, 4096)],
)
def test_tokens_are_counted(shape, patch, count):
    assert tokens(shape, patch) == count


def test_an_own_list_is_taken_as_it_is():
    times = [0.9, 0.5, 0.2]
    assert [at.t for at in levels(path_of("flow"), 2, "custom", times=times)] == times
    assert levels(path_of("flow"), 2, "custom", 0.9, times=times)[0].t == 0.9


@pytest.mark.parametrize("t_start", [1.0, 0.5])
def test_the_whole_table_is_each_of_its_training_steps(t_start):
    path = path_of("vp_linear", n=200)
    every = [(200 * t_start - i) / 200 for i in range(int(200 * t_start) + 1)]
    for grid in ("leading", "trailing", "linspace"):
        assert [at.t for at in levels(path, len(every) - 1, grid, t_start)] == pytest.approx(every, abs=1e-12)


TABLES = [path for path in ALL if path.n is not None and path.a(1.0) > 0]


@pytest.mark.parametrize("grid", ["karras", "exponential", "beta", "log_snr"])
@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.name)
def test_a_ramp_on_a_table_lies_between_the_tables_own_ends(path, grid):
    """Below its first training step a network was never asked."""
    found = levels(path, 10, grid)
    ends = level(path, 1.0), level(path, 1 / path.n)
    assert (found[0].sigma, found[-2].sigma) == pytest.approx([at.sigma for at in ends], rel=1e-9)
    assert [path.timestep(at.t) for at in (found[0], found[-2])] == [path.n - 1, 0]


@pytest.mark.parametrize("grid", ["karras", "exponential", "beta"])
def test_a_ramp_elsewhere_has_edms_ends(grid):
    for path, high in ((path_of("ve", sigma_max=50), 50), (path_of("edm"), 80), (path_of("vp_edm"), 120)):
        found = levels(path, 10, grid)
        assert (found[0].sigma, found[-2].sigma) == pytest.approx((high, 0.002), rel=1e-9)
    found = levels(path_of("flow"), 10, grid)
    assert (found[0].a, found[-2].sigma) == (0, pytest.approx(0.002, rel=1e-9))
    assert found[1].sigma < 80


def test_a_ramp_can_start_at_its_largest_sigma():
    found = levels(path_of("vp_linear"), 5, "karras", params={"sigma_max": 20.0, "start": 1})
    assert found[0].sigma == pytest.approx(20, rel=1e-9)
    assert levels(path_of("vp_linear"), 5, "karras", 0.5, params={"sigma_max": 0.9, "start": 1})[0].t == 0.5


@pytest.mark.parametrize(("between", "grid"), [(1, "leading"), (2, "trailing")])
def test_a_ramp_can_lie_between_the_ends_of_other_training_steps(between, grid):
    path, offset = path_of("vp_scaled_linear"), {"steps_offset": 1} if grid == "leading" else {}
    found = levels(path, 8, "exponential", params={"between": between, **offset})
    same = levels(path, 8, grid, params=offset)
    assert (found[0].sigma, found[-2].sigma) == pytest.approx((same[0].sigma, same[-2].sigma), rel=1e-9)


def test_a_beta_ramp_stands_at_equal_shares_of_the_distribution():
    for path, params in ((path_of("edm"), {}), (path_of("edm"), {"alpha": 2.0, "beta": 0.5})):
        found = levels(path, 9, "beta", params=params)
        shares = (np.array([at.sigma for at in found[:-1]]) - 0.002) / (80 - 0.002)
        # Beta(1/2, 1/2) would be the arcsine law; here the density itself is summed.
        a, b = params.get("alpha", 0.6), params.get("beta", 0.6)
        u = (np.arange(400_000) + 0.5) / 400_000 * math.pi / 2  # x = sin²u has no pole at the ends
        weight = np.sin(u) ** (2 * a - 1) * np.cos(u) ** (2 * b - 1)
        below = np.interp(np.arcsin(np.sqrt(shares.clip(0, 1))), u, np.cumsum(weight) / weight.sum())
        np.testing.assert_allclose(below, np.linspace(1, 0, 9), atol=2e-5)


def test_quantiles_of_a_beta_distribution_have_closed_forms():
    p = np.linspace(0, 1, 21)
    np.testing.assert_allclose(beta_quantile(p, 1.0, 1.0), p, atol=1e-13)
    np.testing.assert_allclose(beta_quantile(p, 0.5, 0.5), np.sin(math.pi * p / 2) ** 2, atol=1e-13)
    np.testing.assert_allclose(beta_quantile(p, 3.0, 1.0), p ** (1 / 3), atol=1e-13)
    np.testing.assert_allclose(beta_quantile(p, 1.0, 4.0), 1 - (1 - p) ** 0.25, atol=1e-13)


@pytest.mark.parametrize("grid", ["leading", "trailing", "linspace", "lcm"])
def test_training_steps_can_end_at_the_first_of_the_table(grid):
    path = path_of("vp_linear")
    params = {"end": 1} | ({"spare": 1} if grid in ("leading", "linspace") else {})
    found = levels(path, 10, grid, params=params)
    assert found[-1] == level(path, 0.001)
    assert found[-2].t > 0.001


def test_the_times_of_a_distillation_are_counted_from_the_end_of_the_table():
    path = path_of("vp_scaled_linear")
    found = [path.timestep(at.t) for at in levels(path, 4, "lcm")]
    assert found[:-1] == [999, 759, 499, 259]
    assert [path.timestep(at.t) for at in levels(path, 50, "lcm")][:-1] == list(range(999, 0, -20))
    assert [path.timestep(at.t) for at in levels(path, 3, "lcm", 0.5)][1:-1] == [339, 179]
    assert [path.timestep(at.t) for at in levels(path, 100, "lcm")][:-1] == list(range(999, 0, -10))
    assert len(levels(path, 1000, "lcm")) == 1001


def test_shifted_times_can_end_where_they_are_told():
    path = path_of("flow")
    assert [at.t for at in levels(path, 3, "shifted", params={"shift": 1, "last": 0.1})] == pytest.approx(
        [1, 0.55, 0.1, 0]
    )
    assert [at.t for at in levels(path, 3, "shifted", params={"shift": 1, "first": 0.9})] == pytest.approx(
        [0.9, 0.6, 0.3, 0]
    )
    assert [at.t for at in levels(path, 3, "shifted", params={"shift": 1, "floor": 0.1})] == pytest.approx(
        [1, 0.7, 0.4, 0]
    )
    stretched = levels(path, 3, "shifted", params={"shift": 1, "terminal": 0.1})
    assert [at.t for at in stretched] == pytest.approx([1, 1 - 1 / 3 * 0.9 * 1.5, 0.1, 0])
    linear = {"base_shift": 2.5, "max_shift": 2.5, "linear": 1}
    found = levels(path, 9, "shifted_resolution", params=linear, shape=(4, 8, 8))
    same = levels(path, 9, "shifted", params={"shift": 2.5})
    assert [at.t for at in found] == pytest.approx([at.t for at in same], abs=1e-14)


def test_whatever_is_not_refused_falls_from_its_start():
    """Every grid on every path with numbers from all over their bounds."""
    draw, tried = random.Random(0), 0
    while tried < 1500:
        path, row = draw.choice(ALL), draw.choice([row for row in options.GRIDS.values() if row.needs != "times"])
        params = {p.name: _number(draw, p) for p in row.params if draw.random() < 0.6}
        steps, t_start = draw.choice([1, 2, 3, 10, 50]), draw.choice([1.0, 1.0, 0.9996, draw.uniform(0.01, 1)])
        given = {"t_start": t_start, "params": params, "shape": (4, 64, 64)}
        if grid_problem(row.name, path.name, path.n, steps, **given):
            continue
        try:
            t = [at.t for at in levels(path, steps, row.name, **given)]
        except BadInput as error:
            assert "at one time" in str(error)
            continue
        tried += 1
        told = path.name, row.name, steps, given
        assert len(t) == steps + 1 and 0 <= t[-1] < t[0] <= 1, told
        assert all(a > b for a, b in itertools.pairwise(t)), told
        assert t_start == 1 or t[0] == t_start, told


def _number(draw, param):
    if param.integer:
        return draw.choice([param.low, param.low + 1, draw.randint(int(param.low), int(min(param.high, 60)))])
    return draw.choice([param.low, param.high, draw.uniform(param.low, param.high)])


FLOW, TABLE = ("flow", None), ("vp_linear", 1000)


@pytest.mark.parametrize(
    ("path", "steps", "grid", "given", "sentence"),
    [
        (FLOW, 0, "uniform", {}, "steps is 0, expected a whole number from 1 to 100,000"),
        (FLOW, -1, "karras", {}, "steps is -1, expected a whole number from 1 to 100,000"),
        (FLOW, 10**9, "uniform", {}, "steps is 1000000000, expected a whole number from 1 to 100,000"),
        (FLOW, 2.5, "uniform", {}, "steps is 2.5, expected a whole number from 1 to 100,000"),
        (FLOW, math.nan, "uniform", {}, "steps is nan, expected a whole number from 1 to 100,000"),
        (TABLE, 10**9, "trailing", {}, "steps is 1000000000, expected a whole number from 1 to 100,000"),
        (FLOW, 5, "spiral", {}, f"unknown grid 'spiral': choose one of {', '.join(GRIDS)}"),
        (FLOW, 5, "uniform", {"t_start": 0.0}, "the start is t = 0, expected more than 0 and at most 1"),
        (FLOW, 5, "uniform", {"t_start": 1.1}, "the start is t = 1.1, expected more than 0 and at most 1"),
        (FLOW, 5, "uniform", {"t_start": math.nan}, "the start is t = nan, expected more than 0 and at most 1"),
        (FLOW, 5, "karras", {"params": {"rho": 0.5}}, "grid 'karras': rho is 0.5, expected 1 to 100"),
        (FLOW, 5, "karras", {"params": {"rho": math.nan}}, "grid 'karras': rho is nan, expected 1 to 100"),
        (FLOW, 5, "uniform", {"params": {"rho": 7}}, "grid 'uniform' has no parameter 'rho': it takes none"),
        (
            FLOW,
            5,
            "leading",
            {},
            "'leading' counts integer training steps, and 'flow' has none: choose uniform or karras",
        ),
        (
            TABLE,
            1001,
            "linspace",
            {},
            "'linspace' has 1,000 training steps on 'vp_linear', found 1,001 steps: choose fewer or uniform",
        ),
        (
            TABLE,
            30,
            "trailing",
            {"t_start": 0.02},
            "'trailing' has 20 training steps on 'vp_linear' up to t = 0.02, found 30 steps: choose fewer or uniform",
        ),
        (
            TABLE,
            1000,
            "leading",
            {"params": {"steps_offset": 1}},
            "'leading' starts at training step 1,000 with steps_offset 1, expected at most 999 on 'vp_linear'",
        ),
        (
            TABLE,
            999,
            "linspace",
            {"params": {"spare": 1, "cut": 1}},
            "'linspace' has 999 training steps on 'vp_linear' without 1 that are cut, found 999 steps and a spare one: "
            "choose fewer or uniform",
        ),
        (
            TABLE,
            5,
            "lcm",
            {"params": {"original": 1001}},
            "'lcm' has original 1,001, expected at most 1,000, the training steps of 'vp_linear'",
        ),
        (
            TABLE,
            5,
            "leading",
            {"params": {"end": 1}},
            "'leading' visits training step 0 itself, where end 1 would stand still: choose end 0",
        ),
        (
            FLOW,
            5,
            "karras",
            {"params": {"between": 1}},
            "'leading' counts integer training steps, and 'flow' has none: choose uniform or karras",
        ),
        (
            FLOW,
            50,
            "karras",
            {"params": {"levels": 40}},
            "'karras' has 40 levels of a distillation, found 50 steps: choose fewer",
        ),
        (
            FLOW,
            5,
            "shifted_resolution",
            {},
            "'shifted_resolution' counts the tokens of a sample, and its shape is not known",
        ),
        (FLOW, 2, "custom", {}, "'custom' needs your list of times"),
        (FLOW, 2, "uniform", {"times": [1, 0.5, 0]}, "grid 'uniform' takes no list of times: only 'custom' does"),
        (FLOW, 3, "custom", {"times": [1, 0.5, 0]}, "the number of times in the list is 3, expected 4 for 3 steps"),
        (FLOW, 2, "custom", {"times": [1, math.nan, 0]}, "time 2 of the list is nan, expected 0 to 1"),
        (FLOW, 2, "custom", {"times": [1.5, 0.5, 0]}, "time 1 of the list is 1.5, expected 0 to 1"),
        (FLOW, 2, "custom", {"times": [1, 0.5, -0.1]}, "time 3 of the list is -0.1, expected 0 to 1"),
        (
            FLOW,
            2,
            "custom",
            {"times": [1, 0.5, 0.5]},
            "time 3 of the list is 0.5, expected less than 0.5, the one before it",
        ),
        (
            FLOW,
            2,
            "custom",
            {"times": [0, 0.5, 1]},
            "time 2 of the list is 0.5, expected less than 0, the one before it",
        ),
        (
            FLOW,
            2,
            "custom",
            {"times": [1, 0.5, 0], "t_start": 0.7},
            "the first time of the list is 1, expected 0.7, where this run starts",
        ),
    ],
)
def test_what_can_not_be_is_refused_in_one_sentence_before_anything_is_computed(path, steps, grid, given, sentence):
    assert grid_problem(grid, *path, steps, **given) == sentence
    with pytest.raises(BadInput) as caught:
        levels(path_of(path[0]), steps, grid, **given)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("grid", GRIDS)
def test_before_the_steps_are_known_a_grid_suits_what_has_what_it_needs(grid):
    for name, n in (FLOW, TABLE):
        problem = grid_problem(grid, name, n, times=[1, 0] if grid == "custom" else None, shape=(2,))
        assert (problem != "") == (options.GRIDS[grid].needs == "table" and n is None)


def test_predictions_that_need_signal_do_not_start_without():
    zero = path_of("vp_scaled_linear", zero_snr=1)
    for path in (zero, path_of("vp_cosine"), path_of("flow"), path_of("flow_resolution")):
        for prediction in ("eps", "edm"):
            found = prediction_problem(prediction, path)
            assert found == (
                f"{options.PREDICTIONS[prediction].label} prediction has no x̂0 where the signal is gone "
                f"(path '{path.name}' at t = 1): start later, or use a model that predicts v or x0"
            )
            assert prediction_problem(prediction, path, 0.99) == ""
        assert {prediction_problem(p, path) for p in ("v", "x0", "flow")} == {""}
    for name in PATHS.keys() - {"flow", "flow_resolution", "vp_cosine", "vp_table"}:
        assert prediction_problem("eps", path_of(name)) == ""
