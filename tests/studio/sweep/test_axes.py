"""How axes are typed, and what cells they make."""

import pytest

from diffstudio.checkpoints.catalog import default_catalog
from diffstudio.errors import BadInput
from diffstudio.studio.engine import Engine
from diffstudio.studio.sweep.axes import parse_axis
from diffstudio.studio.sweep.sweep import Sweep, make_cells, make_sweep


@pytest.fixture(scope="module")
def engine():
    return Engine(default_catalog())


@pytest.fixture
def axis(engine):
    return lambda text, model="digits": parse_axis(text, engine.catalog, model)


@pytest.fixture
def cells(engine, axis):
    """cells(model, *axes): the sweep and its cells."""

    def cells(model, *texts, **base):
        sweep = make_sweep({"model": model, **base}, tuple(axis(text, model) for text in texts))
        return sweep, make_cells(engine, sweep)

    return cells


@pytest.mark.parametrize(
    ("text", "field", "values"),
    [
        ("solver=ddim,dpmpp_2m", "solver", ("ddim", "dpmpp_2m")),
        ("steps=4,8,16", "steps", (4, 8, 16)),
        ("seed=0..7", "seed", tuple(range(8))),
        ("guidance=1..7:2", "guidance", (1, 3, 5, 7)),
        ("guidance=1..2:0.1", "guidance", tuple(round(1 + k / 10, 1) for k in range(11))),
        ("steps=4..64x2", "steps", (4, 8, 16, 32, 64)),
        ("steps=2..4,10", "steps", (2, 3, 4, 10)),
        ("solver-param.eta=0,0.5", "solver_params.eta", (0, 0.5)),
        ('prompt="a fox, red",snow', "prompt", ("a fox, red", "snow")),
        ("source_invert=yes,no", "invert", (True, False)),
        ("label=3,each-way", "label", ("3", "each-way")),
        ("model=digits@*", "model", ("digits@400", "digits@1500", "digits@6000")),
    ],
)
def test_an_axis_as_it_is_typed(axis, text, field, values):
    if text == "model=digits@*":
        found = axis(text)
        assert found.values[:2] == values[:2]
        assert len(found.values) == 3
        return
    assert (axis(text).field, axis(text).values) == (field, values)


def test_each_class_is_a_value(axis):
    assert axis("label=each", "shapes-2d").values[1:3] == tuple(default_catalog().find("shapes-2d").card.labels[1:3])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("step=4", "did you mean steps"),
        ("sovler=ddim", "did you mean solver"),
        ("zzz=1", "there are model, solver"),
        ("steps", "gives no values"),
        ("steps=4,,8", "an empty value"),
        ("steps=four", "steps is a number, found 'four'"),
        ("seed=7..0", "has no values"),
        ("seed=0..8:0", "has no values"),
        ("steps=0..64x2", "does not grow"),
        ("steps=4,8,4", "the value 4 twice"),
        ("seed=0..999999999", "1,000,000,000 cells"),
        ("guidance=0..1:1e-300", "cells, at most 10,000"),
        ("solver_params=1", "needs the name of the parameter"),
        ("invert=perhaps", "is yes or no"),
    ],
)
def test_a_bad_axis_is_one_sentence(axis, text, said):
    with pytest.raises(BadInput, match=r"^--over: .*") as error:
        axis(text)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("axes", "said"),
    [
        (["seed=0..999", "steps=1..999"], "999,000 cells, at most 10,000"),
        (["seed=0,1", "seed=2,3"], "two axes are over seed"),
        (["seed=0,1", "steps=2,3", "label=1,2", "guidance=1,2", "solver=ddim"], "1 to 4 axes, found 5"),
        (["steps=4,0"], "--over steps=0: --steps: input should be greater than or equal to 1, found 0"),
        (["solver=ddim,zzz"], "--over solver=zzz: unknown solver 'zzz'"),
        (["label=3,ten"], "--over label=ten: 'digits' has no label 'ten'"),
        (["model=digits,nowhere"], "--over model=nowhere: there is no model"),
        (["solver_params.zzz=1,2"], "has no parameter 'zzz'"),
    ],
)
def test_a_sweep_that_is_refused_says_which_value(cells, axes, said):
    with pytest.raises(BadInput) as error:
        cells("digits", *axes)
    assert said in str(error.value)


def test_cells_that_cannot_run_say_why_and_the_rest_does(cells):
    sweep, found = cells("digits", "model=digits,shapes-2d", "label=spiral,3", steps=4)
    assert sweep.shape == (2, 2)
    assert [cell.plan is not None for cell in found] == [False, True, True, True]
    assert "has no label 'spiral'" in found[0].problem
    assert found[2].title == "model shapes-2d, label spiral"


def test_cells_are_the_base_with_their_values_the_last_axis_fastest(cells):
    sweep, found = cells("digits", "steps=4,8", "solver_params.eta=0,1", solver="ddim", solver_params=(), seed=5)
    requests = [cell.request for cell in found]
    assert [(r.steps, r.solver_params["eta"], r.seed) for r in requests] == [
        (4, 0, 5), (4, 1, 5), (8, 0, 5), (8, 1, 5),
    ]  # fmt: skip
    assert Sweep.model_validate_json(sweep.model_dump_json()) == sweep
