"""Likelihoods in plain numbers: as the engine finds them, their mean, and the forms that leave the program."""

import csv
import json
import math

import numpy as np
import pytest

from diffstudio import data
from diffstudio.studio.compute import scoring
from diffstudio.studio.likelihoods import Likelihoods, judge, mean_with_error

MADE = Likelihoods(
    {"seed": 5}, ["a, b", None], [-1.5, math.inf], [0.0, 0.25], [1.0, 2.0], (-1.5, math.nan), 1.5, 0.5,
    1234, 2.345, "cpu",
)  # fmt: skip


@pytest.fixture
def judged(engine, request_of):
    def judged(steps=4, stop=lambda: False, **fields):
        return list(judge(engine, request_of(source="data", **fields), "train", steps, 2, stop))

    return judged


def test_they_are_the_engine_s_own(engine, request_of, judged):
    *_, last = engine.likelihood(request_of(source="data", label=1), "train", 4, 2)
    found = judged(label=1)[-1].found
    assert found.log_p == last.found.log_p.tolist()
    assert found.bits_per_dim == last.found.bits_per_dim.tolist()
    assert (found.nfe, found.device, found.interrupted) == (16, "cpu", False)
    assert found.mean[0] == pytest.approx(float(last.found.log_p.mean()))
    assert found.mean[1] == pytest.approx(float(last.found.log_p.std()) / math.sqrt(3))
    assert found.mean_bits_error == pytest.approx(found.mean[1] / (2 * math.log(2)))
    assert found.request["label"] == 1


def test_each_sample_has_the_class_that_it_was_drawn_from(judged, monkeypatch):
    monkeypatch.setattr(data, "sample", lambda name, labels, seeds, split: (np.zeros((3, 2), np.float32), [2, 0, 1]))
    all_shapes = data.DATASETS["shapes-2d"].labels  # more than the two that the model knows
    assert judged(label=None)[-1].found.labels == [all_shapes[k] for k in (2, 0, 1)]
    assert judged(label=1)[-1].found.labels == ["high"] * 3
    assert judged(label="each")[-1].found.labels == ["high", "low", "high"]  # seed 7


def test_what_is_left_is_known_after_the_first_step(judged, monkeypatch):
    clock = iter(range(100, 200))
    monkeypatch.setattr("diffstudio.studio.likelihoods.time.monotonic", lambda: next(clock))
    steps = judged()
    assert [(step.done, step.total, step.eta) for step in steps] == [(1, 4, None), (2, 4, 2), (3, 4, 1), (4, 4, 0)]
    assert [step.found is not None for step in steps] == [False, False, False, True]


def test_a_stop_keeps_the_parts_that_are_done_and_says_so(judged, monkeypatch):
    monkeypatch.setattr(scoring, "POINTS_PART", 2)
    calls = []

    def stop():
        calls.append(None)
        return len(calls) > 4 * 4 + 2

    found = judged(stop=stop)[-1].found
    assert (len(found.log_p), len(found.labels), found.interrupted) == (2, 2, True)


def test_the_mean_and_its_standard_error():
    assert mean_with_error([1.0, 2.0, 3.0]) == (2, pytest.approx(1 / math.sqrt(3)))
    assert math.isnan(mean_with_error([1.0])[1])


def test_the_table_ends_with_the_mean():
    lines = MADE.table().splitlines()
    assert [line.split() for line in lines] == [
        ["sample", "log", "p", "(nats)", "±", "s.e.", "bits/dim", "class"],
        ["0", "-1.500", "0.000", "1.0000", "a,", "b"],
        ["1", "inf", "0.250", "2.0000"],
        ["mean", "-1.500", "nan", "1.5000"],
    ]
    assert MADE.effort == "1,234 network calls in 2.3 s on cpu"


def test_the_csv_is_read_back():
    rows = list(csv.DictReader(MADE.csv_text().splitlines()))
    assert [row["class"] for row in rows] == ["a, b", ""]
    assert [row["seed"] for row in rows] == ["5", "6"]
    assert [row["log_p_nats"] for row in rows] == ["-1.5", ""]
    assert [float(row["standard_error_nats"]) for row in rows] == [0, 0.25]


def test_json_has_null_for_what_is_no_number():
    told = json.loads(json.dumps(MADE.summary(), allow_nan=False))
    assert (told["log_p"], told["mean"], told["seconds"]) == ([-1.5, None], [-1.5, None], 2.345)
