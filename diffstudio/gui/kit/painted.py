"""Painting that may fail: the widget says why, and everything else lives on.

A QPainter that is still at work when its widget is shown, or its picture is gone, ends the process. An exception keeps
it at work, since its traceback keeps every local name; so here each painter is ended, whatever happens.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import Any, Concatenate, TypeVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QPaintDevice, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QWidget

from diffstudio.errors import DiffStudioError
from diffstudio.gui.kit.words import tr

log = logging.getLogger("diffstudio")
MARGIN = 12
Widget = TypeVar("Widget", bound=QWidget)
Part = TypeVar("Part")
Paint = Callable[[Widget, QPainter, QPaintEvent], None]
PaintPart = Callable[Concatenate[Part, QPainter, ...], None]


def painted(paint: Paint[Widget]) -> Callable[[Widget, QPaintEvent], None]:
    """A paintEvent from a method that also gets the painter; where it fails, the widget shows a sentence instead."""

    @functools.wraps(paint)
    def paint_event(self: Widget, event: QPaintEvent) -> None:
        try:
            with painter_on(self) as painter:
                paint(self, painter, event)
        except Exception as error:  # the boundary of a paint: whatever it is, the window lives on
            sentence = report(error)
            with painter_on(self) as painter:
                _paint_sentence(painter, self, sentence)

    return paint_event


def painted_part(paint: PaintPart[Part]) -> PaintPart[Part]:
    """The paint of a part of a widget, a row of a list or an item of a plot; where it fails, the part stays empty."""

    @functools.wraps(paint)
    def paint_part(self: Part, painter: QPainter, *rest: Any) -> None:
        painter.save()
        try:
            paint(self, painter, *rest)
        except Exception as error:  # as above
            report(error)
        finally:
            painter.restore()

    return paint_part


@contextlib.contextmanager
def painter_on(device: QPaintDevice) -> Iterator[QPainter]:
    """A painter that is ended at the end, also by an exception."""
    painter = QPainter(device)
    try:
        yield painter
    finally:
        painter.end()


def report(error: Exception) -> str:
    """Tell that something could not be painted; gives the sentence.

    What is wrong with a file the sentence says. Anything else is also logged with its traceback, and said in a dialog,
    as an exception in a slot is.
    """
    if isinstance(error, DiffStudioError):
        log.info("not painted: %s", error)
        return str(error)
    sys.excepthook(type(error), error, error.__traceback__)
    traceback.clear_frames(error.__traceback__)  # and the pictures that were being painted go
    reason = f"{type(error).__name__}: {error}"[:300]
    return tr("This can't be shown, the rest goes on: {}").format(reason)


def _paint_sentence(painter: QPainter, widget: QWidget, sentence: str) -> None:
    palette = widget.palette()
    painter.fillRect(widget.rect(), palette.color(QPalette.ColorRole.Window))
    painter.setPen(palette.color(QPalette.ColorRole.WindowText))
    place = widget.rect().adjusted(MARGIN, 0, -MARGIN, 0)
    painter.drawText(place, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), sentence)
