"""One sample of the source alone: of the data, of a file, of a recorded step; all samples of the run start from it."""

import numpy as np
import pytest

from diffstudio import data
from diffstudio.data import DATASETS
from diffstudio.errors import BadInput


def test_of_a_formula_a_number_is_a_draw(record):
    trace = record(source="data", source_sample=41, label=1, seed=9)
    expected, _ = data.sample("shapes-2d", [1], [41])
    assert np.array_equal(trace.array(0, "xt"), expected.repeat(3, 0))
    assert len(np.unique(trace.array(6, "xt").round(5), axis=0)) == 3, "each with noise of its own"


def test_of_a_formula_without_a_class_its_own_is_recorded(record):
    trace = record(source="data", source_sample=41, label=None)
    expected, (label,) = data.sample("shapes-2d", [None], [41])
    assert np.array_equal(trace.array(0, "xt"), expected.repeat(3, 0))
    assert trace.header.labels == (label,) * 3


@pytest.mark.parametrize("name", ["digits", "spoken-digits", "words"])
def test_of_a_finite_set_a_number_is_a_place(name):
    source = DATASETS[name]
    rows, labels = (source.every or source.everything)("train")
    row, label = data.one(name, 17)
    assert np.array_equal(row, rows[17]) and label == (labels[17] if source.labels else None)
    with pytest.raises(BadInput, match=f"'{name}' has the samples 0 to {len(rows) - 1:,}, found 9,999,999"):
        data.one(name, 9_999_999)


def test_of_a_file_all_start_from_that_one(record, tmp_path):
    np.save(tmp_path / "points.npy", np.array([[0.1, 0.2], [-0.5, 0.75], [0.5, 0.6]], np.float32))
    given = {"source": "file", "source_file": str(tmp_path / "points.npy"), "source_sample": 1}
    assert record(**given).array(0, "xt").tolist() == [[-0.5, 0.75]] * 3
    with pytest.raises(BadInput, match=r"points\.npy has the samples 0 to 2, found 3$"):
        record(**given | {"source_sample": 3})


def test_of_a_trace_the_last_state_of_that_sample(record):
    whole = record(seed=5)
    again = record(source="file", source_file=str(whole.path), source_sample=2, steps=4)
    assert np.array_equal(again.array(0, "xt"), whole.array(13, "xt", 2)[None].repeat(3, 0))


def test_of_a_recorded_step_one_sample_is_gone_on_with_as_often_as_is_asked(record):
    whole = record(solver="ddim", steps=8, label=1, forward="off")
    given = {"source": "step", "source_file": str(whole.path), "source_step": 3, "seed": 99, "label": 1}
    rest = record(**given, source_sample=1, samples=5, solver="ddim", steps=5)
    assert rest.batch == 5
    for k in range(6):
        expected = whole.array(k + 3, "xt", 1)[None].repeat(5, 0)
        np.testing.assert_allclose(rest.array(k, "xt"), expected, atol=2e-5)
    apart = record(**given, source_sample=1, samples=5, solver="ddpm", steps=5)
    assert len(np.unique(apart.array(5, "xt").round(4), axis=0)) == 5, "a stochastic solver draws for each its own"
    with pytest.raises(BadInput, match=r"has the samples 0 to 2, found 3$"):
        record(**given, source_sample=3)
