"""The class that is drawn: chips where the classes are few and short, a list where they are many or long."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QButtonGroup, QPushButton, QVBoxLayout, QWidget

from diffstudio.gui.kit.widgets import FlowLayout
from diffstudio.gui.kit.words import tr
from diffstudio.gui.panels.fields import Combo


class LabelField(QWidget):
    """The class: chips where they need two lines or so, else a list. None is "any", "each" the classes in turn."""

    changed = Signal()
    CHIPS, LETTERS = 16, 40  # classes, and letters of all their names
    ANY, EACH = -2, -3  # ids; QButtonGroup takes -1 for "give me a number"

    def __init__(self) -> None:
        super().__init__()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 2, 0, 2)  # the first line of chips stands level with its heading
        self._inner: QWidget | None = None
        self._group: QButtonGroup | None = None
        self._combo: Combo | None = None
        self._labels: tuple[str, ...] = ()

    def set_labels(self, labels: tuple[str, ...]) -> None:
        """Offer other classes; "any" is chosen."""
        if labels == self._labels and self._inner is not None:
            return
        self._labels = labels
        if self._inner is not None:
            self._layout.removeWidget(self._inner)
            self._inner.hide()
            self._inner.deleteLater()
        self._inner, self._group, self._combo = QWidget(), None, None
        rows = [
            (self.ANY, tr("any"), tr("The model without its condition.")),
            (self.EACH, tr("each"), tr("The classes in turn, one for each sample.")),
            *((i, name, tr("Draw class {}.").format(name)) for i, name in enumerate(labels)),
        ]
        if len(labels) <= self.CHIPS and sum(map(len, labels)) <= self.LETTERS:
            self._make_chips(self._inner, rows)
        else:
            box = QVBoxLayout(self._inner)
            box.setContentsMargins(0, 0, 0, 0)
            self._combo = Combo([(str(i), name, tip) for i, name, tip in rows])
            self._combo.setAccessibleName(tr("Class"))
            self._combo.changed.connect(self.changed)
            box.addWidget(self._combo)
        self._layout.addWidget(self._inner)

    def value(self) -> int | str | None:
        """Index of the class, "each", or None for any."""
        if self._group is not None:
            checked = self._group.checkedId()
        elif self._combo is not None:
            checked = int(self._combo.value())
        else:
            return None
        return checked if checked >= 0 else "each" if checked == self.EACH else None

    def set_value(self, label: int | str | None) -> None:
        """Choose a class."""
        wanted = self.ANY if label is None else label if isinstance(label, int) else self.EACH
        if self._combo is not None:
            self._combo.set_value(str(wanted))
        elif self._group is not None and self._group.button(wanted) is not None:
            self._group.button(wanted).setChecked(True)

    def controls(self) -> list[QWidget]:
        """What Tab goes through, in its order."""
        if self._group is not None:
            return list(self._group.buttons())
        return [self._combo] if self._combo is not None else []

    def _make_chips(self, parent: QWidget, rows: list[tuple[int, str, str]]) -> None:
        flow = FlowLayout(parent, 3)
        self._group = QButtonGroup(parent)
        for index, name, tip in rows:
            chip = QPushButton(name.replace("&", "&&"))
            chip.setCheckable(True)
            chip.setProperty("chip", True)
            chip.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # after a click the keys still belong to the timeline
            chip.setAccessibleName(tr("Class {}").format(name))
            chip.setToolTip(tip)
            self._group.addButton(chip, index)
            flow.addWidget(chip)
        self._group.button(self.ANY).setChecked(True)
        self._group.idToggled.connect(self._on_toggled)

    @Slot(int, bool)
    def _on_toggled(self, index: int, checked: bool) -> None:
        if checked:
            self.changed.emit()
