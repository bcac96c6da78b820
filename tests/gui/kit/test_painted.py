"""A paint that raises: the widget says so, its painter and that of its pictures are ended, the rest lives."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QLabel, QWidget

import diffstudio.gui
from diffstudio.errors import BadFile
from diffstudio.gui.kit.painted import painted, painted_part, painter_on


class Broken(QWidget):
    error: Exception | None = None

    @painted
    def paintEvent(self, painter, event):
        painter.fillRect(self.rect(), QColor("red"))
        self.picture = QImage(8, 8, QImage.Format.Format_RGB32)
        with painter_on(self.picture) as inner:
            inner.fillRect(0, 0, 8, 8, QColor("blue"))
            if self.error is not None:
                raise self.error


@pytest.fixture
def told(monkeypatch):
    """What the last net for exceptions has heard."""
    heard = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: heard.append(error))
    return heard


@pytest.fixture
def broken(qtbot):
    made = Broken()
    qtbot.addWidget(made)
    made.resize(300, 100)
    return made


def colours(widget):
    image = widget.grab().toImage()
    return {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(0, image.height(), 2)}


def test_what_is_painted_well_is_painted(broken, told):
    assert colours(broken) == {"#ff0000"}
    assert not told


def test_a_paint_that_raises_is_told_once_and_a_sentence_is_shown_instead(broken, told):
    broken.error = ZeroDivisionError("by nothing")
    shown = colours(broken)
    assert "#ff0000" not in shown and len(shown) > 1  # its paper, and letters
    assert told == [broken.error]
    assert not broken.paintingActive() and not broken.picture.paintingActive()
    frame = broken.error.__traceback__
    while frame.tb_next:
        frame = frame.tb_next
    assert not frame.tb_frame.f_locals  # nothing of that paint is kept
    broken.error = None
    assert colours(broken) == {"#ff0000"}


def test_what_is_wrong_with_a_file_is_no_fault_of_the_program(broken, told):
    broken.error = BadFile("the file was cut while it was open")
    assert len(colours(broken)) > 1
    assert not told


def test_the_widgets_beside_it_are_painted(qtbot, told):
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.resize(200, 60)
    child, beside = Broken(parent), QLabel("", parent)
    beside.setStyleSheet("background: #00ff00")
    child.setGeometry(0, 0, 100, 60)
    beside.setGeometry(100, 0, 100, 60)
    child.error = RuntimeError("x")
    image = parent.grab().toImage()
    assert image.pixelColor(150, 30) == QColor("#00ff00")
    assert len(told) == 1


def test_a_part_that_raises_leaves_the_painter_as_it_was(told):
    class Row:
        @painted_part
        def paint(self, painter, text):
            painter.setPen(QColor("red"))
            raise KeyError(text)

    out = QImage(8, 8, QImage.Format.Format_RGB32)
    with painter_on(out) as painter:
        painter.setPen(QColor("blue"))
        Row().paint(painter, "a")
        assert painter.pen().color() == QColor("blue")
    assert [str(error) for error in told] == ["'a'"]


def test_a_painter_is_ended_by_an_exception():
    out = QImage(8, 8, QImage.Format.Format_RGB32)
    with pytest.raises(ZeroDivisionError), painter_on(out) as painter:
        painter.fillRect(0, 0, 8, 8, Qt.GlobalColor.red)
        raise ZeroDivisionError
    assert not out.paintingActive()
    assert out.pixelColor(0, 0) == QColor("red")


def sources():
    folder = Path(diffstudio.gui.__file__).parent
    return {path: ast.parse(path.read_text("utf-8")) for path in sorted(folder.rglob("*.py"))}


def test_no_painter_of_ours_is_made_elsewhere():
    """A bare QPainter that an exception leaves at work ends the process: each is made by `painter_on`."""
    made = [
        f"{path.name}:{node.lineno}"
        for path, tree in sources().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == QPainter.__name__
    ]
    assert len(made) == 1 and made[0].startswith("painted.py:")


def test_every_paint_of_a_widget_or_a_part_is_guarded():
    guards = {"paintEvent": "painted", "paint": "painted_part"}
    found = 0
    for path, tree in sources().items():
        for kind in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
            bases = {ast.unparse(base) for base in kind.bases}
            for method in (node for node in kind.body if isinstance(node, ast.FunctionDef)):
                if method.name not in guards or (
                    method.name == "paint" and not bases & {"QStyledItemDelegate", "pg.AxisItem"}
                ):
                    continue
                found += 1
                decorated = {ast.unparse(one) for one in method.decorator_list}
                only_super = "super().paintEvent(event)" in ast.unparse(method)
                assert guards[method.name] in decorated or only_super, f"{path.name}: {kind.name}.{method.name}"
    assert found > 12
