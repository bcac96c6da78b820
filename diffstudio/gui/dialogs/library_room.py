"""The library is over its budget: which runs may go is asked, before anything goes."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QDialogButtonBox, QListWidget, QListWidgetItem, QWidget

from diffstudio.gui.dialogs.questions import Question
from diffstudio.gui.kit.words import size, tr
from diffstudio.gui.panels.runs.panel import runs_text
from diffstudio.gui.panels.runs.words import detail_line, state_words, tip_of, title_line
from diffstudio.studio.library.run import Run


class LibraryRoom(Question):
    """Lists what would go; a run that is not ticked stays. `going` are those that are."""

    def __init__(self, parent: QWidget, plan: Sequence[Run], taken: int, budget: int) -> None:
        self._plan = list(plan)
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Runs that would be deleted"))
        self.list.setMinimumHeight(220)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)  # a long row is elided
        for run in self._plan:
            words = (size(run.bytes), state_words()[run.state], title_line(run)[:80], detail_line(run))
            item = QListWidgetItem("  ·  ".join(words))
            item.setToolTip(tip_of(run, missing=False))
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked)
            self.list.addItem(item)
        sentence = tr(
            "The runs take {}, more than the {} that the settings allow. These would be deleted for good: stopped and "
            "failed ones first, then the oldest, never one with a star. Untick what is to stay."
        ).format(size(taken), size(budget))
        super().__init__(parent, tr("Room for runs"), sentence, "", self.list)
        self.buttons.button(QDialogButtonBox.StandardButton.Cancel).setText(tr("Not now"))
        self.buttons.button(QDialogButtonBox.StandardButton.Cancel).setDefault(True)
        self.setMinimumWidth(560)
        self.list.itemChanged.connect(self._settle)
        self._settle()

    @property
    def going(self) -> list[Run]:
        """The runs that are ticked."""
        ticked = Qt.CheckState.Checked
        return [run for i, run in enumerate(self._plan) if self.list.item(i).checkState() == ticked]

    @Slot()
    def _settle(self) -> None:
        going = self.going
        yes = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        freed = size(sum(run.bytes for run in going))
        yes.setText(tr("Delete {} ({})").format(runs_text(len(going)), freed))
        yes.setEnabled(bool(going))
