"""What a screen reader is told: a name for everything that Tab reaches, in the order of the window, with its value."""

from itertools import groupby

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QComboBox, QWidget

from diffstudio.gui.dialogs.export import ExportDialog
from diffstudio.gui.dialogs.preferences import PreferencesDialog

PARTS = ("models", "card", "canvas", "sampling", "inspect", "timeline")


@pytest.fixture
def window(studio, generate, qtbot):
    p = studio.parts
    p.window.resize(1440, 900)
    p.window.show()
    qtbot.waitExposed(p.window)
    p.sampling.folds.set_open("guidance", "edit", "advanced")
    p.sampling.steps.set_value(3)
    p.sampling.samples.set_value(1)
    assert generate().outcome == "done"
    qtbot.waitUntil(lambda: bool(p.inspect.pages))
    return studio


def stops(window: QWidget) -> list[QWidget]:
    """What Tab goes through, in its order."""
    found, at = [], window.nextInFocusChain()
    while at is not window:
        if at.isVisible() and at.isEnabled() and at.focusPolicy() & Qt.FocusPolicy.TabFocus and not at.focusProxy():
            found.append(at)
        at = at.nextInFocusChain()
    return found


def spoken(widget: QWidget) -> str:
    """The name that is said: that of the label beside it, else its own. (Of a choice Qt's own name is the value.)"""
    heard = QAccessible.queryAccessibleInterface(widget)
    labels = [
        other.text(QAccessible.Text.Name)
        for other, relation in heard.relations()
        if relation == QAccessible.RelationFlag.Label
    ]
    assert len(labels) <= 1, "said twice"
    own = "" if isinstance(widget, QComboBox) else heard.text(QAccessible.Text.Name)
    return (labels or [own])[0].strip()


def part_of(studio, widget):
    return next((name for name in PARTS if getattr(studio.parts, name).isAncestorOf(widget)), "toolbar")


@pytest.mark.parametrize("model", ["digits", "sentences", "shapes-2d"])
def test_everything_that_tab_reaches_says_its_name(window, model):
    assert window.parts.models.choose(model)
    found = stops(window.parts.window)
    assert len(found) > 50
    nameless = [widget for widget in found if not spoken(widget)]
    assert not nameless
    for widget in found:
        if isinstance(widget, QAbstractSpinBox):
            assert spoken(widget.lineEdit()) == spoken(widget)
        if isinstance(widget, QComboBox):
            assert spoken(widget) != widget.currentText()


def test_tab_goes_through_the_window_part_by_part(window):
    found = stops(window.parts.window)
    assert [part for part, _ in groupby(found, lambda widget: part_of(window, widget))] == ["toolbar", *PARTS]
    line = window.parts.timeline
    transport = [line.transport.first, line.transport.play, line.transport.speed, line.transport.follow]
    assert [widget for widget in found if widget in (*transport, line.track)] == [*transport, line.track]


def test_the_names_are_those_that_are_seen(window):
    panel = window.parts.sampling
    panel.set_request(panel.request().model_copy(update={"source": "data"}))
    said = {spoken(widget) for widget in stops(window.parts.window)}
    assert {"Steps", "Guidance", "Seed", "Samples", "Solver", "Start from", "Negative class", "Guide model"} <= said
    assert {"New seed each run", "Lock the seed", "Strength", "Spacing", "Weights", "Device", "Generate"} <= said


@pytest.mark.parametrize(
    ("name", "value", "low", "high"),
    [("steps", 3, 1, 100_000), ("guidance", 1.5, 0, 100), ("seed", 0, 0, 2**63 - 1), ("samples", 1, 1, 1_000_000)],
)
def test_a_number_says_its_value_and_its_bounds(window, name, value, low, high):
    field = getattr(window.parts.sampling, name)
    box = field if isinstance(field, QAbstractSpinBox) else field.findChild(QAbstractSpinBox)
    heard = QAccessible.queryAccessibleInterface(box).valueInterface()
    assert (heard.currentValue(), heard.minimumValue(), heard.maximumValue()) == (value, low, high)


def test_the_playhead_is_a_slider_over_both_chains(window):
    p = window.parts
    heard = QAccessible.queryAccessibleInterface(p.timeline.track)
    assert heard.role() == QAccessible.Role.Slider and "Playhead" in heard.text(QAccessible.Text.Name)
    value = heard.valueInterface()
    p.playhead.move_to(5)
    assert (value.currentValue(), value.minimumValue(), value.maximumValue()) == (5, 0, 7)
    value.setCurrentValue(2)
    assert p.playhead.position == 2 and not p.playhead.follow


@pytest.mark.parametrize(("action", "kind"), [("settings", PreferencesDialog), ("export", ExportDialog)])
def test_the_fields_of_dialogs_say_their_names(window, action, kind):
    window.commands.run(action)
    (dialog,) = [w for w in QApplication.topLevelWidgets() if isinstance(w, kind) and w.isVisible()]
    found = stops(dialog)
    assert len(found) > 5 and all(spoken(widget) for widget in found)
    dialog.close()
