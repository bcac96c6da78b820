"""The line above the canvas that says whose run it is, and a mark where the sampling panel says something else."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QSizePolicy, QWidget

from diffstudio.gui.kit.widgets import ElidedLabel
from diffstudio.gui.kit.words import count, tr


class RunBar(QWidget):
    """Nothing is shown without a run."""

    useWanted = Signal()  # the run's settings are to be those of the panel
    differencesWanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(tr("The run that is shown"))
        self.name = ElidedLabel("", "dim")
        self.mark = QPushButton()
        self.mark.setProperty("chip", True)
        self.mark.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.mark.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        menu = QMenu(self.mark)
        self.use = menu.addAction(tr("Use its settings"))
        self.show_differences = menu.addAction(tr("Show what differs…"))
        self.mark.setMenu(menu)
        line = QHBoxLayout(self)
        line.setContentsMargins(12, 4, 12, 0)
        line.setSpacing(8)
        line.addWidget(self.name, 1)
        line.addWidget(self.mark)
        self.use.triggered.connect(self._on_use)
        self.show_differences.triggered.connect(self._on_differences)
        self.show_run("", "")

    def show_run(self, line: str, more: str) -> None:
        """Another run, "" none; more: what else there is to be told of it."""
        self.name.setText(line)
        self.name.setToolTip("\n".join(filter(None, (line, more))))
        self.name.setAccessibleName(line)
        self.setVisible(bool(line))

    def show_difference(self, fields: int) -> None:
        """In how many fields the panel says something else than the run was made with."""
        self.mark.setVisible(fields > 0)
        word = tr("the panel differs in 1 setting") if fields == 1 else tr("the panel differs in {} settings")
        self.mark.setText(word.format(count(fields)))
        self.mark.setToolTip(tr("What the sampling panel says now is not what this run was made with."))

    @Slot()
    def _on_use(self) -> None:
        self.useWanted.emit()

    @Slot()
    def _on_differences(self) -> None:
        self.differencesWanted.emit()
