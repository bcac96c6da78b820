"""The dock of runs, driven in the real window: found, starred, named, deleted and brought back, opened, exported."""

import shutil

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QFileDialog, QMessageBox

from diffstudio.gui.app import Studio
from diffstudio.gui.controllers.context_menus import shown_menu
from diffstudio.gui.dialogs.library_room import LibraryRoom
from diffstudio.gui.dialogs.questions import Question
from diffstudio.gui.dialogs.run_details import RunDetails
from diffstudio.gui.panels.runs.words import title_line
from diffstudio.traces.reader import Trace

ENDED = [(5, "done"), (4, "done"), (3, "done")]


@pytest.fixture
def dock(studio, qtbot):
    """The dock in front, in a window that is shown, with a small model that is quick."""
    p = studio.parts
    p.window.resize(1280, 800)
    p.window.show()
    p.window.activateWindow()
    qtbot.waitExposed(p.window)
    assert p.models.choose("exact-ring")
    p.sampling.steps.set_value(3)
    p.sampling.samples.set_value(4)
    p.window.bring_up("run_list")
    return p.run_list


@pytest.fixture
def three(studio, generate, dock, qtbot):
    """Three runs, of 3, 4 and 5 steps; the last is on top."""
    for steps in (3, 4, 5):
        studio.parts.sampling.steps.set_value(steps)
        assert generate().outcome == "done"
    qtbot.waitUntil(lambda: [row and (row.run.steps, row.run.state) for row in rows(dock)] == ENDED)
    return dock


def rows(dock):
    return [dock.model.known(place) for place in range(dock.model.rowCount())]


def listed(dock):
    return [title_line(row.run) if row else None for row in rows(dock)]


def steps(dock):
    return [row.run.steps if row else None for row in rows(dock)]


def select(dock, *places):
    dock.list.clearSelection()
    dock.list.setFocus()
    dock.list.setCurrentIndex(dock.model.index(places[0]))
    for place in places[1:]:
        dock.list.selectionModel().select(dock.model.index(place), dock.list.selectionModel().SelectionFlag.Select)


def key(dock, key, modifier=Qt.KeyboardModifier.NoModifier):
    QTest.keyClick(dock.list, key, modifier)


def top(kind):
    (found,) = [w for w in QApplication.topLevelWidgets() if type(w) is kind and w.isVisible()]
    return found


def room_is_asked():
    return any(isinstance(w, LibraryRoom) and w.isVisible() for w in QApplication.topLevelWidgets())


def test_a_run_is_there_at_once_and_with_a_picture_when_it_has_ended(studio, generate, dock, qtbot):
    assert dock.empty.isVisible() or not dock.model.rowCount()
    qtbot.waitUntil(lambda: dock.empty.isVisible() and "Nothing was generated yet" in dock.empty.text())
    assert generate().outcome == "done"
    qtbot.waitUntil(
        lambda: dock.model.rowCount() == 1 and rows(dock)[0] is not None and rows(dock)[0].run.state == "done"
    )
    qtbot.waitUntil(lambda: rows(dock)[0].picture is not None)
    assert not dock.empty.isVisible()
    library = studio.parts.library.shelf.library
    assert library.picture(rows(dock)[0].run.id).startswith(b"\x89PNG")


def test_runs_survive_a_restart(studio, three, tmp_path, qtbot, qapp):
    select(three, 1)
    key(three, Qt.Key.Key_S)
    qtbot.waitUntil(lambda: rows(three)[1].run.star)
    studio.shut_down()
    again = Studio(tmp_path / "settings.json", tmp_path / "runs", warm_up=False)
    qtbot.waitUntil(lambda: steps(again.parts.run_list) == [5, 4, 3])
    assert [row.run.star for row in rows(again.parts.run_list)] == [False, True, False]
    again.shut_down()
    again.parts.window.deleteLater()
    qapp.processEvents()


def test_they_are_found_by_what_they_are_and_what_was_written_of_them(studio, three, qtbot):
    select(three, 0)
    studio.commands.run("runs_note")
    qtbot.waitUntil(lambda: any(isinstance(w, RunDetails) for w in QApplication.topLevelWidgets()))
    dialog = top(RunDetails)
    assert dialog.focusWidget() is dialog.note
    dialog.tags.setText("paper figure-2")
    dialog.note.setPlainText("a quick brown fox")
    dialog.buttons.button(QDialogButtonBox.StandardButton.Save).click()
    qtbot.waitUntil(lambda: rows(three)[0].run.tags == ("paper", "figure-2"))
    for typed, found in (
        ("fox", [5]), ("exact", [5, 4, 3]), ("steps<5", [4, 3]), ("tag:paper", [5]), ("dpmpp", None), ("zebra", []),
        ("sort:oldest", [3, 4, 5]),
    ):  # fmt: skip
        solver = [n for n in (5, 4, 3) if "dpmpp" in studio.parts.sampling.request().solver]
        expected = solver if found is None else found
        three.search.clear()
        qtbot.waitUntil(lambda: steps(three) == [5, 4, 3])
        QTest.keyClicks(three.search, typed)
        qtbot.waitUntil(lambda expected=expected: steps(three) == expected)
        assert three.empty.isVisible() == (not expected)
    assert "Nothing is found" not in three.empty.text()
    three.search.setText("colour:red")
    qtbot.waitUntil(lambda: 'no filter "colour"' in three.empty.text())


def test_the_menus_filter_and_sort(three, qtbot):
    select(three, 2)
    key(three, Qt.Key.Key_Asterisk, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: rows(three)[2].run.star)
    (starred,) = [a for a in three.filters.menu().actions() if a.text() == "Starred alone"]
    starred.trigger()
    qtbot.waitUntil(lambda: steps(three) == [3])
    three.filters.all.trigger()
    qtbot.waitUntil(lambda: len(steps(three)) == 3)
    (failed,) = [a for a in three.filters.menu().actions() if a.text() == "Failed"]
    failed.trigger()
    qtbot.waitUntil(lambda: "Nothing is found" in three.empty.text() and three.empty.isVisible())
    three.filters.clear()
    three.filters.opening.emit()
    qtbot.waitUntil(lambda: [a.text() for a in three.filters.models.actions()] == ["exact-ring"])
    (oldest,) = [a for a in three.order.menu().actions() if a.text() == "Oldest"]
    oldest.trigger()
    qtbot.waitUntil(lambda: steps(three) == [3, 4, 5])


def test_a_run_gets_a_name(three, qtbot):
    select(three, 1)
    key(three, Qt.Key.Key_F2)
    dialog = top(RunDetails)
    assert dialog.focusWidget() is dialog.name
    QTest.keyClicks(dialog.name, "the good one")
    QTest.keyClick(dialog.name, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: listed(three) == ["exact-ring@0", "the good one", "exact-ring@0"])


def test_what_is_deleted_comes_back_also_from_the_trash(studio, three, qtbot):
    select(three, 0, 2)
    files = [rows(three)[place].run.file for place in (0, 2)]
    key(three, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: steps(three) == [4])
    assert three.said.text() == "Deleted 2 runs." and three.undo.isVisible()
    assert not any(file.exists() for file in files)
    three.list.setFocus()
    key(three, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: steps(three) == [5, 4, 3])
    assert all(file.exists() for file in files) and not three.undo.isVisible()
    select(three, 1)
    key(three, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: steps(three) == [5, 3])
    studio.commands.run("runs_trash")
    qtbot.waitUntil(lambda: steps(three) == [4] and three.heading.text() == "TRASH")
    select(three, 0)
    studio.commands.run("runs_restore")
    qtbot.waitUntil(lambda: steps(three) == [] and "trash is empty" in three.empty.text())
    three.leave.click()
    qtbot.waitUntil(lambda: steps(three) == [5, 4, 3])


def test_the_trash_is_emptied_only_when_that_is_confirmed(studio, three, qtbot):
    select(three, 0)
    key(three, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: steps(three) == [4, 3])
    library = studio.parts.library.shelf.library
    for button, left in (("Cancel", 3), ("Ok", 2)):
        studio.commands.run("runs_empty")
        qtbot.waitUntil(lambda: any(type(w) is Question and w.isVisible() for w in QApplication.topLevelWidgets()))
        assert "1 run for good" in top(Question).sentence.text()
        top(Question).buttons.button(getattr(QDialogButtonBox.StandardButton, button)).click()
        qtbot.waitUntil(lambda left=left: len(library.files()) == left)


def test_a_run_is_opened_and_its_settings_are_set(studio, three, qtbot):
    p = studio.parts
    select(three, 2)
    key(three, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: p.runs.trace.path == rows(three)[2].run.file)
    assert p.sampling.request().steps == 5, "to look at a run changes no setting"
    studio.commands.run("runs_use")
    assert p.sampling.request().steps == 3
    studio.commands.run("undo")
    assert p.sampling.request().steps == 5
    studio.commands.run("runs_command")
    line = QGuiApplication.clipboard().text()
    assert line.startswith("diffstudio sample exact-ring@0") and "--steps 3" in line


def test_a_run_whose_file_is_gone_says_so_and_is_found_again(studio, three, qtbot, tmp_path):
    run = rows(three)[2].run
    moved = run.file.rename(tmp_path / "moved.trace")
    three.refresh()
    qtbot.waitUntil(lambda: rows(three)[2].missing)
    select(three, 2)
    key(three, Qt.Key.Key_Return)
    box = top(QMessageBox)
    assert str(run.file) in box.text() and "drop it on the window" in box.text()
    box.close()
    studio.parts.window.dropped.emit([moved])
    qtbot.waitUntil(lambda: not rows(three)[2].missing and rows(three)[2].run.file == moved)


def test_runs_travel_in_a_file(studio, three, qtbot, tmp_path, monkeypatch):
    library = studio.parts.library.shelf.library
    file = tmp_path / "two.runs"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *given: (str(file), ""))
    select(three, 0, 1)
    studio.commands.run("runs_export")
    qtbot.waitUntil(lambda: studio.parts.window.message.text() == f"Saved {file}")
    key(three, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: steps(three) == [3])
    from diffstudio.studio.library import trash

    trash.empty_trash(library)
    studio.parts.window.dropped.emit([file])
    qtbot.waitUntil(lambda: sorted(filter(None, steps(three))) == [3, 4, 5])
    assert studio.parts.window.message.text() == "2 runs imported."


def test_the_keys_of_the_list_are_its_own_only_while_it_has_the_keyboard(studio, three, qtbot):
    select(three, 0)
    studio.parts.window.setFocus()
    QTest.keyClick(studio.parts.window, Qt.Key.Key_Delete)
    assert not [a for a in studio.parts.window.actions_by_id["runs_delete"].shortcuts() if not a.isEmpty()]
    assert three.chosen and len(studio.parts.library.shelf.library.find()) == 3
    studio.commands.run("find_run")
    assert three.search.hasFocus()
    QTest.keyClick(three.search, Qt.Key.Key_Down)
    assert three.list.hasFocus()


def test_its_menu_says_why_something_can_not_be_done(studio, three):
    three.list.clearSelection()
    three.more.click()
    menu = shown_menu(studio.parts.window)
    texts = [a.text() for a in menu.actions()]
    assert "Star  (no run is chosen)\tS" in texts and "Import runs…" in texts
    menu.close()


def test_a_damaged_library_is_said_and_nothing_is_lost(studio, three, tmp_path, qtbot, qapp):
    studio.shut_down()
    for file in (tmp_path / "library").glob("library*.db*"):
        if "backup" in file.name or file.name != "library.db":
            file.unlink()
    (tmp_path / "library" / "library.db").write_bytes(b"no database" * 500)
    again = Studio(tmp_path / "settings.json", tmp_path / "runs", warm_up=False)
    panel = again.parts.run_list
    qtbot.waitUntil(lambda: sorted(filter(None, steps(panel))) == [3, 4, 5])
    assert "damaged" in panel.notice.text() and not panel.notice.isHidden()
    again.shut_down()
    again.parts.window.deleteLater()
    qapp.processEvents()


def test_a_library_that_can_not_be_used_is_said_and_runs_are_recorded(studio, tmp_path, qtbot, qapp):
    studio.shut_down()
    shutil.rmtree(tmp_path / "library", ignore_errors=True)
    (tmp_path / "library").write_text("a file")
    again = Studio(tmp_path / "settings.json", tmp_path / "runs", warm_up=False)
    again.parts.models.choose("exact-ring")
    again.parts.sampling.steps.set_value(3)
    panel = again.parts.run_list
    qtbot.waitUntil(lambda: str(tmp_path / "library") in again.parts.library.notice)
    assert not panel.notice.isHidden() and "Runs are recorded in" in panel.notice.text()
    with qtbot.waitSignal(again.parts.runs.ended) as signal:
        again.commands.run("generate")
    assert signal.args[0].outcome == "done"
    qtbot.waitUntil(lambda: steps(panel) == [3])
    assert again.parts.runs.trace.path.is_relative_to(tmp_path / "runs")
    again.shut_down()
    again.parts.window.deleteLater()
    qapp.processEvents()


def test_what_would_go_is_asked_first_and_not_now_is_an_answer(studio, three, qtbot):
    p, library = studio.parts, studio.parts.library.shelf.library
    newest, middle, oldest = (row.run for row in rows(three))
    p.runs.show_trace(Trace.open(newest.file))
    p.runs.show_trace(Trace.open(newest.file))  # and none is the one before
    for run in (newest, middle, oldest):
        library.update(run.id, bytes=2**30)
    library.update(middle.id, state="stopped")
    p.settings.library_budget_gib = 0.5

    def asked():
        qtbot.waitUntil(room_is_asked)
        return top(LibraryRoom)

    studio.commands.run("runs_room")
    dialog = asked()
    assert [run.id for run in dialog.going] == [middle.id, oldest.id], "stopped ones before finished ones"
    dialog.buttons.button(QDialogButtonBox.StandardButton.Cancel).click()
    assert len(library.find()) == 3 and three.room.isVisible()
    library.star([middle.id], True)
    three.room.click()
    dialog = asked()
    assert [run.id for run in dialog.going] == [oldest.id], "never a starred one"
    dialog.buttons.button(QDialogButtonBox.StandardButton.Ok).click()
    qtbot.waitUntil(lambda: steps(three) == [5, 4])
    assert middle.file.exists() and newest.file.exists() and not oldest.file.exists()


def test_after_a_run_it_is_asked_once(studio, three, generate, qtbot):
    library = studio.parts.library.shelf.library
    for row in rows(three):
        library.update(row.run.id, bytes=2**30)
    studio.parts.settings.library_budget_gib = 0.5
    assert generate().outcome == "done"
    qtbot.waitUntil(room_is_asked)
    assert len(library.find()) == 4, "nothing goes before the answer"
    top(LibraryRoom).buttons.button(QDialogButtonBox.StandardButton.Cancel).click()
    assert generate().outcome == "done"
    with qtbot.waitCallback() as answered:
        studio.parts.library.ask("", lambda library, stop: None, lambda answer: answered(answer))
    assert not room_is_asked()
    assert three.room.isVisible() and len(library.find()) == 5
