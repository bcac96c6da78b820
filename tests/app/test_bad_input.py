"""Bad input in the real window: one clear sentence each, nothing lost, and the window goes on."""

import os
import pickle
import re
import shutil
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QApplication, QLabel, QMessageBox
from safetensors.numpy import load_file, save_file

from diffstudio.checkpoints.card import Card, TrainingData
from diffstudio.checkpoints.store import save
from diffstudio.gui.app import Studio
from diffstudio.networks import NETWORKS
from diffstudio.specs import PathSpec
from diffstudio.studio.export.options import ExportOptions


class Trap:
    """A pickle that would leave a mark if it were opened."""

    mark = "trapped"

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


@pytest.fixture
def trap(tmp_path, monkeypatch):
    """The bytes of a pickle; where it would leave its mark."""
    monkeypatch.setattr(Trap, "mark", tmp_path / "trapped")
    return pickle.dumps(Trap()), tmp_path / "trapped"


@pytest.fixture
def sentence():
    """The one sentence of the one message that is open; closes it."""

    def take():
        boxes = [w for w in QApplication.topLevelWidgets() if isinstance(w, QMessageBox) and w.isVisible()]
        assert len(boxes) == 1
        text = boxes[0].text()
        assert boxes[0].textFormat() == Qt.TextFormat.PlainText
        boxes[0].close()
        assert "\n" not in text and "Traceback" not in text and 10 < len(text) < 700
        return text

    return take


@pytest.fixture
def drop(studio, qtbot):
    """Drops a file on the window; a checkpoint has been looked at in the background afterwards."""

    def do(path):
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path))])
        buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        studio.parts.window.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, buttons, keys))
        studio.wait_read()
        qtbot.waitUntil(lambda: not studio.parts.scanning.going)

    return do


@pytest.fixture
def small(studio):
    """Four steps of two samples."""
    studio.parts.sampling.steps.set_value(4)
    studio.parts.sampling.samples.setValue(2)
    return studio


@pytest.fixture
def checkpoint(tmp_path):
    """A model of points, untrained."""
    network = NETWORKS["mlp"]((2,), 0)
    card = Card(
        name="small", modality="points", shape=(2,), path=PathSpec(), prediction="flow", network="mlp",
        data=TrainingData(dataset=""), step=1,
    )  # fmt: skip
    path = tmp_path / "small.safetensors"
    save(path, card, {name: value.numpy() for name, value in network.state_dict().items()})
    return path


def png(width, height):
    """A picture of any size in a hundred bytes: its pixels are not there."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


# -- what is opened


def test_a_pickle_is_refused_under_any_name(studio, drop, sentence, trap, tmp_path):
    data, mark = trap
    before = studio.parts.sampling.request()
    kinds = "safetensors ckpt pt pth bin pkl trace png jpg webp tif gif bmp apng npy npz csv txt pickle"
    for suffix in kinds.split():
        path = tmp_path / f"model.{suffix}"
        path.write_bytes(data)
        drop(path)
        assert path.name in sentence()
        assert studio.parts.sampling.request() == before
    assert not mark.exists()
    pickle.loads(data)
    assert mark.exists()  # it would have done harm


def test_files_that_are_nothing_are_refused(studio, drop, sentence, tmp_path):
    for name in ("a.safetensors", "a.trace", "a.png", "a.npy", "a.csv", "a.xyz", "a"):
        for content in (b"", b"hello", b"DSTRACE1 torn", b"\x89PNG\r\n\x1a\n torn", bytes(5000)):
            (tmp_path / name).write_bytes(content)
            drop(tmp_path / name)
            assert name in sentence()
    drop(tmp_path / "gone.png")
    assert "gone.png" in sentence()


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("flux.gguf", b"GGUF" + bytes(60), "is a GGUF file, of weights that are mostly quantised"),
        ("net.keras", b"PK\x03\x04" + bytes(60), "is a truncated zip archive"),
        ("net.onnx", b"\x08\x07\x12\x07pytorch" + bytes(60), "is an ONNX program, which does not run here"),
        ("flax_model.msgpack", b"\x81\xa6params" + bytes(60), "holds weights of Flax"),
        ("best.tar", bytes(257) + b"ustar" + bytes(60), "is a tar archive: unpack it"),
    ],
)
def test_a_file_of_another_tool_is_called_what_it_is(drop, sentence, tmp_path, name, data, says):
    (tmp_path / name).write_bytes(data)
    drop(tmp_path / name)
    assert says in sentence()


@pytest.mark.parametrize("size", [(60_000, 60_000), (10_000, 10_000), (1, 70_000_000)])
def test_a_huge_picture_is_refused_before_it_is_decoded(studio, drop, sentence, tmp_path, size):
    before = studio.parts.sampling.request()
    (tmp_path / "huge.png").write_bytes(png(*size))
    drop(tmp_path / "huge.png")
    assert re.search(r"huge.png has .* pixels", sentence())
    assert studio.parts.sampling.request() == before


def test_a_picture_of_the_wrong_size_says_so_and_is_fitted(small, drop, generate, tmp_path):
    Image.fromarray(np.zeros((60, 100), np.uint8)).save(tmp_path / "wide.png")
    drop(tmp_path / "wide.png")
    said = [w.text() for w in small.parts.sampling.source.findChildren(QLabel)]
    assert "wide.png has 100×60 pixels and another aspect, the model needs 28×28." in said
    assert generate().outcome == "done"
    assert small.parts.runs.trace.batch == 2


def test_a_source_that_is_gone_when_it_is_needed(small, drop, generate, sentence, tmp_path):
    path = tmp_path / "mine.png"
    Image.new("L", (28, 28)).save(path)
    drop(path)
    path.unlink()
    assert generate().outcome == "failed"
    assert "mine.png" in sentence()
    assert small.parts.runs.trace is None


def broken(checkpoint, how):
    """The checkpoint, spoilt in one way."""
    data = checkpoint.read_bytes()
    if how == "truncated":
        checkpoint.write_bytes(data[:-100])
        return
    if how in ("NaN weights", "wrong shapes"):
        from safetensors import safe_open

        weights = load_file(checkpoint)
        with safe_open(checkpoint, "numpy") as found:
            metadata = found.metadata()
        name = next(n for n, v in weights.items() if v.ndim == 2)
        weights[name] = weights[name] * np.nan if how == "NaN weights" else weights[name][:, 1:].copy()
        save_file(weights, checkpoint, metadata)
        return
    old, new = {
        "an unknown network": (rb"\"network\":\"mlp\"", rb"\"network\":\"xlp\""),
        "an absurd step": (rb"\"step\":1", rb"\"step\":-"),
        "an absurd shape": (rb"\"shape\":[2]", rb"\"shape\":[9]"),
    }[how]
    assert data.count(old) == 1, data[:900]
    checkpoint.write_bytes(data.replace(old, new))


@pytest.mark.parametrize(
    "how", ["truncated", "NaN weights", "wrong shapes", "an unknown network", "an absurd step", "an absurd shape"]
)
def test_a_broken_checkpoint_is_a_sentence_at_the_latest_when_it_runs(
    studio, drop, generate, sentence, checkpoint, how
):
    broken(checkpoint, how)
    drop(checkpoint)
    if studio.parts.sampling.card.name == "small":  # its header is in order
        assert generate().outcome == "failed"
    assert "small.safetensors" in sentence()
    assert studio.parts.runs.trace is None
    studio.parts.models.choose("shapes-2d")
    studio.parts.sampling.steps.set_value(3)
    assert generate().outcome == "done"


def test_names_are_shown_as_they_are(studio, drop, sentence, tmp_path):
    path = tmp_path / "<img src=x>&amp; %1 %s {}.png"
    path.write_bytes(b"no")
    drop(path)
    assert path.name in sentence()
    Image.new("L", (28, 28)).save(path)
    drop(path)
    assert studio.parts.sampling.request().source_file == str(path)
    shown = studio.parts.sampling.source.name
    assert shown.textFormat() == Qt.TextFormat.PlainText or "<img" not in shown.text()


# -- while a run goes


def test_a_model_that_is_deleted_mid_run_is_finished_and_then_missed(studio, drop, qtbot, sentence, checkpoint):
    drop(checkpoint)
    studio.parts.sampling.steps.set_value(60)
    studio.parts.sampling.samples.setValue(16)
    studio.parts.runs.grew.connect(lambda: checkpoint.unlink(missing_ok=True))
    with qtbot.waitSignal(studio.parts.runs.ended) as signal:
        studio.commands.run("generate")
    assert signal.args[0].outcome == "done"
    qtbot.waitUntil(lambda: not studio.parts.catalog.listing.called("small"))  # the list follows the disk
    studio.commands.run("generate")
    assert not studio.parts.runs.running
    assert "small.safetensors is gone, which was 'small@1'" in sentence()
    assert studio.parts.runs.trace.complete  # what was recorded is still shown


def test_a_trace_that_is_cut_while_it_is_shown_is_a_sentence_on_the_canvas(small, generate):
    generate()
    trace = small.parts.runs.trace
    os.truncate(trace.path, trace.path.stat().st_size // 2)
    early = ("first", "step_on", "step_on", "flip", "step_on")  # the last record is not fresh in memory any more
    for action in (*early, "last", "flip", "toggle_single", "tensor_delta", "step_back", "last"):
        small.commands.run(action)
        small.parts.window.grab()
    assert "cut while it was open" in small.parts.canvas._view._scene.problem
    small.commands.run("first")
    small.parts.window.grab()
    assert small.parts.canvas._view._scene.problem == ""


def test_a_trace_is_not_opened_over_a_run(small, drop, qtbot, generate, sentence, tmp_path):
    generate()
    kept = tmp_path / "kept.trace"
    kept.write_bytes(small.parts.runs.trace.path.read_bytes())
    small.parts.sampling.steps.set_value(2000)
    with qtbot.waitSignal(small.parts.runs.grew):
        small.commands.run("generate")
    drop(kept)
    assert "stop it first" in sentence()
    with qtbot.waitSignal(small.parts.runs.ended):
        small.commands.run("stop")
    drop(kept)
    assert small.parts.runs.trace.path == kept


def test_closing_while_the_model_is_loaded_ends_it(studio):
    studio.parts.window.show()
    studio.commands.run("generate")
    studio.parts.window.close()
    assert studio.parts.runs._jobs._thread.isFinished()
    assert not any(w.isVisible() for w in QApplication.topLevelWidgets())


def test_closing_while_something_is_written_leaves_nothing_half(small, generate, tmp_path):
    generate()
    small.parts.window.show()
    out = tmp_path / "out"
    out.mkdir()
    small.commands.filing.write(out / "chain.gif", ExportOptions(kind="animation", scale=32))
    small.parts.window.close()
    assert small.parts.files._thread.isFinished()
    assert [p.name for p in out.iterdir()] in ([], ["chain.gif"])


# -- where there is no place to write


@pytest.mark.parametrize("where", ["no folder", "a file", "a folder of that name", "full"])
def test_a_target_that_can_not_be_written(small, generate, qtbot, sentence, tmp_path, monkeypatch, where):
    generate()
    here = tmp_path / "here"
    here.mkdir()
    (here / "file").write_text("x")
    for kind, suffix in (("picture", "png"), ("animation", "gif"), ("arrays", "npz"), ("trace", "trace")):
        path = here / {"no folder": "none", "a file": "file"}.get(where, "") / f"out.{suffix}"
        if where == "a folder of that name":
            path.mkdir()
        before = sorted(here.rglob("*"))
        with monkeypatch.context() as disk, qtbot.waitSignal(small.parts.files.ended):
            disk.setattr(os, "fsync", _full if where == "full" else os.fsync)
            small.commands.filing.write(path, ExportOptions(kind=kind))
        assert sentence().startswith(
            {
                "full": f"Can't write {path}: No space left on device",
                "a folder of that name": f"A folder can't hold the {kind}: use .",
            }.get(where, f"There is no folder {path.parent}: make it first")
        )
        assert sorted(here.rglob("*")) == before
    with qtbot.waitSignal(small.parts.files.ended) as signal:
        small.commands.filing.write(here / "good.png", ExportOptions(kind="picture"))
    assert signal.args[0].outcome == "done"


def _full(descriptor):
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("why", ["a file", "full"])
def test_runs_that_can_not_be_recorded(studio, generate, sentence, tmp_path, monkeypatch, why):
    runs = studio.parts.library.shelf.library.folder / "traces"
    if why == "a file":
        shutil.rmtree(runs)
        runs.write_text("x")
        assert generate().outcome == "failed"
    else:
        write = os.write
        monkeypatch.setattr(os, "write", lambda d, data: _full(d) if len(data) > 10_000 else write(d, data))
        assert generate().outcome == "failed"
        monkeypatch.undo()
    assert "traces" in sentence()
    assert not studio.parts.runs.running and studio.parts.runs.trace is None
    assert runs.is_file() or list(runs.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"window": 3, "theme": "pink", "folders": 7}'])
def test_damaged_settings_are_no_reason_not_to_start(qapp, tmp_path, content):
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    made = Studio(path, tmp_path / "runs", warm_up=False)
    said = made.parts.window.message.text()
    assert "settings" in said and "default" in said
    made.shut_down()
    made.parts.window.deleteLater()


@pytest.mark.parametrize(
    "window",
    [
        {"layout": {"geometry": "?", "docks": "AAAA"}, "canvas": 3, "timeline": {"clock": "x"}, "advanced": "no"},
        {"layout": [], "canvas": {"options": {"trails": 7}}, "timeline": None},
    ],
)
def test_damaged_window_states_are_left_out(qapp, tmp_path, window):
    import json

    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"window": window, "last_model": "gone", "recent": ["<b>x"], "presets": {"p": {}}}))
    made = Studio(path, tmp_path / "runs", warm_up=False)
    assert made.parts.sampling.card.name == "digits"
    assert made.parts.canvas.option("trails")
    made.shut_down()
    made.parts.window.deleteLater()


def test_settings_that_can_not_be_saved_do_not_keep_the_window_open(studio, tmp_path):
    path = studio.keeping._file
    path.mkdir()
    studio.parts.window.show()
    studio.parts.window.close()
    assert "not saved" in studio.parts.window.message.text()
    assert not studio.parts.window.isVisible()
