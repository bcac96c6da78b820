"""The export dialog: what, which steps, how large, where."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from diffstudio.analysis.fields import available
from diffstudio.errors import DiffStudioError
from diffstudio.gui.kit.widgets import indent, label
from diffstudio.gui.kit.words import count, size, tr
from diffstudio.studio.export import pictures
from diffstudio.studio.export.layout import scale_of
from diffstudio.studio.export.options import KINDS, ExportOptions, suffixes_of
from diffstudio.studio.export.plan import decodes, estimate, subject_of
from diffstudio.traces.reader import Trace
from diffstudio.user_files import is_file, with_ending

FIRST = {"animation": ".gif"}  # what is offered first, where it is not the first that the modality has
ALIASES = (".jpeg", ".tif")
PREVIEW = 220
USED = {  # which fields count for which kind
    "picture": ("tensor", "sample", "record", "scale"),
    "clip": ("tensor", "sample", "record", "scale", "fps"),
    "animation": ("tensor", "sample", "chain", "every", "scale", "fps"),
    "strip": ("tensor", "sample", "chain", "every", "scale"),
    "frames": ("tensor", "sample", "chain", "every", "scale"),
    "samples": ("tensor", "sample", "record", "scale"),
    "arrays": (),
    "trace": (),
}


class ExportDialog(QDialog):
    """`wanted` carries (path, ExportOptions) when the user accepts."""

    wanted = Signal(object, object)

    def __init__(self, trace: Trace, parent: QWidget, start: ExportOptions, folder: Path, name: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Export"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._trace, self._start, self._name = trace, start, name
        possible = {kind for kinds in suffixes_of(trace.modality).values() for kind in kinds}
        offered = [choice for name, choice in KINDS.items() if name in possible]
        self.kind = _combo([(choice.name, tr(choice.label)) for choice in offered], start.kind)
        for i, choice in enumerate(offered):
            self.kind.setItemData(i, tr(choice.tip), Qt.ItemDataRole.ToolTipRole)
        self.format = QComboBox()
        self.tensor = _combo([(t, tr(pictures.NAMES[t])) for t in available(trace)], start.tensor)
        self.sample = _combo(
            [(-1, tr("All samples")), (start.sample or 0, tr("Sample {}").format((start.sample or 0) + 1))], -1
        )
        self.record = _combo([(0, tr("This step")), (1, tr("Last step"))], 0)
        chains = [(n, t) for n, t in (("reverse", tr("Reverse")), ("forward", tr("Forward")), ("both", tr("Both")))]
        present = {chain.name for chain in trace.header.chains}
        self.chain = _combo([row for row in chains if row[0] in present or len(present) == 2], "reverse")
        self.every, self.scale, self.fps = QSpinBox(), QSpinBox(), QDoubleSpinBox()
        self.every.setRange(1, 100_000)
        self.scale.setRange(1, 64)
        own = scale_of(subject_of(trace, start), start) if decodes(trace, start) else trace.meaning.kind.default_scale
        self.scale.setValue(start.scale or own)
        self.scale.setSuffix("×")
        self.fps.setRange(0.5, 50)
        self.fps.setValue(start.fps)
        self.path = QLineEdit(str(folder / name))
        self.browse = QPushButton(tr("Browse…"))
        self.note, self.preview = label("", "dim"), label("")
        self.note.setWordWrap(True)
        self.preview.setFixedSize(PREVIEW, PREVIEW)
        self.preview.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel)
        self._rows: dict[str, tuple[QLabel, QWidget]] = {}
        self._build()
        self._on_kind()

    def _build(self) -> None:
        form = QFormLayout()
        form.setVerticalSpacing(7)
        rows = (
            ("kind", tr("What"), self.kind, tr("What is made of this run.")),
            ("format", tr("Format"), self.format, tr("The kind of file.")),
            ("tensor", tr("Tensor"), self.tensor, tr("x_t is the state, x̂0 what the model makes of it.")),
            ("sample", tr("Samples"), self.sample, tr("The whole grid or the selected sample.")),
            ("record", tr("Step"), self.record, tr("The step at the playhead, or the last one.")),
            ("chain", tr("Chain"), self.chain, tr("Forward: data to noise; reverse: noise to data.")),
            ("every", tr("Every … step"), self.every, tr("1 takes every recorded step; the last is always in.")),
            ("scale", tr("Scale"), self.scale, tr("Screen pixels for a pixel; for points 256 pixels times this.")),
            ("fps", tr("Steps per second"), self.fps, tr("Of a chain the last step rests a second longer.")),
        )
        for name, title, field, tip in rows:
            heading = label(title)
            field.setToolTip(tip)
            field.setAccessibleName(title)
            form.addRow(heading, field)
            self._rows[name] = (heading, field)
        where = QHBoxLayout()
        where.addWidget(self.path, 1)
        where.addWidget(self.browse)
        self.path.setAccessibleName(tr("File"))
        right = QVBoxLayout()
        right.addWidget(self.preview)
        right.addStretch(1)
        upper = QHBoxLayout()
        upper.setSpacing(16)
        upper.addLayout(form, 1)
        upper.addLayout(right)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 12)
        layout.setSpacing(10)
        layout.addLayout(upper)
        layout.addLayout(where)
        layout.addWidget(self.note)
        layout.addWidget(self.buttons)
        self.setMinimumWidth(600)
        self.kind.currentIndexChanged.connect(self._on_kind)
        self.format.currentIndexChanged.connect(self._on_format)
        for combo in (self.tensor, self.sample, self.record, self.chain):
            combo.currentIndexChanged.connect(self._settle)
        for spin in (self.every, self.scale, self.fps):
            indent(spin)
            spin.valueChanged.connect(self._settle)
        self.path.textChanged.connect(self._settle)
        self.browse.clicked.connect(self._on_browse)
        self.buttons.accepted.connect(self._on_save)
        self.buttons.rejected.connect(self.reject)

    def options(self) -> ExportOptions:
        """What is chosen."""
        kind = self.kind.currentData()
        sample = self.sample.currentData()
        return replace(
            self._start,
            kind=kind,
            tensor=self.tensor.currentData() if "tensor" in USED[kind] else "xt",
            sample=None if sample < 0 or "sample" not in USED[kind] else sample,
            record=self._start.record if self.record.currentData() == 0 and "record" in USED[kind] else None,
            chain=self.chain.currentData() if "chain" in USED[kind] else self.chain.itemData(0),
            every=self.every.value() if "every" in USED[kind] else 1,
            scale=self.scale.value(),
            fps=self.fps.value(),
        )

    @Slot()
    def _on_kind(self) -> None:
        kind = self.kind.currentData()
        self.format.blockSignals(True)
        self.format.clear()
        fitting = [s for s, kinds in suffixes_of(self._trace.modality).items() if kind in kinds and s not in ALIASES]
        for suffix in sorted(fitting, key=lambda s: s != FIRST.get(kind)):
            self.format.addItem(suffix[1:].upper() if suffix else tr("Folder"), suffix)
        self.format.blockSignals(False)
        for name, (heading, field) in self._rows.items():
            shown = name in ("kind", "format", *USED[kind])
            heading.setVisible(shown)
            field.setVisible(shown)
        self._rows["fps"][0].setText(tr("Frames per second") if kind == "clip" else tr("Steps per second"))
        self._on_format()

    @Slot()
    def _on_format(self) -> None:
        path = Path(self.path.text())
        if path.suffix.lower() in suffixes_of(self._trace.modality):
            path = path.with_name(path.name[: -len(path.suffix)])
        self.path.setText(str(path) + (self.format.currentData() or ""))
        self._settle()

    @Slot()
    def _on_browse(self) -> None:
        if self.format.currentData() == "":
            found = QFileDialog.getExistingDirectory(self, tr("Folder"), str(Path(self.path.text()).parent))
        else:
            found, _ = QFileDialog.getSaveFileName(self, tr("Export"), self.path.text())
        if found:
            suffix = self.format.currentData() or ""
            known = Path(found).suffix.lower() in suffixes_of(self._trace.modality)
            self.path.setText(found if known else str(with_ending(Path(found), suffix)))

    @Slot()
    def _settle(self) -> None:
        """Say how large it will be and show what it will look like."""
        save = self.buttons.button(QDialogButtonBox.StandardButton.Save)
        try:
            options = self.options()
            found = estimate(self._trace, options, self.format.currentData() or "")
        except DiffStudioError as error:
            self.note.setText(str(error))
            save.setEnabled(False)
            return
        parts = []
        if found.width:
            parts.append(f"{count(found.width)} × {count(found.height)} px")
        if found.frames > 1:
            words = {"clip": tr("{} frames"), "samples": tr("{} samples")}.get(options.kind, tr("{} steps"))
            parts.append(words.format(count(found.frames)))
        if decodes(self._trace, options):
            parts.append(tr("decoded by the model, unlike the preview"))
        parts.append(tr("about {}").format(size(found.bytes)))
        if is_file(Path(self.path.text())):
            parts.append(tr("replaces the file that is there"))
        self.note.setText(" · ".join(parts))
        save.setEnabled(bool(self.path.text().strip()))
        self._show_preview(options)

    def _show_preview(self, options: ExportOptions) -> None:
        k = options.record if options.record is not None else len(self._trace) - 1
        try:
            drawn = pictures.picture(self._trace, k, options.tensor, options.sample, 1, options.look)
        except DiffStudioError:
            self.preview.clear()
            return
        height, width, _ = drawn.shape
        picture = QImage(drawn.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
        kept = Qt.AspectRatioMode.KeepAspectRatio
        self.preview.setPixmap(QPixmap.fromImage(picture.scaled(PREVIEW, PREVIEW, kept)))

    @Slot()
    def _on_save(self) -> None:
        path = Path(self.path.text()).expanduser()
        if path.suffix.lower() not in suffixes_of(self._trace.modality):  # "cfg 7.5" has none that says what it is
            path = with_ending(path, self.format.currentData() or "")
        self.accept()
        self.wanted.emit(path, self.options())


def _combo(rows: list, value: object) -> QComboBox:
    combo = QComboBox()
    for data, title in rows:
        combo.addItem(title, data)
    combo.setCurrentIndex(max(0, combo.findData(value)))
    return combo
