"""x̂0 reads as x̂0 wherever the application writes it."""

import numpy as np
import pytest
from PySide6.QtGui import QFont, QImage
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QMenu, QPushButton, QTreeWidget, QTreeWidgetItem

from diffstudio.gui.application import make_application
from diffstudio.gui.kit import theme
from diffstudio.gui.kit.fonts import hat_is_seen, with_hats


@pytest.fixture
def app(qapp):
    """The application as it starts, its font put back afterwards."""
    before = QApplication.font()
    made = make_application()
    theme.apply(made, theme.DARK)
    yield made
    made.setFont(before)


def ink(widget):
    """How much of a widget's picture differs from its background."""
    picture = widget.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    pixels = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), picture.bytesPerLine())
    pixels = pixels[:, : picture.width()].astype(int)
    return int((abs(pixels - pixels[pixels.shape[0] // 2, -4]) > 40).sum())


def menu(text):
    out = QMenu()
    out.addAction(text)
    return out


def tree(text):
    out = QTreeWidget()
    out.setHeaderHidden(True)
    out.addTopLevelItem(QTreeWidgetItem([text]))
    return out


def combo(text):
    out = QComboBox()
    out.addItem(text)
    return out


@pytest.mark.parametrize("make", [QLabel, QPushButton, menu, tree, combo])
def test_every_kind_of_widget_shows_the_hat(app, qtbot, make):
    widgets = [make(text) for text in ("Show x0", "Show x̂0")]
    for widget in widgets:
        qtbot.addWidget(widget)
        widget.resize(160, max(20, widget.sizeHint().height()))
    plain, hatted = (ink(widget) for widget in widgets)
    assert hatted > plain


@pytest.mark.parametrize("pixels", [11, 12, 13, 14, 18])
@pytest.mark.parametrize("bold", [False, True])
def test_the_hat_is_seen_at_every_size(app, pixels, bold):
    font = QFont(app.font())
    font.setPixelSize(pixels)
    font.setBold(bold)
    assert hat_is_seen(font)


def test_a_font_that_shows_it_is_left_alone(app):
    font = with_hats(app.font())
    assert with_hats(font) == font


def test_dejavu_is_mended(qapp):
    font = QFont("DejaVu Sans")
    font.setPixelSize(12)
    assert hat_is_seen(with_hats(font))
