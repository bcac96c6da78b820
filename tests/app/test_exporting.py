"""Exports of the window: names that tell runs apart, nothing replaced unasked, and the way to what was saved."""

from pathlib import Path

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QFileDialog

from diffstudio.gui.dialogs.export import ExportDialog
from diffstudio.gui.dialogs.taken import TakenQuestion
from diffstudio.studio.provenance import read_settings


def shown(kind):
    """The dialog of that kind that is open."""
    (found,) = [w for w in QApplication.topLevelWidgets() if isinstance(w, kind) and w.isVisible()]
    return found


@pytest.fixture
def run(studio, generate, tmp_path):
    """A short run of two digits of class 3; exports go to a folder of their own."""
    (tmp_path / "out").mkdir()
    studio.parts.settings.last_export = str(tmp_path / "out")
    studio.parts.sampling.steps.set_value(4)
    studio.parts.sampling.samples.setValue(2)
    studio.parts.sampling.label.set_value(3)
    studio.parts.sampling.seed.set_value(5)
    assert generate().outcome == "done"
    return studio


@pytest.fixture
def dialog(run):
    def open_dialog(kind="picture"):
        run.commands.run("export")
        found = shown(ExportDialog)
        found.kind.setCurrentIndex(found.kind.findData(kind))
        return found

    return open_dialog


@pytest.fixture
def save(run, qtbot):
    """Presses Save, and waits until it is written."""

    def press(dialog):
        with qtbot.waitSignal(run.parts.files.ended):
            dialog.buttons.button(dialog.buttons.StandardButton.Save).click()

    return press


def names(folder: Path):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_two_kinds_of_one_run_are_two_files(dialog, save, tmp_path):
    save(dialog("picture"))
    save(dialog("strip"))
    stem = "digits@3500_dpmpp-2m_4steps_class-3_seed5_grid"
    assert names(tmp_path / "out") == [f"{stem}.png", f"{stem}_strip.png"]


def test_the_same_export_again_has_a_name_of_its_own(dialog, save, tmp_path):
    for _ in range(3):
        save(dialog())
    assert [name[-8:] for name in names(tmp_path / "out")] == [" (2).png", " (3).png", "grid.png"]


def test_the_name_follows_the_choices_until_the_user_writes_another(dialog):
    found = dialog()
    found.tensor.setCurrentIndex(found.tensor.findData("x0_hat"))
    assert Path(found.path.text()).name == "digits@3500_dpmpp-2m_4steps_class-3_seed5_x0hat_grid.png"
    found.path.setText(str(Path(found.path.text()).with_name("mine.png")))
    found.tensor.setCurrentIndex(found.tensor.findData("delta"))
    found.format.setCurrentIndex(found.format.findData(".webp"))
    assert Path(found.path.text()).name == "mine.webp"
    found.close()


def test_a_file_that_is_there_is_replaced_only_on_the_users_word(dialog, save, qtbot, run, tmp_path):
    path = tmp_path / "out" / "mine.png"
    path.write_bytes(b"precious")
    found = dialog()
    found.path.setText(str(path))
    found.buttons.button(found.buttons.StandardButton.Save).click()
    question = shown(TakenQuestion)
    assert "mine.png is there already" in question.findChild(type(found.note)).text()
    question.reject()
    assert found.isVisible() and path.read_bytes() == b"precious"
    found.buttons.button(found.buttons.StandardButton.Save).click()
    question = shown(TakenQuestion)
    assert question.keep.isDefault()
    with qtbot.waitSignal(run.parts.files.ended):
        question.keep.click()
    assert path.read_bytes() == b"precious"
    assert read_settings(tmp_path / "out" / "mine (2).png")
    found = dialog()
    found.path.setText(str(path))
    found.buttons.button(found.buttons.StandardButton.Save).click()
    with qtbot.waitSignal(run.parts.files.ended):
        shown(TakenQuestion).replace.click()
    assert read_settings(path)


def test_numbered_pictures_and_samples_do_not_mix_in_one_folder(dialog, save, qtbot, run, tmp_path):
    folder = tmp_path / "out" / "mine"
    found = dialog("frames")
    found.path.setText(str(folder))
    save(found)
    assert names(folder) == [f"{n:04d}.png" for n in range(5)]
    found = dialog("samples")
    found.path.setText(str(folder))
    found.buttons.button(found.buttons.StandardButton.Save).click()
    with qtbot.waitSignal(run.parts.files.ended):
        shown(TakenQuestion).keep.click()
    assert names(folder) == [f"{n:04d}.png" for n in range(5)]
    assert names(tmp_path / "out" / "mine (2)") == ["sample-0000.png", "sample-0001.png"]


def test_a_folder_with_other_things_in_it_is_not_asked_about(dialog, save, tmp_path):
    folder = tmp_path / "out" / "mine"
    folder.mkdir()
    (folder / "notes.txt").touch()
    found = dialog("frames")
    found.path.setText(str(folder))
    save(found)
    assert len(names(folder)) == 6


def test_a_name_without_a_suffix_gets_that_of_the_format(dialog, save, tmp_path):
    found = dialog()
    found.path.setText(str(tmp_path / "out" / "v1.5"))
    save(found)
    found = dialog()
    found.path.setText(str(tmp_path / "out" / "b.webp"))
    assert found.format.currentData() == ".webp", "a suffix that is typed is the format"
    save(found)
    assert names(tmp_path / "out") == ["b.webp", "v1.5.png"]


def test_the_chosen_folder_gets_a_folder_of_the_proposed_name(dialog, save, tmp_path, monkeypatch):
    (tmp_path / "pictures").mkdir()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "pictures"))
    found = dialog("frames")
    found.browse.click()
    found.every.setValue(2)
    save(found)
    ((folder),) = {Path(name).parent for name in names(tmp_path / "pictures")}
    assert str(folder).endswith("_seed5_grid_frames")


def test_the_preview_shows_what_is_chosen(dialog, qtbot):
    found = dialog()
    qtbot.waitUntil(lambda: not found.preview.pixmap().isNull())
    grid = found.preview.pixmap().toImage()
    found.kind.setCurrentIndex(found.kind.findData("strip"))
    qtbot.waitUntil(lambda: found.preview.pixmap().toImage() != grid)
    strip = found.preview.pixmap()
    assert strip.width() > 1.5 * strip.height(), "five steps side by side"
    found.kind.setCurrentIndex(found.kind.findData("animation"))
    qtbot.waitUntil(lambda: found.preview.playing)
    found.kind.setCurrentIndex(found.kind.findData("arrays"))
    qtbot.waitUntil(lambda: "x0_hat" in found.preview.text())
    assert not found.preview.playing
    found.close()


def test_the_preview_of_another_tensor_is_another_picture(run, dialog, qtbot):
    run.parts.playhead.move_to(7)  # at the end x_t is x̂0
    found, seen = dialog(), []
    for name in ("xt", "x0_hat", "delta"):
        found.tensor.setCurrentIndex(found.tensor.findData(name))
        qtbot.waitUntil(lambda: not found.preview.pixmap().isNull() and found.preview.pixmap().toImage() not in seen)
        seen.append(found.preview.pixmap().toImage())
    found.close()


def test_what_was_saved_can_be_shown_in_its_folder(dialog, save, run, tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url))
    save(dialog())
    window = run.parts.window
    assert window.message.text().startswith("Saved ") and not window._offer.isHidden()
    assert window._offer.text() == "Show in folder"
    window._offer.click()
    assert opened == [QUrl.fromLocalFile(str(tmp_path / "out"))]
    window.say("Something else")
    assert window._offer.isHidden()


def test_a_saved_trace_is_named_alike_and_keeps_what_is_there(run, qtbot, tmp_path, monkeypatch):
    asked = []

    def choose(parent, title, start, kinds):
        asked.append(Path(start).name)
        return str(tmp_path / "out" / "kept"), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    with qtbot.waitSignal(run.parts.files.ended):
        run.commands.run("save_trace")
    assert asked == ["digits@3500_dpmpp-2m_4steps_class-3_seed5.trace"]
    (tmp_path / "out" / "kept.trace").write_bytes(b"precious")
    run.commands.run("save_trace")  # the dialog was asked for "kept", and did not see "kept.trace"
    with qtbot.waitSignal(run.parts.files.ended):
        shown(TakenQuestion).keep.click()
    assert (tmp_path / "out" / "kept.trace").read_bytes() == b"precious"
    assert (tmp_path / "out" / "kept (2).trace").stat().st_size > 1000


def test_a_name_with_a_dot_keeps_it(run, qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "out" / "sd-v1.5"), ""))
    with qtbot.waitSignal(run.parts.files.ended):
        run.commands.run("save_trace")
    assert names(tmp_path / "out") == ["sd-v1.5.trace"]


def test_the_export_folder_of_the_settings_comes_first(run, tmp_path):
    settings = run.parts.settings
    settings.last_export = str(tmp_path)
    assert settings.export_start == tmp_path
    settings.export_folder = str(tmp_path / "out")
    assert settings.export_start == tmp_path / "out"
    settings.export_folder = str(tmp_path / "gone")
    assert settings.export_start == tmp_path
    settings.last_export = settings.last_folder = ""
    assert settings.export_start == Path.home()


def test_a_sample_alone_is_named_by_its_own_class(run, dialog):
    run.parts.canvas.set_sample(1)
    found = dialog()
    found.sample.setCurrentIndex(1)
    assert Path(found.path.text()).name == "digits@3500_dpmpp-2m_4steps_class-3_seed5_sample2.png"
    found.close()
