"""Images at the playhead: the batch as a grid, or one sample that fills the view."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Slot
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent

from diffstudio.gui.kit.painted import painted
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import SHY, count, number, tr
from diffstudio.gui.stage.views import legend
from diffstudio.gui.stage.views.close_up import fitted
from diffstudio.gui.stage.views.image import pixel_values
from diffstudio.gui.stage.views.image.decoded import Decoded
from diffstudio.gui.stage.views.image.image_scene import MARGIN, ImageScene
from diffstudio.gui.stage.views.picture_view import PictureView
from diffstudio.gui.stage.views.view import PICTURES
from diffstudio.modalities import video
from diffstudio.traces.reader import Trace


class ImageView(PictureView[ImageScene]):
    """Draws records of image traces. Its scene counts in device pixels."""

    def __init__(self, tokens: Tokens) -> None:
        super().__init__(ImageScene(tokens), tr("Images at the playhead"))
        self._decoded = Decoded(self._scene, self)
        self._decoded.wanted.connect(partial(self.modelWanted.emit, PICTURES))
        self._decoded.changed.connect(self._changed)
        self._scene.decoded = self._decoded.get
        self._grasped: QPointF | None = None  # where the mouse took hold of a single sample

    @staticmethod
    def problem(trace: Trace) -> str:
        """Why this view can't show a trace: a sentence, or ""."""
        if len(trace.sample_shape) == 3:
            return ""
        return tr("This trace's samples are not pictures: their shape is {}.").format(trace.sample_shape)

    # -- what is shown

    def set_trace(self, trace: Trace | None) -> None:
        """Show another trace; nothing until `show_record`."""
        scene = self._scene
        if trace is None or scene.trace is None or trace.sample_shape != scene.trace.sample_shape:
            scene.close_up = None  # between runs of one model the eye stays where it was
        super().set_trace(trace)
        self._decoded.forget_problem()

    def _possible(self, trace: Trace) -> tuple[str, ...]:
        return (*(["decoded"] if self._decoded.possible else []), *super()._possible(trace))

    def refresh(self) -> None:
        """More records exist: what is drawn of one does not change. What was asked during a run is asked again."""
        self._decoded.ask_again()

    def set_option(self, name: str, on: bool) -> None:
        """decoded: the true pictures of latents; or one of SWITCHES. ValueError: there is no such option."""
        if name != "decoded":
            super().set_option(name, on)
            return
        self._decoded.switch(on)
        self._changed()

    def take_found(self, kind: str, about: Any, found: Any) -> None:
        """The true picture of a latent."""
        if kind == PICTURES:
            self._decoded.answer(about, *found)

    def take_problem(self, kind: str, about: Any, sentence: str) -> None:
        """Why there is none."""
        if kind == PICTURES:
            self._decoded.fail(about, sentence)

    def set_frame(self, frame: int) -> None:
        """Which frame of clips is shown."""
        if frame != self._scene.frame:
            self._scene.frame = frame
            self._borders = {}
            self._changed()

    def set_single(self, single: bool) -> None:
        """The selected sample alone, fitted; or the batch."""
        if single != self._scene.single:
            self._scene.close_up = None
        super().set_single(single)

    def fit(self) -> None:
        """Undo zoom, pan and scrolling."""
        self._scene.close_up = None
        super().fit()

    def picture(self) -> QImage:
        """What is shown, without selection and notes."""
        return self._scene.without_notes()

    def _details(self, found: tuple[int, int, int] | None) -> list[str]:
        """The value there, and the zoom."""
        scene = self._scene
        parts = [scene.value_text(*found)] if found else []
        if scene.raster is not None and scene.raster.not_finite:
            parts.append(tr("{} not finite").format(count(scene.raster.not_finite)))
        return [*parts, f"{number(scene.zoom * 100, 0)} %"]

    @Slot()
    def _changed(self) -> None:
        super()._changed()
        self._decoded.update()

    def _measure(self) -> tuple[int, int]:
        self._scene.ratio = ratio = self.devicePixelRatioF()
        return max(1, int(self.width() * ratio)), max(1, int((self.height() - self.footer) * ratio))

    def _under_cursor(self) -> tuple[int, int, int] | None:
        """Sample, column, row under the cursor."""
        if self._attention.cursor is None:
            return None
        at = self._to_scene(self._attention.cursor)
        return self._scene.under(at.x(), at.y())

    def _to_scene(self, at: QPointF) -> QPointF:
        return at * self.devicePixelRatioF()

    @property
    def _times(self) -> float | None:
        scene = self._scene
        if not scene.single or scene.close_up is None:
            return super()._times
        return scene.view.scale / fitted(scene.size, scene.room, round(MARGIN * scene.ratio)).scale

    # -- painting

    @painted
    def paintEvent(self, painter: QPainter, event: QPaintEvent) -> None:
        scene = self._scene
        scene.compose()
        painter.fillRect(self.rect(), QColor(scene.tokens.bg))
        if scene.raster is not None:
            painter.setClipRect(0, 0, self.width(), self.height() - legend.FOOTER)
            if scene.picture is not None:
                painter.drawImage(QPointF(*scene.at) / scene.ratio, scene.picture)
            elif not scene.single:
                scene.paint_cells(painter)
            if scene.single:
                self._paint_numbers(painter)
            else:
                self._paint_frames(painter)
            self._paint_outlines(painter)
            painter.setClipping(False)
        self._paint_notes(painter)
        self._paint_problem(painter)

    def _paint_frames(self, painter: QPainter) -> None:
        tokens, found = self._scene.tokens, self._under_cursor()
        if found and found[0] != self._scene.sample:
            self._paint_frame(painter, found[0], QPen(QColor(tokens.text_dim), 1))
        self._paint_frame(painter, self._scene.sample, QPen(QColor(tokens.lane_a), 2))

    def _paint_frame(self, painter: QPainter, index: int, pen: QPen) -> None:
        """Around a cell, in the gap."""
        out = pen.widthF() / 2
        pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(self._scene.box(index).adjusted(-out, -out, out, out))

    def _paint_numbers(self, painter: QPainter) -> None:
        scene = self._scene
        if scene.values is not None and scene.raster is not None:
            painter.setFont(legend.small(self.font(), 10))
            window = scene.view.window(scene.size, scene.room)
            pixel_values.paint_values(painter, scene.values, scene.raster.pixels[0], scene.view, window, scene.ratio)

    def _paint_notes(self, painter: QPainter) -> None:
        scene = self._scene
        painter.setFont(legend.small(self.font()))
        box = QRectF(12, self.height() - legend.FOOTER, self.width() - 24, legend.FOOTER)
        notes = (self._decoded.note, self._note())
        legend.paint_footer(painter, box, f" {SHY} ".join(filter(None, notes)), self._scales(), scene.tokens)

    def _boxes(self) -> list[tuple[int, QRectF]]:
        scene = self._scene
        return [(i, scene.box(i)) for i in ([scene.sample] if scene.single else scene.cells())]

    def _part(self, region: np.ndarray) -> np.ndarray:
        """Of a clip the frame that is shown."""
        frame, wide = self._scene.frame, self._scene.size[0]
        if frame is None:
            return region
        left = frame * (wide + video.GAP)
        return region[:, left : left + wide]

    # -- mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._scene.single:
            self._grasped = event.position()
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grasped is None:
            super().mouseMoveEvent(event)
            return
        scene, moved = self._scene, self._to_scene(event.position() - self._grasped)
        self._grasped = event.position()
        scene.close_up = scene.view.panned(round(moved.x()), round(moved.y()), scene.size, scene.room)
        scene.changed()
        self.chip.say(self._times)
        self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._grasped = None
        super().mouseReleaseEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        scene = self._scene
        if not scene.single:
            super().wheelEvent(event)
            return
        steps = self._notches(event)
        if steps:
            at = self._to_scene(event.position())
            scene.close_up = scene.view.zoomed(steps, at.x(), at.y(), scene.size, scene.room)
            self.chip.say(self._times)
            self._changed()
        event.accept()
