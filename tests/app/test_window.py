"""The real window, driven: generate, scrub, stop, undo, reopen."""

import re
import subprocess
import sys
from pathlib import Path

from diffstudio.checkpoints.card import Card, TrainingData
from diffstudio.checkpoints.store import save
from diffstudio.gui.kit.actions import ACTIONS
from diffstudio.gui.stage.views.view import DENSITY
from diffstudio.networks import NETWORKS
from diffstudio.specs import PathSpec

ROOT = Path(__file__).resolve().parents[2]


def test_one_generate_records_both_chains_and_the_playhead_reaches_every_step(studio, generate):
    studio.parts.sampling.steps.set_value(4)
    studio.parts.sampling.samples.setValue(2)
    generate()
    trace = studio.parts.runs.trace
    assert trace is not None and trace.complete and len(trace) == 10
    assert studio.parts.playhead.position == 9
    for _ in range(9):
        studio.commands.run("step_back")
    assert studio.parts.playhead.position == 0
    studio.commands.run("last")
    assert studio.parts.playhead.position == 9


def test_stop_ends_a_run_early_and_keeps_what_is_recorded(studio, qtbot):
    studio.parts.sampling.steps.set_value(2000)
    ended = studio.parts.runs.ended
    with qtbot.waitSignal(ended) as signal:
        studio.parts.runs.grew.connect(studio.parts.runs.stop)
        studio.commands.run("generate")
    assert signal.args[0].outcome == "cancelled"
    assert 0 < len(studio.parts.runs.trace) < 4002


def test_undo_takes_a_setting_back(studio):
    before = studio.parts.sampling.request()
    studio.parts.sampling.steps.set_value(77)
    studio.commands.run("undo")
    assert studio.parts.sampling.request() == before
    studio.commands.run("redo")
    assert studio.parts.sampling.request().steps == 77


def test_every_action_has_a_handler(studio):
    assert set(studio.commands.handlers) == set(ACTIONS)


def test_a_checkpoint_deleted_before_the_run_is_one_sentence(studio, qtbot, tmp_path):
    path = tmp_path / "small.safetensors"
    network = NETWORKS["mlp"]((2,), 0)
    card = Card(
        name="small", modality="points", shape=(2,), path=PathSpec(), prediction="flow", network="mlp",
        data=TrainingData(dataset=""), step=1,
    )  # fmt: skip
    save(path, card, {name: value.numpy() for name, value in network.state_dict().items()})
    studio.commands.filing.open_paths([path])
    studio.wait_read()
    qtbot.waitUntil(lambda: studio.parts.models.entry.path == path)  # it is looked at in the background, and listed
    assert studio.parts.sampling.card is not None and studio.parts.sampling.card.name == "small"
    path.unlink()
    with qtbot.waitSignal(studio.parts.runs.ended) as signal:
        studio.commands.run("generate")
    assert signal.args[0].outcome == "failed"
    assert "small.safetensors" in signal.args[0].error


LAZY = """
import sys
from pathlib import Path
from PySide6.QtCore import QEventLoop, QTimer
from diffstudio.gui.app import Studio
from diffstudio.gui.application import make_application
from diffstudio.gui.shell.main_window import MainWindow

def loaded():
    return {"torch", "pyqtgraph"} & set(sys.modules)

class Window(MainWindow):
    def paintEvent(self, event):
        super().paintEvent(event)
        if not seen:
            seen.append(loaded())

seen = []
import diffstudio.gui.app
diffstudio.gui.app.MainWindow = Window
app = make_application()
studio = Studio(Path(sys.argv[1]) / "s.json", Path(sys.argv[1]), warm_up=False)
assert not loaded(), loaded()
studio.parts.window.show()
loop, poll = QEventLoop(), QTimer()
poll.timeout.connect(lambda: loop.quit() if studio.parts.inspect.pages else None)
poll.start(5)
QTimer.singleShot(30_000, loop.quit)
loop.exec()
assert seen == [set()], seen
assert studio.parts.inspect.pages and loaded() == {"pyqtgraph"}
studio.parts.window.close()
"""


def test_the_window_is_painted_without_torch_and_pyqtgraph_and_the_plots_come_after(tmp_path):
    subprocess.run([sys.executable, "-c", LAZY, str(tmp_path)], check=True, timeout=120)


def test_the_ten_lines_of_the_readme_run():
    block = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    done = subprocess.run([sys.executable, "-c", block.group(1)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 31


def test_a_density_map_of_the_shown_run_is_computed(studio, generate, qtbot):
    p = studio.parts
    p.window.show()
    p.models.choose("exact-ring")
    p.sampling.steps.set_value(2)
    p.sampling.samples.setValue(8)
    assert generate().outcome == "done"
    with qtbot.waitSignal(p.runs.inquiries.found) as signal:
        studio.commands.run("log_p")
    assert signal.args[0] == DENSITY
    density = p.canvas._view.density
    assert density.highest is not None and density.highest < 5.0  # that of eight narrow modes, seen coarsely
    p.canvas.set_option("log_p", False)
