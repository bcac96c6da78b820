"""Texts at the playhead: cells with letters, masks, and what the network guesses behind them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from diffstudio.errors import BadFile
from diffstudio.gui.kit.painted import painted, painter_on
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import count, number, tr
from diffstudio.gui.stage.views import legend
from diffstudio.gui.stage.views.batch_view import BatchView
from diffstudio.gui.stage.views.legend import Scale
from diffstudio.gui.stage.views.options import OPTIONS
from diffstudio.gui.stage.views.text.text_card import guess_text, letter, paint_card, state_text
from diffstudio.gui.stage.views.text.text_painter import DIFFERENCE, HEAT, Letters, ladder, paint_texts
from diffstudio.gui.stage.views.text.text_scene import CellFacts, TextScene
from diffstudio.modalities.text import spec_of
from diffstudio.traces.reader import Trace


class TextView(BatchView[TextScene]):
    """Draws records of text traces. What the state is and what is guessed are never drawn alike."""

    options = ("ghosts", "entropy", "revealed")

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(TextScene(tokens), tr("Texts at the playhead"), parent)
        self._letters = Letters()
        self._options = {name: OPTIONS[name] for name in self.options}

    @staticmethod
    def problem(trace: Trace) -> str:
        """Why this view can't show a trace: a sentence, or ""."""
        try:
            spec = spec_of(trace.meaning)
        except BadFile as error:
            return str(error)
        channels = 1 if spec.discrete else len(spec.embedding[0])
        if len(trace.sample_shape) != 2 or trace.sample_shape[0] != channels:
            return tr("This trace's samples are not texts: their shape is {}.").format(trace.sample_shape)
        return ""

    # -- what is shown

    def set_trace(self, trace: Trace | None) -> None:
        """Show another trace; nothing until `show_record`."""
        self._forget_zoom(trace)
        self._scene.set_trace(trace)
        self._lay_out()

    def set_sample(self, index: int) -> None:
        """Frame a sample, and scroll to it."""
        if self._scene.single:
            self._scene.sample = index
            self._changed()
        else:
            super().set_sample(index)

    def set_option(self, name: str, on: bool) -> None:
        """ghosts: guesses over the masks.  entropy, revealed: how unsure a cell is, when it was set."""
        if name not in self._options:
            raise ValueError(f"texts have no option '{name}': choose one of {', '.join(self._options)}")
        self._options[name] = on
        self.update()

    def picture(self) -> QImage:
        """What is shown, without selection and notes."""
        ratio = self.devicePixelRatioF()
        out = QImage(int(self.width() * ratio), int((self.height() - self.footer) * ratio), QImage.Format.Format_RGB32)
        out.setDevicePixelRatio(ratio)
        out.fill(QColor(self._scene.tokens.bg))
        with painter_on(out) as painter:
            paint_texts(painter, self._scene, self._options, self._letters)
        return out

    def verbs(self) -> Mapping[str, Callable[[], object]]:
        """The texts, or the selected one, go to the clipboard."""
        return {"copy_text": partial(self._copy, every=False), "copy_texts": partial(self._copy, every=True)}

    def _copy(self, every: bool) -> None:
        text = self.text(every)
        if text:
            QGuiApplication.clipboard().setText(text)
            self.told.emit(tr("Texts copied.") if every else tr("Text copied."))

    def text(self, every: bool) -> str:
        """What is shown as plain text: all samples, a line each, or the selected one. "": it can't be read."""
        scene = self._scene
        try:
            return "\n".join(scene.texts(slice(None) if every else slice(scene.sample, scene.sample + 1)))
        except BadFile:
            return ""

    def _under_cursor(self) -> tuple[int, int] | None:
        """Sample and cell under the cursor."""
        at = self._attention.cursor
        return None if at is None else self._scene.under(at.x(), at.y())

    def _facts(self) -> CellFacts | None:
        """Of the cell under the cursor."""
        found = self._under_cursor()
        if found is None or not self._scene.ready or self._scene.problem:
            return None
        try:
            return self._scene.facts(*found)
        except (BadFile, IndexError):
            return None

    def _details(self, found: tuple[int, int] | None) -> list[str]:
        """The cell, its letter, what is guessed, how unsure the network is, and since when it is so."""
        facts, scene = self._facts(), self._scene
        if facts is None or scene.layout is None or scene.spec is None:
            return []
        parts = [tr("cell {} of {}").format(count(facts.position + 1), count(scene.layout.length))]
        parts += [letter(facts.token)] if facts.token else []
        parts += [text for text in (guess_text(facts), state_text(facts, scene.spec)) if text]
        if facts.entropy is not None:
            parts.append(tr("{} bits").format(number(facts.entropy)))
        return parts

    # -- painting

    @painted
    def paintEvent(self, painter: QPainter, event: QPaintEvent) -> None:
        scene = self._scene
        painter.fillRect(self.rect(), QColor(scene.tokens.bg))
        painter.setClipRect(0, 0, self.width(), self.height() - self.footer)
        paint_texts(painter, scene, self._options, self._letters)
        if not scene.single:
            self._paint_frames(painter)
        painter.setClipping(False)
        painter.setFont(legend.small(self.font()))
        self._paint_notes(painter)
        self._paint_card(painter)
        self._paint_problem(painter)

    def _paint_frames(self, painter: QPainter) -> None:
        scene, found = self._scene, self._under_cursor()
        if scene.sheet is None or scene.grid is None:
            return
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for sample in {scene.sample, found[0] if found else scene.sample}:
            selected = sample == scene.sample
            painter.setPen(QPen(QColor(scene.tokens.lane_a if selected else scene.tokens.text_dim), 1 + selected))
            painter.drawRect(QRectF(*scene.grid.cell(sample, scene.scroll)).adjusted(-1, -1, 1, 1))

    def _paint_notes(self, painter: QPainter) -> None:
        scene = self._scene
        if scene.sheet is None:
            return
        box = QRectF(12, self.height() - self.footer, self.width() - 24, self.footer)
        legend.paint_footer(painter, box, self._note(), self._scales(), scene.tokens)

    def _scales(self) -> list[Scale]:
        """The legends of the colours that go from one end to another, of those that are there."""
        scene = self._scene
        assert scene.sheet is not None and scene.spec is not None
        sheet, tokens = scene.sheet, scene.tokens
        if scene.signed:
            most = number(sheet.limit, 2 if sheet.limit >= 0.1 else 4)
            title = tr("a cell's difference")
            return (
                [] if scene.spec.discrete else [legend.ramp_scale(tokens.lane_a, DIFFERENCE, "0", most, title, tokens)]
            )
        found = []
        if self._options["entropy"] and sheet.heat.any():
            bits = tr("{} bits").format(number(math.log2(len(scene.spec.vocabulary)), 1))
            found.append(
                legend.ramp_scale(
                    tokens.lane_b, HEAT, tr("sure, 0"), tr("{}, unsure").format(bits), tr("entropy"), tokens
                )
            )
        if self._options["revealed"] and np.isfinite(sheet.since).any():
            first, last = tr("first"), tr("last step, {}").format(count(round(sheet.steps)))
            found.append(Scale(ladder(tokens), first, last, tr("set at")))
        return found

    def _note(self) -> str:
        """What the colours mean, of those that are there."""
        scene = self._scene
        assert scene.sheet is not None and scene.spec is not None
        if scene.signed:
            return tr("bright: changed in this step") if scene.spec.discrete else ""
        parts = []
        if scene.sheet.cells.masked.any():
            parts.append(tr("boxes are masked"))
        if scene.sheet.cells.guessed.any() and (self._options["ghosts"] or scene.tensor != "xt"):
            parts.append(tr("blue is a guess, as strong as it is sure"))
        if (scene.sheet.changed > 0).any():
            parts.append(tr("green changed in this step"))
        if scene.trace is not None and scene.prompted.any() and scene.trace.chain(scene.k) == 1:
            parts.append(tr("underlined is your prompt"))
        return " · ".join(parts)

    def _paint_card(self, painter: QPainter) -> None:
        scene, found, facts = self._scene, self._under_cursor(), self._facts()
        if found is None or facts is None or scene.layout is None or scene.spec is None:
            return
        cell = QRectF(*scene.cell(*found))
        painter.setPen(QPen(QColor(scene.tokens.text_dim), 1))
        painter.drawRect(cell)
        room = QRectF(4, 4, self.width() - 8, self.height() - 8)
        paint_card(painter, cell, room, facts, scene.layout.length, scene.spec, scene.tokens)
