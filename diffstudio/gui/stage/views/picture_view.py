"""What the views of samples share that are pictures: their contrast, what was drawn anew of them, what was before."""

from __future__ import annotations

from typing import Protocol, TypeVar

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPainterPath

from diffstudio.gui.kit.words import number, tr
from diffstudio.gui.stage.views import legend
from diffstudio.gui.stage.views.batch_view import BatchView, Scene
from diffstudio.gui.stage.views.legend import Scale
from diffstudio.gui.stage.views.options import OPTIONS
from diffstudio.gui.stage.views.outline import border, paint_border
from diffstudio.gui.stage.views.raster import Raster, can_stretch
from diffstudio.studio.app.edited import drawn_anew
from diffstudio.studio.export import pictures
from diffstudio.traces.reader import Trace

SWITCHES = ("stretch", "outline", "before")


class PictureScene(Scene, Protocol):
    """stretch: each sample from its own lowest value to its highest."""

    stretch: bool
    raster: Raster | None


Pictured = TypeVar("Pictured", bound=PictureScene)


class PictureView(BatchView[Pictured]):
    """Such a view says where the samples' pictures lie (`_boxes`), and paints their outlines."""

    def __init__(self, scene: Pictured, name: str) -> None:
        super().__init__(scene, name)
        self._on = {switch: OPTIONS[switch] for switch in SWITCHES}
        self._shown = -1, "xt"  # record and tensor, unless what was before is shown
        self._borders: dict[int, QPainterPath | None] = {}

    def set_trace(self, trace: Trace | None) -> None:
        """Show another trace; nothing until `show_record`."""
        self._shown, self._borders = (-1, self._shown[1]), {}
        super().set_trace(trace)
        self.options = () if trace is None else self._possible(trace)
        self._scene.stretch = self._on["stretch"] and "stretch" in self.options
        self._show()

    def _possible(self, trace: Trace) -> tuple[str, ...]:
        """The switches that make sense of a trace."""
        possible = {
            "stretch": can_stretch(trace),
            "outline": drawn_anew(trace) is not None,
            "before": trace.header.request.get("source") in ("data", "file")
            and any(chain.name == "forward" for chain in trace.header.chains),
        }
        return tuple(switch for switch in SWITCHES if possible[switch])

    def show_record(self, k: int) -> None:
        """Show a record."""
        self._shown = k, self._shown[1]
        self._show()

    def set_tensor(self, name: str) -> None:
        """Which of `fields.TENSORS` is shown."""
        self._shown = self._shown[0], name
        super().set_tensor("xt" if self._before is not None else name)

    def set_option(self, name: str, on: bool) -> None:
        """Switch one of SWITCHES."""
        if name not in SWITCHES:
            super().set_option(name, on)
        self._on[name] = on
        self._scene.stretch = self._on["stretch"] and "stretch" in self.options
        super().set_tensor("xt" if self._before is not None else self._shown[1])
        self._show()

    @property
    def shown_now(self) -> tuple[int, str]:
        """The record and the tensor that are shown."""
        return self._scene.k, self._scene.tensor

    @property
    def _before(self) -> int | None:
        """The record of what the run started from, where that is shown."""
        trace = self._scene.trace
        if not self._on["before"] or trace is None or "before" not in self.options:
            return None
        return trace.first_of(0)

    def _show(self) -> None:
        before = self._before
        super().show_record(self._shown[0] if before is None or self._shown[0] < 0 else before)

    # -- words and colours

    def _note(self) -> str:
        """What is not as it seems."""
        scene = self._scene
        if scene.trace is None or scene.raster is None:
            return ""
        parts = [tr("before: what the run started from")] if self._before is not None else []
        if scene.raster.spans is not None:
            parts.append(tr("each sample from its own lowest value to its highest"))
        elif scene.tensor == "xt":
            parts.append(legend.gain_note(pictures.display_gain(scene.trace, scene.k)))
        if self._on["outline"] and "outline" in self.options:
            parts.append(tr("outlined: drawn anew"))
        return " · ".join(filter(None, parts))

    def _scales(self) -> list[Scale]:
        """The legends of the colours that are there."""
        scene = self._scene
        found = scene.raster
        if scene.trace is None or found is None:
            return []
        if found.limit is not None:
            return [legend.signed_scale(found.limit, scene.tokens)]
        if not found.grey:
            return []
        if found.spans is None:
            return [self._plain_scale()]
        if len(found.spans) > 1:
            return [legend.grey_scale(tr("its lowest"), tr("its highest"))]
        gain = pictures.display_gain(scene.trace, scene.k) if scene.tensor == "xt" else 1.0
        low, high = (number(float(value) / gain) for value in found.spans[0])
        return [legend.grey_scale(low, high)]

    def _plain_scale(self) -> Scale:
        """Of grey samples that are not stretched."""
        return legend.grey_scale("−1", "+1")

    # -- outlines

    def _boxes(self) -> list[tuple[int, QRectF]]:
        """The samples in view, and where their pictures lie: logical pixels."""
        raise NotImplementedError

    def _paint_outlines(self, painter: QPainter) -> None:
        if not self._on["outline"] or "outline" not in self.options:
            return
        for sample, box in self._boxes():
            if sample not in self._borders:
                self._borders[sample] = self._border(sample)
            path = self._borders[sample]
            if path is not None:
                paint_border(painter, box, path)

    def _border(self, sample: int) -> QPainterPath | None:
        trace = self._scene.trace
        region = None if trace is None else drawn_anew(trace, sample)
        region = None if region is None else self._part(region)
        return None if region is None or not region.any() else border(region)

    def _part(self, region: np.ndarray) -> np.ndarray:
        """What of a sample's region is shown."""
        return region
