"""Menus of samples, steps and training samples: what applies is done, what does not says why; by mouse and keyboard."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from diffstudio.gui.dialogs.data_browser import DataBrowser
from diffstudio.gui.dialogs.export import ExportDialog
from diffstudio.gui.kit.actions import ACTIONS
from diffstudio.studio.request.request import Request


@pytest.fixture
def run(studio, generate):
    """Four digits of class 3, eight steps of a first-order solver, in the window."""
    p = studio.parts
    p.window.resize(1280, 800)
    p.window.show()
    p.sampling.solver.set_value("ddim")
    p.sampling.steps.set_value(8)
    p.sampling.samples.setValue(4)
    p.sampling.label.set_value(3)
    p.sampling.seed.set_value(5)
    assert generate().outcome == "done"
    return studio


@pytest.fixture
def menu(run):
    """Asks a widget for its menu, with the mouse or the keyboard; gives the entries by their names."""

    def ask(widget, at=None, key=False):
        reason = QContextMenuEvent.Reason.Keyboard if key else QContextMenuEvent.Reason.Mouse
        at = at or widget.rect().center()
        none = Qt.KeyboardModifier.NoModifier
        if not key:
            QTest.mouseMove(widget, at)
        QApplication.sendEvent(widget, QContextMenuEvent(reason, at, widget.mapToGlobal(at), none))
        return entries(run)

    return ask


def entries(studio):
    (shown,) = [m for m in studio.parts.window.findChildren(QMenu) if m.isVisible()]
    found = {entry.objectName() or entry.text(): entry for entry in shown.actions() if not entry.isSeparator()}
    shown.hide()
    return found


def cell(studio, index):
    return studio.parts.canvas._view.place_of(index)


def test_the_menu_of_a_sample_selects_it_and_says_why_what_does_not_apply(run, menu):
    view = run.parts.canvas._view
    found = menu(view, cell(run, 2))
    assert run.parts.canvas.sample == 2
    assert {"save_sample", "copy_sample", "copy_values", "start_from", "vary", "fork_sample", "page_known"} <= set(
        found
    )
    assert found["vary"].isEnabled() and found["start_from"].isEnabled()
    assert not found["fork_sample"].isEnabled()
    assert found["fork_sample"].text() == "Fork this one here  (only a noisy step of the reverse chain goes on)"
    assert "copy_text" not in found, "of pictures it would say nothing"
    run.parts.playhead.move_to(0)
    found = menu(view, cell(run, 1))
    assert found["vary"].text() == "Vary this one  (these are noised data, not a sample)"
    assert found["start_from"].text() == "Start from this  (these are the data that the run noised)"


def test_before_a_run_every_entry_says_so(studio):
    studio.parts.window.show()
    studio.commands.menus.of_sample(QPoint(5, 5))
    found = entries(studio)
    assert not found["save_sample"].isEnabled() and "(nothing is generated yet)" in found["save_sample"].text()
    for name in ("export", "fork", "marker", "toggle_single", "copy_picture"):
        assert not found[name].isEnabled() and found[name].text().split("\t")[0].endswith(")"), name


@pytest.mark.parametrize("name", [row.id for row in ACTIONS.values() if row.when != "always"])
def test_every_action_that_can_be_disabled_has_a_reason(studio, name):
    if not studio.parts.window.actions_by_id[name].isEnabled():
        reason = studio.commands.why(name)
        assert reason and reason[0].islower() and not reason.endswith(".")


def test_a_step_is_gone_to_and_forked_from_its_menu(run, menu, qtbot):
    track = run.parts.timeline.track
    scene = track._current()
    at = QPoint(round(scene.axis.x_of(12)), scene.rows.strip.center().y())
    found = menu(track, at)
    assert run.parts.playhead.position == 12, "it is seen what is meant"
    found["marker"].trigger()
    assert run.parts.playhead.markers == [12]
    assert found["fork"].isEnabled()
    with qtbot.waitSignal(run.parts.runs.ended):
        menu(track, at)["fork"].trigger()
    assert run.parts.runs.trace.header.request["source_step"] == 12


def test_lanes_have_the_menu_of_their_step_too(run, menu):
    track = run.parts.timeline.track
    scene = track._current()
    at = QPoint(round(scene.axis.x_of(10)), scene.rows.lanes[0].center().y())
    assert "fork" in menu(track, at) and run.parts.playhead.position == 10


def test_the_keyboard_opens_the_menu_where_it_is(run, menu):
    view, track = run.parts.canvas._view, run.parts.timeline.track
    run.parts.canvas.set_sample(3)
    run.parts.playhead.move_to(11)
    assert "save_sample" in menu(view, key=True) and run.parts.canvas.sample == 3
    assert "range_in" in menu(track, key=True) and run.parts.playhead.position == 11
    assert "save_sample" in menu(run.parts.window, key=True), "a place without a menu has the sample's"
    view.setFocus()
    run.commands.run("context_menu")
    assert "save_sample" in entries(run)


def test_every_entry_does_what_the_action_does(run, menu):
    view = run.parts.canvas._view
    menu(view, cell(run, 1))["toggle_single"].trigger()
    assert run.parts.canvas.single
    menu(view)["toggle_single"].trigger()
    assert not run.parts.canvas.single
    menu(view, cell(run, 1))["page_known"].trigger()
    assert run.parts.inspect.page == "known"


# -- out of the window


def test_a_sample_is_saved_alone(run, qtbot, tmp_path):
    run.parts.settings.last_export = str(tmp_path)
    run.parts.canvas.set_sample(2)
    run.commands.run("save_sample")
    (dialog,) = [w for w in QApplication.topLevelWidgets() if isinstance(w, ExportDialog) and w.isVisible()]
    assert dialog.options().sample == 2
    with qtbot.waitSignal(run.parts.files.ended):
        dialog.buttons.button(dialog.buttons.StandardButton.Save).click()
    (written,) = tmp_path.glob("*.png")
    assert written.name == "digits@3500_ddim_8steps_class-3_seed5_sample3.png"


def test_its_picture_and_its_values_go_to_the_clipboard(run):
    trace, p = run.parts.runs.trace, run.parts
    p.canvas.set_sample(1)
    run.commands.run("copy_values")
    rows = [line.split("\t") for line in QGuiApplication.clipboard().text().splitlines()]
    assert np.allclose(np.array(rows, float), trace.array(17, "xt", 1)[0], atol=1e-6)
    run.commands.run("copy_sample")
    picture = QGuiApplication.clipboard().image()
    assert picture.width() == picture.height() == 28 * (512 // 28)
    x, y = (int(v) for v in np.unravel_index(trace.array(17, "xt", 1)[0].T.argmax(), (28, 28)))
    assert picture.pixelColor(x * 18 + 9, y * 18 + 9).lightness() > 240


# -- into the panel


def test_the_next_run_starts_from_the_sample(run, generate):
    trace, p = run.parts.runs.trace, run.parts
    p.canvas.set_sample(2)
    run.commands.run("start_from")
    request = p.sampling.request()
    assert (request.source, request.source_file, request.source_sample) == ("file", str(trace.path), 2)
    final = trace.array(17, "xt", 2).copy()
    assert generate().outcome == "done"
    again = p.runs.trace
    assert np.allclose(again.array(0, "xt"), final[None].repeat(4, 0), atol=1e-6)


def test_at_a_noisy_step_it_starts_from_that_state(run, generate):
    trace, p = run.parts.runs.trace, run.parts
    p.canvas.set_sample(1)
    p.playhead.move_to(12)
    run.commands.run("start_from")
    request = p.sampling.request()
    assert (request.source, request.source_step, request.source_sample) == ("step", 12, 1)
    state = trace.array(12, "xt", 1).copy()
    assert generate().outcome == "done"
    assert np.allclose(p.runs.trace.array(0, "xt"), state[None].repeat(4, 0), atol=1e-5)


def test_the_panel_says_which_sample_and_takes_it_back(run):
    p = run.parts
    p.canvas.set_sample(2)
    run.commands.run("start_from")
    assert p.sampling.source.sample.isVisible() and "3" in p.sampling.source.sample.text.text()
    p.sampling._history.separate()  # a person takes longer than the time in which changes are one
    p.sampling.source.sample.clear.click()
    assert p.sampling.request().source_sample is None
    run.commands.run("undo")
    assert p.sampling.request().source_sample == 2


def test_variations_are_near_the_sample_that_was_varied(run, qtbot):
    trace, p = run.parts.runs.trace, run.parts
    noise = trace.array(9, "xt", 2).copy()
    p.canvas.set_sample(2)
    with qtbot.waitSignal(p.runs.ended):
        run.commands.run("vary")
    request = Request.model_validate(p.runs.trace.header.request)
    assert (request.seed, request.label, request.solver, request.steps) == (7, 3, "ddim", 8)
    assert 0 < request.variation < 1
    first = p.runs.trace.array(9, "xt")
    near = np.linalg.norm((first - noise).reshape(len(first), -1), axis=1)
    far = np.linalg.norm((first - trace.array(9, "xt", 0)).reshape(len(first), -1), axis=1)
    assert (near < 0.6 * far).all() and (near > 0.01 * far).all()


def test_a_sample_alone_goes_on(run, qtbot):
    trace, p = run.parts.runs.trace, run.parts
    state, end = trace.array(12, "xt", 1).copy(), trace.array(17, "xt", 1).copy()
    p.canvas.set_sample(1)
    p.playhead.move_to(12)
    p.sampling.steps.set_value(5)
    with qtbot.waitSignal(p.runs.ended):
        run.commands.run("fork_sample")
    forked = p.runs.trace
    assert forked.batch == 1, "a deterministic solver would draw the same again and again"
    assert np.allclose(forked.array(0, "xt", 0), state, atol=1e-5)
    assert np.abs(forked.array(5, "xt", 0) - end).max() < 1e-3


# -- the model's own data


@pytest.fixture
def browser(studio, qtbot):
    def open_browser(model="digits"):
        studio.parts.models.choose(model)
        studio.parts.window.show()
        studio.commands.run("browse_data")
        (dialog,) = [w for w in QApplication.topLevelWidgets() if isinstance(w, DataBrowser) and w.isVisible()]
        qtbot.waitUntil(lambda: dialog.model.rowCount() > 0)
        return dialog

    return open_browser


def test_a_data_sample_is_chosen_by_its_picture(studio, browser, qtbot):
    dialog = browser()
    assert dialog.model.rowCount() == 1438 and not dialog.ok.isEnabled()
    dialog.label.setCurrentIndex(dialog.label.findData(7))
    index = dialog.model.index(4)
    which = dialog.model.number(4)
    assert (
        dialog.model.data(index).endswith("· 7")
        and not dialog.model.data(index, Qt.ItemDataRole.DecorationRole).isNull()
    )
    dialog.list.setCurrentIndex(index)
    assert dialog.ok.isEnabled()
    dialog.ok.click()
    request = studio.parts.sampling.request()
    assert (request.source, request.source_sample) == ("data", which)
    assert str(which + 1) in studio.parts.sampling.source.sample.text.text()


def test_a_number_is_found_and_what_is_chosen_is_shown_again(studio, browser, qtbot):
    studio.commands.samples.use_data(700, None)
    dialog = browser()
    assert dialog.model.number(dialog.list.currentIndex().row()) == 700
    dialog.search.setText("1,4")
    assert dialog.model.rowCount() == 0 or all(
        "1,4" in dialog.model.data(dialog.model.index(i)) for i in range(dialog.model.rowCount())
    )
    dialog.search.setText("no such")
    assert dialog.note.text() == "None has that number or text."
    dialog.close()


@pytest.mark.parametrize(
    ("model", "says"), [("words", "a"), ("spoken-digits", ""), ("shapes-2d", "("), ("bouncing-digits", "")]
)
def test_data_of_every_kind_can_be_chosen(studio, browser, model, says):
    dialog = browser(model)
    dialog.label.setCurrentIndex(0)
    index = dialog.model.index(3)
    assert says in dialog.model.data(index)
    dialog.list.setCurrentIndex(index)
    which, label = dialog.model.number(3), dialog.model.label_of(dialog.model.number(3))
    dialog.ok.click()
    request = studio.parts.sampling.request()
    assert (request.source, request.source_sample) == ("data", which)
    if model in ("shapes-2d", "bouncing-digits"):
        assert request.label == label, "of a formula the number goes with its class"
    studio.parts.runs.engine.plan(request)


def test_a_training_sample_of_the_inspector_is_started_from(run, menu, qtbot):
    p = run.parts
    run.commands.run("page_known")
    page = p.inspect.pages["known"]
    qtbot.waitUntil(lambda: len(page.neighbours) == 5)
    found = menu(page, page._cells()[2].center().toPoint())
    (start,) = [entry for text, entry in found.items() if text.startswith("Start from training sample")]
    start.trigger()
    assert p.sampling.request().source_sample == page.neighbours[1].index
    (copy,) = [entry for text, entry in found.items() if text == "Copy picture"]
    copy.trigger()
    assert not QGuiApplication.clipboard().image().isNull()


def test_a_model_without_data_says_so(studio, monkeypatch):
    card = studio.parts.sampling.card
    data = card.data.model_copy(update={"dataset": ""})
    monkeypatch.setattr(type(studio.parts.sampling), "card", card.model_copy(update={"data": data}))
    assert studio.commands.samples.problem("browse_data") == "this model names no data set that is here"
