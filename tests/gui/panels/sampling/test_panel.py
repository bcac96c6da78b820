"""The sampling panel, driven: what is typed, clicked and chosen is the request."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from diffstudio.checkpoints.listing import Entry
from diffstudio.gui.kit import theme
from diffstudio.gui.panels.sampling.panel import SamplingPanel
from diffstudio.gui.panels.sampling.request_history import TOGETHER_SECONDS


@pytest.fixture
def apart(sampling, monkeypatch):
    """Makes the next change one of its own, as if time had passed."""
    return sampling._history.separate


def chip(sampling, name):
    return next(b for b in sampling.label._group.buttons() if b.text() == name)


def test_nothing_can_be_set_before_a_checkpoint_is_chosen(shown):
    panel = shown(SamplingPanel(theme.DARK))
    assert not panel.isEnabled() and panel.card is None


def test_defaults_are_the_cards(sampling, catalog):
    card = catalog.find("digits").card
    request = sampling.request()
    assert request.model == "digits@3500" and request.label == card.defaults.get("label")
    assert (request.steps, request.guidance) == (card.defaults["steps"], card.defaults["guidance"])
    assert not any(row.reset.isVisible() for row in sampling.rows.values())


def test_the_seed_begins_at_0_and_goes_back_there(sampling, type_into, click):
    assert sampling.request().seed == 0 and sampling.seed.edit.text() == "0"
    type_into(sampling.seed.edit, "31")
    click(sampling.rows["seed"].reset)
    assert sampling.request().seed == 0


def test_what_is_typed_is_the_request(sampling, type_into):
    type_into(sampling.steps.spin, "77")
    type_into(sampling.guidance.spin, "2.25")
    type_into(sampling.seed.edit, "123456789012345")
    type_into(sampling.samples, "5")
    request = sampling.request()
    assert (request.steps, request.guidance, request.seed, request.samples) == (77, 2.25, 123456789012345, 5)


def test_a_chip_chooses_the_class_and_reset_takes_it_back(sampling, click):
    before = sampling.request().label
    click(chip(sampling, "7"))
    assert sampling.request().label == 7
    reset = sampling.rows["label"].reset
    assert reset.isVisible()
    click(reset)
    assert sampling.request().label == before and not reset.isVisible()


@pytest.mark.parametrize("name", ["steps", "guidance", "seed", "samples", "solver"])
def test_every_field_has_a_way_back(sampling, click, name):
    before = sampling.request()
    row = sampling.rows[name]
    row.field.set_value("heun" if name == "solver" else 9)
    assert getattr(sampling.request(), name) == ("heun" if name == "solver" else 9)
    assert row.reset.isVisible()
    click(row.reset)
    assert sampling.request() == before and not row.reset.isVisible()


def test_every_field_has_a_tooltip_and_a_name(sampling):
    for row in (*sampling.rows.values(), *sampling.advanced.rows.values()):
        assert row.field.toolTip() and row.field.accessibleName(), row.heading.text()


def test_guidance_needs_a_class_and_says_so(sampling, click):
    click(chip(sampling, "any"))
    assert not sampling.guidance.isEnabled()
    assert "choose one first" in sampling.guidance.toolTip()
    click(chip(sampling, "3"))
    assert sampling.guidance.isEnabled()
    assert "D_any" in sampling.guidance.toolTip()


def test_a_solver_brings_its_numbers_and_keeps_them(sampling, choose, type_into):
    assert not sampling.params.isVisible()
    choose(sampling.solver, "DDIM")
    type_into(sampling.params.row("eta").field.spin, "0.4")
    assert sampling.request().solver_params == {"eta": 0.4}
    choose(sampling.solver, "Euler")
    assert not sampling.params.isVisible() and sampling.request().solver_params == {}
    choose(sampling.solver, "DDIM")
    assert sampling.request().solver_params == {"eta": 0.4}


def test_undo_takes_a_number_of_a_solver_back(sampling, choose, type_into, apart):
    choose(sampling.solver, "DDIM")
    apart()
    type_into(sampling.params.row("eta").field.spin, "0.4")
    sampling.undo()
    assert sampling.request().solver == "ddim" and sampling.request().solver_params == {}
    sampling.redo()
    assert sampling.request().solver_params == {"eta": 0.4}


def test_undo_walks_back_through_solver_source_and_class(sampling, choose, click, apart):
    was = [sampling.request()]
    for change in (
        lambda: choose(sampling.source.combo, "Data sample"),
        lambda: click(chip(sampling, "4")),
        lambda: sampling.solver.set_value("ddim"),
        lambda: sampling.params.set_values({"eta": 1.0}),
        lambda: sampling.solver.set_value("heun"),
    ):
        apart()
        change()
        was.append(sampling.request())
    for expected in reversed(was[:-1]):
        assert sampling.can_undo
        sampling.undo()
        assert sampling.request() == expected
    assert not sampling.can_undo
    for expected in was[1:]:
        sampling.redo()
        assert sampling.request() == expected


def test_dragging_a_slider_is_one_step_of_undo(sampling, qtbot):
    before = sampling.request()
    sampling.steps.slider.setFocus()
    for _ in range(5):
        qtbot.keyClick(sampling.steps.slider, Qt.Key.Key_PageUp)
    assert sampling.request().steps > before.steps
    sampling.undo()
    assert sampling.request() == before, f"within {TOGETHER_SECONDS} s"


def test_the_wheel_changes_no_value(sampling):
    before = sampling.request()
    down = QPoint(0, -120)
    for field in (sampling.solver, sampling.steps.spin, sampling.steps.slider, sampling.samples, sampling.source.combo):
        at = QPointF(field.rect().center())
        none = Qt.MouseButton.NoButton
        event = QWheelEvent(at, field.mapToGlobal(at), QPoint(), down, none, Qt.KeyboardModifier.NoModifier,
                            Qt.ScrollPhase.NoScrollPhase, False)  # fmt: skip
        QApplication.sendEvent(field, event)
    assert sampling.request() == before


def test_another_model_offers_its_own_and_the_first_keeps_its_settings(sampling, catalog, type_into, qtbot):
    type_into(sampling.steps.spin, "7")
    sampling.set_entry(catalog.find("shapes-2d"))
    assert sampling.request().model == "shapes-2d@12000" and sampling.request().steps != 7
    (classes,) = sampling.label.controls()
    qtbot.waitUntil(classes.isVisible)
    assert classes.findText("two moons") >= 0
    assert not sampling.can_undo
    sampling.set_entry(catalog.find("digits@400"))
    assert sampling.request().model == "digits@400" and sampling.request().steps == 7


def test_a_model_without_classes_shows_no_class_and_no_guidance(sampling, catalog, tmp_path):
    plain = catalog.find("shapes-2d").card.model_copy(update={"labels": (), "defaults": {}, "name": "plain"})
    sampling.set_entry(Entry(tmp_path / "plain.safetensors", plain, 10, "file"))
    assert not sampling.rows["label"].isVisible() and not sampling.rows["guidance"].isVisible()
    assert sampling.request().label is None
    assert sampling.request().model == str(tmp_path / "plain.safetensors")


def test_a_request_is_shown_as_one_step_of_undo(sampling):
    before = sampling.request()
    wanted = before.model_copy(
        update={"solver": "ddim", "solver_params": {"eta": 0.5}, "steps": 12, "label": 2, "grid": "karras", "seed": 8}
    )
    sampling.set_request(wanted)
    assert sampling.request() == wanted
    sampling.undo()
    assert sampling.request() == before


def test_reset_leaves_the_seed(sampling):
    before = sampling.request()
    sampling.set_request(before.model_copy(update={"steps": 3, "guidance": 4.0, "seed": 11, "forward": "markov"}))
    sampling.reset()
    assert sampling.request() == before.model_copy(update={"seed": 11})


def test_the_dice_roll_unless_locked(sampling, click):
    sampling.seed.set_value(1)
    click(sampling.seed.dice)
    rolled = sampling.request().seed
    assert rolled != 1
    click(sampling.seed.lock)
    sampling.seed.roll()
    assert sampling.request().seed == rolled and not sampling.seed.dice.isEnabled()


def test_presets_offer_their_names(sampling, qtbot):
    sampling.presets.set_names(["three & four", "quick"])
    titles = [action.text() for action in sampling.presets.menu().actions()]
    assert titles == ["Save as preset…", "", "three && four", "quick"]
    with qtbot.waitSignal(sampling.presets.chosen) as signal:
        sampling.presets.menu().actions()[2].trigger()
    assert signal.args == ["three & four"]
    with qtbot.waitSignal(sampling.presets.saveWanted):
        sampling.presets.menu().actions()[0].trigger()


def test_headings_stand_in_one_column(sampling):
    lefts = {row.field.mapTo(sampling, QPoint()).x() for row in sampling.rows.values() if row.isVisible()}
    assert len(lefts) == 1
