"""A path by name and numbers: what is taken, and what is said of what is not."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from diffstudio import options
from diffstudio.diffusion.paths import make_path
from diffstudio.specs import PathSpec, check_choice, check_params

BETAS = (0.1, 0.2, 0.3)
BOUNDED = [
    pytest.param(row.name, param, id=f"{row.name}-{param.name}")
    for row in options.PATHS.values()
    for param in row.params
]


@pytest.mark.parametrize(("name", "param"), BOUNDED)
def test_the_bounds_of_a_parameter_belong_to_it(name, param):
    for value in (param.low, param.default, param.high):
        betas = BETAS if options.PATHS[name].needs == "betas" else None
        spec = PathSpec(name=name, params={param.name: value}, betas=betas)
        make_path(spec)
        assert PathSpec.model_validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize(("name", "param"), BOUNDED)
def test_beyond_its_bounds_the_value_and_the_bounds_are_named(name, param):
    beyond = 1 if param.integer else 1e-9
    for value in (param.low - beyond, param.high * 1.001 + 1):
        with pytest.raises(ValidationError) as caught:
            PathSpec(name=name, params={param.name: value})
        assert f"path '{name}': {param.name} is {value:g}, expected {param.low:g} to {param.high:g}" in str(
            caught.value
        )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_not_finite_is_refused(value):
    with pytest.raises(ValidationError, match="finite number"):
        PathSpec(name="ve", params={"sigma_max": value})


@pytest.mark.parametrize("name", ["mixing", "mixing_uniform", "vp_linear"])
def test_a_chain_of_two_and_a_half_steps_is_refused(name):
    with pytest.raises(ValidationError, match=rf"path '{name}': n is 2\.5, expected a whole number"):
        PathSpec(name=name, params={"n": 2.5})
    assert make_path(PathSpec(name=name, params={"n": 3.0})).n == 3


def test_an_unknown_path_is_answered_with_the_known_ones():
    with pytest.raises(
        ValidationError, match=r"unknown path 'vp': choose one of flow, flow_resolution, vp_linear, .*, mixing_uniform"
    ):
        PathSpec(name="vp")


@pytest.mark.parametrize(("name", "known"), [("ve", "sigma_max"), ("vp_cosine", "none")])
def test_an_unknown_parameter_is_answered_with_the_known_ones(name, known):
    with pytest.raises(ValidationError, match=f"path '{name}' has no parameter 'sigma': it takes {known}"):
        PathSpec(name=name, params={"sigma": 1.0})


@pytest.mark.parametrize(
    ("betas", "sentence"),
    [
        ((0.1, float("nan")), r"beta 2 of the table is nan, expected 1e-12 to 1"),
        ((float("inf"), 0.1), r"beta 1 of the table is inf, expected 1e-12 to 1"),
        ((0.1, 0.0, 0.1), r"beta 2 of the table is 0, expected 1e-12 to 1"),
        ((0.1, -0.2), r"beta 2 of the table is -0\.2, expected"),
        ((0.1, 1.5), r"beta 2 of the table is 1\.5, expected"),
        ((0.1, 1.0, 0.1), r"beta 2 of the table is 1, expected less: only the last may take all signal"),
        ((0.1,), "the number of betas in the table is 1, expected 2 to 100,000"),
        ((0.1,) * 100_001, "the number of betas in the table is 100,001, expected 2 to 100,000"),
    ],
)
def test_a_table_that_is_none_is_refused_by_the_index_of_what_is_wrong(betas, sentence):
    with pytest.raises(ValidationError, match=f"path 'vp_table': {sentence}"):
        PathSpec(name="vp_table", betas=betas)


def test_a_table_belongs_to_the_path_that_takes_one():
    with pytest.raises(ValidationError, match="path 'vp_table' needs its table of betas"):
        PathSpec(name="vp_table")
    with pytest.raises(ValidationError, match="path 'flow' takes no table of betas: only 'vp_table' does"):
        PathSpec(betas=BETAS)


def test_a_table_may_end_with_no_signal_and_be_long():
    assert make_path(PathSpec(name="vp_table", betas=(0.1, 1.0))).a(1.0) == 0
    assert PathSpec(name="vp_table", betas=(1e-4,) * 100_000).training_steps == 100_000


def test_a_table_is_written_only_where_there_is_one():
    assert PathSpec(name="ve").model_dump() == {"name": "ve", "params": {}}
    table = PathSpec(name="vp_table", betas=BETAS)
    assert table.model_dump(mode="json") == {"name": "vp_table", "params": {}, "betas": [0.1, 0.2, 0.3]}
    assert PathSpec.model_validate_json(table.model_dump_json()) == table


def test_what_does_not_belong_is_refused():
    with pytest.raises(ValidationError, match="Extra inputs"):
        PathSpec.model_validate({"name": "flow", "steps": 3})


def test_a_spec_can_not_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        PathSpec().name = "ve"


def test_a_choice_is_checked_by_name():
    check_choice("fruit", "fig", {"fig": 1, "plum": 2})
    with pytest.raises(ValueError, match="unknown fruit 'nut': choose one of fig, plum"):
        check_choice("fruit", "nut", {"fig": 1, "plum": 2})


def test_the_numbers_of_a_solver_are_checked_the_same_way():
    params = options.SOLVERS["ddim"].params
    check_params("solver", "ddim", {"eta": 1.0}, params)
    with pytest.raises(ValueError, match=r"solver 'ddim': eta is 1\.5, expected 0 to 1"):
        check_params("solver", "ddim", {"eta": 1.5}, params)
