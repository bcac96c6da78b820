"""`models`, `train`, `tour`, the help, and how light the command is."""

import json
import subprocess
import sys
import types
from pathlib import Path

import pytest

from diffstudio import options
from diffstudio.cli import run_cli
from diffstudio.cli.commands import cli
from diffstudio.studio.request.request import Request

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


def test_models_is_a_table_of_every_checkpoint(run, checkpoints):
    code, out, err = run("models", checkpoints)
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[0].split() == ["name", "modality", "shape", "parameters", "path"]
    column = lines[0].index("path")
    assert all(Path(line[column:]).is_file() for line in lines[1:])
    [row] = [line.split() for line in lines if line.startswith(f"{checkpoints}/tiny ")]
    assert row[1:3] == ["image", "1×28×28"]
    assert any(line.startswith("digits ") for line in lines)


def test_models_as_json_and_broken_files_on_stderr(run, here, tiny):
    (here / "torn.safetensors").write_bytes(Path(tiny).read_bytes()[:-100])
    (here / "good.safetensors").write_bytes(Path(tiny).read_bytes())
    code, out, err = run("models", "--json", ".")
    rows = {row["checkpoint"]: row for row in json.loads(out)}
    assert code == 0
    assert rows["tiny@9"]["name"] == "tiny"
    assert rows["tiny@9"]["shape"] == [1, 28, 28]
    assert rows["tiny@9"]["parameters"] > 1000
    assert rows["tiny@9"]["card"]["dtype"] == "F16"
    assert rows["tiny@9"]["path"] == str(here / "good.safetensors")
    assert err.startswith("diffstudio: ")
    assert "torn.safetensors" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "name", ["models", "card", "sample", "forward", "sweep", "likelihood", "train", "verify", "tour"]
)
def test_help_teaches_with_an_example(run, name):
    code, out, _ = run(name, "--help")
    assert code == 0
    assert f"diffstudio {name} " in out.split("Example")[1]
    assert all(len(line) <= 80 for line in out.splitlines())


def test_help_names_every_choice(run):
    out = run("sample", "--help")[1]
    for choice in (*options.SOLVERS, *options.GRIDS, *options.FORWARD_MODES, ".npz", ".trace", "folder"):
        assert choice in out
    assert run("--version")[1].startswith("diffstudio 0.")
    assert run("-h")[0] == 0


LIGHT = """
import sys, resource
from diffstudio.cli import run_cli
code = run_cli(sys.argv[1:])
print([name for name in ("torch", "PySide6", "pyqtgraph") if name in sys.modules], code, file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--help"], 0),
        (["sample", "--help"], 0),
        (["models"], 0),
        (["sample", "digits", "--out", "a.foo"], 2),
        (["sample", "digits", "--out", "a.png", "--label", "x"], 2),
        (["sample", "digits", "--out", "a.png", "--source", "none.png"], 2),
        (["sample", "digits", "--out", "a.npz", "--budget", "1kB"], 2),
    ],
)
def test_without_a_run_neither_torch_nor_qt_is_loaded(words, code):
    done = subprocess.run([sys.executable, "-c", LIGHT, *words], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == f"[] {code}"


def test_a_closed_pipe_is_quiet():
    words = [sys.executable, "-m", "diffstudio", "models", "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""


@pytest.fixture
def window(monkeypatch):
    """A window and a tour that only note how they were called."""
    calls = []
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    app, tour = types.ModuleType("diffstudio.gui.startup"), types.ModuleType("diffstudio.gui.tour")
    app.run_app = lambda files: calls.append(files) or 7
    tour.run_tour = lambda out: calls.append(out) or 0
    monkeypatch.setitem(sys.modules, "diffstudio.gui.startup", app)
    monkeypatch.setitem(sys.modules, "diffstudio.gui.tour", tour)
    return calls


@pytest.mark.parametrize("files", [[], ["a.trace"], ["a.trace", "b b.png"], ["noending"]])
def test_without_a_command_the_window_opens_with_the_files(window, files):
    for file in files:
        Path(file).touch()
    assert (run_cli(files), window) == (7, [files])


def test_the_seed_is_0_unless_given(run):
    assert Request.model_validate({}).seed == 0
    _, out, _ = run("sample", "--help")
    seed = " ".join(out.split("--seed", 1)[1].split("--samples", 1)[0].split())
    assert seed.endswith("[0]")


def test_tour(run, window):
    assert run("tour", "--out", "shots")[0] == 0
    assert window == [Path("shots")]


def test_a_window_that_can_t_open_is_one_sentence(run, monkeypatch):
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setitem(sys.modules, "diffstudio.gui.startup", None)
    code, _, err = run()
    assert (code, err.count("\n")) == (2, 1)
    assert err.startswith("diffstudio: the window can't be opened here: ")


def test_every_command_is_known_here():
    assert set(cli.commands) == {
        "models",
        "card",
        "sample",
        "forward",
        "likelihood",
        "train",
        "verify",
        "tour",
        "runs",
        "sweep",
    }


def test_train_writes_its_checkpoints_and_sample_uses_them(run, here):
    (here / "r.toml").write_text(RECIPE)
    code, out, err = run("train", "r.toml", "--out", "spots.safetensors", "--threads", 1)
    assert (code, out.split(), err) == (0, ["spots@3.safetensors", "spots.safetensors"], "")
    assert "spots@3 " in run("models", ".")[1]
    assert run("sample", "./spots@3.safetensors", "--out", "a.png", "--steps", 2)[0] == 0
