"""What the user says of runs: a name, tags, a note."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from diffstudio.gui.kit.widgets import label
from diffstudio.gui.kit.words import count, tr
from diffstudio.studio.library.library import MAX_NAME, MAX_NOTE, MAX_TAG
from diffstudio.studio.library.run import Run


class RunDetails(QDialog):
    """Of one run all three; of several the tags that all of them get. `saved` carries name, tags, note."""

    saved = Signal(str, object, str)

    def __init__(self, runs: Sequence[Run], parent: QWidget, at: str = "name") -> None:
        """at: the field that the keyboard begins in, "name" or "note"."""
        super().__init__(parent)
        self.setWindowTitle(tr("Name, tags and note") if len(runs) == 1 else tr("Tags"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        only = runs[0] if len(runs) == 1 else None
        self.name, self.tags, self.note = QLineEdit(), QLineEdit(), QPlainTextEdit()
        self.name.setMaxLength(MAX_NAME)
        self.tags.setMaxLength(40 * MAX_TAG)
        self.note.setTabChangesFocus(True)
        self.note.setMinimumHeight(110)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.accepted.connect(self._on_save)
        self.buttons.rejected.connect(self.reject)
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        rows: list[tuple[str, QWidget]] = [(tr("Tags"), self.tags)]
        self.tags.setPlaceholderText(tr("words, with spaces between"))
        if only is not None:
            self.name.setText(only.name)
            self.name.setPlaceholderText(only.checkpoint or only.model)
            self.tags.setText(" ".join(only.tags))
            self.note.setPlainText(only.note)
            rows = [(tr("Name"), self.name), *rows, (tr("Note"), self.note)]
        for title, field in rows:
            field.setAccessibleName(title)
            form.addRow(label(title, "dim"), field)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 12)
        layout.setSpacing(10)
        if only is None:
            layout.addWidget(label(tr("All {} runs get these tags.").format(count(len(runs)))))
        layout.addLayout(form)
        layout.addWidget(self.buttons)
        self.setMinimumWidth(400)
        first = self.tags if only is None else self.note if at == "note" else self.name
        first.setFocus()
        if isinstance(first, QLineEdit):
            first.selectAll()

    @Slot()
    def _on_save(self) -> None:
        self.saved.emit(self.name.text(), self.tags.text().split(), self.note.toPlainText()[:MAX_NOTE])
        self.accept()
