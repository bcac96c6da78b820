"""What the commands say of a run that is not finite, or leaves the range of its data: a sentence, a field, a code."""

from __future__ import annotations

import csv
import json
import subprocess
import sys

import numpy as np
import pytest
from cards import read_card
from safetensors.numpy import load_file

from diffstudio.checkpoints.store import save

SAMPLE = ["--steps", "4", "--samples", "3", "--seed", "5", "--device", "cpu"]
WILD = 3


@pytest.fixture(scope="session")
def wild(checkpoints, tmp_path_factory):
    """wild(name): a checkpoint whose weights are finite and far too large."""
    folder = tmp_path_factory.mktemp("wild")

    def wild(name):
        file = checkpoints / f"{name}.safetensors"
        out = folder / file.name
        weights = {key: values.astype(np.float32) * np.float32(1e15) for key, values in load_file(file).items()}
        save(out, read_card(file), weights, dtype="float32")
        return str(out)

    return wild


@pytest.mark.parametrize(("name", "out"), [("tiny", "a.png"), ("tiny", "a.npz"), ("tiny", "a.gif"), ("dots", "a.csv")])
def test_it_is_a_sentence_on_stderr_and_a_code(run, wild, here, name, out):
    code, told, err = run("sample", wild(name), "--out", out, *SAMPLE)
    assert code == WILD
    assert err == (
        "diffstudio: from step 0 of 4 of the reverse chain on (t = 1) 3 of 3 samples have values that are not finite "
        "(NaN or ∞)\n"
    )
    assert told.startswith(f"{out}: 3 × 4 steps in ")
    assert (here / out).exists()


def test_json_has_the_place_the_chain_and_the_samples(run, wild):
    code, out, err = run("sample", wild("tiny"), "--out", "a.npz", *SAMPLE, "--json")
    told = json.loads(out)
    assert code == WILD
    assert told["not_finite"] == {
        "record": 5, "chain": "reverse", "step": 0, "t": 1.0, "samples": [0, 1, 2], "batch": 3, "stored": False
    }  # fmt: skip
    assert told["remarks"] == [err.removeprefix("diffstudio: ").strip()]
    assert not told["interrupted"]


def test_half_precision_of_the_weights_is_advised_against(run, wild):
    assert run("sample", wild("tiny"), "--out", "a.npz", *SAMPLE, "--precision", "half")[2].endswith(
        "not finite (NaN or ∞): use --precision float32\n"
    )


def test_an_inversion_says_it_of_its_forward_chain(run, wild):
    code, _, err = run("forward", wild("dots"), "--out", "a.npz", *SAMPLE, "--forward", "invert")
    assert code == WILD
    assert "from step 1 of 4 of the forward chain on (t = 0.25) 3 of 3 samples have values" in err


def test_a_forward_chain_of_data_is_well_whatever_the_network_is(run, wild):
    assert run("forward", wild("dots"), "--out", "a.npz", *SAMPLE)[::2] == (0, "")


def test_a_likelihood_that_is_no_number_says_so(run, wild, here):
    code, out, err = run("likelihood", wild("dots"), "--samples", 3, "--steps", 4, "--device", "cpu", "--json")
    told = json.loads(out)
    assert code == WILD
    assert (told["not_finite"], told["log_p"], told["not_finite_step"]) == ([0, 1, 2], [None] * 3, 1)
    assert err == (
        "diffstudio: 3 of 3 samples have no finite likelihood (samples 0, 1 and 2): the network's answer is not finite "
        "(NaN or ∞) from step 1 of the equation on\n"
    )


def test_no_warning_of_a_library_reaches_stderr(wild, here):
    """In a process of its own, where warnings are shown as a user has them."""
    words = ["sample", wild("dots"), "--out", "a.csv", *SAMPLE]
    done = subprocess.run([sys.executable, "-m", "diffstudio", *words], capture_output=True, text=True, check=False)
    assert done.returncode == WILD
    assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith("diffstudio: from step 0 ")
    rows = list(csv.reader((here / "a.csv").read_text().splitlines()))
    assert len(rows) == 4


# ── the range of the data ───────────────────────────────────────────────────────────────────────────────────────────


def test_samples_that_leave_the_range_are_counted(run, tiny):
    """A network that has learned nothing leaves the noise as it is."""
    code, out, err = run("sample", tiny, "--out", "a.npz", *SAMPLE, "--json")
    assert (code, json.loads(out)["out_of_range"]) == (0, [0, 1, 2])
    assert err == "diffstudio: 3 of 3 samples leave [−1, 1]: clip x̂0 (--clip static)\n"
    with np.load("a.npz") as found:
        assert (np.abs(found["xt"][-1]) > 1.25).mean() > 0.1


@pytest.mark.parametrize("words", [["--clip", "static"], ["--times", "1,0.5,0.2"]])
def test_nothing_is_said_where_they_stay_in_it_or_are_not_there_yet(run, tiny, words):
    code, out, err = run("sample", tiny, "--out", "a.npz", *SAMPLE, *words, "--json")
    assert (code, err, json.loads(out)["out_of_range"]) == (0, "", [])


def test_points_have_no_range(run, dots):
    assert run("sample", dots, "--out", "a.npz", *SAMPLE)[::2] == (0, "")
