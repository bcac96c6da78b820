"""Our own SVG icons in the theme's colours."""

from __future__ import annotations

import functools
import math

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QPixmap
from PySide6.QtSvg import QSvgRenderer

from diffstudio.gui.kit.painted import painter_on
from diffstudio.gui.kit.theme import Tokens
from diffstudio.resources import resource


@functools.lru_cache(maxsize=256)
def _drawn(name: str, colour: str, side: int) -> QPixmap:
    text = resource("icons", f"{name}.svg").read_text(encoding="utf-8").replace("currentColor", colour)
    pixmap = QPixmap(side, side)
    pixmap.fill(Qt.GlobalColor.transparent)
    with painter_on(pixmap) as painter:
        QSvgRenderer(QByteArray(text.encode())).render(painter, QRectF(0, 0, side, side))
    return pixmap


def icon(name: str, tokens: Tokens, colour: str | None = None) -> QIcon:
    """An icon of resources/icons by its name; disabled it is drawn in the border's colour."""
    out = QIcon()
    for scale in range(1, _largest_scale() + 1):
        out.addPixmap(_drawn(name, colour or tokens.text, 16 * scale))
        out.addPixmap(_drawn(name, tokens.disabled, 16 * scale), QIcon.Mode.Disabled)
    return out


def picture(name: str, colour: str, side: int) -> QPixmap:
    """An icon in one colour, so many logical pixels large, as sharp as the finest screen."""
    scale = _largest_scale()
    out = QPixmap(_drawn(name, colour, side * scale))
    out.setDevicePixelRatio(scale)
    return out


def _largest_scale() -> int:
    """Device pixels for a logical one on the finest screen, rounded up: nothing is drawn that no screen shows."""
    app = QGuiApplication.instance()
    return math.ceil(app.devicePixelRatio()) if isinstance(app, QGuiApplication) else 1


def app_icon() -> QIcon:
    """The application's own mark."""
    out = QIcon()
    for side in (16, 32, 64, 128):
        out.addPixmap(_drawn("diffstudio", "#000000", side))
    return out
