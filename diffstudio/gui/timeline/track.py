"""The track: film strip, lanes and playhead as one widget that keeps its still layer and takes the mouse."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontInfo,
    QFontMetrics,
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QRegion,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from diffstudio.gui.playhead import Playhead
from diffstudio.gui.theme import Tokens
from diffstudio.gui.timeline import overlay
from diffstudio.gui.timeline.axis import Axis, Band, Cell
from diffstudio.gui.timeline.clocks import spans
from diffstudio.gui.timeline.curves import available, curve
from diffstudio.gui.timeline.grip import Grip
from diffstudio.gui.timeline.lanes import paint_lanes
from diffstudio.gui.timeline.reading import hover_text, read
from diffstudio.gui.timeline.readout import tabular
from diffstudio.gui.timeline.rows import Rows, rows_for
from diffstudio.gui.timeline.scene import Scene
from diffstudio.gui.timeline.strip import paint_cell, paint_strip, visible_cells
from diffstudio.gui.timeline.thumbnails import Thumbnails
from diffstudio.gui.words import tr
from diffstudio.traces.reader import Trace

MARGIN = 24.0  # px that the playhead keeps from the view's edge when zoomed
WHEEL_NOTCH = 120
ZOOM_A_NOTCH = 1.25
"""placeholder"""
