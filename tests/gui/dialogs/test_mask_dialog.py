"""The mask painter, driven: strokes, keys, undo, and the file that it writes."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QMessageBox, QWidget

from diffstudio.gui.dialogs.mask import VEIL, MaskDialog
from diffstudio.studio.masks import load_mask

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton


@pytest.fixture
def parent(qtbot):
    made = QWidget()
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def opened(parent, tmp_path, qtbot):
    """A painter over a 20×10 picture, grey 90."""

    def open_dialog(start=None, folder=tmp_path / "masks"):
        dialog = MaskDialog(np.full((10, 20, 3), 90, np.uint8), start, folder, parent)
        dialog.open()
        qtbot.waitExposed(dialog)
        return dialog

    return open_dialog


@pytest.fixture
def stroke(qtbot):
    """Drags from one place of the picture to another."""

    def do(dialog, start, end, button=LEFT):
        canvas = dialog.canvas
        qtbot.mousePress(canvas, button, pos=canvas.place(*start).toPoint())
        qtbot.mouseMove(canvas, canvas.place(*end).toPoint())
        qtbot.mouseRelease(canvas, button, pos=canvas.place(*end).toPoint())

    return do


def button(dialog, kind):
    return dialog.buttons.button(kind)


def test_left_paints_right_erases(opened, stroke):
    dialog = opened()
    stroke(dialog, (3.5, 5.5), (15.5, 5.5))
    assert dialog.painting.pixels[5, 3:16].all() and not dialog.painting.pixels[9].any()
    stroke(dialog, (9.5, 5.5), (9.5, 5.5), RIGHT)
    assert not dialog.painting.pixels[5, 9] and dialog.painting.pixels[5, 3]


def test_moving_without_a_button_paints_nothing(opened, qtbot):
    dialog = opened()
    qtbot.mouseMove(dialog.canvas, dialog.canvas.place(5, 5).toPoint())
    assert not dialog.painting.pixels.any() and not dialog.painting.can_undo


def test_what_is_painted_is_seen_on_the_picture_which_has_hard_edges(opened, stroke):
    dialog = opened()
    stroke(dialog, (2.5, 2.5), (2.5, 2.5))
    dialog.canvas._at = (18.0, 8.0)  # the brush elsewhere
    shot = dialog.canvas.grab().toImage()
    ratio = shot.devicePixelRatio()

    def colour(x, y):
        at = dialog.canvas.place(x, y) * ratio
        return np.array(shot.pixelColor(at.toPoint()).getRgb()[:3])

    veiled = (np.array(VEIL[:3]) * VEIL[3] + 90 * (255 - VEIL[3])) / 255
    for at in ((2.5, 2.5), (2.1, 2.9)):
        assert np.abs(colour(*at) - veiled).max() <= 2
    assert (colour(8.5, 8.5) == 90).all() and (colour(3.9, 8.5) == 90).all()


def test_the_wheel_and_the_brackets_size_the_brush(opened, qtbot):
    dialog = opened()
    before = dialog.painting.radius
    qtbot.keyClick(dialog.canvas, Qt.Key.Key_BracketRight)
    larger = dialog.painting.radius
    assert larger > before
    qtbot.keyClick(dialog.canvas, Qt.Key.Key_BracketLeft)
    assert dialog.painting.radius == pytest.approx(before)
    at = QPointF(dialog.canvas.rect().center())
    none = Qt.MouseButton.NoButton
    event = QWheelEvent(at, dialog.canvas.mapToGlobal(at), QPoint(), QPoint(0, 120), none,
                        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False)  # fmt: skip
    QApplication.sendEvent(dialog.canvas, event)
    assert dialog.painting.radius == pytest.approx(larger)


def test_the_keyboard_paints_and_erases(opened, qtbot):
    dialog = opened()
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Left, Qt.Key.Key_Up, Qt.Key.Key_Space):
        qtbot.keyClick(dialog.canvas, key)
    assert dialog.painting.pixels[4, 8]
    qtbot.keyClick(dialog.canvas, Qt.Key.Key_Backspace)
    assert not dialog.painting.pixels.any()


def test_the_brush_stays_on_the_picture_when_it_is_moved_by_keys(opened, qtbot):
    dialog = opened()
    for _ in range(60):
        qtbot.keyClick(dialog.canvas, Qt.Key.Key_Right)
    assert dialog.canvas._at == (20, 5)


def test_undo_redo_invert_and_clear(opened, stroke, qtbot):
    dialog = opened()
    assert not dialog.undo.isEnabled() and not dialog.redo.isEnabled()
    stroke(dialog, (5.5, 5.5), (5.5, 5.5))
    painted = dialog.painting.pixels.copy()
    qtbot.mouseClick(dialog.invert, LEFT)
    assert np.array_equal(dialog.painting.pixels, ~painted)
    qtbot.mouseClick(dialog.clear, LEFT)
    assert not dialog.painting.pixels.any()
    qtbot.keyClick(dialog, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert np.array_equal(dialog.painting.pixels, ~painted)
    qtbot.mouseClick(dialog.undo, LEFT)
    assert np.array_equal(dialog.painting.pixels, painted)
    qtbot.mouseClick(dialog.redo, LEFT)
    assert np.array_equal(dialog.painting.pixels, ~painted)


def test_ok_writes_a_mask_of_the_models_size_and_says_where(opened, stroke, qtbot, tmp_path):
    dialog = opened()
    ok = button(dialog, QDialogButtonBox.StandardButton.Ok)
    assert not ok.isEnabled(), "nothing is painted"
    stroke(dialog, (3.5, 5.5), (15.5, 5.5))
    pixels = dialog.painting.pixels.copy()
    assert dialog.note.text() == f"{pixels.sum()} of 200 pixels"
    with qtbot.waitSignal(dialog.painted) as painted:
        qtbot.mouseClick(ok, LEFT)
    (path,) = painted.args
    assert path.parent == tmp_path / "masks" and path.suffix == ".png"
    assert np.array_equal(load_mask(path, (1, 10, 20))[0], pixels)


def test_a_mask_is_gone_on_from_and_the_same_mask_is_the_same_file(opened, qtbot, tmp_path):
    start = np.zeros((10, 20), np.float32)
    start[2:4, 3:9] = 0.8
    paths = []
    for _ in range(2):
        dialog = opened(start)
        with qtbot.waitSignal(dialog.painted) as painted:
            qtbot.mouseClick(button(dialog, QDialogButtonBox.StandardButton.Ok), LEFT)
        paths += painted.args
    assert paths[0] == paths[1] and len(list((tmp_path / "masks").iterdir())) == 1
    assert np.array_equal(load_mask(paths[0], (1, 10, 20))[0], start > 0.5)


def test_cancel_writes_nothing(opened, stroke, qtbot, tmp_path):
    dialog = opened()
    stroke(dialog, (3.5, 5.5), (15.5, 5.5))
    with qtbot.assertNotEmitted(dialog.painted):
        qtbot.mouseClick(button(dialog, QDialogButtonBox.StandardButton.Cancel), LEFT)
    assert not (tmp_path / "masks").exists()


def test_a_folder_that_can_not_be_made_is_named_and_the_painting_stays(opened, stroke, qtbot, tmp_path):
    (tmp_path / "taken").write_text("a file")
    dialog = opened(folder=tmp_path / "taken" / "masks")
    stroke(dialog, (3.5, 5.5), (15.5, 5.5))
    with qtbot.assertNotEmitted(dialog.painted):
        qtbot.mouseClick(button(dialog, QDialogButtonBox.StandardButton.Ok), LEFT)
    assert dialog.isVisible() and dialog.painting.pixels.any()
    (box,) = dialog.findChildren(QMessageBox)
    assert "taken" in box.text()
    box.close()
    dialog.reject()
