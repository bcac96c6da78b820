"""The settings dialog, generated from the declared table."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from diffstudio.gui.kit.widgets import indent, label
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
            form.addRow(label(tr(info.title)), field)
            self.fields[name] = field
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
        layout.addWidget(buttons)
        self.setMinimumWidth(420)

    @Slot()
    def _on_accept(self) -> None:
        changed = {name: _value(field) for name, field in self.fields.items()}
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
    if annotation is int:
        spin = QSpinBox()
        spin.setRange(int(low), int(high))
        spin.setValue(value)
        indent(spin)
        return spin
    if annotation is float:
        spin = QDoubleSpinBox()
        spin.setRange(low, high)
        spin.setValue(value)
        indent(spin)
        return spin
    return QLineEdit(str(value))


def _value(field: QWidget) -> Any:
    if isinstance(field, QComboBox):
        return field.currentData()
    if isinstance(field, QSpinBox | QDoubleSpinBox):
        return field.value()
    assert isinstance(field, QLineEdit)
    return field.text().strip() or "auto"
