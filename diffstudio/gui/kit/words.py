"""Words and numbers on the screen: every string passes Qt's translation, every number the user's locale."""

from __future__ import annotations

import math

from PySide6.QtCore import QCoreApplication, QLocale

SHY = "·"


def tr(text: str) -> str:
    """The text in the user's language; English is the source. Extracted by lupdate."""
    return QCoreApplication.translate("diffstudio", text)


def number(value: float, digits: int = 2, sign: bool = False) -> str:
    """A number with fixed decimals; ∞ and NaN spelled out, a true minus sign."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "−∞" if value < 0 else "∞"
    text = QLocale().toString(abs(float(value)), "f", digits)  # Qt has another function for an int
    negative = value < 0 and float(f"{value:.{digits}f}") != 0
    return ("−" if negative else "+" if sign else "") + text


def count(value: int) -> str:
    """A whole number with the locale's separators."""
    return QLocale().toString(value)


def parameters(value: int) -> str:
    """Numbers of weights for people: 0.57 M."""
    if value >= 10**9:
        return f"{number(value / 1e9, 2)} B"
    if value >= 10**4:
        return f"{number(value / 1e6, 2)} M"
    return count(value)


def size(value: float) -> str:
    """Bytes for people: 4.5 MB."""
    return QLocale().formattedDataSize(int(value), 1, QLocale.DataSizeFormat.DataSizeSIFormat)


def duration(seconds: float) -> str:
    """Seconds for people: 0.9 s, 45 s, 2:05 min, 1:03 h."""
    if seconds < 10:
        return tr("{} s").format(number(seconds, 1))
    if seconds < 99.5:
        return tr("{} s").format(number(seconds, 0))
    if seconds < 3600:
        return tr("{} min").format(f"{int(seconds) // 60}:{int(seconds) % 60:02d}")
    return tr("{} h").format(f"{int(seconds) // 3600}:{int(seconds) % 3600 // 60:02d}")


def shape_text(shape: tuple[int, ...] | list[int]) -> str:
    """28×28×1 for (1, 28, 28), 10×28×28×3 for clips; 2D for points; 64 letters for texts."""
    if len(shape) == 1:
        return f"{shape[0]}D"
    if len(shape) == 2:
        return tr("{} letters").format(count(shape[1]))
    if len(shape) >= 3:
        shape = (*shape[:-3], *shape[-2:], shape[-3])
    return "×".join(str(n) for n in shape)
