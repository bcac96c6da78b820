"""The folded part of the sampling panel: grid, path, clipping, noise, forward chain, recording, device."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from diffstudio import options
from diffstudio.checkpoints.card import Card
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import tr
from diffstudio.gui.panels.fields import CheckField, Combo, CountField, NumberField
from diffstudio.gui.panels.rows import Row, RowGroup
from diffstudio.gui.panels.sampling.betas_field import BetasField
from diffstudio.gui.panels.sampling.params import ParamFields
from diffstudio.gui.panels.sampling.times_field import TimesField
from diffstudio.specs import PathSpec
from diffstudio.studio.request.checks import grid_choice_problem, path_choice_problem
from diffstudio.studio.request.request import Request

OWN = ""  # the path that the model was trained on; the way that the solver draws by itself
HIDDEN_PATHS = ("mixing_uniform",)  # θ is not Gaussian; a request that has it can be shown


class AdvancedFields(RowGroup):
    """What few runs need to change."""

    def __init__(
        self, tokens: Tokens, spacing: int, steps: NumberField, devices: tuple[str, ...] = ("auto", "cpu")
    ) -> None:
        """steps: how many are asked for."""
        self.grid = Combo(_choices(options.GRIDS.values()))
        self.times = TimesField(self.grid, steps)
        own = (OWN, tr("As trained"), tr("The path that the model was trained on."))
        self.path = Combo([own, *_choices(p for p in options.PATHS.values() if p.name not in HIDDEN_PATHS)])
        self.betas = BetasField()
        self.clip = Combo(_choices(options.CLIPS.values()))
        alone = (OWN, tr("The solver's own way"), tr("Each solver draws as it was published, or as suits it best."))
        self.noise = Combo([alone, *_choices(options.NOISES.values())])
        self.forward = Combo(_choices(options.FORWARD_MODES.values()))
        self.alone = CheckField(tr("Forward chain alone"))
        self.every = CountField(1, 1_000_000)
        self.half = CheckField(tr("Half precision"))
        self.device = Combo([(name, name, tr("Where the network runs.")) for name in devices])
        whole, part = tr("Of 32 bits: as exact as it was trained."), tr("Of 16 bits: half the memory, two digits less.")
        self.precision = Combo([("float32", tr("float32"), whole), ("half", tr("Half"), part)])
        self.params = {
            "grid": ParamFields(tokens, spacing, self.grid, options.GRIDS),
            "path": ParamFields(tokens, spacing, self.path, options.PATHS),
            "clip": ParamFields(tokens, spacing, self.clip, options.CLIPS),
        }
        self._clips = True
        super().__init__(
            {
                "grid": Row(tr("Spacing"), self.grid, tr("Where the steps lie between noise and data.")),
                "times": Row(tr("Times"), self.times, tr("The times t that the steps visit, falling from 1 to 0.")),
                "path": Row(tr("Path"), self.path, tr("Sample along another path: x_t is rescaled to equal log-SNR.")),
                "betas": Row(tr("Betas"), self.betas, tr("β of each training step, from data to noise, 0 to 1.")),
                "clip": Row(tr("Clip x̂0"), self.clip, tr("Keep x̂0 in the range of the data at every step.")),
                "noise": Row(tr("Noise"), self.noise, tr("How a solver that draws noise draws it.")),
                "forward": Row(tr("Forward"), self.forward, tr("How the forward chain is drawn.")),
                "kind": Row("", self.alone, tr("Only noise the data; nothing is denoised.")),
                "trace_every": Row(
                    tr("Keep every"), self.every, tr("Keep every k-th step in the trace; every step is computed.")
                ),
                "trace_dtype": Row(
                    "", self.half, tr("Record the trace in half precision: half the size, three digits.")
                ),
                "device": Row(tr("Device"), self.device, tr("auto uses the GPU where there is one.")),
                "precision": Row(tr("Weights"), self.precision, tr("Precision of the network; not of the chain.")),
            },
            _shown,
            spacing,
            beneath=self.params,
        )
        for check in (self.alone, self.half):
            check.setAccessibleName(check.text())
        for fields in self.params.values():
            fields.changed.connect(self.changed)
        for name in ("times", "betas"):
            self.rows[name].hide()

    def set_devices(self, devices: list[str]) -> None:
        """Offer the devices that torch found, once it is loaded."""
        for name in devices:
            if self.device.findData(name) < 0:
                self.device.addItem(name, name)

    def set_card(self, card: Card) -> None:
        """Points have no range to be clipped to."""
        self._clips = card.meaning.kind.ranged
        self.rows["clip"].setVisible(self._clips)

    def offer(self, card: Card, request: Request) -> None:
        """Make the grids and paths that do not go with the checkpoint and each other unavailable, with the reason."""
        for name in options.GRIDS:
            problem = grid_choice_problem(card, request, name)
            self.grid.set_enabled(name, not problem, problem)
        for name in options.PATHS:
            if name not in HIDDEN_PATHS:
                problem = path_choice_problem(card, request, name)
                self.path.set_enabled(name, not problem, problem)

    def fields(self) -> dict[str, object]:
        """The request's fields."""
        grid, path = self.grid.value(), self.path.value()
        own = path == OWN
        spec = None if own else PathSpec(name=path, params=self.params["path"].values(), betas=self._table())
        return {
            "grid": grid,
            "grid_params": self.params["grid"].values(),
            "times": self.times.value() if grid == "custom" else None,
            "path": spec,
            "clip": self.clip.value(),
            "clip_params": self.params["clip"].values(),
            "noise": self.noise.value() or None,
            "forward": self.forward.value(),
            "kind": "forward" if self.alone.value() else "sample",
            "trace_every": self.every.value(),
            "trace_dtype": "float16" if self.half.value() else "float32",
            "device": self.device.value(),
            "precision": self.precision.value(),
        }

    @property
    def problem(self) -> str:
        """Why what is typed can't be used, "" if it can."""
        return "" if self._table() is None else self.betas.problem

    def _table(self) -> tuple[float, ...] | None:
        """The betas, where the path has some of its own."""
        row = options.PATHS.get(self.path.value())
        return self.betas.value() if row is not None and row.needs == "betas" else None

    def show_request(self, request: Request) -> None:
        """Show a request; a path or a device that is not offered is added."""
        self.set_devices([request.device])
        path = request.path
        if path is not None and self.path.findData(path.name) < 0:
            self.path.addItem(tr(options.PATHS[path.name].label), path.name)
        super().show_request(request)
        self.params["grid"].set_values(request.grid_params)
        self.params["path"].set_values(path.params if path else {})
        self.params["clip"].set_values(request.clip_params)

    def settle(self, reasons: Mapping[str, str]) -> None:
        """As any group; the numbers of a choice go with it, the list of times with its grid."""
        super().settle(reasons)
        self.rows["times"].setVisible(self.grid.value() == "custom")
        self.rows["betas"].setVisible(self._table() is not None)
        for name, fields in self.params.items():
            fields.setEnabled(name not in reasons)
        self.params["clip"].setVisible(self._clips and not self.params["clip"].empty)

    def apply_theme(self, tokens: Tokens) -> None:
        """Icons in other colours."""
        super().apply_theme(tokens)
        for fields in self.params.values():
            fields.apply_theme(tokens)


def _choices(rows: Iterable[Any]) -> list[tuple[str, str, str]]:
    """Rows of `options` as those of a combo box."""
    return [(row.name, tr(row.label), tr(row.tip)) for row in rows]


def _shown(request: Request) -> dict[str, Any]:
    """What the fields show of a request."""
    shown = {
        "grid": request.grid,
        "path": request.path.name if request.path else OWN,
        "clip": request.clip,
        "noise": request.noise or OWN,
        "forward": request.forward,
        "kind": request.kind == "forward",
        "trace_every": request.trace_every,
        "trace_dtype": request.trace_dtype == "float16",
        "device": request.device,
        "precision": request.precision,
    }
    if request.times is not None:
        shown["times"] = request.times
    if request.path is not None and request.path.betas is not None:
        shown["betas"] = request.path.betas
    return shown
