"""Grids against their definitions, written out a second time."""

from __future__ import annotations

import itertools

import pytest

from diffstudio import options
from diffstudio.diffusion.paths import PATHS, make_path
from diffstudio.diffusion.times import GRIDS, levels
from diffstudio.specs import PathSpec

ALL = [make_path(PathSpec(name=name)) for name in PATHS if options.PATHS[name].needs is None]


def test_every_row_of_the_options_has_its_function():
    assert set(GRIDS) == set(options.GRIDS)


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
