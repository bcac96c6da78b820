"""The card of the chosen checkpoint, in plain words."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QMenu, QVBoxLayout, QWidget

from diffstudio import options
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.listing import Entry
from diffstudio.gui.kit.widgets import label
from diffstudio.gui.kit.words import count, number, parameters, shape_text, size, tr
from diffstudio.gui.panels.models.facts import file_text, folder_text, format_text, hash_text, tip
from diffstudio.gui.panels.models.path_note import PathNote
from diffstudio.gui.panels.whole_lines import WholeLines


class CardPanel(QWidget):
    """What a checkpoint is, was trained on, and how well it was judged."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entry: Entry | None = None
        self._hash: QLabel | None = None
        self._digest = ""
        self._lines = QVBoxLayout()
        self._lines.setSpacing(3)
        body = QWidget()
        inner = QVBoxLayout(body)
        inner.setContentsMargins(0, 0, 4, 0)
        inner.addLayout(self._lines)
        inner.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 4, 6, 8)
        layout.setSpacing(6)
        layout.addWidget(label(tr("CARD"), "heading"))
        scroll = WholeLines(body)
        scroll.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        scroll.setProperty("framed", True)
        scroll.setAccessibleName(tr("Card of the checkpoint"))
        layout.addWidget(scroll, 1)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._menu)

    def show_entry(self, entry: Entry) -> None:
        """Show another checkpoint."""
        self._entry = entry
        while (item := self._lines.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        if entry.card is None:
            return
        self._hash, self._digest = None, entry.sha256
        for i, text in enumerate(describe(entry.card, entry.size)):
            self._add(text, "" if i == 0 else "dim")
            if i == len(entry.card.notes):  # what it is, and what is to be known of that
                self._add_files(entry)
        if entry.hashed and not entry.card.sha256:
            self._hash = self._add(hash_text(entry.hashed), "dim")

    def set_hash(self, entry: Entry, digest: str, share: float | None, of: str = "") -> None:
        """The sha256 of the weights of the checkpoint that is shown.

        share: how much of them is read, None: they can't be read. of: what was read, "" for its file.
        """
        if entry is not self._entry:
            return
        self._digest = digest
        if digest:
            text = hash_text(digest) + (f" ({of})" if of else "")
        elif share is None:
            text = tr("sha256 unknown: the file can't be read")
        else:
            text = tr("sha256: reading the file…") + (f" {number(100 * share, 0)} %" if share else "")
        if self._hash is None:
            self._hash = self._add(text, "dim")
        self._hash.setText(text)

    def _add_files(self, entry: Entry) -> None:
        """Where it lies: paths are as long as they like."""
        for text in (file_text(entry), folder_text(entry)):
            line = PathNote(text, "dim")
            line.setToolTip(tip(str(entry.path)))
            self._lines.addWidget(line)
        self._add(format_text(entry), "dim")

    def _add(self, text: str, role: str) -> QLabel:
        line = label(text, role)
        line.setWordWrap(True)
        line.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        line.setMinimumWidth(10)
        self._lines.addWidget(line)
        return line

    def lines(self) -> list[str]:
        """What is shown, line by line."""
        widgets = [self._lines.itemAt(i).widget() for i in range(self._lines.count())]  # pyright: ignore
        return [w.text() for w in widgets if isinstance(w, QLabel)]

    @Slot(QPoint)
    def _menu(self, at: QPoint) -> None:
        if self._entry is None or self._entry.card is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for title, text in ((tr("Copy path"), str(self._entry.path)), (tr("Copy sha256"), self._digest)):
            action = menu.addAction(title)
            action.setData(text)
            action.setEnabled(bool(text))
            action.triggered.connect(self._on_copy)
        menu.popup(self.mapToGlobal(at))

    @Slot()
    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self.sender().data())  # pyright: ignore[reportAttributeAccessIssue]


def describe(card: Card, file_bytes: int) -> list[str]:
    """A card in sentences of a line or two."""
    out = [card.description or card.title or card.name, *(_sentence(note) for note in card.notes), *_origin(card)]
    network = options.NETWORKS[card.network].label
    weights = [parameters(card.parameters)] if card.parameters else []
    dtype = [card.dtype] if card.dtype else []
    out.append(" · ".join([network, *weights, *dtype, shape_text(card.shape), size(file_bytes)]))
    if card.labels:
        out.append(tr("Classes: {}").format(", ".join(card.labels[:20]) + (" …" if len(card.labels) > 20 else "")))
    if card.prompts:
        out.append(tr("Draws what a prompt says, of at most {} tokens").format(count(card.prompts.tokens)))
    for name, value in list(card.measures.items())[:6]:
        out.append(f"{name.replace('_', ' ')}: {number(value, 3)}")
    if card.data.title:
        out.append(tr("Data: {}").format(f"{card.data.title}, {card.data.licence}".rstrip(", ")))
    if card.data.credit:
        out.append(card.data.credit)
    if card.licence:
        out.append(tr("Weights: {}").format(card.licence))
    if card.sha256:
        out.append(hash_text(card.sha256))
    unknown = _unknown(card)
    if unknown:
        out.append(tr("Unknown: {}").format(", ".join(unknown)))
    return out


def _sentence(note: str) -> str:
    return f"{note[:1].upper()}{note[1:]}."


def _unknown(card: Card) -> list[str]:
    """What the file does not say."""
    trained = card.group != "exact"
    said = {
        tr("training data"): card.data.title or not trained,
        tr("training steps"): card.step or not trained,
        tr("number of parameters"): card.parameters or not trained,
        tr("dtype"): card.dtype or not trained,
        tr("licence"): card.licence,
    }
    return [name for name, value in said.items() if not value]


def _origin(card: Card) -> list[str]:
    """How it came to know what it knows: by training, or because it is the truth itself."""
    path = tr(card.noising)
    if card.group == "exact":
        return [tr("Exact x̂0 on the {} path, nothing was trained").format(path)]
    facts = [tr("Trained {} steps").format(count(card.step))] if card.step else []
    if card.ema:
        facts.append(f"EMA {number(card.ema, 3)}")
    if card.loss is not None:
        facts.append(tr("loss {}").format(number(card.loss, 4)))
    prediction = options.PREDICTIONS[card.prediction].label
    way = tr("Predicts {} of the {} process") if card.discrete else tr("Predicts {} on the {} path")
    trained = [" · ".join(facts)] if facts else []
    return [way.format(prediction, path.lower() if card.discrete else path), *trained]
