"""The edit of a prompt: it shows all of it on as many lines as it needs, and letters in cells that can be counted."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QFocusEvent, QFontMetricsF, QKeyEvent, QPaintEvent, QTextCursor, QTextOption
from PySide6.QtWidgets import QApplication, QPlainTextEdit, QSizePolicy

from diffstudio.gui.kit.fonts import monospace
from diffstudio.gui.kit.painted import painter_on

LETTERS = 13  # pixels
FEWEST, MOST = 1, 6  # lines that are seen at once
FRAME = 8  # px of the border and of what the style keeps free above and below
HARD_SPACE = "\u00a0"  # a plain one would hang over the end of a line, outside of its cell


class PromptEdit(QPlainTextEdit):
    """Words wrap; letters stand in cells of one width, as many as the text has. Enter ends it, Tab leaves it."""

    editingFinished = Signal()

    def __init__(self, lines: int = FEWEST) -> None:
        """lines: that are seen where little is typed."""
        super().__init__()
        self._fewest, self._cells = lines, 0
        self._plain = self.font()
        self.document().setDocumentMargin(1)
        self.setTabChangesFocus(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.textChanged.connect(self._on_text)

    def set_cells(self, count: int) -> None:
        """Letters in so many cells; 0: words that wrap."""
        self._cells = count
        self.setFont(monospace(LETTERS) if count else self._plain)
        mode = QTextOption.WrapMode.WrapAnywhere if count else QTextOption.WrapMode.WordWrap
        self.setWordWrapMode(mode)
        self.setText(self.text())
        self.updateGeometry()

    def text(self) -> str:
        """What is typed, in one line."""
        return self.toPlainText().replace(HARD_SPACE, " ")

    def setText(self, text: str) -> None:
        """Show a text; the cursor stands before it."""
        self.setPlainText(self._as_shown(text))
        self.moveCursor(QTextCursor.MoveOperation.Start)

    @property
    def place(self) -> int:
        """The cell of the cursor, from 1."""
        return self.textCursor().position() + 1

    # ── size ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def heightForWidth(self, width: int) -> int:
        room = max(40, width - 2 * self.frameWidth() - 12 - 2 * int(self.document().documentMargin()))
        if self._cells:
            lines = -(-max(self._cells, len(self.text())) // max(1, int(room / self._cell_width())))
        else:
            shown = self.toPlainText() or self.placeholderText()
            flags = int(Qt.TextFlag.TextWordWrap | Qt.TextFlag.TextWrapAnywhere)
            lines = round(
                self.fontMetrics().boundingRect(0, 0, room, 1 << 20, flags, shown).height()
                / max(1, self.fontMetrics().lineSpacing())
            )
        return self._height(lines)

    def sizeHint(self) -> QSize:
        return QSize(160, self.heightForWidth(max(160, self.width())))

    def minimumSizeHint(self) -> QSize:
        return QSize(80, self._height(self._fewest))

    def _height(self, lines: int) -> int:
        return max(self._fewest, min(lines, MOST)) * self.fontMetrics().lineSpacing() + FRAME

    def _cell_width(self) -> float:
        return QFontMetricsF(self.font()).horizontalAdvance("0")

    # ── what is typed ───────────────────────────────────────────────────────────────────────────────────────────────

    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.editingFinished.emit()
            event.ignore()
        elif self._cells and plain and event.text() == " ":
            self.insertPlainText(HARD_SPACE)
        else:
            super().keyPressEvent(event)

    def insertFromMimeData(self, source: QMimeData) -> None:
        if source.hasText():
            self.insertPlainText(self._as_shown(source.text()))

    def createMimeDataFromSelection(self) -> QMimeData:
        data = QMimeData()
        data.setText(self.textCursor().selectedText().replace(HARD_SPACE, " "))
        return data

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        menu = QApplication.activePopupWidget()
        own = menu is not None and self.isAncestorOf(menu)
        if not (own and event.reason() == Qt.FocusReason.PopupFocusReason):
            self.editingFinished.emit()

    def _as_shown(self, text: str) -> str:
        """In one line: a prompt has no others."""
        line = " ".join(text.splitlines())
        return line.replace(" ", HARD_SPACE) if self._cells else line

    @Slot()
    def _on_text(self) -> None:
        if self.heightForWidth(self.width()) != self.height():
            self.updateGeometry()

    # ── cells ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._cells:
            self._paint_cells()
        super().paintEvent(event)

    def _paint_cells(self) -> None:
        """A line under each cell; a wider one under that of the cursor."""
        with painter_on(self.viewport()) as painter:
            block = self.document().firstBlock()
            corner = self.blockBoundingGeometry(block).translated(self.contentOffset()).topLeft()
            margin, wide = self.document().documentMargin(), self._cell_width()
            tall = self.fontMetrics().lineSpacing()
            in_line = max(1, int((self.viewport().width() - 2 * margin) / wide))
            here = self.textCursor().position() if self.hasFocus() else -1
            for cell in range(self._cells):
                row, column = divmod(cell, in_line)
                foot = QPointF(corner.x() + margin + column * wide, corner.y() + (row + 1) * tall - 1)
                colour = self.palette().accent() if cell == here else self.palette().mid()
                painter.fillRect(QRectF(foot.x() + 1, foot.y(), wide - 2, 2 if cell == here else 1), colour)
