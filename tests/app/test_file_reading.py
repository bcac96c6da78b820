"""Files are read in the background: the window goes on meanwhile, Stop ends it, and one sentence says what is wrong."""

from __future__ import annotations

import json
import os
import threading

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from PySide6.QtWidgets import QApplication, QMessageBox

from diffstudio.cancelling import check_cancelled
from diffstudio.gui.controllers import files
from diffstudio.gui.panels.sampling.source_file import first_look
from diffstudio.studio.export.options import ExportOptions
from diffstudio.studio.export.write import export


@pytest.fixture
def slow(monkeypatch):
    """Reading a source waits until the test lets it go on, or it is stopped; the threads that read are kept."""
    going, may_go_on, threads = threading.Event(), threading.Event(), []

    def wait(path, meaning):
        threads.append(threading.current_thread())
        going.set()
        while not may_go_on.wait(0.005):
            check_cancelled()
        return first_look(path, meaning)

    monkeypatch.setattr(files, "first_look", wait)
    yield going, may_go_on, threads
    may_go_on.set()


@pytest.fixture
def picture(tmp_path):
    Image.new("L", (30, 20)).save(tmp_path / "mine.png")
    return tmp_path / "mine.png"


def boxes():
    found = [w for w in QApplication.topLevelWidgets() if isinstance(w, QMessageBox) and w.isVisible()]
    for box in found:
        box.close()
    return [box.text() for box in found]


def test_the_window_goes_on_while_a_file_is_read(studio, qtbot, slow, picture):
    going, may_go_on, threads = slow
    p = studio.parts
    studio.commands.filing.open_paths([picture])
    qtbot.waitUntil(going.is_set)
    assert p.window.message.text() == "Reading mine.png…"
    assert p.window.actions_by_id["stop"].isEnabled()
    assert p.models.choose("shapes-2d") and p.sampling.card.name == "shapes-2d"  # it takes clicks
    assert p.models.choose("digits")
    may_go_on.set()
    studio.wait_read()
    assert p.sampling.request().source_file == str(picture)
    assert "Reading" not in p.window.message.text()
    assert threading.main_thread() not in threads


def test_stop_ends_the_reading_and_nothing_is_taken(studio, qtbot, slow, picture):
    going, _, _ = slow
    studio.commands.filing.open_paths([picture])
    qtbot.waitUntil(going.is_set)
    studio.commands.run("stop")
    studio.wait_read()
    assert studio.parts.sampling.request().source_file is None
    assert boxes() == []
    assert not studio.parts.window.actions_by_id["stop"].isEnabled()


def test_the_window_is_closed_while_a_file_is_read(studio, qtbot, slow, picture):
    going, _, _ = slow
    studio.commands.filing.open_paths([picture])
    qtbot.waitUntil(going.is_set)
    studio.parts.window.close()
    assert not studio.parts.reading.busy


def test_another_model_looks_at_the_file_anew_and_not_in_the_windows_thread(studio, qtbot, slow, picture):
    going, may_go_on, threads = slow
    may_go_on.set()
    p = studio.parts
    studio.commands.filing.open_paths([picture])
    studio.wait_read()
    may_go_on.clear(), going.clear()
    p.models.choose("bouncing-digits")  # clips: a picture of one frame is another length
    qtbot.waitUntil(going.is_set)
    assert p.sampling.source.problem.text() == "Looking at the file…"
    p.sampling.source.set_value("file")
    assert p.sampling.request().source_file == str(picture)
    may_go_on.set()
    studio.wait_read()
    assert p.sampling.request().source_file == str(picture)
    assert p.sampling.source.problem.text().startswith("mine.png has 1 frame of 30×20")
    p.models.choose("shapes-2d")  # points: no picture can be one
    studio.wait_read()
    assert p.sampling.request().source == "noise"
    assert threading.main_thread() not in threads
    assert boxes() == []


def test_the_fit_of_a_request_waits_for_the_look(studio, qtbot, slow, picture):
    going, may_go_on, _ = slow
    p = studio.parts
    request = p.sampling.request().model_copy(
        update={"source": "file", "source_file": str(picture), "source_fit": "stretch", "source_invert": True}
    )
    p.sampling.set_request(request)
    qtbot.waitUntil(going.is_set)
    assert p.sampling.request().source_fit == "stretch"
    may_go_on.set()
    studio.wait_read()
    found = p.sampling.request()
    assert (found.source_file, found.source_fit, found.source_invert) == (str(picture), "stretch", True)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipes_and_devices_are_sentences(studio, tmp_path):
    for name in ("a.png", "a.gif", "a.wav", "a.npy", "a.trace", "a.safetensors", "a.pt", "a.csv", "a"):
        os.mkfifo(tmp_path / name)
        studio.commands.filing.open_paths([tmp_path / name])
        studio.wait_read()
        (said,) = boxes()
        assert str(tmp_path / name) in said and "it is a pipe or a device" in said


def test_a_path_in_a_strangers_picture_is_not_opened(studio, qtbot, generate, tmp_path):
    """Its settings may name a checkpoint by a path, and that be a stranger's pickle."""
    bad = tmp_path / "model.pt"
    bad.write_bytes(b"PK\x03\x04")
    studio.parts.sampling.steps.set_value(2), studio.parts.sampling.samples.setValue(1)
    generate()
    (made,) = export(studio.parts.runs.trace, tmp_path / "made.png", ExportOptions())
    with Image.open(made) as shown:
        told = json.loads(shown.info["diffstudio"])
    told["request"]["model"] = str(bad)
    told["checkpoint_sha256"] = ""
    info = PngInfo()
    info.add_text("diffstudio", json.dumps(told))
    Image.new("L", (8, 8)).save(tmp_path / "strange.png", pnginfo=info)
    studio.commands.filing.open_paths([tmp_path / "strange.png"])
    studio.wait_read()
    (said,) = boxes()
    assert str(bad) in said and "There is no model" in said
