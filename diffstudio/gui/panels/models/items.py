"""The rows of the picker: what stands in them, and what they are found by."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QTreeWidgetItem

from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.listing import Entry, Model
from diffstudio.gui.kit.words import count, parameters, shape_text, tr
from diffstudio.gui.panels.models.row import HEIGHTS, KIND, PICTURE, STARRED, SUBTITLE

ENTRY = Qt.ItemDataRole.UserRole
MANY = 5  # checkpoints of a model that are shown; the older ones when they are asked for
MORE = "more"  # the kind of the row that asks


class ModelRows:
    """A model's row with those of its checkpoints under it, the newest on top."""

    def __init__(self, model: Model) -> None:
        self.item = QTreeWidgetItem()
        self.children: list[QTreeWidgetItem] = []
        self.model = model
        self.unfolded = False
        self._starred = False
        self._words = ""
        self._fill()

    def update(self, model: Model, starred: bool, unfolded: bool) -> bool:
        """Show what has changed; whether the rows are others than before."""
        same = _same(model.entries, self.model.entries) and unfolded == self.unfolded
        if starred != self._starred:
            self._starred = starred
            self.item.setData(0, STARRED, starred)
        if not same:
            self.model, self.unfolded, self._words = model, unfolded, ""
            self.item.takeChildren()
            self._fill()
        return not same

    @property
    def height(self) -> int:
        """In pixels, of all its rows."""
        return HEIGHTS["model"] + len(self.children) * HEIGHTS["checkpoint"]

    @property
    def words(self) -> str:
        """What it is found by."""
        if not self._words:
            card = self.model.card
            parts = [self.item.text(0), str(self.item.data(0, SUBTITLE) or ""), card.title, card.description]
            parts += [card.data.title, card.network, card.prediction, *card.labels[:200]]
            self._words = " ".join(parts).casefold()
        return self._words

    def _fill(self) -> None:
        model, item, card = self.model, self.item, self.model.card
        item.setText(0, card.name)
        item.setData(0, KIND, "model")
        item.setData(0, ENTRY, model.default)
        weights = [parameters(card.parameters)] if card.parameters else []  # an exact model has none to learn
        subtitle = " · ".join([shape_text(card.shape), *weights, tr(card.noising)])
        item.setData(0, SUBTITLE, subtitle)
        item.setData(0, PICTURE, model.thumbnail)
        # What nothing was trained for needs a word of what it is.
        about = f"\n{card.description}" if card.group == "exact" else ""
        item.setToolTip(0, _plain(f"{card.title or card.name}\n{subtitle}{about}"))
        entries = model.entries[::-1] if len(model.entries) > 1 else ()
        hidden = 0 if self.unfolded or len(entries) <= MANY + 1 else len(entries) - MANY
        self.children = [_checkpoint(entry, entry is model.default) for entry in entries[: len(entries) - hidden]]
        if hidden:
            more = QTreeWidgetItem([tr("{} older…").format(count(hidden))])
            more.setData(0, KIND, MORE)
            more.setToolTip(0, tr("Show all checkpoints of this model."))
            self.children.append(more)
        item.addChildren(self.children)


def group_item(title: str) -> QTreeWidgetItem:
    """A heading."""
    item = QTreeWidgetItem([title])
    item.setData(0, KIND, "group")
    item.setFlags(Qt.ItemFlag.ItemIsEnabled)
    return item


def problem_item(entry: Entry) -> QTreeWidgetItem:
    """A file that can't be used, and why."""
    item = QTreeWidgetItem([entry.path.name])
    item.setData(0, KIND, "problem")
    item.setData(0, ENTRY, entry)
    item.setFlags(Qt.ItemFlag.ItemIsEnabled)
    item.setToolTip(0, _plain(entry.problem or ""))
    return item


def _checkpoint(entry: Entry, is_default: bool) -> QTreeWidgetItem:
    assert entry.card is not None
    item = QTreeWidgetItem([_checkpoint_title(entry.card, is_default)])
    item.setData(0, KIND, "checkpoint")
    item.setData(0, ENTRY, entry)
    return item


def _checkpoint_title(card: Card, is_default: bool) -> str:
    if is_default and not card.step:
        return tr("final")  # other tools do not number their last one
    steps = tr("{} steps").format(count(card.step))
    return f"{steps} · {tr('final')}" if is_default else steps


def _same(first: Sequence[Entry], second: Sequence[Entry]) -> bool:
    return len(first) == len(second) and all(a is b for a, b in zip(first, second, strict=True))


def _plain(text: str) -> str:
    """A tooltip guesses at rich text: what a file says of itself is escaped."""
    return "<qt>" + text.replace("&", "&amp;").replace("<", "&lt;").replace("\n", "<br>") + "</qt>"
