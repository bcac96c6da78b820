"""Texts in the real window: a prompt, a run, the cursor, text files out and in, settings back from a picture."""

import json

import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QMouseEvent
from PySide6.QtWidgets import QApplication, QMessageBox

from diffstudio.gui.dialogs.export import ExportDialog
from diffstudio.gui.dialogs.questions import RestoreQuestion
from diffstudio.gui.stage.views.text.text_view import TextView


def shown(kind):
    """The dialog of that kind that is open."""
    (found,) = [w for w in QApplication.topLevelWidgets() if isinstance(w, kind) and w.isVisible()]
    return found


@pytest.fixture
def words(studio, tmp_path):
    """The window with `words` chosen, four short runs."""
    parts = studio.parts
    parts.settings.last_folder = str(tmp_path)
    assert parts.models.choose("words")
    parts.sampling.steps.set_value(6)
    parts.sampling.samples.setValue(4)
    parts.window.show()
    return studio


@pytest.fixture
def export(words, qtbot, tmp_path):
    """Export by the dialog: `export(kind, suffix)` gives the file."""

    def do(kind, suffix):
        words.commands.run("export")
        dialog = shown(ExportDialog)
        dialog.kind.setCurrentIndex(dialog.kind.findData(kind))
        dialog.format.setCurrentIndex(dialog.format.findData(suffix))
        path = tmp_path / f"words{suffix}"
        dialog.path.setText(str(path))
        with qtbot.waitSignal(words.parts.files.ended) as signal:
            dialog._on_save()
        assert signal.args[0].outcome == "done", signal.args[0].error
        return path

    return do


@pytest.fixture
def mouse_at():
    """The cursor on a cell of a sample."""

    def move(view, sample, index):
        view._scene.compose()
        x, y, wide, high = view._scene.cell(sample, index)
        at, none = QPointF(x + wide / 2, y + high / 2), Qt.MouseButton.NoButton
        moved = QEvent.Type.MouseMove
        QApplication.sendEvent(
            view, QMouseEvent(moved, at, view.mapToGlobal(at), none, none, Qt.KeyboardModifier.NoModifier)
        )

    return move


def test_a_prompted_run_is_scrubbed_read_and_exported(words, generate, export, mouse_at):
    parts = words.parts
    parts.sampling.prompt.set_value("in_____ing")
    assert generate().outcome == "done"
    view = parts.canvas._view
    assert isinstance(view, TextView)
    final = view.text(every=True).splitlines()
    assert len(final) == 4 and all(line.startswith("in") and line.ljust(10)[7:] == "ing" for line in final)
    states = []
    for k in range(7):
        parts.playhead.move_to(parts.runs.trace.first_of(1) + k)
        states.append(view.text(every=False).count("░"))
    assert states[0] == 5 and states[-1] == 0 and sorted(states, reverse=True) == states
    mouse_at(view, 2, 0)
    assert "fixed by the prompt" in parts.canvas.readout()
    words.commands.run("copy_texts")
    assert QGuiApplication.clipboard().text().splitlines() == final
    words.commands.run("copy_text")
    assert QGuiApplication.clipboard().text() == final[0]
    assert [line.rstrip() for line in export("samples", ".txt").read_text().splitlines()] == final
    found = json.loads(export("samples", ".json").read_text())
    assert [text.rstrip() for text in found["texts"]] == final
    assert found["settings"]["request"]["prompt"] == "in_____ing"
    assert export("animation", ".gif").stat().st_size > 1000


def test_a_dropped_picture_restores_the_prompt(words, generate, export):
    sampling = words.parts.sampling
    sampling.prompt.set_value("un______")
    assert generate().outcome == "done"
    path = export("picture", ".png")
    sampling.prompt.set_value("")
    words.commands.filing.open_paths([path])
    words.wait_read()
    shown(RestoreQuestion).accept()
    assert sampling.prompt.value() == sampling.request().prompt == "un______"


def test_a_prompt_that_can_not_be_used_is_one_sentence_and_no_run(words):
    words.parts.sampling.prompt.set_value("$$$")
    words.commands.run("generate")
    box = shown(QMessageBox)
    assert box.text().startswith("The prompt has characters that the model does not know: $")
    assert not words.parts.runs.running
    box.close()


def test_a_text_of_ones_own_is_noised(words, generate, tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("Hello\nworld\n", encoding="utf-8")
    words.commands.filing.open_paths([path])
    words.wait_read()
    assert words.parts.sampling.request().source_file == str(path)
    assert generate().outcome == "done"
    parts = words.parts
    parts.playhead.move_to(0)
    assert parts.canvas._view.text(every=True).splitlines() == ["hello", "world", "hello", "world"]
    parts.playhead.move_to(6)
    assert parts.canvas._view.text(every=False) == "░" * 10


def test_texts_with_strange_letters_are_refused_as_a_source(words, tmp_path):
    path = tmp_path / "strange.txt"
    path.write_text("名前\n", encoding="utf-8")
    words.commands.filing.open_paths([path])
    words.wait_read()
    box = shown(QMessageBox)
    assert "has no character that the model knows" in box.text()
    box.close()


def test_a_text_has_no_likelihood(words):
    words.commands.run("likelihood")
    box = shown(QMessageBox)
    assert box.text().startswith("A likelihood follows an equation of numbers, and 'words' makes text")
    box.close()


def test_the_actions_of_texts_are_there_with_a_text(words, generate):
    actions = words.parts.window.actions_by_id
    assert not actions["copy_text"].isEnabled()
    assert generate().outcome == "done"
    assert all(actions[name].isEnabled() for name in ("copy_text", "copy_texts", "ghosts", "entropy", "revealed"))
    words.commands.run("ghosts")
    assert not words.parts.canvas.option("ghosts") and not actions["ghosts"].isChecked()
    words.commands.run("tensor_eps_hat")
    assert words.parts.canvas.tensor == "xt"  # tokens have no noise
    words.parts.inspect.load_pages()
    for page in words.parts.inspect.pages.values():
        page.refresh()
        page.show_step(words.parts.runs.trace, 8, "xt", 1)
