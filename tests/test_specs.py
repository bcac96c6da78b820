"""A path by name and numbers: what is taken, and what is said of what is not."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from diffstudio import options
from diffstudio.diffusion.paths import make_path
from diffstudio.specs import PathSpec, check_choice, check_params

BOUNDED = [
    pytest.param(row.name, param, id=f"{row.name}-{param.name}")
    for row in options.PATHS.values()
    for param in row.params
]


@pytest.mark.parametrize(("name", "param"), BOUNDED)
def test_the_bounds_of_a_parameter_belong_to_it(name, param):
    for value in (param.low, param.default, param.high):
        spec = PathSpec(name=name, params={param.name: value})
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
    with pytest.raises(ValidationError, match="unknown path 'vp': choose one of flow, vp_linear, vp_cosine, ve"):
        PathSpec(name="vp")


@pytest.mark.parametrize(("name", "known"), [("ve", "sigma_max"), ("flow", "none")])
def test_an_unknown_parameter_is_answered_with_the_known_ones(name, known):
    with pytest.raises(ValidationError, match=f"path '{name}' has no parameter 'sigma': it takes {known}"):
        PathSpec(name=name, params={"sigma": 1.0})


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
