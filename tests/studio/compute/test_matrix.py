"""Every solver on every path with every grid that goes with it, through the engine: finite, and alone as in a batch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from known_network import Known, save_known

from diffstudio import networks, options
from diffstudio.errors import BadInput
from diffstudio.specs import PathSpec, grid_problem

STEPS = 4
SMALL = {"n": 50}
PATHS = {
    name: {"name": name} | ({"betas": [0.05] * 49 + [0.5]} if row.needs == "betas" else {})
    | ({"params": SMALL} if any(p.name == "n" for p in row.params) else {})
    for name, row in options.PATHS.items()
}  # fmt: skip
TIMES = (1.0, 0.8, 0.5, 0.2, 0.0)
SOLVERS = [name for name, row in options.SOLVERS.items() if row.needs != "tokens"]
GRIDS = [
    (path, grid)
    for path, fields in PATHS.items()
    for grid in options.GRIDS
    if not grid_problem(
        grid, path, PathSpec.model_validate(fields).training_steps, STEPS,
        times=TIMES if grid == "custom" else None, shape=(2,),
    )
]  # fmt: skip
SOME = ("flow", "vp_linear", "ve")  # for pictures, and where a sample is compared with itself in a batch
MODELS = {"points": {}, "image": {"modality": "image", "shape": (1, 8, 8)}}


class Ranged(Known):
    """With a learned variance halfway between β̃ and β."""

    def forward(self, x, t, labels):
        x0_hat = super().forward(x, t, labels)
        return torch.cat([x0_hat, 0 * x0_hat], 1)


@pytest.fixture(params=MODELS)
def model(folder, monkeypatch, request):
    """Points or small pictures; also as a model that has learned its variance."""
    monkeypatch.setitem(networks.NETWORKS, "ranged", lambda shape, labels, outputs=2: Ranged(shape, labels))
    monkeypatch.setitem(options.NETWORKS, "ranged", options.NETWORKS["unet"])
    fields = MODELS[request.param]
    save_known(folder, "plain", **fields, data={"dataset": ""})
    save_known(folder, "ranged", **fields, data={"dataset": ""}, network="ranged", learned_range=True)
    return lambda solver: "ranged" if options.SOLVERS[solver].needs == "range" else "plain"


def fields_of(path, grid):
    return {
        "path": PATHS[path], "grid": grid, "steps": STEPS, "times": TIMES if grid == "custom" else None,
        "label": 0, "forward": "off",
    }  # fmt: skip


@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_runs_on_every_path_and_grid(record, model, solver, request):
    points = request.node.callspec.params["model"] == "points"
    for path, grid in GRIDS if points else [pair for pair in GRIDS if pair[0] in SOME]:
        trace = record(model=model(solver), solver=solver, **fields_of(path, grid), samples=2)
        assert len(trace) == STEPS + 1, (path, grid)
        for k in range(len(trace)):
            for field in ("xt", "x0_hat"):
                assert np.isfinite(trace.array(k, field)).all(), (path, grid, k, field)
        if trace.scalar(STEPS, "s") == 0:
            np.testing.assert_array_equal(trace.array(STEPS, "xt"), trace.array(STEPS, "x0_hat"))
        trace.close()


def test_every_grid_goes_with_some_path_and_every_path_with_some_grid():
    assert {grid for _, grid in GRIDS} == set(options.GRIDS)
    assert {path for path, _ in GRIDS} == set(options.PATHS)


@pytest.mark.parametrize("solver", [name for name in SOLVERS if options.SOLVERS[name].evals_per_step is not None])
@pytest.mark.parametrize("path", SOME)
def test_a_sample_is_the_same_alone_and_in_a_batch(record, model, solver, path):
    fields = {"model": model(solver), "solver": solver, **fields_of(path, "uniform")}
    several = record(**fields, samples=4, seed=11)
    for i in (0, 3):
        alone = record(**fields, samples=1, seed=11 + i)
        for k in range(STEPS + 1):
            expected = several.array(k, "xt", i)
            np.testing.assert_allclose(alone.array(k, "xt", 0), expected, atol=2e-6 * max(1, np.abs(expected).max()))


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("noise", ["fresh", "brownian"])
def test_a_stochastic_solver_draws_as_it_is_told_and_another_is_refused(record, model, solver, noise):
    fields = {"model": model(solver), "solver": solver, **fields_of("flow", "uniform")}
    if not options.SOLVERS[solver].stochastic:
        with pytest.raises(ValueError, match=f"solver '{solver}' draws no noise: leave the noise out"):
            record(**fields, noise=noise)
        return
    assert np.isfinite(record(**fields, noise=noise).array(STEPS, "xt")).all()


def test_a_learned_variance_needs_a_network_that_has_one(record, model):
    with pytest.raises(BadInput, match="needs a network that has learned its variance; 'plain' has not"):
        record(model="plain", solver="ddpm_learned")
