"""The card in words."""

import pytest
from PySide6.QtCore import QLocale, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QMenu

from diffstudio.checkpoints.listing import Entry
from diffstudio.gui.panels.models.card import CardPanel, describe
from diffstudio.gui.panels.whole_lines import WholeLines


@pytest.fixture
def card(shown, catalog):
    QLocale.setDefault(QLocale.c())
    panel = shown(CardPanel(), 240, 400)
    panel.show_entry(catalog.find("digits"))
    return panel


def test_it_says_what_the_model_is_and_was_trained_on(card, catalog):
    text = "\n".join(card.lines())
    known = catalog.find("digits").card
    for part in (
        known.description, "Predicts velocity on the Flow path", "Trained 3500 steps", "EMA 0.998", "U-Net · 1.10 M",
        "Classes: 0, 1, 2", "Data: UCI handwritten digits, CC BY 4.0", "Weights: Apache-2.0", known.sha256[:4],
    ):  # fmt: skip
        assert part in text


def test_an_exact_model_does_not_speak_of_training(catalog):
    text = "\n".join(describe(catalog.find("exact-digits").card, 1000))
    assert "Exact x̂0 on the Flow path, nothing was trained" in text
    assert "steps" not in text and "Predicts" not in text


def test_another_checkpoint_replaces_it(card, catalog):
    before = card.lines()
    card.show_entry(catalog.find("shapes-2d"))
    assert card.lines() != before and "spiral" in "\n".join(card.lines())


def test_text_of_a_file_is_plain_text(card, catalog):
    bold = catalog.find("digits").card.model_copy(update={"description": "<h1>Big</h1> <img src='x.png'>"})
    card.show_entry(Entry(catalog.find("digits").path, bold, 10, "bundled"))
    assert card.lines()[0] == "<h1>Big</h1> <img src='x.png'>"
    for line in card.findChildren(QLabel):
        assert line.textFormat() == Qt.TextFormat.PlainText


def test_what_a_card_does_not_say_is_said_to_be_unknown(catalog):
    bare = catalog.find("shapes-2d").card
    bare = bare.model_copy(
        update={"description": "", "title": "", "labels": (), "measures": {}, "ema": 0.0, "loss": None, "sha256": "",
                "licence": "", "data": bare.data.model_copy(update={"title": "", "credit": ""})}
    )  # fmt: skip
    lines = describe(bare, 2048)
    assert lines[0] == "shapes-2d" and len(lines) == 5
    assert lines[-1] == "Unknown: training data, licence"
    assert not any(word in " ".join(lines) for word in ("Classes", "Data", "EMA", "loss", "sha256"))


def test_many_classes_are_cut(catalog):
    many = catalog.find("digits").card.model_copy(update={"labels": tuple(f"c{i}" for i in range(500))})
    (line,) = [line for line in describe(many, 1) if line.startswith("Classes")]
    assert line.endswith("c19 …")


def test_path_and_hash_can_be_copied(card, catalog):
    card.customContextMenuRequested.emit(card.rect().center())
    (menu,) = card.findChildren(QMenu)
    entry = catalog.find("digits")
    for action, text in zip(menu.actions(), (str(entry.path), entry.card.sha256), strict=True):
        action.trigger()
        assert QGuiApplication.clipboard().text() == text
    menu.close()


def test_of_other_tools_files_more_is_unknown(catalog):
    known = catalog.find("shapes-2d").card
    foreign = known.model_copy(
        update={"format": "bare", "step": 0, "ema": 0.0, "loss": None, "parameters": 0, "licence": "", "sha256": "",
                "dtype": "", "data": known.data.model_copy(update={"title": "", "credit": ""})}
    )  # fmt: skip
    text = "\n".join(describe(foreign, 2048))
    assert "Unknown: training data, training steps, number of parameters, dtype, licence" in text
    assert "Trained" not in text
    assert " · F16 · " in "\n".join(describe(known, 2048))
    assert "F16" in "\n".join(describe(foreign.model_copy(update={"dtype": "F16"}), 2048))


def test_nothing_is_unknown_of_what_was_not_trained(catalog):
    assert not any(line.startswith("Unknown") for line in describe(catalog.find("exact-ring").card, 100))


def test_the_hash_of_a_file_follows_when_it_is_known(card, catalog):
    entry = catalog.find("shapes-2d")
    bare = Entry(entry.path, entry.card.model_copy(update={"sha256": ""}), 10, "user")
    card.show_entry(bare)
    before = card.lines()
    card.set_hash(bare, "", 0.0)
    assert card.lines() == [*before, "sha256: reading the file…"]
    card.set_hash(bare, "", 0.5)
    assert card.lines() == [*before, "sha256: reading the file… 50 %"]
    card.set_hash(bare, "12345678" + "0" * 52 + "abcd", 1.0, "unet.safetensors")
    assert card.lines() == [*before, "sha256 1234 5678 … abcd (unet.safetensors)"]
    card.customContextMenuRequested.emit(card.rect().center())
    (menu,) = card.findChildren(QMenu)
    menu.actions()[1].trigger()
    assert QGuiApplication.clipboard().text() == "12345678" + "0" * 52 + "abcd"
    menu.close()
    card.set_hash(bare, "", None)
    assert card.lines()[-1] == "sha256 unknown: the file can't be read"


def test_the_hash_of_another_file_is_not_shown(card, catalog):
    before = card.lines()
    entry = catalog.find("shapes-2d")
    card.set_hash(Entry(entry.path, entry.card, 10, "user"), "a" * 64, 1.0)
    assert card.lines() == before


def test_no_line_is_cut_through_at_any_height(card, qtbot):
    scroll = card.findChild(WholeLines)

    def whole(height):
        assert card.height() == height
        view = scroll.viewport().height()
        for line in scroll.findChildren(QLabel):
            step = line.fontMetrics().lineSpacing()
            for top in range(line.y(), line.y() + line.height() - step + 1, step):
                assert not top < view < top + step - 1, f"'{line.text()[:20]}' at {height}"

    for height in range(120, 240, 7):
        card.resize(240, height)
        qtbot.waitUntil(lambda height=height: whole(height))  # the page follows in the next turn of the events
