"""`sample` and `forward`: what they write."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diffstudio.checkpoints.catalog import Catalog
from diffstudio.studio.engine import Engine
from diffstudio.studio.provenance import read_settings
from diffstudio.studio.request.request import Request
from diffstudio.traces.reader import Trace

SAMPLE = ["--steps", "4", "--samples", "3", "--seed", "5", "--device", "cpu"]


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.tiff"])
def test_a_picture_is_the_grid_and_carries_its_settings(run, tiny, here, name, names):
    # A network that has learned nothing leaves the range of the data, of which a word would be said.
    code, out, err = run("sample", tiny, "--out", name, *SAMPLE, "--scale", 2, "--clip", "static")
    assert (code, err) == (0, "")
    assert out.startswith(f"{name}: 3 × 4 steps in ")
    with Image.open(name) as picture:
        assert picture.size == (2 * 28 * 2 + 2, 2 * 28 * 2 + 2)
    found = read_settings(here / name)["request"]
    assert (found["steps"], found["samples"], found["seed"], found["model"]) == (4, 3, 5, "tiny@9")
    assert names(here) == [name]


def test_npz_is_what_the_engine_computes(run, tiny, here):
    code, out, _ = run("sample", tiny, "--out", "a.npz", *SAMPLE, "--label", 7, "--guidance", 2, "--json")
    assert code == 0
    told = json.loads(out)
    assert told["out"] == ["a.npz"]
    assert (told["device"], told["interrupted"]) == ("cpu", False)
    assert told["seconds"] > 0
    assert told["steps_per_second"] > 0
    request = Request.model_validate(told["request"])
    assert (request.label, request.guidance, request.solver) == (7, 2, "euler")
    for _ in Engine(Catalog([])).run(request, here / "again.trace"):
        pass
    with np.load("a.npz", allow_pickle=False) as found, Trace.open("again.trace") as trace:
        assert found["xt"].shape == found["x0_hat"].shape == (5, 3, 1, 28, 28)
        np.testing.assert_array_equal(found["xt"], [trace.array(k, "xt") for k in range(5, 10)])
        np.testing.assert_array_equal(found["x0_hat"], [trace.array(k, "x0_hat") for k in range(5, 10)])
        assert found["t"].tolist() == [1, 0.75, 0.5, 0.25, 0]
        assert json.loads(str(found["request"])) == told["request"] | {"model": "tiny@9"}


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (["--out", "a.gif"], 5), (["--out", "a.gif", "--chain"], 10), (["--out", "a.apng"], 5),
        (["--out", "a.png", "--chain"], 10), (["--out", "a.webp", "--chain"], 10),
        (["--out", "a.gif", "--chain", "--forward", "off"], 5), (["--out", "a.gif", "--every", "3"], 3),
    ],
)  # fmt: skip
def test_an_animation_has_a_picture_for_every_step(run, tiny, words, count):
    assert run("sample", tiny, *words, *SAMPLE)[0] == 0
    with Image.open(words[1]) as picture:
        # The forward chain ends where the reverse one begins: equal pictures, shown as one.
        assert picture.n_frames == count - (count == 10)


def test_a_folder_has_one_file_a_sample_or_a_step(run, tiny, here, names):
    assert run("sample", tiny, "--out", "samples", *SAMPLE)[0] == 0
    assert names("samples") == ["sample-0000.png", "sample-0001.png", "sample-0002.png"]
    with Image.open("samples/sample-0000.png") as picture:
        assert (picture.size, picture.mode) == ((28, 28), "L")
    assert run("sample", tiny, "--out", "steps", "--chain", *SAMPLE)[0] == 0
    assert names("steps") == [f"{i:04d}.png" for i in range(10)]
    assert run("forward", tiny, "--out", "noising", *SAMPLE)[0] == 0
    assert names("noising") == [f"{i:04d}.png" for i in range(5)]
    assert names(here) == ["noising", "samples", "steps"]


def test_a_trace_is_the_recording_and_can_be_a_source(run, tiny, here, names):
    assert run("sample", tiny, "--out", "a.trace", *SAMPLE, "--half")[0] == 0
    with Trace.open("a.trace") as trace:
        assert (len(trace), trace.complete, trace.header.fields[0].dtype) == (10, True, "float16")
    assert run("sample", tiny, "--out", "b.png", *SAMPLE, "--source", "a.trace")[0] == 0
    assert names(here) == ["a.trace", "b.png"]


def test_points_become_a_table_or_a_strip(run, dots):
    assert run("sample", dots, "--out", "a.csv", *SAMPLE, "--label", "B B")[0] == 0
    assert len(Path("a.csv").read_text().splitlines()) == 4
    assert run("sample", dots, "--out", "b.png", "--strip", *SAMPLE)[0] == 0
    assert read_settings(Path("b.png"))["shown"]["chain"] == "both"


def test_forward_starts_from_data_or_a_file_and_needs_no_solver(run, tiny, here):
    Image.new("L", (40, 28), 255).save("mine.png")
    words = ["--source", "mine.png", "--fit", "stretch", "--invert", "--forward", "markov", "--path", "vp_linear:n=9"]
    assert run("forward", tiny, "--out", "a.npz", *SAMPLE, *words)[0] == 0
    with np.load("a.npz") as found:
        assert "xt" not in found.files
        assert found["forward_xt"].shape == (5, 3, 1, 28, 28)
        assert (found["forward_xt"][0] == -1).all()
        assert json.loads(str(found["request"]))["source_file"] == "mine.png"
    assert run("forward", tiny, "--out", "b.png", *SAMPLE)[0] == 0
    assert "digitalSourceType" not in read_settings(here / "b.png")
    with Image.open("b.png") as strip:
        assert strip.width > 2 * strip.height


def test_what_is_not_given_the_card_recommends(run, tiny):
    request = json.loads(run("sample", tiny, "--out", "a.npz", "--json")[1])["request"]
    assert (request["steps"], request["samples"], request["solver"], request["guidance"]) == (6, 2, "euler", 1)


def test_solver_parameters(run, tiny):
    for words in (["--eta", 0.5], ["--solver-param", "eta=0.5"]):
        _, out, _ = run("sample", tiny, "--out", "a.npz", *SAMPLE, "--solver", "ddim", *words, "--json")
        assert json.loads(out)["request"]["solver_params"] == {"eta": 0.5}


def test_an_older_file_is_replaced(run, tiny):
    Path("a.png").write_text("old")
    assert run("sample", tiny, "--out", "a.png", *SAMPLE)[0] == 0
    assert read_settings(Path("a.png")) is not None


def test_the_bundled_model_works_by_its_name(run):
    assert run("sample", "digits", "--out", "a.png", "--steps", 2, "--samples", 1, "--label", 3)[0] == 0


def test_a_folder_that_mixes_two_exports_is_said(run, tiny, here):
    assert "also holds" not in run("sample", tiny, "--out", "both", "--chain", *SAMPLE)[2]
    code, _, err = run("sample", tiny, "--out", "both", *SAMPLE)
    assert code == 0
    assert (
        "diffstudio: both also holds 10 files of an earlier export (0000.png …): they stay beside the new ones"
        in err.splitlines()
    )
    assert "also holds" not in run("sample", tiny, "--out", "fresh", *SAMPLE)[2]
    assert "also holds" not in run("sample", tiny, "--out", "fresh", *SAMPLE)[2], "the same again replaces them"
