"""A path of any length on as many lines as it needs, broken behind a slash where it can be."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QTextLayout, QTextOption
from PySide6.QtWidgets import QLabel, QSizePolicy

from diffstudio.gui.kit.painted import painted

BREAK = "\u200b"  # a place at which a line may end


class PathNote(QLabel):
    """Plain text; `text` is the whole of it, without what was put in to break it."""

    def __init__(self, text: str, role: str = "") -> None:
        super().__init__("x")
        self._text = text
        self._shown = text.replace("/", f"/{BREAK}").replace("\\", f"\\{BREAK}")
        self.setAccessibleName(text)
        self.setTextFormat(Qt.TextFormat.PlainText)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        if role:
            self.setProperty(role, True)

    def text(self) -> str:
        """What it says."""
        return self._text

    def lines(self, width: int) -> list[str]:
        """The text in lines of that width in pixels."""
        return [self._shown[start : start + length].replace(BREAK, "") for start, length in self._laid_out(width)[1]]

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self.fontMetrics().lineSpacing() * max(1, len(self._laid_out(width)[1]))

    def sizeHint(self) -> QSize:
        return QSize(120, self.heightForWidth(max(120, self.width())))

    def minimumSizeHint(self) -> QSize:
        return QSize(10, self.fontMetrics().height())

    @painted
    def paintEvent(self, painter: QPainter, event: QPaintEvent) -> None:
        painter.setPen(self.palette().windowText().color())
        self._laid_out(self.width())[0].draw(painter, QPointF(0, 0))

    def _laid_out(self, width: int) -> tuple[QTextLayout, list[tuple[int, int]]]:
        """The layout, and where each line begins in the text and how long it is."""
        layout = QTextLayout(self._shown, self.font())
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        layout.setTextOption(option)
        layout.beginLayout()
        found, step = [], self.fontMetrics().lineSpacing()
        while (line := layout.createLine()).isValid():
            line.setLineWidth(max(1, width))
            line.setPosition(QPointF(0, step * len(found)))
            found.append((line.textStart(), line.textLength()))
        layout.endLayout()
        return layout, found
