"""The picker, driven: what is listed, found, chosen, and what a broken file looks like."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication

from diffstudio.checkpoints.card import Card, TrainingData
from diffstudio.checkpoints.catalog import default_catalog
from diffstudio.checkpoints.store import save
from diffstudio.gui.kit import theme
from diffstudio.gui.panels.models.panel import ModelsPanel
from diffstudio.gui.panels.models.row import KIND, SUBTITLE
from diffstudio.networks import NETWORKS
from diffstudio.specs import PathSpec


@pytest.fixture
def folder(tmp_path):
    """One small checkpoint with two classes, and one torn file."""
    network = NETWORKS["mlp"]((2,), 2)
    card = Card(
        name="spots & dots", modality="points", shape=(2,), path=PathSpec(), prediction="flow", network="mlp",
        labels=("few", "many"), data=TrainingData(dataset="", title="Dotted paper"), step=1, title="<i>Spots</i>",
    )  # fmt: skip
    save(tmp_path / "spots.safetensors", card, {k: v.numpy() for k, v in network.state_dict().items()})
    (tmp_path / "torn.safetensors").write_bytes(np.arange(100, dtype=np.uint8).tobytes())
    return tmp_path


@pytest.fixture
def models(shown, folder):
    return shown(ModelsPanel(default_catalog([folder]).listing, theme.DARK), 240, 600)


def rows(models, kind=None):
    """The titles of the rows that are shown."""
    return [
        item.text(0)
        for item in models.tree.items()
        if not item.isHidden()
        and not (item.parent() and item.parent().isHidden())
        and kind in (None, item.data(0, KIND))
    ]


def item(models, text):
    return next(found for found in models.tree.items() if found.text(0) == text)


def press(qtbot, models, text):
    place = models.tree.visualItemRect(item(models, text)).center()
    qtbot.mouseClick(models.tree.viewport(), Qt.MouseButton.LeftButton, pos=place)


TRAINED = [
    "digits",
    "digits-ddpm",
    "bouncing-digits",
    "sentences",
    "words",
    "words-gaussian",
    "words-uniform",
    "spoken-digits",
    "shapes-2d",
    "shapes-ddpm",
    "spots & dots",
]
EXACT = ["exact-digits", "exact-digits-gaussian", "exact-gaussian", "exact-points", "exact-ring"]
MODELS = TRAINED + EXACT


def test_models_stand_under_their_modality_with_their_checkpoints(models):
    assert rows(models, "group") == ["Images", "Video", "Text", "Audio", "Points", "Exact", "Can't be used"]
    assert rows(models, "model") == MODELS
    assert rows(models, "checkpoint") == ["3500 steps · final", "1500 steps", "400 steps"]
    assert item(models, "digits").data(0, SUBTITLE) == "28×28×1 · 1.10 M · Flow"
    assert item(models, "bouncing-digits").data(0, SUBTITLE).startswith("10×28×28×3 · ")
    assert item(models, "words").data(0, SUBTITLE).startswith("10 letters · ")
    assert item(models, "words").data(0, SUBTITLE).endswith(" · Masked")


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("ddpm", ["digits-ddpm", "shapes-ddpm"]),
        ("8 gauss", ["shapes-2d", "shapes-ddpm", *EXACT[1:]]),
        ("many", ["spots & dots"]),
        ("DIGITS 28", ["digits", "digits-ddpm", "bouncing-digits", "exact-digits", "exact-digits-gaussian"]),
    ],
)
def test_typing_finds_by_name_data_class_and_shape(models, qtbot, typed, found):
    qtbot.keyClicks(models.search, typed)
    assert rows(models, "model") == found
    models.search.clear()
    assert rows(models, "model") == MODELS


def test_nothing_found_says_what_to_do(models, qtbot):
    assert not models.empty.isVisible()
    qtbot.keyClicks(models.search, "nobody has this")
    assert models.empty.isVisible() and "Clear the filter" in models.empty.text()
    assert rows(models) == []


def test_a_click_chooses(models, qtbot):
    with qtbot.waitSignal(models.selected) as signal:
        press(qtbot, models, "shapes-2d")
    assert signal.args[0].card.name == "shapes-2d" and models.entry is signal.args[0]
    with qtbot.waitSignal(models.selected) as signal:
        press(qtbot, models, "400 steps")
    assert signal.args[0].card.step == 400


def test_enter_chooses_and_generates(models, qtbot):
    models.choose("digits")
    models.tree.setFocus()
    with qtbot.waitSignal(models.activated) as signal:
        qtbot.keyClick(models.tree, Qt.Key.Key_Return)
    assert signal.args[0].card.name == "digits"


def test_arrows_walk_over_models_and_not_into_headings(models, qtbot):
    models.choose("digits")
    seen = []
    for _ in range(20):
        qtbot.keyClick(models.tree, Qt.Key.Key_Down)
        seen.append(models.tree.currentItem().data(0, KIND))
    assert set(seen) == {"model", "checkpoint"} and models.entry.card.name == EXACT[-1]


def test_letters_are_left_to_the_timeline(models, qtbot):
    models.choose("digits")
    qtbot.keyClick(models.tree, Qt.Key.Key_S)
    assert models.entry.card.name == "digits"


def test_return_in_the_search_field_goes_to_the_list(models, qtbot):
    models.search.setFocus()
    qtbot.keyClick(models.search, Qt.Key.Key_Return)
    assert QApplication.focusWidget() is models.tree


def test_a_broken_file_can_not_be_chosen_and_says_why(models, qtbot):
    models.choose("digits")
    with qtbot.assertNotEmitted(models.selected):
        press(qtbot, models, "torn.safetensors")
    assert models.entry.card.name == "digits"
    assert "torn.safetensors" in item(models, "torn.safetensors").toolTip(0)


def test_what_a_file_says_of_itself_is_plain_text(models):
    assert "&lt;i>Spots&lt;/i>" in item(models, "spots & dots").toolTip(0)


def test_another_listing_keeps_the_choice_and_drops_what_is_gone(models, folder):
    models.choose("spots & dots")
    models.show_listing(default_catalog([folder]).listing)
    assert models.entry.card.name == "spots & dots"
    (folder / "spots.safetensors").unlink()
    models.show_listing(default_catalog([folder]).listing)
    assert "spots & dots" not in rows(models)


def test_choosing_an_unknown_one_changes_nothing(models):
    models.choose("digits")
    assert not models.choose("digits@77")
    assert models.entry.card.name == "digits"


def test_rows_are_painted_in_the_theme(models, qtbot):
    models.choose("digits")
    models.tree.setFocus()
    place = models.tree.visualItemRect(item(models, "digits"))

    def back():
        return models.tree.viewport().grab().toImage().pixelColor(place.right() - 3, place.center().y())

    assert back().name() == theme.DARK.accent_soft
    models.apply_theme(theme.LIGHT)
    assert back().name() == theme.LIGHT.accent_soft


def test_the_focus_is_seen(models, qtbot):
    models.choose("digits")
    place = models.tree.visualItemRect(item(models, "digits"))
    at = QPoint(place.center().x(), place.top() + 1)
    models.search.setFocus()
    without = models.tree.viewport().grab().toImage().pixelColor(at)
    models.tree.setFocus()
    assert models.tree.viewport().grab().toImage().pixelColor(at) != without


def test_the_tree_would_like_to_show_all_its_rows(models, qtbot):
    whole = models.tree.sizeHint().height()
    assert whole >= models.tree.visualItemRect(item(models, "torn.safetensors")).bottom()
    qtbot.keyClicks(models.search, "ddpm")
    assert models.tree.sizeHint().height() == whole, "typing moves nothing below"
