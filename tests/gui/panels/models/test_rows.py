"""The picker with many models: their order, favourites, steps of a training, and rows that come while it is shown."""

import os

import pytest
from checkpoint_files import put
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication

from diffstudio.checkpoints.catalog import Catalog
from diffstudio.gui.kit import theme
from diffstudio.gui.panels.models.order import SORTS, Order
from diffstudio.gui.panels.models.panel import ModelsPanel
from diffstudio.gui.panels.models.row import KIND, STARRED


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


@pytest.fixture
def make(shown, folder):
    """The panel, and a function that scans again and shows what there is."""

    def make():
        catalog = Catalog([("added", folder)])
        panel = shown(ModelsPanel(catalog.listing, theme.DARK), 240, 600)

        def again():
            catalog.scan()
            panel.show_listing(catalog.listing)

        return panel, again

    return make


def rows(panel, *kinds):
    return [item.text(0) for item in panel.tree.items() if item.data(0, KIND) in kinds and not item.isHidden()]


def row(panel, text):
    return next(item for item in panel.tree.items() if item.text(0) == text)


def click(qtbot, panel, text, button=Qt.MouseButton.LeftButton):
    place = panel.tree.visualItemRect(row(panel, text)).center()
    qtbot.mouseClick(panel.tree.viewport(), button, pos=place)


def test_the_steps_of_a_training_are_one_model_with_the_newest_on_top(make, folder):
    for step in (100, 900, 300):
        put(folder, step=step)
    panel, _ = make()
    assert rows(panel, "model") == ["spots"]
    assert rows(panel, "checkpoint") == ["900 steps · final", "300 steps", "100 steps"]


def test_of_many_steps_the_newest_are_shown_and_the_others_when_asked_for(make, folder, qtbot):
    for step in range(1, 21):
        put(folder, step=step)
    panel, again = make()
    assert rows(panel, "checkpoint")[-1] == "16 steps" and rows(panel, "more") == ["15 older…"]
    click(qtbot, panel, "15 older…")
    assert len(rows(panel, "checkpoint")) == 20 and rows(panel, "more") == []
    assert panel.entry.card.step == 15, "the first of those that were hidden"
    again()
    assert len(rows(panel, "checkpoint")) == 20 and panel.entry.card.step == 15


def test_older_steps_are_reached_by_the_keyboard(make, folder, qtbot):
    for step in range(1, 21):
        put(folder, step=step)
    panel, _ = make()
    panel.choose("spots")
    panel.tree.setFocus()
    for _ in range(6):
        qtbot.keyClick(panel.tree, Qt.Key.Key_Down)
    assert panel.tree.currentItem().data(0, KIND) == "more" and panel.entry is None
    with qtbot.assertNotEmitted(panel.activated):
        qtbot.keyClick(panel.tree, Qt.Key.Key_Return)
    assert panel.entry.card.step == 15


def test_a_step_that_is_folded_away_can_be_chosen_by_its_name(make, folder):
    for step in range(1, 21):
        put(folder, step=step)
    panel, _ = make()
    assert panel.choose("spots@3") and panel.entry.card.step == 3


def test_favourites_stand_on_top_with_a_star(make, folder):
    for name in ("a", "b", "c"):
        put(folder, name)
    panel, again = make()
    panel.set_order(Order(favourites=frozenset({"c"})))
    assert rows(panel, "group") == ["Favourites", "Points"]
    assert rows(panel, "model") == ["c", "a", "b"] and row(panel, "c").data(0, STARRED)
    again()
    assert rows(panel, "model") == ["c", "a", "b"]
    panel.set_order(Order())
    assert rows(panel, "group") == ["Points"]
    assert rows(panel, "model") == ["a", "b", "c"] and not row(panel, "c").data(0, STARRED)


def test_a_favourite_stays_chosen(make, folder, qtbot):
    for name in ("a", "b"):
        put(folder, name)
    panel, _ = make()
    panel.choose("b")
    with qtbot.assertNotEmitted(panel.selected):
        panel.set_order(Order(favourites=frozenset({"b"})))
    assert panel.entry.card.name == "b" and panel.tree.currentItem().parent().text(0) == "Favourites"


def test_the_last_row_of_a_group_takes_its_heading_along(make, folder):
    put(folder, "a")
    panel, _ = make()
    panel.set_order(Order(favourites=frozenset({"a"})))
    assert rows(panel, "group") == ["Favourites"]


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("name", ["net-2", "net-10", "Other", "zebra"]),
        ("newest", ["zebra", "net-10", "net-2", "Other"]),
        ("size", ["Other", "net-2", "net-10", "zebra"]),
        ("used", ["net-10", "zebra", "net-2", "Other"]),
    ],
)
def test_models_are_sorted(make, folder, sort, names):
    for age, name in enumerate(("Other", "net-2", "net-10", "zebra")):
        path = put(folder, name, description="x" * (400 - 100 * age))
        os.utime(path, (10**9 + age, 10**9 + age))
    panel, _ = make()
    panel.set_order(Order(sort, used=("net-10", "gone", "zebra")))
    assert rows(panel, "model") == names


def test_the_button_says_the_order_and_offers_the_others(make, folder, qtbot):
    put(folder)
    panel, _ = make()
    assert panel.sort.text() == "Name ▾" and panel.sort.focusPolicy() & Qt.FocusPolicy.TabFocus
    offered = {action.data(): action for action in panel.sort.menu().actions()}
    assert set(offered) == set(SORTS)
    with qtbot.waitSignal(panel.sort.chosen) as signal:
        offered["newest"].trigger()
    assert signal.args == ["newest"]
    panel.set_order(Order("newest"))
    assert panel.sort.text() == "Newest ▾" and offered["newest"].isChecked()


def test_rows_that_come_later_disturb_nothing(make, folder, qtbot):
    for name in ("b", "d"):
        put(folder, name)
    panel, again = make()
    panel.choose("d")
    before = {name: row(panel, name) for name in ("b", "d")}
    for name in ("a", "c", "e"):
        put(folder, name)
    with qtbot.assertNotEmitted(panel.selected):
        again()
    assert rows(panel, "model") == ["a", "b", "c", "d", "e"]
    assert all(row(panel, name) is item for name, item in before.items())
    assert panel.entry.card.name == "d"


def test_a_checkpoint_that_comes_later_leaves_the_chosen_one_chosen(make, folder, qtbot):
    put(folder, step=100)
    panel, again = make()
    panel.choose("spots")
    put(folder, step=200)
    with qtbot.assertNotEmitted(panel.selected):
        again()
    assert panel.entry.card.step == 100, "not another one under the user's hands"
    assert rows(panel, "checkpoint") == ["200 steps · final", "100 steps"]


def test_a_checkpoint_that_was_written_anew_is_told(make, folder, qtbot):
    path = put(folder)
    panel, again = make()
    panel.choose("spots")
    put(folder, title="afterwards")
    os.utime(path, (1, 1))
    with qtbot.waitSignal(panel.selected) as signal:
        again()
    assert signal.args[0].card.title == "afterwards"


def test_what_is_gone_is_not_chosen_any_more(make, folder, qtbot):
    put(folder, "a")
    path = put(folder, "b")
    panel, again = make()
    panel.choose("b")
    path.unlink()
    with qtbot.assertNotEmitted(panel.selected):
        again()
    assert panel.entry is None and rows(panel, "model") == ["a"]
    put(folder, "b")
    again()
    assert panel.entry.card.name == "b", "and when it comes back, it is"


def test_the_filter_holds_for_rows_that_come_later(make, folder, qtbot):
    put(folder, "cat")
    panel, again = make()
    qtbot.keyClicks(panel.search, "cat")
    put(folder, "dog")
    put(folder, "cats")
    again()
    assert rows(panel, "model") == ["cat", "cats"]
    panel.search.clear()
    assert rows(panel, "model") == ["cat", "cats", "dog"]


def test_broken_files_come_and_go(make, folder):
    put(folder)
    panel, again = make()
    (folder / "torn.safetensors").write_bytes(b"torn")
    again()
    assert rows(panel, "group") == ["Points", "Can't be used"] and rows(panel, "problem") == ["torn.safetensors"]
    (folder / "torn.safetensors").unlink()
    again()
    assert rows(panel, "group") == ["Points"]


def test_the_height_follows_the_rows(make, folder):
    panel, again = make()
    before = panel.tree.sizeHint().height()
    put(folder)
    again()
    assert panel.tree.sizeHint().height() == before + 24 + 38
    whole = panel.tree.visualItemRect(row(panel, "spots"))
    assert panel.tree.sizeHint().height() >= whole.bottom()


def test_what_is_chosen_comes_into_view_when_the_panel_is_made_smaller(make, folder, qtbot):
    for number in range(30):
        put(folder, f"net-{number}")
    panel, _ = make()
    panel.choose("net-12")
    panel.resize(240, 260)
    qtbot.waitUntil(
        lambda: panel.tree.viewport().rect().contains(panel.tree.visualItemRect(panel.tree.currentItem()).center())
    )


def test_the_other_button_asks_for_the_menu_and_chooses_nothing(make, folder, qtbot):
    put(folder, "a")
    put(folder, "b")
    panel, _ = make()
    panel.choose("a")
    with qtbot.assertNotEmitted(panel.selected):
        click(qtbot, panel, "b", Qt.MouseButton.RightButton)
    at = panel.tree.visualItemRect(row(panel, "b")).center()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, panel.tree.viewport().mapToGlobal(at))
    with qtbot.waitSignal(panel.menuWanted) as signal:
        QApplication.sendEvent(panel.tree.viewport(), event)
    assert signal.args[0].card.name == "b" and panel.entry.card.name == "a"


def test_the_menu_key_asks_for_the_menu_of_what_is_chosen(make, folder, qtbot):
    put(folder, "a")
    panel, _ = make()
    panel.choose("a")
    event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(1, 1), QPoint(1, 1))
    with qtbot.waitSignal(panel.menuWanted) as signal:
        QApplication.sendEvent(panel.tree.viewport(), event)
    assert signal.args[0] is panel.entry
