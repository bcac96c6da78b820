"""What bare weights don't tell is asked: the rest of the card that is written beside them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QFormLayout, QLineEdit, QVBoxLayout, QWidget

from diffstudio import options
from diffstudio.checkpoints.proposal import Proposal
from diffstudio.gui.kit.widgets import label
from diffstudio.gui.kit.words import count, tr


class WeightsDialog(QDialog):
    """The fields of a card for one file; `wanted` carries the entries that are told by hand."""

    wanted = Signal(dict)

    def __init__(self, parent: QWidget, path: Path, found: Proposal) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Write a card for weights"))
        self._found = found
        title = options.NETWORKS[found.network].label
        self.prediction = _combo(
            {n: row.label for n, row in options.PREDICTIONS.items() if n != "tokens"}, found.usual["prediction"]
        )
        paths = {n: row.label for n, row in options.PATHS.items() if row.needs != "betas"}
        self.path = _combo(paths, found.usual["path"])
        self.time = _combo(
            {"t": tr("t from 0 to 1"), "timestep": tr("training steps"), "sigma": "σ", "flow": "1000·t"},
            found.usual["time"],
        )
        self.shape = QLineEdit(_sides(found.shape))
        self.preset = _combo({"": tr("none")} | {name: name for name in found.presets}, "")
        self.preset.setToolTip(tr("Fills in the size and the path of a published model."))
        self.preset.currentIndexChanged.connect(self._on_preset)
        self.labels = QLineEdit(", ".join(str(i) for i in range(found.labels)))
        self.labels.setEnabled(found.labels > 0)
        form = QFormLayout()
        rows = ({tr("As published"): self.preset} if found.presets else {}) | {
            tr("It predicts"): self.prediction,
            tr("Path"): self.path,
            tr("It counts time in"): self.time,
            tr("Shape of a sample"): self.shape,
            tr("Classes"): self.labels,
        }
        for name, field in rows.items():
            field.setAccessibleName(name)
            form.addRow(label(name), field)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self._on_save)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 12)
        told = ", ".join(f"{key} {value}" for key, value in found.network_args.items())
        notes = [tr("{} holds the weights of: {} ({}).").format(path.name, title, told)]
        if found.assumed:
            notes.append(tr("The weights do not tell, and it is taken: {}.").format(", ".join(found.assumed)))
        for note in notes:
            line = label(note, "dim")
            line.setWordWrap(True)
            layout.addWidget(line)
        layout.addLayout(form)
        self.problem = label("", "dim")
        self.problem.setWordWrap(True)
        layout.addWidget(self.problem)
        layout.addWidget(buttons)
        self.setMinimumWidth(420)

    @Slot()
    def _on_preset(self) -> None:
        name = self.preset.currentData()
        found = self._found.published(name) if name else self._found
        self.shape.setText(_sides(found.shape))
        self.path.setCurrentIndex(self.path.findData(found.usual["path"]))

    @Slot()
    def _on_save(self) -> None:
        told = self._told()
        if told is not None:
            self.wanted.emit(told)
            self.accept()

    def _told(self) -> dict[str, Any] | None:
        """The entries, None where a field can't be understood: the dialog says which."""
        found = self._found
        words = self.shape.text().lower().replace("×", "x").split("x")
        if len(words) != len(found.shape) or not all(word.strip().isdecimal() for word in words):
            self.problem.setText(tr("The shape needs {} numbers, e.g. 1×28×28.").format(count(len(found.shape))))
            return None
        labels = [name.strip() for name in self.labels.text().split(",") if name.strip()]
        if len(labels) != found.labels:
            self.problem.setText(tr("The weights have {} classes.").format(count(found.labels)))
            return None
        return {
            "shape": [int(word) for word in words],
            "labels": labels,
            "prediction": self.prediction.currentData(),
            "path": {"name": self.path.currentData()},
            "time": self.time.currentData(),
        }


def _sides(shape: tuple[int, ...]) -> str:
    return "×".join(str(side) if side else "?" for side in shape)


def _combo(choices: Mapping[str, str], usual: str) -> QComboBox:
    out = QComboBox()
    for name, text in choices.items():
        out.addItem(tr(text), name)
    out.setCurrentIndex(out.findData(usual))
    return out
