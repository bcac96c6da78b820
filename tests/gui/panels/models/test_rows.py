"""The picker with many models: their order, favourites, steps of a training, and rows that come while it is shown."""

import html
import os

import pytest
from checkpoint_files import put, put_bare
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QContextMenuEvent, QHelpEvent
from PySide6.QtWidgets import QApplication, QToolTip

from diffstudio.checkpoints.catalog import Catalog, default_catalog
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


# ── what its owner knows it by ──────────────────────────────────────────────────────────────────────────────────────


def tip(item):
    """The lines of a tooltip."""
    text = item.toolTip(0).removeprefix("<qt>").removesuffix("</qt>").replace("&#8203;", "")
    return html.unescape(text).split("<br>")


def pointed_at(panel, title):
    """The lines of the tip of a row that the mouse rests on."""
    place = panel.tree.visualItemRect(row(panel, title)).center()
    event = QHelpEvent(QEvent.Type.ToolTip, place, panel.tree.viewport().mapToGlobal(place))
    QApplication.sendEvent(panel.tree.viewport(), event)
    QToolTip.hideText()
    return tip(row(panel, title))


def test_averaged_and_raw_weights_of_a_step_have_rows_of_their_own(make, folder):
    for name in ("model000500", "ema_0.9999_000500", "ema_0.999_000500"):
        put_bare(folder / "cats", f"{name}.safetensors")
    panel, _ = make()
    assert rows(panel, "model") == ["cats"]
    assert rows(panel, "checkpoint") == ["500 · EMA 0.9999", "500 · EMA 0.999", "500 steps"]
    for spec in ("cats@500", "cats@500:ema_0.999"):
        assert panel.choose(spec) and panel.entry.spec == spec
    for title, lines in (
        ("500 · EMA 0.999", ["cats@500:ema_0.999", "File ema_0.999_000500.safetensors"]),
        ("500 · EMA 0.9999", ["cats@500:ema_0.9999", "What the bare name of the model means."]),
    ):
        assert pointed_at(panel, title)[:3] == [title, *lines]


def test_a_row_says_its_file_its_folder_its_format_and_its_hash(make, folder):
    path = put(folder / "a & b", title="Spotted <b>things</b>")
    panel, _ = make()
    (first, title, subtitle, *rest) = tip(row(panel, "spots"))
    assert (first, title) == ("spots", "Spotted <b>things</b>") and subtitle.startswith("2D")
    digest = panel.choose("spots") and panel.entry.sha256
    assert rest == [
        "File spots@1.safetensors", f"in {path.parent}",
        f"DiffStudio .safetensors · {path.stat().st_size / 1000:.1f} kB",
        f"sha256 {digest[:4]} {digest[4:8]} … {digest[-4:]}",
    ]  # fmt: skip


def test_the_home_folder_is_short(make, folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.parent))
    put(folder / "deep")
    panel, _ = make()
    assert "in ~/models/deep" in tip(row(panel, "spots"))


def test_rows_that_would_read_the_same_say_their_folders(make, folder):
    for run in ("first", "second"):
        put(folder / run)
    panel, _ = make()
    assert rows(panel, "model") == ["spots (first)", "spots (second)"]


def test_a_retrained_recipe_stands_beside_the_bundled_model(shown, folder):
    for name in ("mine", "other"):
        put(folder, "shapes-2d", 60, name)
    panel = shown(ModelsPanel(default_catalog([folder]).listing, theme.DARK), 240, 600)
    names = [name for name in rows(panel, "model") if name.startswith("shapes-2d")]
    assert names == ["shapes-2d", "shapes-2d (mine)", "shapes-2d (other)"]
    assert panel.choose("shapes-2d (other)@60") and panel.entry.path.name == "other.safetensors"
    assert panel.choose("shapes-2d") and panel.entry.group == "bundled"


def test_it_is_found_by_its_file_its_folder_and_its_average(make, folder, qtbot):
    put_bare(folder / "lions", "cats_ema.safetensors")
    put_bare(folder / "lions", "cats.safetensors")
    put(folder / "tigers")
    panel, _ = make()
    for typed, found in (
        ("lions", ["cats"]),
        ("cats_ema", ["cats"]),
        ("tigers", ["spots"]),
        ("safetensors", ["cats", "spots"]),
    ):
        panel.search.setText(typed)
        assert rows(panel, "model") == found, typed


def test_a_broken_file_says_where_it_lies(make, folder):
    (folder / "torn.safetensors").write_bytes(b"torn")
    panel, _ = make()
    assert tip(row(panel, "torn.safetensors"))[-1] == str(folder / "torn.safetensors")


def test_models_are_filed_under_their_folders(shown, folder, tmp_path):
    for place in ("a", "b/deep", "b"):
        put(folder / place, f"of-{place.replace('/', '-')}")
    for step in (1, 2):
        put_bare(folder / "b" / "cats" / "checkpoints", f"model-{step}.safetensors")
    put(folder / "c" / "models", "of-c")
    panel = shown(ModelsPanel(default_catalog([folder]).listing, theme.DARK), 240, 600)
    before = rows(panel, "group")
    panel.set_order(Order("folder", favourites=frozenset({"of-a"})))
    places = [str(folder / place) for place in ("b", "b/deep", "c/models")]
    assert rows(panel, "group") == ["Favourites", *places, "Bundled"]
    assert rows(panel, "model")[:5] == ["of-a", "cats", "of-b", "of-b-deep", "of-c"]
    panel.set_order(Order())
    assert rows(panel, "group") == before


# ── the filter and the keyboard ─────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def three(make, folder, qtbot):
    """Three models, the first chosen, the field with the focus."""
    for name in ("ape", "bear", "bee"):
        put(folder, name)
    panel, _ = make()
    panel.choose("ape")
    panel.search.setFocus()
    qtbot.waitUntil(panel.search.hasFocus)
    return panel


def test_enter_in_the_field_chooses_the_first_hit(three, qtbot):
    qtbot.keyClicks(three.search, "be")
    assert three.hides_chosen and three.entry.card.name == "ape"
    with qtbot.waitSignal(three.selected) as signal, qtbot.assertNotEmitted(three.activated):
        qtbot.keyClick(three.search, Qt.Key.Key_Return)
    assert signal.args[0].card.name == "bear" and three.tree.hasFocus() and not three.hides_chosen


def test_down_in_the_field_goes_into_the_list(three, qtbot):
    qtbot.keyClick(three.search, Qt.Key.Key_Down)
    assert three.tree.hasFocus() and three.entry.card.name == "ape", "without a filter what is chosen stays"
    three.search.setFocus()
    qtbot.keyClicks(three.search, "bee")
    qtbot.keyClick(three.search, Qt.Key.Key_Down)
    assert three.tree.hasFocus() and three.entry.card.name == "bee"


def test_where_nothing_is_found_enter_and_down_change_nothing(three, qtbot):
    qtbot.keyClicks(three.search, "zebra")
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Down):
        qtbot.keyClick(three.search, key)
        assert three.search.hasFocus() and three.entry.card.name == "ape"


def test_a_model_that_is_chosen_otherwise_is_not_hidden_by_the_filter(three, qtbot):
    qtbot.keyClicks(three.search, "be")
    assert three.choose("bear") and three.search.text() == "be"
    assert three.choose("ape@1") and three.search.text() == "" and not three.hides_chosen


def test_what_a_card_notes_is_told_in_the_list(make, folder):
    import torch

    from diffstudio.networks import NETWORKS

    torch.manual_seed(0)
    state = NETWORKS["smalldiffusion_mlp"]((2,), 0, hidden=(8, 8)).state_dict()
    torch.save({"model": state, "ema": state}, folder / "both.pt")
    panel, _ = make()
    assert "its averaged weights are taken; --weights raw" in row(panel, "both").toolTip(0)
