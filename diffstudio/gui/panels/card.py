"""The card of the chosen checkpoint, in plain words."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QMenu, QVBoxLayout, QWidget

from diffstudio import options
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.listing import Entry
from diffstudio.gui.widgets import ContentScroll, label
from diffstudio.gui.words import count, number, parameters, shape_text, size, tr


class CardPanel(QWidget):
    """What a checkpoint is, was trained on, and how well it was judged."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entry: Entry | None = None
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
        scroll = ContentScroll(body)
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
        for i, text in enumerate(describe(entry.card, entry.size)):
            line = label(text, "" if i == 0 else "dim")
            line.setWordWrap(True)
            line.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            line.setMinimumWidth(10)
            self._lines.addWidget(line)

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
        for title, text in ((tr("Copy path"), str(self._entry.path)), (tr("Copy sha256"), self._entry.card.sha256)):
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
    out = [card.description or card.title or card.name, *_origin(card)]
    network = options.NETWORKS[card.network].label
    weights = [parameters(card.parameters)] if card.parameters else []
    out.append(" · ".join([network, *weights, shape_text(card.shape), size(file_bytes)]))
    if card.labels:
        out.append(tr("Classes: {}").format(", ".join(card.labels[:20]) + (" …" if len(card.labels) > 20 else "")))
    for name, value in list(card.measures.items())[:6]:
        out.append(f"{name.replace('_', ' ')}: {number(value, 3)}")
    if card.data.title:
        out.append(tr("Data: {}").format(f"{card.data.title}, {card.data.licence}".rstrip(", ")))
    if card.data.credit:
        out.append(card.data.credit)
    if card.licence:
        out.append(tr("Weights: {}").format(card.licence))
    if card.sha256:
        out.append(f"sha256 {card.sha256[:4]} {card.sha256[4:8]} … {card.sha256[-4:]}")
    return out


def _origin(card: Card) -> list[str]:
    """How it came to know what it knows: by training, or because it is the truth itself."""
    path = options.PATHS[card.path.name].label
    if card.group == "exact":
        return [tr("Exact x̂0 on the {} path, nothing was trained").format(path)]
    trained = tr("Trained {} steps").format(count(card.step))
    if card.ema:
        trained += f" · EMA {number(card.ema, 3)}"
    if card.loss is not None:
        trained += " · " + tr("loss {}").format(number(card.loss, 4))
    prediction = options.PREDICTIONS[card.prediction].label
    return [tr("Predicts {} on the {} path").format(prediction, path), trained]
