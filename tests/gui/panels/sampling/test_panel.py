"""The sampling panel, driven: what is typed, clicked and chosen is the request."""

import sys
import threading
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from diffstudio.checkpoints.listing import Entry
from diffstudio.gui.kit import theme
from diffstudio.gui.panels.sampling import panel as panel_module
from diffstudio.gui.panels.sampling.panel import SamplingPanel
from diffstudio.gui.panels.sampling.request_history import TOGETHER_SECONDS
from diffstudio.studio.request import checks, plan


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


def test_presets_offer_their_names_and_say_for_which_model(sampling, qtbot):
    sampling.presets.set_presets({"three & four": "digits", "quick": "shapes-2d"})
    actions = sampling.presets.menu().actions()
    titles = [action.text() for action in actions]
    assert titles[:3] == ["Save as preset…", "Rename or delete presets…", ""]
    assert titles[3:] == ["three && four\tdigits", "quick\tshapes-2d"]
    with qtbot.waitSignal(sampling.presets.chosen) as signal:
        actions[3].trigger()
    assert signal.args == ["three & four"]
    with qtbot.waitSignal(sampling.presets.saveWanted):
        actions[0].trigger()
    with qtbot.waitSignal(sampling.presets.manageWanted):
        actions[1].trigger()


def test_headings_stand_in_one_column(sampling):
    lefts = {row.field.mapTo(sampling, QPoint()).x() for row in sampling.rows.values() if row.isVisible()}
    assert len(lefts) == 1


def test_the_way_back_leads_to_the_models_own_number(sampling, catalog, click, qtbot):
    sampling.set_entry(catalog.find("sentences"))
    row = sampling.params.row("randomness")
    assert row.field.value() == 6.0 and not row.reset.isVisible(), "its own number is no change"
    row.field.set_value(2.0)
    assert row.reset.isVisible()
    click(row.reset)
    assert row.field.value() == 6.0 and sampling.request().solver_params == {"randomness": 6.0}
    row.field.set_value(0.5)  # that of the solver alone
    assert row.reset.isVisible() and sampling.request().solver_params == {}
    sampling.reset()
    assert row.field.value() == 6.0 and not row.reset.isVisible()


def test_another_models_own_number_does_not_stay_behind(sampling, catalog):
    sampling.set_entry(catalog.find("sentences"))
    sampling.set_entry(catalog.find("words"))
    sampling.solver.set_value("tokens_surest")
    assert sampling.params.row("randomness").field.value() == 0.5


def test_the_own_numbers_of_a_spacing_are_the_way_back_too(sampling, catalog):
    card = sampling.card.model_copy(update={"defaults": {"grid": "karras", "grid_params": {"rho": 3.5}}, "name": "own"})
    sampling.set_entry(Entry(Path("own"), card, 0, "file"))
    row = sampling.advanced.params["grid"].row("rho")
    assert row.field.value() == 3.5 and not row.reset.isVisibleTo(row)
    row.field.set_value(7.0)
    row.reset.click()
    assert sampling.request().grid_params == {"rho": 3.5}


def test_a_change_is_built_checked_and_planned_once_and_opens_no_file(sampling, catalog, tmp_path, monkeypatch):
    """One tick of a slider with a mask set, as the window asks after it."""
    Image.new("L", (28, 28), 255).save(tmp_path / "mask.png")
    sampling.source.combo.set_value("data")
    sampling.set_mask_file(tmp_path / "mask.png")
    told, opened = [], []
    for name in ("resolve", "unavailable"):
        counted(monkeypatch, checks if name == "unavailable" else panel_module, name, told)
    sampling.changed.connect(lambda: told.append(plan.make_plan(catalog, sampling.checked_request(), sampling.reasons)))
    sampling.steps.set_value(11)  # what is read for the first time is read now
    told.clear()
    here = threading.get_ident()

    def listen(event, _):
        if event == "open" and LISTENS and threading.get_ident() == here:
            opened.append(event)

    sys.addaudithook(listen)
    LISTENS.append(True)
    sampling.steps.set_value(12)
    LISTENS.clear()
    assert told[:2] == ["resolve", "unavailable"] and len(told) == 3 and told[2].request.steps == 12
    assert not opened


LISTENS: list[bool] = []  # an audit hook can't be taken away again


def counted(monkeypatch, module, name, told):
    real = getattr(module, name)

    def call(*args):
        told.append(name)
        return real(*args)

    monkeypatch.setattr(module, name, call)
