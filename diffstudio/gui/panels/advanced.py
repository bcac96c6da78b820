"""The folded part of the sampling panel: grid, path, forward chain, recording, device."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from diffstudio import options
from diffstudio.gui.panels.fields import CheckField, Combo, CountField
from diffstudio.gui.panels.rows import Row
from diffstudio.gui.theme import Tokens
from diffstudio.gui.words import tr
from diffstudio.specs import PathSpec
from diffstudio.studio.request import Request

OWN = ""  # the path that the model was trained on


class AdvancedFields(QWidget):
    """What few runs need to change."""

    changed = Signal()

    def __init__(self, spacing: int, devices: tuple[str, ...] = ("auto", "cpu")) -> None:
        super().__init__()
        own = (OWN, tr("As trained"), tr("The path that the model was trained on."))
        paths = [(p.name, tr(p.label), tr(p.tip)) for p in options.PATHS.values() if p.name != "mixing_uniform"]
        self.grid = Combo([(c.name, tr(c.label), tr(c.tip)) for c in options.GRIDS.values()])
        self.path = Combo([own, *paths])
        self.forward = Combo([(c.name, tr(c.label), tr(c.tip)) for c in options.FORWARD_MODES.values()])
        self.every = CountField(1, 10_000)
        self.half = CheckField(tr("Half precision"))
        self.device = Combo([(name, name, tr("Where the network runs.")) for name in devices])
        self.rows = {
            "grid": Row(tr("Spacing"), self.grid, tr("Where the steps lie between noise and data.")),
            "path": Row(tr("Path"), self.path, tr("Sample along another path: x_t is rescaled to equal log-SNR.")),
            "forward": Row(tr("Forward"), self.forward, tr("How the forward chain is drawn.")),
            "every": Row(
                tr("Keep every"), self.every, tr("Keep every k-th step in the trace; every step is computed.")
            ),
            "half": Row("", self.half, tr("Record the trace in half precision: half the size, three digits.")),
            "device": Row(tr("Device"), self.device, tr("auto uses the GPU where there is one.")),
        }
        self.half.setAccessibleName(self.half.text())
        self._defaults = _shown(Request.model_validate({}))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(spacing)
        for row in self.rows.values():
            layout.addWidget(row)
            row.field.changed.connect(self._on_changed)
            row.resetWanted.connect(self._on_reset)

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
            "trace_dtype": "float16" if self.half.value() else "float32",
            "device": self.device.value(),
        }

    def set_request(self, request: Request) -> None:
        """Show a request."""
        self.set_devices([request.device])
        for name, value in _shown(request).items():
            self.rows[name].field.set_value(value)

    def set_defaults(self, request: Request) -> None:
        """What "default" means: the resets lead there."""
        self._defaults = _shown(request)
        self._mark()

    def allow_forward(self, possible: bool, source: str) -> None:
        """Whether there is data to noise with that source; the reason is the tooltip where there is none."""
        tip = tr("How the forward chain is drawn.")
        if not possible and source == "step":
            tip = tr("The run goes on from a step: there is no forward chain.")
        elif not possible:
            tip = tr("There is no data to noise: choose a file as the source.")
        self.forward.setEnabled(possible)
        self.rows["forward"].set_tip(tip)

    def apply_theme(self, tokens: Tokens) -> None:
        """Icons in other colours."""
        for row in self.rows.values():
            row.apply_theme(tokens)

    def _mark(self) -> None:
        for name, row in self.rows.items():
            row.show_reset(row.field.value() != self._defaults[name])

    @Slot()
    def _on_changed(self) -> None:
        self._mark()
        self.changed.emit()

    @Slot()
    def _on_reset(self) -> None:
        for name, row in self.rows.items():
            if row is self.sender():
                row.field.set_value(self._defaults[name])


def _shown(request: Request) -> dict[str, Any]:
    """What the fields show of a request."""
    return {
        "grid": request.grid,
        "path": request.path.name if request.path else OWN,
        "forward": request.forward,
        "every": request.trace_every,
        "half": request.trace_dtype == "float16",
        "device": request.device,
    }
