"""`diffstudio sweep`: cells, grid and table; resumed, killed, interrupted; and what is refused."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diffstudio.checkpoints.catalog import default_catalog
from diffstudio.checkpoints.store import load_weights, save
from diffstudio.studio.engine import Engine
from diffstudio.traces.reader import Trace

FEW = ["--samples", "2", "--device", "cpu"]
TWO = ["--over", "solver=ddim,dpmpp_2m", "--over", "steps=2,3,4", "--out", "s", *FEW]


@pytest.fixture
def counted(monkeypatch):
    """The requests that the engine runs, in their order."""
    found, engine_run = [], Engine.run

    def run(self, request, *words):
        found.append(request)
        return engine_run(self, request, *words)

    monkeypatch.setattr(Engine, "run", run)
    return found


@pytest.fixture
def ctrl_c(monkeypatch):
    """Ctrl+C is pressed at this record of the run of this number."""

    def press(number, record):
        runs, engine_run = [], Engine.run

        def run(self, request, *words):
            runs.append(request)
            for now in engine_run(self, request, *words):
                if len(runs) == number and now.records == record:
                    os.kill(os.getpid(), signal.SIGINT)
                yield now

        monkeypatch.setattr(Engine, "run", run)
        return lambda: monkeypatch.setattr(Engine, "run", engine_run)

    return press


def table(folder="s"):
    with Path(folder, "cells.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def states(folder):
    """The bytes of the states of every trace; the header and the clocks are their run's own."""
    found = {}
    for path in sorted(Path(folder, "cells").glob("*.trace")):
        with Trace.open(path) as trace:
            assert trace.complete
            found[path.name] = [trace.array(k, "xt").tobytes() for k in range(len(trace))]
    return found


def test_every_cell_is_its_own_run(run, dots, here, names):
    code, out, err = run("sweep", dots, *TWO, "--seed", "3")
    assert (code, out) == (0, "s: 6 of 6 cells\n")
    assert err.startswith("diffstudio: 6 of 6 cells to run: 18 network calls, ")
    assert err.count("\n") == 1
    assert names("s") == ["cells", "cells.csv", "grid.png", "sweep.json"]
    rows = table()
    assert [(row["solver"], row["steps"], row["state"]) for row in rows] == [
        (solver, str(steps), "done") for solver in ("ddim", "dpmpp_2m") for steps in (2, 3, 4)
    ]
    assert [int(row["nfe"]) for row in rows] == [2, 3, 4] * 2
    assert (
        run("sample", dots, "--out", "one.trace", "--solver", "dpmpp_2m", "--steps", "3", "--seed", "3", *FEW)[0] == 0
    )
    with Trace.open("one.trace") as one, Trace.open("s/cells/00004.trace") as cell:
        assert one.header.request == cell.header.request
        assert [one.array(k, "xt").tobytes() for k in range(len(one))] == states("s")["00004.trace"]
        end = cell.array(len(cell) - 1, "xt")
    with Trace.open("s/cells/00000.trace") as first:
        apart = np.linalg.norm((end - first.array(len(first) - 1, "xt")).ravel())
    assert float(rows[4]["distance"]) == pytest.approx(apart, rel=1e-5)
    assert float(rows[0]["distance"]) == 0
    kept = json.loads(Path("s/sweep.json").read_text())
    assert kept["format_version"] == 1
    assert kept["sweep"]["axes"][1] == {"field": "steps", "values": [2, 3, 4]}
    assert {cell["state"] for cell in kept["cells"]} == {"done"}


def test_the_grid_has_each_cell_in_its_place(run, tiny, here):
    code, out, _ = run(
        "sweep", tiny, "--over", "label=1,2", "--over", "steps=1,2,3", "--scale", "1", "--out", "s", *FEW
    )
    assert code == 0, out
    board = np.asarray(Image.open("s/grid.png").convert("RGB")).astype(int)
    from diffstudio.studio.export.pictures import picture

    places = []
    for k in range(6):
        with Trace.open(f"s/cells/{k:05}.trace") as trace:
            one = picture(trace, len(trace) - 1, "xt").astype(int)
        rows, columns = board.shape[0] - one.shape[0] + 1, board.shape[1] - one.shape[1] + 1
        corner = np.argwhere((board[:rows, :columns] == one[0, 0]).all(-1))
        there = [(y, x) for y, x in corner if (board[y : y + one.shape[0], x : x + one.shape[1]] == one).all()]
        assert len(there) == 1
        places += there
    ys, xs = [y for y, _ in places], [x for _, x in places]
    assert ys[0] == ys[1] == ys[2] < ys[3] == ys[4] == ys[5]
    assert xs[0] == xs[3] < xs[1] == xs[4] < xs[2] == xs[5]
    labels = board[: ys[0], xs[0] :]
    assert (labels.max(-1) > 150).any()  # written above the columns
    assert (board[ys[0] :, : xs[0]].max(-1) > 150).any()  # and beside the rows


def test_further_axes_are_blocks_beneath_each_other(run, dots, here):
    def height(*axes):
        words = [word for axis in axes for word in ("--over", axis)]
        folder = f"s{len(axes)}"
        assert run("sweep", dots, *words, "--steps", "1", "--out", folder, *FEW)[0] == 0
        with Image.open(f"{folder}/grid.png") as board:
            return board.size

    flat, deep = height("seed=0,1", "label=each"), height("variation=0,0.5,1", "seed=0,1", "label=each")
    assert deep[0] == flat[0]
    assert deep[1] > 3 * (flat[1] - 20)


def test_the_same_command_again_does_nothing_again(run, dots, here, counted):
    assert run("sweep", dots, *TWO)[0] == 0
    assert len(counted) == 6
    before = {path: path.stat().st_mtime_ns for path in Path("s/cells").iterdir()}
    Path("s/cells/00002.trace").unlink()
    Path("s/grid.png").unlink()
    code, _, err = run("sweep", dots, *TWO)
    assert code == 0
    assert "1 of 6 cells to run, 5 are done already" in err
    assert [(r.solver, r.steps) for r in counted[6:]] == [("ddim", 4)]
    assert Path("s/grid.png").exists()
    kept = {path: path.stat().st_mtime_ns for path in Path("s/cells").iterdir()}
    assert [path.name for path in before if before[path] != kept[path]] == ["00002.trace"]
    code, out, err = run("sweep", dots, *TWO, "--json")
    assert (code, err, len(counted)) == (0, "", 7)
    assert [cell["state"] for cell in json.loads(out)["cells"]] == ["done"] * 6


def test_a_cell_that_was_cut_or_torn_is_run_again(run, dots, here, counted):
    assert run("sweep", dots, *TWO)[0] == 0
    whole = states("s")
    for number, size in (("00001", -100), ("00003", 40), ("00004", 0)):
        path = Path(f"s/cells/{number}.trace")
        path.write_bytes(path.read_bytes()[:size])
    del counted[:]
    assert run("sweep", dots, *TWO)[0] == 0
    assert len(counted) == 3
    assert states("s") == whole


def test_cells_of_other_weights_are_run_again(run, dots, here, counted):
    own = Path(dots).read_bytes()
    Path("mine.safetensors").write_bytes(own)
    words = ["sweep", "./mine.safetensors", "--over", "seed=0,1", "--steps", "2", "--out", "s", *FEW]
    assert run(*words)[0] == 0
    Path("mine.safetensors").unlink()
    weights = {name: tensor.numpy() * 0.5 for name, tensor in load_weights(Path(dots)).items()}
    save(Path("mine.safetensors"), default_catalog().find(dots).card, weights)
    before = states("s")
    del counted[:]
    assert run(*words)[0] == 0
    assert len(counted) == 2
    assert states("s") != before


def test_ctrl_c_keeps_what_is_done_and_the_same_command_goes_on(run, dots, here, ctrl_c, names):
    undo = ctrl_c(3, 2)
    code, out, err = run("sweep", dots, *TWO)
    assert (code, out) == (130, "")
    assert err.splitlines()[-1] == (
        "diffstudio: interrupted, 2 of 6 cells are done: the same command goes on from there"
    )
    assert names("s") == ["cells", "sweep.json"]
    kept = json.loads(Path("s/sweep.json").read_text())
    assert [cell.get("state", "waiting") for cell in kept["cells"]] == ["done", "done", "interrupted", *["waiting"] * 3]
    undo()
    assert run("sweep", dots, *TWO)[0] == 0
    assert len(states("s")) == 6


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on_to_the_same_traces(run, dots, here):
    words = ["sweep", dots, "--over", "seed=0..5", "--steps", "60", "--out", "s", *FEW]
    assert run(*[word if word != "s" else "whole" for word in words])[0] == 0
    for cells in (1, 3, 5):
        process = subprocess.Popen(
            [sys.executable, "-m", "diffstudio", *words], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        deadline = time.monotonic() + 120
        while len(list(Path("s/cells").glob("*.trace"))) < cells and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        process.kill()
        process.wait()
    code, _, err = run(*words)
    assert code == 0, err
    assert states("s") == states("whole")


def test_another_sweep_is_never_written_over(run, dots, here):
    assert run("sweep", dots, *TWO)[0] == 0
    before = {path: path.read_bytes() for path in Path("s").rglob("*") if path.is_file()}
    Path("file").write_text("mine")
    Path("mine").mkdir()
    Path("mine/cells.csv").write_text("mine")
    for words, said in (
        (
            ["--over", "steps=2,3,4,5", "--over", "solver=ddim", "--out", "s", *FEW],
            "it has the axis solver=ddim,dpmpp_2m",
        ),
        ([*TWO, "--seed", "9"], "its seed is None"),
        (["--over", "steps=2", "--out", "file"], "is a file"),
        (["--over", "steps=2", "--out", "mine"], "has a cells.csv already"),
    ):
        code, out, err = run("sweep", dots, *words)
        assert (code, out, err.count("\n")) == (2, "", 1), err
        assert said in err
    assert before == {path: path.read_bytes() for path in Path("s").rglob("*") if path.is_file()}
    for text, said in (("{", "is not JSON"), ('{"format_version": 9}', "version 9, expected 1")):
        Path("s/sweep.json").write_text(text)
        code, _, err = run("sweep", dots, *TWO)
        assert (code, err.count("\n")) == (2, 1)
        assert said in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--over", "step=2"], "did you mean steps"),
        (["--over", "steps=0,2"], "--over steps=0: --steps: input should be greater than or equal to 1"),
        (["--over", "seed=0..999999999"], "1,000,000,000 cells, at most 10,000"),
        (["--over", "label=zebra"], "no label 'zebra'"),
        (["--over", "steps=2,4", "--budget", "1k"], "give a larger --budget"),
        ([], "over"),
    ],
)
def test_what_is_refused_is_one_sentence_and_leaves_nothing(run, dots, here, names, words, said):
    code, out, err = run("sweep", dots, *words, "--out", "s", *FEW)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err
    assert names(here) == []


def test_cells_that_cannot_run_are_left_out_and_told(run, dots, tiny, here):
    code, out, err = run("sweep", dots, "--over", f"model={dots},{tiny}", "--over", "label=a,1", "--out", "s", *FEW)
    assert (code, out) == (0, "s: 3 of 4 cells\n")
    assert "1 of 4 cells can't run and are left out" in err
    assert [row["state"] for row in table()] == ["done", "done", "refused", "done"]
    assert "has no label 'a'" in table()[2]["problem"]
    assert table()[3]["distance"] == ""  # of another shape
