"""The user's own betas: typed or read, shown, refused in one sentence."""

import json
import math

import numpy as np
import pytest

from diffstudio.errors import BadInput
from diffstudio.gui.kit.words import count
from diffstudio.gui.panels.sampling.betas_field import FIRST
from diffstudio.specs import PathSpec
from diffstudio.studio.request.plan import make_plan
from diffstudio.studio.request.request import Request


@pytest.fixture
def betas(sampling, choose):
    """The field of the panel, with its path chosen."""
    sampling.folds.set_open("advanced")
    choose(sampling.advanced.path, "VP, own betas")
    return sampling.advanced.betas


def test_it_is_there_only_with_its_path(sampling, choose):
    sampling.folds.set_open("advanced")
    row = sampling.advanced.rows["betas"]
    assert not row.isVisible() and sampling.request().path is None
    choose(sampling.advanced.path, "VP, own betas")
    assert row.isVisible() and sampling.request().path == PathSpec(name="vp_table", betas=FIRST)
    choose(sampling.advanced.path, "Flow")
    assert not row.isVisible() and sampling.request().path.betas is None


def test_what_stands_there_first_ends_nearly_in_noise():
    assert 0 < math.prod(1 - beta for beta in FIRST) < 1e-3


def test_what_is_typed_is_the_table(sampling, betas, type_into, catalog):
    type_into(betas.edit, "0.1; 0.2 0.5, 1e0")
    assert sampling.request().path.betas == (0.1, 0.2, 0.5, 1.0)
    assert betas.note.text() == "4 training steps"
    assert make_plan(catalog, sampling.request()).request.path.training_steps == 4


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (",", "path 'vp_table': betas has 0 entries, expected 2 to 100,000"),
        ("0.1 x", "expected betas, numbers between 0 and 1 with commas between"),
        ("0.1 nan 0.2", "path 'vp_table': betas[1] is nan, expected 1e-12 to 1"),
        ("0.1 1.5", "path 'vp_table': betas[1] is 1.5, expected 1e-12 to 1"),
        ("0.1 -0.5 0.2", "path 'vp_table': betas[1] is -0.5, expected 1e-12 to 1"),
        ("0.1 1 0.2", "path 'vp_table': betas[1] is 1, expected less: only the last may take all signal"),
    ],
)
def test_a_table_that_is_none_is_refused_with_the_sentence_beside_it(
    sampling, betas, type_into, choose, typed, sentence
):
    type_into(betas.edit, typed)
    assert betas.note.text() == sentence
    with pytest.raises(BadInput) as refused:
        sampling.checked_request()
    assert str(refused.value) == sentence
    type_into(betas.edit, "0.1 0.2")
    assert sampling.checked_request().path.betas == (0.1, 0.2)
    type_into(betas.edit, typed)
    choose(sampling.advanced.path, "Flow")
    assert sampling.checked_request() == sampling.request(), "nobody needs the table"


def test_a_long_table_is_told_by_its_ends_and_kept_exactly(sampling, betas):
    table = tuple(np.linspace(1e-4, 0.02, 1000).tolist())
    betas.set_value(table)
    assert (betas.edit.text(), betas.edit.placeholderText()) == ("", "0.0001 … 0.02")
    assert betas.note.text() == f"{count(1000)} training steps"
    assert sampling.request().path.betas == table


def test_a_preset_and_undo_bring_it_back(sampling, betas, type_into):
    type_into(betas.edit, "0.1 0.2 0.9")
    sampling._history.separate()
    kept = Request.model_validate(json.loads(sampling.request().model_dump_json()))
    type_into(betas.edit, "0.3 0.4")
    sampling.undo()
    assert betas.value() == (0.1, 0.2, 0.9)
    sampling.reset()
    assert sampling.request().path is None
    sampling.set_request(kept)
    assert sampling.request() == kept and betas.edit.text() == "0.1, 0.2, 0.9"
