"""The settings dialog, generated from the declared table."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from diffstudio.gui.kit.number_box import NumberBox
from diffstudio.gui.kit.widgets import Note, label
from diffstudio.gui.kit.words import tr
from diffstudio.studio.app.settings import Settings


class PreferencesDialog(QDialog):
    """Changes a copy; `applied` carries the new Settings."""

    applied = Signal(object)

    def __init__(self, settings: Settings, parent: QWidget, notes: list[str]) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Settings"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._settings = settings
        self.fields: dict[str, QWidget] = {}
        form = QFormLayout()
        for name, info in Settings.model_fields.items():
            if info.title is None:
                continue
            field = _field(info.annotation, info.metadata, getattr(settings, name))
            field.setToolTip(tr(info.description or ""))
            field.setAccessibleName(tr(info.title))
            heading = label(tr(info.title))
            heading.setBuddy(field)
            form.addRow(heading, field)
            self.fields[name] = field
            if isinstance(field, NumberBox):
                field.mistakeChanged.connect(self._say)
        self.note = Note("wrong")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self._on_accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 12)
        layout.addLayout(form)
        for note in notes:
            line = label(note, "dim")
            line.setWordWrap(True)
            line.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            layout.addWidget(line)
        layout.addWidget(self.note)
        layout.addWidget(buttons)
        self.setMinimumWidth(420)

    @property
    def mistake(self) -> str:
        """Why what is typed can't be used, "" if it can."""
        return next((f.mistake for f in self.fields.values() if isinstance(f, NumberBox) and f.mistake), "")

    @Slot()
    def _say(self) -> None:
        self.note.setText(self.mistake)

    @Slot()
    def _on_accept(self) -> None:
        for field in self.fields.values():
            if isinstance(field, NumberBox):
                field.commit()  # typed a moment ago
        if self.mistake:
            return
        infos = Settings.model_fields
        changed = {name: _value(field, infos[name].default) for name, field in self.fields.items()}
        self.applied.emit(self._settings.model_copy(update=changed))
        self.accept()


def _field(annotation: Any, bounds: list[Any], value: Any) -> QWidget:
    """The widget for a field, by its type."""
    if get_origin(annotation) is Literal:
        combo = QComboBox()
        for choice in get_args(annotation):
            combo.addItem(tr(str(choice).capitalize()), choice)
        combo.setCurrentIndex(combo.findData(value))
        return combo
    low = next((b.ge for b in bounds if hasattr(b, "ge")), 0)
    high = next((b.le for b in bounds if hasattr(b, "le")), 10**6)
    if annotation in (int, float):
        box = NumberBox(low, high, decimals=0 if annotation is int else 2)
        box.set_value(value)
        return box
    edit = QLineEdit(str(value))
    edit.setMaxLength(next((b.max_length for b in bounds if hasattr(b, "max_length")), 32767))
    return edit


def _value(field: QWidget, default: Any) -> Any:
    if isinstance(field, QComboBox):
        return field.currentData()
    if isinstance(field, NumberBox):
        return field.value()
    assert isinstance(field, QLineEdit)
    return field.text().strip() or default
