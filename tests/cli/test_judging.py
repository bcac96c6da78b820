"""`likelihood`: a table or JSON of log p, sample by sample."""

import json
import os
import re
import signal

import numpy as np
import pytest

from diffstudio.studio.compute import scoring
from diffstudio.studio.engine import Engine

JUDGE = ["--samples", "3", "--seed", "5", "--steps", "3", "--device", "cpu"]


def test_points_are_a_table_in_nats(run, dots):
    code, out, err = run("likelihood", dots, *JUDGE, "--label", "b b")
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[0].split("  ")[0].strip() == "sample"
    assert [line.split()[0] for line in lines[1:5]] == ["0", "1", "2", "mean"]
    log_p = [float(line.split()[1]) for line in lines[1:5]]
    assert log_p[3] == pytest.approx(np.mean(log_p[:3]), abs=1e-3)
    assert {float(line.split()[2]) for line in lines[1:4]} == {0}  # the trace is exact
    assert re.fullmatch(r"12 network calls in \d+\.\d s on cpu", lines[5])


def test_json_is_what_the_engine_finds(run, dots):
    code, out, err = run("likelihood", dots, *JUDGE, "--label", "each", "--json")
    told = json.loads(out)
    assert (code, err, out.count("\n")) == (0, "", 1)
    assert (told["nfe"], told["device"], told["interrupted"]) == (12, "cpu", False)
    assert told["request"]["label"] == "each"
    assert told["mean"][0] == pytest.approx(np.mean(told["log_p"]))
    assert told["mean"][1] == pytest.approx(np.std(told["log_p"], ddof=1) / np.sqrt(3))
    assert told["bits_per_dim"] == pytest.approx([-value / (2 * np.log(2)) for value in told["log_p"]])


def test_pictures_are_in_bits_with_an_error_of_the_probes(run, tiny):
    code, out, _ = run("likelihood", tiny, *JUDGE, "--probes", 2, "--json")
    told = json.loads(out)
    assert code == 0
    assert len(told["log_p"]) == 3
    assert min(told["standard_error"]) > 0
    expected = [-value / (784 * np.log(2)) + np.log2(127.5) for value in told["log_p"]]
    assert told["bits_per_dim"] == pytest.approx(expected)


def test_a_single_sample_has_no_error_of_the_mean(run, dots):
    words = ["--samples", "1", "--steps", "3", "--device", "cpu"]
    assert json.loads(run("likelihood", dots, *words, "--json")[1])["mean"][1] is None
    assert "nan" in run("likelihood", dots, *words)[1].splitlines()[2]


def test_held_out_data_are_judged_unless_asked_otherwise(run, tiny):
    words = [*JUDGE, "--probes", 2, "--json"]
    own, held_out, train = (
        json.loads(run("likelihood", tiny, *words, *split)[1])["log_p"]
        for split in ([], ["--split", "held-out"], ["--split", "train"])
    )
    assert own == held_out != train


def test_a_file_is_judged(run, dots):
    np.save("mine.npy", np.array([[0.1, 0.2], [0.3, -0.4]], np.float32))
    told = json.loads(run("likelihood", dots, "--source", "mine.npy", *JUDGE, "--json")[1])
    assert told["log_p"][0] != told["log_p"][1]
    assert told["log_p"][2] == pytest.approx(told["log_p"][0], rel=1e-5)  # two points in turn


def test_interrupted_the_parts_that_are_done_are_told(run, dots, monkeypatch):
    monkeypatch.setattr(scoring, "POINTS_PART", 2)
    likelihood = Engine.likelihood

    def interrupted(self, *words):
        for now in likelihood(self, *words):
            if now.done == 4:
                os.kill(os.getpid(), signal.SIGINT)
            yield now

    monkeypatch.setattr(Engine, "likelihood", interrupted)
    code, out, _ = run("likelihood", dots, *JUDGE, "--json")
    told = json.loads(out)
    assert (code, told["interrupted"], len(told["log_p"])) == (130, True, 2)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--source", "noise"], "--source: noise has no likelihood under a model, give 'data' or a file"),
        (["--source", "none.npy"], "there is no file none.npy"),
        (["--label", "x"], "has no label 'x': choose one of a, b b"),
        (["--samples", "0"], "--samples: input should be greater than or equal to 1, found 0"),
        (["--steps", "0"], "'--steps': 0 is not in the range"),
        (["--probes", "1"], "'--probes': 1 is not in the range"),
        (["--split", "test"], "'--split': 'test' is not one of 'train', 'held-out'"),
        (["--device", "abacus"], "device 'abacus' can't be used here"),
    ],
)
def test_bad_input_is_one_sentence(run, dots, words, message):
    code, out, err = run("likelihood", dots, *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert re.match(f"diffstudio: .*{message}", err), err
