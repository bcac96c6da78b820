"""Ctrl+C: exit code 130, and what is finished is kept."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from diffstudio import bar
from diffstudio.studio.engine import Engine
from diffstudio.traces.reader import Trace

RECIPE = """
name = "spots"
dataset = "shapes-2d"
network = "mlp"
network_args = {width = 16, depth = 1, embed = 8, octaves = 1}
[training]
steps = 30
batch = 8
save_at = [3]
"""
SAMPLE = ["--steps", "4", "--samples", "3", "--device", "cpu"]


@pytest.fixture
def ctrl_c(monkeypatch):
    """Ctrl+C is pressed after so many records."""

    def press(records, times=1):
        engine_run = Engine.run

        def interrupted(self, *words):
            for progress in engine_run(self, *words):
                if progress.records == records:
                    for _ in range(times):
                        os.kill(os.getpid(), signal.SIGINT)
                yield progress

        monkeypatch.setattr(Engine, "run", interrupted)

    return press


def test_interrupted_a_trace_and_arrays_keep_the_finished_steps(run, tiny, here, ctrl_c, names):
    ctrl_c(8)
    code, out, err = run("sample", tiny, "--out", "a.trace", *SAMPLE)
    told = "diffstudio: interrupted after step 2 of 4, at t 0.5: a.trace has what is finished\n"
    assert (code, out, err) == (130, "", told)
    with Trace.open("a.trace") as trace:
        assert (len(trace), trace.complete, trace.damaged) == (8, False, 0)
    code, out, _ = run("sample", tiny, "--out", "a.npz", *SAMPLE, "--json")
    assert code == 130
    assert json.loads(out)["interrupted"]
    with np.load("a.npz") as found:
        assert (found["xt"].shape[0], found["forward_xt"].shape[0]) == (3, 5)
    assert names(here) == ["a.npz", "a.trace"]


@pytest.mark.parametrize(("name", "words"), [("a.gif", []), ("steps", ["--chain"]), ("a.png", ["--strip"])])
def test_interrupted_the_chain_so_far_is_written(run, tiny, here, ctrl_c, name, words, names):
    ctrl_c(8)
    code, _, err = run("sample", tiny, "--out", name, *words, *SAMPLE)
    assert (code, err) == (130, f"diffstudio: interrupted after step 2 of 4, at t 0.5: {name} has what is finished\n")
    assert names(here) == [name]


@pytest.mark.parametrize(
    ("records", "name", "words"), [(8, "a.png", []), (8, "folder", []), (3, "a.gif", []), (0, "a.trace", [])]
)
def test_interrupted_what_is_not_finished_is_not_passed_for_it(run, tiny, here, ctrl_c, records, name, words, names):
    ctrl_c(records)
    code, _, err = run("sample", tiny, "--out", name, *words, *SAMPLE)
    assert code == 130
    assert err.endswith(f"{name} was not written, because it is not finished\n")
    assert names(here) == []


def test_a_second_ctrl_c_ends_at_once(run, tiny, here, ctrl_c, names):
    ctrl_c(8, times=2)
    code, _, err = run("sample", tiny, "--out", "a.gif", *SAMPLE)
    assert (code, err.splitlines()[-1]) == (130, "diffstudio: interrupted")
    assert names(here) == []
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.slow
def test_a_real_ctrl_c_in_a_real_process(tiny, here):
    words = [
        sys.executable,
        "-m",
        "diffstudio",
        "sample",
        tiny,
        "--out",
        "a.trace",
        "--steps",
        "100000",
        "--every",
        "9",
    ]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    trace = Path("a.trace")
    deadline = time.monotonic() + 120
    while not trace.exists() or trace.stat().st_size < 1 << 20:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert err.startswith("diffstudio: interrupted after step ")
    with Trace.open(trace) as found:
        assert f"after step {int(found.scalar(len(found) - 1, 'step'))} of 100000" in err
        assert trace.stat().st_size >= 1 << 20  # what was written before the signal is still there
        assert found.damaged == 0


def test_interrupted_training_keeps_what_is_saved(run, here, monkeypatch, names):
    (here / "r.toml").write_text(RECIPE)
    show = bar.Bar.show

    def press(self, done, total, title):
        if done == 5:
            os.kill(os.getpid(), signal.SIGINT)
        show(self, done, total, title)

    monkeypatch.setattr(bar.Bar, "show", press)
    code, out, err = run("train", "r.toml", "--out", "spots.safetensors")
    assert (code, out.split()) == (130, ["spots@3.safetensors"])
    assert err == "diffstudio: interrupted after step 5 of 30: the checkpoints above are kept\n"
    assert names(here) == ["r.toml", "spots@3.safetensors"]
