"""The tables of options: sound in themselves, and held against the code that they promise things of."""

from __future__ import annotations

import ast
import dataclasses
import inspect
from pathlib import Path
from typing import get_args

import pytest
import torch

from diffstudio import options
from diffstudio.checkpoints.card import Card
from diffstudio.diffusion import tokens
from diffstudio.diffusion.chain import reverse
from diffstudio.diffusion.clipping import CLIPS
from diffstudio.diffusion.denoiser import Estimate
from diffstudio.diffusion.noise import SampleNoise
from diffstudio.diffusion.paths import PATHS, make_path
from diffstudio.diffusion.solvers import SOLVERS
from diffstudio.diffusion.times import GRIDS, levels
from diffstudio.networks import NETWORKS
from diffstudio.specs import PathSpec
from diffstudio.studio.request.plan import network_calls
from diffstudio.studio.request.request import Request
from diffstudio.training.recipe import Recipe

TABLES = {name: table for name, table in vars(options).items() if name.isupper() and isinstance(table, dict)}
FUNCTIONS = {"SOLVERS": SOLVERS | tokens.SOLVERS, "PATHS": PATHS, "GRIDS": GRIDS, "CLIPS": CLIPS}
# What a function takes beside the numbers of its row; θ tells the two mixing paths apart.
GIVEN = {
    "SOLVERS": {"step", "x", "found", "at", "to", "draw", "process"},
    "PATHS": {"theta", "betas"},
    "GRIDS": {"path", "steps", "t_start", "times", "shape"},
    "CLIPS": {"denoise"},
}
ROWS = [pytest.param(row, id=f"{table}-{name}") for table, rows in TABLES.items() for name, row in rows.items()]
PARAMS = [
    pytest.param(table, row, param, id=f"{table}-{row.name}-{param.name}")
    for table in FUNCTIONS
    for row in TABLES[table].values()
    for param in row.params
]


def test_no_row_hides_another_of_the_same_name():
    """A dict keeps the last of two; so the rows are counted in the source."""
    written = {
        node.target.id: [ast.literal_eval(row.args[0]) for row in node.value.args]
        for file in Path(options.__file__).parent.glob("*.py")
        for node in ast.parse(file.read_text("utf-8")).body
        if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Call) and node.value.func.id == "by_name"
    }
    assert written.keys() == TABLES.keys()
    for name, rows in written.items():
        assert rows == list(TABLES[name])


@pytest.mark.parametrize("table", TABLES)
def test_labels_tell_the_rows_of_a_table_apart(table):
    labels = [row.label for row in TABLES[table].values()]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize("row", ROWS)
def test_a_row_has_a_label_and_a_sentence_and_can_not_be_changed(row):
    assert row.label.strip() == row.label != ""
    assert row.tip.endswith(".")
    with pytest.raises(dataclasses.FrozenInstanceError):
        row.name = "other"


@pytest.mark.parametrize(("table", "row", "param"), PARAMS)
def test_a_parameter_has_its_default_within_its_bounds(table, row, param):
    assert param.low <= param.default <= param.high
    assert param.low < param.high
    assert 0 < param.step <= param.high - param.low
    assert param.label
    assert param.tip.endswith(".")
    assert len({p.name for p in row.params}) == len(row.params)
    if param.integer:
        assert all(float(value).is_integer() for value in (param.default, param.low, param.high, param.step))


@pytest.mark.parametrize(("table", "row", "param"), PARAMS)
def test_a_parameter_is_one_of_its_function_with_the_same_default(table, row, param):
    assert inspect.signature(FUNCTIONS[table][row.name]).parameters[param.name].default == param.default


@pytest.mark.parametrize(("table", "name"), [(table, name) for table in FUNCTIONS for name in FUNCTIONS[table]])
def test_no_number_of_a_function_is_left_without_a_row(table, name):
    names = set(inspect.signature(FUNCTIONS[table][name]).parameters) - GIVEN[table]
    assert names == {param.name for param in TABLES[table][name].params}


@pytest.mark.parametrize(("rows", "functions"), [*FUNCTIONS.items(), ("NETWORKS", NETWORKS)])
def test_rows_and_functions_are_the_same_set(rows, functions):
    assert set(TABLES[rows]) == set(functions)


@pytest.mark.parametrize(
    ("rows", "model", "field"),
    [
        ("PREDICTIONS", Card, "prediction"),
        ("PREDICTIONS", Recipe, "prediction"),
        ("SOURCES", Request, "source"),
        ("FORWARD_MODES", Request, "forward"),
    ],
)
def test_rows_are_what_the_files_accept(rows, model, field):
    assert set(TABLES[rows]) == set(get_args(model.model_fields[field].annotation))


@pytest.mark.parametrize("name", list(PATHS))
def test_the_row_of_a_path_makes_that_path(name):
    assert make_path(_spec(name)).name == name


@pytest.mark.parametrize("name", list(PATHS))
def test_a_path_has_the_training_steps_that_its_row_and_its_spec_promise(name):
    path = make_path(_spec(name))
    assert options.PATHS[name].table == (path.n is not None)
    assert _spec(name).training_steps == path.n


def _spec(name):
    return PathSpec(name=name, betas=(0.1, 0.2, 0.3) if options.PATHS[name].needs == "betas" else None)


def _chain(solver, seed, params=None):
    path, calls = make_path(PathSpec(name="vp_cosine")), []

    def denoise(x, at, cond):
        calls.append(at)
        return Estimate(0.3 * x, {"variance_range": torch.full_like(x, 0.5)})

    noise = SampleNoise(seed, 2, (3,))
    start = torch.ones(2, 3)
    *_, last = reverse(denoise, path, levels(path, 8), start, noise, solver=solver, params=params)
    return last.xt, len(calls)


@pytest.mark.parametrize("name", list(SOLVERS))
def test_a_stochastic_solver_is_one_whose_result_depends_on_the_seed(name):
    row = options.SOLVERS[name]
    differs = not torch.equal(_chain(name, 0)[0], _chain(name, 1)[0])
    assert row.stochastic == differs
    assert (row.order is None) == row.stochastic


def test_ddim_draws_noise_once_eta_is_set():
    runs = [_chain("ddim", seed, {"eta": 1.0})[0] for seed in (0, 1)]
    assert not torch.equal(*runs)


@pytest.mark.parametrize("name", [name for name in SOLVERS if options.SOLVERS[name].evals_per_step is not None])
def test_a_solver_makes_the_network_calls_that_its_row_promises(name):
    assert _chain(name, 0)[1] == network_calls(Request(solver=name, steps=8))
