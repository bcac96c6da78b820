"""Saved settings: the name under which they are kept, and the page on which they are used, renamed and deleted."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from diffstudio.gui.kit.widgets import Note, label
from diffstudio.gui.kit.words import tr

LONGEST = 60  # characters of a name


class PresetName(QDialog):
    """Asks for a name; one that is taken is replaced knowingly, or (renaming) refused. `wanted` carries it."""

    wanted = Signal(str)

    def __init__(self, parent: QWidget, taken: Mapping[str, str], model: str, renamed: str = "") -> None:
        """taken: names and the models that they are for. model: what is saved is for. renamed: the name until now."""
        super().__init__(parent)
        self.setWindowTitle(tr("Rename preset") if renamed else tr("Save as preset"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._taken, self._renamed = taken, renamed
        self.name = QLineEdit(renamed)
        self.name.setMaxLength(LONGEST)
        self.name.setAccessibleName(tr("Name of the preset"))
        self.name.selectAll()
        self.note = Note("dim")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.accepted.connect(self._on_save)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 12)
        layout.setSpacing(10)
        layout.addWidget(label(tr("These settings are for {}.").format(model)))
        layout.addWidget(self.name)
        layout.addWidget(self.note)
        layout.addWidget(self.buttons)
        self.setMinimumWidth(360)
        self.name.textChanged.connect(self._settle)
        self._settle()

    @Slot()
    def _settle(self) -> None:
        """Say what will become of a preset that has the name already."""
        name = self.name.text().strip()
        taken = name in self._taken and name != self._renamed
        save = self.buttons.button(QDialogButtonBox.StandardButton.Save)
        save.setText(tr("Rename") if self._renamed else tr("Replace") if taken else tr("Save"))
        save.setEnabled(bool(name) and not (taken and self._renamed))
        if taken and self._renamed:
            self.note.setText(
                tr("There is a preset of that name, for {}: choose another name.").format(self._taken[name])
            )
        elif taken:
            self.note.setText(tr("Replaces the preset of that name, which is for {}.").format(self._taken[name]))
        else:
            self.note.setText("")

    @Slot()
    def _on_save(self) -> None:
        if self.buttons.button(QDialogButtonBox.StandardButton.Save).isEnabled():
            self.accept()
            self.wanted.emit(self.name.text().strip())


class PresetsDialog(QDialog):
    """Lists them with their models. Who hears the signals changes them and calls `show_presets`."""

    used = Signal(str)
    renameWanted = Signal(str)
    deleted = Signal(str)
    undoWanted = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Presets"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.list = QTreeWidget()
        self.list.setHeaderLabels([tr("Name"), tr("Model")])
        self.list.setRootIsDecorated(False)
        self.list.setProperty("table", True)
        self.list.setAccessibleName(tr("Presets"))
        self.empty = Note("dim")
        self.empty.setText(tr("None yet: “Save as preset…” keeps the settings of the panel under a name."))
        self.use, self.rename = QPushButton(tr("Use")), QPushButton(tr("Rename…"))
        self.delete, self.undo = QPushButton(tr("Delete")), QPushButton(tr("Undo"))
        shut = QPushButton(tr("Close"))
        self.use.setDefault(True)
        line = QHBoxLayout()
        for button in (self.use, self.rename, self.delete, self.undo):
            line.addWidget(button)
        line.addStretch(1)
        line.addWidget(shut)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 12)
        layout.setSpacing(10)
        layout.addWidget(self.empty)
        layout.addWidget(self.list, 1)
        layout.addLayout(line)
        self.resize(460, 340)
        self.list.currentItemChanged.connect(self._settle)
        self.list.itemActivated.connect(self._on_use)
        self.use.clicked.connect(self._on_use)
        self.rename.clicked.connect(self._on_rename)
        self.delete.clicked.connect(self._on_delete)
        self.undo.clicked.connect(self.undoWanted)
        shut.clicked.connect(self.close)

    def show_presets(self, presets: Mapping[str, str], can_undo: bool) -> None:
        """presets: names and the models that they are for; the selection stays near where it was."""
        chosen = self.list.currentItem()
        at = self.list.indexOfTopLevelItem(chosen) if chosen is not None else 0
        self.list.clear()
        items = [QTreeWidgetItem([name, model]) for name, model in presets.items()]
        self.list.addTopLevelItems(items)
        self.list.resizeColumnToContents(0)
        if items:
            self.list.setCurrentItem(items[min(at, len(items) - 1)])
        self.empty.setVisible(not presets)
        self.undo.setEnabled(can_undo)
        self._settle()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete:
            self._on_delete()
        elif event.key() == Qt.Key.Key_F2:
            self._on_rename()
        else:
            super().keyPressEvent(event)

    @property
    def chosen(self) -> str:
        """The name that is selected, "" for none."""
        item = self.list.currentItem()
        return item.text(0) if item is not None else ""

    @Slot()
    def _settle(self) -> None:
        for button in (self.use, self.rename, self.delete):
            button.setEnabled(bool(self.chosen))

    @Slot()
    def _on_use(self) -> None:
        if self.chosen:
            self.used.emit(self.chosen)
            self.close()

    @Slot()
    def _on_rename(self) -> None:
        if self.chosen:
            self.renameWanted.emit(self.chosen)

    @Slot()
    def _on_delete(self) -> None:
        if self.chosen:
            self.deleted.emit(self.chosen)
