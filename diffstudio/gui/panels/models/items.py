"""The rows of the picker: what stands in them, and what they are found by."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QTreeWidgetItem

from diffstudio.checkpoints.listing import Entry, Model
from diffstudio.gui.kit.words import count, parameters, shape_text, tr
from diffstudio.gui.panels.models.facts import about, short_path, step_text, tip
from diffstudio.gui.panels.models.row import HEIGHTS, KIND, PICTURE, STARRED, SUBTITLE

ENTRY = Qt.ItemDataRole.UserRole
MANY = 5  # checkpoints of a model that are shown; the older ones when they are asked for
MORE = "more"  # the kind of the row that asks
MOST_FOUND = 200  # checkpoints of a model by whose files it is found


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
            parts += [word for entry in self.model.entries[-MOST_FOUND:] for word in (entry.path.name, entry.variant)]
            parts += [str(self.model.default.path.absolute().parent)]
            self._words = " ".join(parts).casefold()
        return self._words

    def _fill(self) -> None:
        model, item, card = self.model, self.item, self.model.card
        item.setText(0, model.name)
        item.setData(0, KIND, "model")
        item.setData(0, ENTRY, model.default)
        weights = [parameters(card.parameters)] if card.parameters else []  # an exact model has none to learn
        subtitle = " · ".join([shape_text(card.shape), *weights, tr(card.noising)])
        item.setData(0, SUBTITLE, subtitle)
        item.setData(0, PICTURE, model.thumbnail)
        # What nothing was trained for needs a word of what it is.
        described = [card.description] if card.group == "exact" and card.description else []
        title = [card.title] if card.title and card.title != model.name else []
        said = [model.name, *title, subtitle, *described, *card.notes, *about(model.default)]
        item.setToolTip(0, tip("\n".join(said)))
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
    item.setToolTip(0, tip(title))
    return item


def problem_item(entry: Entry) -> QTreeWidgetItem:
    """A file that can't be used, and why."""
    item = QTreeWidgetItem([entry.path.name])
    item.setData(0, KIND, "problem")
    item.setData(0, ENTRY, entry)
    item.setFlags(Qt.ItemFlag.ItemIsEnabled)
    item.setToolTip(0, tip(f"{entry.problem or ''}\n{short_path(entry.path)}"))
    return item


def checkpoint_tip(entry: Entry, is_default: bool) -> str:
    """What the row of a checkpoint says when it is pointed at; there are many rows, and few are."""
    last = [tr("What the bare name of the model means.")] if is_default else []
    return tip("\n".join([step_text(entry, is_default), entry.spec, *last, *about(entry)]))


def _checkpoint(entry: Entry, is_default: bool) -> QTreeWidgetItem:
    item = QTreeWidgetItem([step_text(entry, is_default)])
    item.setData(0, KIND, "checkpoint")
    item.setData(0, ENTRY, entry)
    return item


def _same(first: Sequence[Entry], second: Sequence[Entry]) -> bool:
    return len(first) == len(second) and all(a is b for a, b in zip(first, second, strict=True))
