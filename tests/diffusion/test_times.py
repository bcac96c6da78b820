"""Grids against their definitions, written out a second time, and what is refused before a run."""

from __future__ import annotations

import itertools
import math

import pytest

from diffstudio import options
from diffstudio.diffusion.paths import PATHS, make_path
from diffstudio.diffusion.times import GRIDS, level, levels, prediction_problem
from diffstudio.diffusion.times.grids import tokens
from diffstudio.errors import BadInput
from diffstudio.specs import PathSpec, grid_problem

BETAS = tuple(0.001 + 0.02 * k / 99 for k in range(100))
SPECS = [PathSpec(name=name, betas=BETAS if row.needs == "betas" else None) for name, row in options.PATHS.items()]
SPECS.append(PathSpec(name="vp_scaled_linear", params={"zero_snr": 1}))
ALL = [make_path(spec) for spec in SPECS]
IDS = [spec.name + " zero_snr" * bool(spec.params) for spec in SPECS]
EACH = pytest.mark.parametrize("path", ALL, ids=IDS)
SUITED = [
    pytest.param(path, grid, id=f"{name}-{grid}")
    for path, name in zip(ALL, IDS, strict=True)
    for grid, row in options.GRIDS.items()
    if row.needs != "table" or options.PATHS[path.name].table
]


def path_of(name, **params):
    return make_path(PathSpec(name=name, params=params))


def on(grid, path, steps, t_start=1.0, **given):
    times = [t_start * (1 - i / steps) for i in range(steps + 1)] if grid == "custom" else None
    return levels(path, steps, grid, t_start, times=times, shape=(3, 64, 64), **given)


def test_every_row_of_the_options_has_its_function():
    assert set(GRIDS) == set(options.GRIDS)


@pytest.mark.parametrize(("path", "grid"), SUITED)
@pytest.mark.parametrize("steps", [1, 2, 30])
def test_grids_fall_from_the_start_to_the_data(path, grid, steps):
    found = on(grid, path, steps)
    t = [at.t for at in found]
    assert len(t) == steps + 1
    if grid in ("leading", "linspace"):
        assert 0 < t[0] <= 1
    else:
        assert t[0] == 1.0
    assert t[-1] == 0.0
    assert all(a > b for a, b in itertools.pairwise(t))
    assert found[-1].s == 0


@pytest.mark.parametrize(("path", "grid"), SUITED)
@pytest.mark.parametrize("t_start", [0.9996, 0.613, 0.3])
def test_a_run_from_the_middle_starts_where_its_state_is(path, grid, t_start):
    t = [at.t for at in on(grid, path, 12, t_start)]
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
@EACH
def test_before_the_steps_are_known_a_grid_suits_what_has_what_it_needs(path, grid):
    problem = grid_problem(grid, path.name, path.n, times=[1, 0] if grid == "custom" else None, shape=(2,))
    assert (problem != "") == (options.GRIDS[grid].needs == "table" and path.n is None)


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
