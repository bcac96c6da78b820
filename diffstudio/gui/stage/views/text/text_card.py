"""The card beside the cursor: what is known of the cell that it is on."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from diffstudio.gui.kit.fonts import monospace
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import count, number, tr
from diffstudio.gui.stage.views.text.text_scene import CellFacts
from diffstudio.specs import TextSpec

LINE, PAD, BAR, AWAY = 17, 8, 90, 10
SPACE = "␣"


def letter(token: str) -> str:
    """A token as it can be seen."""
    return SPACE if token == " " else token


def state_text(facts: CellFacts, spec: TextSpec) -> str:
    """Since when the cell is what it is."""
    if facts.prompted:
        return tr("fixed by the prompt")
    if facts.masked:
        return tr("masked")
    if facts.true or facts.revealed is None:
        return ""
    if facts.revealed == 0:
        return tr("there from the start")
    word = tr("revealed at step {}") if spec.process == "masked" else tr("set at step {}")
    return word.format(count(facts.revealed))


def guess_text(facts: CellFacts, most: int = 3) -> str:
    """The likeliest tokens in a line: e 52 % · a 20 %; "" where nothing is guessed."""
    if facts.true or not _open(facts):
        return ""
    return " ".join(f"{letter(token)} {_percent(chance)}" for token, chance in facts.guesses[:most])


def _open(facts: CellFacts) -> bool:
    """Whether there is anything to guess: a letter that is set is what it is."""
    return bool(facts.guesses) and (facts.guesses[0][1] < 1 or facts.masked)


def card_lines(facts: CellFacts, length: int, spec: TextSpec) -> list[str]:
    """What stands above the guesses."""
    here = letter(facts.token) if facts.token else tr("masked")
    lines = [tr("cell {} of {}: {}").format(count(facts.position + 1), count(length), here)]
    state = state_text(facts, spec)
    if state and state != here:
        lines.append(state)
    if facts.true and facts.guesses and facts.guesses[0][0] != facts.token:
        lines.append(tr("the true letter: {}").format(letter(facts.guesses[0][0])))
    if facts.nearness is not None:
        lines.append(tr("nearness {}").format(number(facts.nearness)))
    if facts.entropy is not None:
        lines.append(tr("entropy {} bits").format(number(facts.entropy)))
    return lines


def paint_card(
    painter: QPainter, at: QRectF, room: QRectF, facts: CellFacts, length: int, spec: TextSpec, tokens: Tokens
) -> QRectF:
    """Beside the cell `at`, within the room; returns where it lies."""
    lines = card_lines(facts, length, spec)
    bars = () if facts.true or not _open(facts) else facts.guesses
    metrics = QFontMetricsF(painter.font())
    wide = max([metrics.horizontalAdvance(line) for line in lines] + [BAR + 76.0 if bars else 0])
    box = QRectF(0, 0, wide + 2 * PAD, (len(lines) + len(bars)) * LINE + 2 * PAD)
    box.moveTopLeft(QPointF(at.right() + AWAY, at.bottom() + 4))
    if box.right() > room.right():
        box.moveRight(at.left() - AWAY)
    if box.bottom() > room.bottom():
        box.moveBottom(at.top() - 4)
    box.moveLeft(max(room.left(), box.left()))
    box.moveTop(max(room.top(), box.top()))
    painter.setPen(QPen(QColor(tokens.border), 1))
    painter.setBrush(QColor(tokens.raised))
    painter.drawRoundedRect(box, 5, 5)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    y = box.top() + PAD
    for i, line in enumerate(lines):
        painter.setPen(QColor(tokens.text if i == 0 else tokens.text_dim))
        painter.drawText(QRectF(box.left() + PAD, y, wide, LINE), int(Qt.AlignmentFlag.AlignVCenter), line)
        y += LINE
    _paint_bars(painter, QRectF(box.left() + PAD, y, wide, LINE), bars, tokens)
    return box


def _paint_bars(painter: QPainter, row: QRectF, bars: tuple[tuple[str, float], ...], tokens: Tokens) -> None:
    plain, letters = QFont(painter.font()), monospace(12)
    for token, chance in bars:
        painter.setFont(letters)
        painter.setPen(QColor(tokens.text))
        painter.drawText(
            QRectF(row.left(), row.top(), 24, row.height()), int(Qt.AlignmentFlag.AlignVCenter), letter(token)
        )
        bar = QRectF(row.left() + 28, row.center().y() - 3, BAR, 6)
        painter.fillRect(bar, QColor(tokens.bg))
        bar.setWidth(BAR * min(1.0, chance))
        painter.fillRect(bar, QColor(tokens.lane_a))
        painter.setFont(plain)
        beside = QRectF(row.left() + 34 + BAR, row.top(), 60, row.height())
        painter.setPen(QColor(tokens.text_dim))
        painter.drawText(beside, int(Qt.AlignmentFlag.AlignVCenter), _percent(chance))
        row.translate(0, LINE)


def _percent(chance: float) -> str:
    return tr("{} %").format(number(100 * chance, 0 if chance >= 0.1 or chance == 0 else 1))
