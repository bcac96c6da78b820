"""The folded part of the sampling panel: grid, path, forward chain, recording, device."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QFormLayout, QSpinBox, QWidget

from diffstudio import options
from diffstudio.checkpoints.card import Card
from diffstudio.gui.panels.fields import Combo
from diffstudio.gui.widgets import label
from diffstudio.gui.words import tr
from diffstudio.specs import PathSpec
from diffstudio.studio.request import Request

OWN = ""  # the path that the model was trained on


class AdvancedFields(QWidget):
    """What few runs need to change."""

    changed = Signal()

    def __init__(self, devices: tuple[str, ...] = ("auto", "cpu")) -> None:
        super().__init__()
        self.grid = Combo([(c.name, tr(c.label), tr(c.tip)) for c in options.GRIDS.values()])
        own = (OWN, tr("As trained"), tr("The path that the model was trained on."))
        offered = [p for p in options.PATHS.values() if p.name != "mixing_uniform" and p.needs is None]
        paths = [(p.name, tr(p.label), tr(p.tip)) for p in offered]
        self.path = Combo([own, *paths])
        self.forward = Combo([(c.name, tr(c.label), tr(c.tip)) for c in options.FORWARD_MODES.values()])
        self.device = Combo([(name, name, tr("Where the network runs.")) for name in devices])
        self.every = QSpinBox()
        self.every.setRange(1, 10_000)
        self.every.setKeyboardTracking(False)
        self.half = QCheckBox(tr("Half precision"))
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setVerticalSpacing(5)
        rows = (
            (tr("Spacing"), self.grid, tr("Where the steps lie between noise and data.")),
            (tr("Path"), self.path, tr("Sample along another path: x_t is rescaled to equal log-SNR.")),
            (tr("Forward chain"), self.forward, tr("How the forward chain is drawn.")),
            (tr("Record every"), self.every, tr("Keep every k-th step in the trace; every step is computed.")),
            ("", self.half, tr("Record the trace in half precision: half the size, three digits.")),
            (tr("Device"), self.device, tr("auto uses the GPU where there is one.")),
        )
        for title, field, tip in rows:
            field.setToolTip(tip)
            field.setAccessibleName(title or field.text() if isinstance(field, QCheckBox) else title)
            layout.addRow(label(title, "dim"), field)
        for combo in (self.grid, self.path, self.forward, self.device):
            combo.changed.connect(self.changed)
        self.every.valueChanged.connect(self.changed)
        self.half.toggled.connect(self.changed)

    def set_devices(self, devices: list[str]) -> None:
        """Offer the devices that torch found, once it is loaded."""
        for name in devices:
            if self.device.findData(name) < 0:
                self.device.addItem(name, name)

    def fields(self) -> dict[str, object]:
        """The request's fields."""
        path = self.path.value()
        return {
            "grid": self.grid.value(),
            "path": None if path == OWN else PathSpec(name=path),
            "forward": self.forward.value(),
            "trace_every": self.every.value(),
            "trace_dtype": "float16" if self.half.isChecked() else "float32",
            "device": self.device.value(),
        }

    def set_request(self, request: Request) -> None:
        """Show a request."""
        self.grid.set_value(request.grid)
        self.path.set_value(request.path.name if request.path else OWN)
        self.forward.set_value(request.forward)
        self.every.setValue(request.trace_every)
        self.half.setChecked(request.trace_dtype == "float16")
        if self.device.findData(request.device) < 0:
            self.device.addItem(request.device, request.device)
        self.device.set_value(request.device)

    def set_card(self, card: Card, can_go_forward: bool) -> None:
        """Disable what that checkpoint can't do, with the reason."""
        self.forward.setEnabled(can_go_forward)
        self.forward.setToolTip("" if can_go_forward else tr("There is no data to noise: choose a file as the source."))
