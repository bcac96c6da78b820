"""The proofs of the mathematics: stored results, and running them again in a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from PySide6.QtCore import QProcess, Qt, Slot
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from diffstudio.errors import BadFile
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.widgets import label
from diffstudio.gui.kit.words import SHY, count, duration, tr
from diffstudio.resources import resource
from diffstudio.verification.stored import StoredProof, StoredRow, read

COMMAND = (sys.executable, "-m", "diffstudio.verification")


class ProofsDialog(QDialog):
    """A tree by group; a group that is run again replaces its rows when it is done."""

    def __init__(
        self, parent: QWidget | None, tokens: Tokens, file: Path | None = None, command: Sequence[str] = COMMAND
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Proofs of the mathematics"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._tokens, self._command = tokens, command
        self._proofs: dict[str, StoredProof] = {}
        self._fresh: set[str] = set()
        self.about, self.state = label("", "dim"), label("", "dim")
        self.filter = QLineEdit()
        self.filter.setPlaceholderText(tr("Filter: solver, path, scheduler…"))
        self.filter.setAccessibleName(tr("Filter"))
        self.filter.setClearButtonEnabled(True)
        self.tree = QTreeWidget()
        self.tree.setAccessibleName(tr("Proofs"))
        self.tree.setHeaderLabels([tr("Proof"), tr("Measured"), tr("Must be"), "", tr("Note")])
        self.again, self.stop, self.shut = (QPushButton(tr(t)) for t in ("Run again", "Stop", "Close"))
        self.stop.setEnabled(False)
        buttons = QHBoxLayout()
        buttons.addWidget(self.state, 1)
        for button in (self.again, self.stop, self.shut):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 12)
        for widget in (self.about, self.filter, self.tree):
            layout.addWidget(widget)
        layout.addLayout(buttons)
        self.resize(900, 600)
        for column, width in enumerate((390, 90, 110, 28)):
            self.tree.setColumnWidth(column, width)
        self._process = QProcess(self)
        self._process.readyReadStandardOutput.connect(self._on_lines)
        self._process.finished.connect(self._on_finished)
        self._process.errorOccurred.connect(self._on_finished)
        self.filter.textChanged.connect(self._filter)
        self.again.clicked.connect(self.run)
        self.stop.clicked.connect(self._on_stop)
        self.shut.clicked.connect(self.close)
        self.finished.connect(self._on_stop)
        self._load(file or resource("proofs.json"))

    def _load(self, file: Path) -> None:
        try:
            stored = read(file)
        except BadFile as error:
            self.about.setText(str(error))
            return
        versions = f" {SHY} ".join(f"{name} {version}" for name, version in stored.versions.items())
        self.about.setText(tr("Run on {} with {}").format(stored.date, versions))
        for proof in stored.proofs:
            self._show(proof)
        self._sum_up()

    # -- running

    @property
    def running(self) -> bool:
        """Whether the proofs are being run."""
        return self._process.state() != QProcess.ProcessState.NotRunning

    @Slot()
    def run(self) -> None:
        """Run the proofs beside the window."""
        self._fresh.clear()
        self._process.start(self._command[0], list(self._command[1:]))
        self.again.setEnabled(False)
        self.stop.setEnabled(True)
        self.state.setText(tr("Running…"))

    @Slot()
    def _on_stop(self) -> None:
        if self.running:
            self._process.kill()
            self._process.waitForFinished(2000)

    @Slot()
    def _on_lines(self) -> None:
        while self._process.canReadLine():
            line = bytes(self._process.readLine().data())
            try:
                proof = StoredProof.model_validate_json(line)
            except ValueError:
                continue  # what a library printed
            self._fresh.add(proof.title)
            self._show(proof)
            self.state.setText(tr("Running… {} groups done").format(count(len(self._fresh))))

    @Slot()
    def _on_finished(self) -> None:
        done = self._process.exitStatus() == QProcess.ExitStatus.NormalExit and self._process.exitCode() == 0
        self.again.setEnabled(True)
        self.stop.setEnabled(False)
        if done and self._fresh:
            self.about.setText(tr("Run on {} on this machine").format(date.today().isoformat()))
        self._sum_up()
        if not done:
            self.state.setText(tr("Ended early: {} groups are new. {}").format(len(self._fresh), self.state.text()))

    # -- what is shown

    def _show(self, proof: StoredProof) -> None:
        self._proofs[proof.title] = proof
        group = next((g for g in self._groups() if g.text(0) == proof.title), None)
        if group is None:
            group = QTreeWidgetItem([proof.title])
            self.tree.addTopLevelItem(group)
            group.setExpanded(True)
        group.takeChildren()
        held = [row for row in proof.rows if row.judged]
        group.setText(1, f"{sum(row.ok for row in held)} / {len(held)}" if held else "")
        group.setText(4, proof.skipped or duration(proof.seconds))
        for row in proof.rows:
            group.addChild(self._item(row))
        self._filter()

    def _item(self, row: StoredRow) -> QTreeWidgetItem:
        verdict = ("✓" if row.ok else "✗") if row.judged else ""
        must = f"≤ {row.expected:.4g}" if row.within is None else f"{row.expected:.4g} ± {row.within:.2g}"
        item = QTreeWidgetItem([row.name, f"{row.measured:.4g}", must, verdict, row.note])
        item.setToolTip(4, row.note)
        item.setForeground(3, QColor(self._tokens.lane_c if row.ok else self._tokens.playhead))
        return item

    def _groups(self) -> list[QTreeWidgetItem]:
        found = (self.tree.topLevelItem(i) for i in range(self.tree.topLevelItemCount()))
        return [group for group in found if group is not None]

    @Slot()
    def _filter(self) -> None:
        words = self.filter.text().casefold().split()
        for group in self._groups():
            shown = 0
            for row in filter(None, (group.child(i) for i in range(group.childCount()))):
                text = f"{group.text(0)} {row.text(0)} {row.text(4)}".casefold()
                row.setHidden(not all(word in text for word in words))
                shown += not row.isHidden()
            group.setHidden(bool(words) and not shown)

    def _sum_up(self) -> None:
        judged = [row for proof in self._proofs.values() for row in proof.rows if row.judged]
        held = sum(row.ok for row in judged)
        self.state.setText(tr("{} of {} hold").format(count(held), count(len(judged))))
