"""Small print, axes and marks: where they are painted and what they say."""

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QFont, QImage, QPainter

from diffstudio.gui.kit import theme
from diffstudio.gui.stage.views import legend
from diffstudio.gui.stage.views.close_up import CloseUp
from diffstudio.gui.stage.views.image import pixel_values
from diffstudio.gui.stage.views.points import axes
from diffstudio.gui.stage.views.points.plane import Plane
from diffstudio.gui.stage.views.points.point_path import RING, paint_path, paint_ring
from diffstudio.modalities import colour as maps

BOX = QRectF(12, 300, 376, 26)


class Painting:
    """A black page; `texts` are the words that were written with their boxes, `letters` where the ink lies."""

    def __init__(self, pixels):
        self.page = QImage(400, 340, QImage.Format.Format_RGB32)
        self.page.fill(QColor("black"))
        self._pixels = pixels
        self.texts, self.letters = [], []

    def __enter__(self):
        painting = self

        class Painter(QPainter):
            def drawText(self, box, flags, text):
                painting.texts.append((text, QRectF(box)))
                painting.letters.append(QRectF(self.boundingRect(box, int(flags), text)))
                super().drawText(QRectF(box), int(flags), text)

        self.painter = Painter(self.page)
        self.painter.setFont(legend.small(QFont("DejaVu Sans")))
        return self.painter

    def __exit__(self, *_):
        self.painter.end()

    @property
    def ink(self):
        return self._pixels(self.page).any(-1)

    @property
    def pixels(self):
        return self._pixels(self.page)


@pytest.fixture
def page(qapp, pixels):
    return Painting(pixels)


# -- legend


@pytest.mark.parametrize(
    ("gain", "says"), [(1.0, ""), (0.5, "shown ÷ 2.00"), (1 / 80, "shown ÷ 80.00"), (0.0, ""), (2.0, "")]
)
def test_the_note_of_a_scaled_state(qapp, gain, says):
    assert legend.gain_note(gain) == says


@pytest.mark.parametrize("tokens", [theme.DARK, theme.LIGHT], ids=["dark", "light"])
def test_the_bar_runs_from_minus_to_plus_its_limit(page, tokens):
    with page as painter:
        legend.paint_bar(painter, BOX, 3.0, tokens)
    assert [text for text, _ in page.texts] == ["3.00", "−3.00"]
    row = page.pixels[313]
    table = maps.diverging(tokens.dark).astype(int)
    left = int(page.texts[1][1].right() + 6)
    for share in (0.1, 0.3, 0.5, 0.7, 0.9):
        found = row[left + round(share * legend.BAR_WIDTH)].astype(int)
        assert np.abs(found - table[round(share * 255)]).max() < 24
    assert page.ink[:300].sum() == page.ink[326:].sum() == 0


@pytest.mark.parametrize(("limit", "says"), [(0.004, "0.0040"), (0.5, "0.50"), (12.25, "12.25")])
def test_small_limits_have_more_decimals(page, limit, says):
    with page as painter:
        legend.paint_bar(painter, BOX, limit, theme.DARK)
    assert page.texts[0][0] == says


def test_a_note_a_message_and_the_focus(page):
    with page as painter:
        legend.paint_note(painter, BOX, "shown ÷ 2", theme.DARK)
        legend.paint_message(painter, QRectF(0, 0, 400, 300), "cut", theme.DARK)
        legend.paint_focus(painter, QRectF(0, 0, 400, 340), theme.DARK)
    inside = page.ink[2:-2, 2:-2]
    columns = np.flatnonzero(inside[298:].any(0))
    assert columns[0] < 16 and columns[-1] < 120  # at the left of the footer
    rows, columns = np.nonzero(inside[:290])
    assert abs(rows.mean() - 148) < 6 and abs(columns.mean() - 198) < 6
    assert page.ink[0].all() and page.ink[:, 399].all()


def test_figures_have_equal_width(qapp):
    from PySide6.QtGui import QFontMetricsF

    metrics = QFontMetricsF(legend.small(QFont("DejaVu Sans")))
    assert len({round(metrics.horizontalAdvance(d), 3) for d in "0123456789"}) == 1


# -- axes


@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_labels_stand_at_their_lines(page, ratio):
    plot, plane = axes.plot_box(400, 340), Plane(70 * ratio, 170 * ratio, 160 * ratio)
    with page as painter:
        axes.paint_labels(painter, plot, plane, ratio, theme.DARK, QFont("DejaVu Sans"), "data")
    names = [text for text, _ in page.texts][-2:]
    assert names == ["x₁ (data)", "x₂"]
    assert len(page.texts) > 6
    for text, box in page.texts[:-2]:
        value = float(text.replace("−", "-"))
        x, y = plane.to_screen(np.array([[value, value]]))[0] / ratio + (plot.left(), plot.top())
        if box.top() > plot.bottom():
            assert box.center().x() == pytest.approx(x)
        else:
            assert box.center().y() == pytest.approx(y)
            assert box.right() < plot.left()
    assert not any(a.intersects(b) for i, a in enumerate(page.letters) for b in page.letters[:i])


def test_lines_through_zero_are_stronger(page, colour):
    plot, plane = axes.plot_box(400, 340), Plane(70, 170, 160)
    with page as painter:
        axes.paint_grid(painter, plot, plane, 1.0, theme.DARK)
    x, y = round(plot.left() + 170), round(plot.top() + 160)
    assert np.array_equal(page.pixels[y + 9, x], colour(theme.DARK.border))
    assert np.array_equal(page.pixels[y, x + 9], colour(theme.DARK.border))
    assert np.array_equal(page.pixels[y + 9, x + 70], colour(theme.DARK.surface))
    assert not page.pixels[y + 9, x + 35].any()
    assert np.array_equal(page.pixels[y + 9, int(plot.right()) - 1], colour(theme.DARK.border))


# -- marks


def test_a_path_is_full_so_far_and_thin_to_come(page):
    at = np.array([[20.0, 50.5], [120, 50.5], [220, 50.5], [320, 50.5]])
    with page as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_path(painter, at, 1, theme.DARK)
    bright = page.pixels[50].astype(int).sum(-1)
    assert (bright[25:120] > 500).all()
    assert ((bright[125:320] > 100) & (bright[125:320] < 500)).all()
    dots = page.ink[48:50].any(0)
    assert dots[19:22].all() and dots[119:122].all() and not dots[215:225].any()


def test_a_path_skips_what_is_not_finite(page):
    at = np.array([[20.0, 50], [np.nan, 1], [120, np.inf], [220, 50]])
    with page as painter:
        paint_path(painter, at, 3, theme.DARK)
        paint_path(painter, at[1:3], 1, theme.DARK)
    assert page.ink[50, 20:220].all()
    rows = np.flatnonzero(page.ink.any(1))
    assert rows[0] >= 47 and rows[-1] <= 53


@pytest.mark.parametrize("selected", [True, False])
def test_a_ring_leaves_its_point_free(page, selected):
    with page as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_ring(painter, np.array([200.0, 100.0]), theme.DARK, selected=selected)
        paint_ring(painter, np.array([np.nan, 100.0]), theme.DARK, selected=selected)
    y, x = np.mgrid[:340, :400] + 0.5
    radius = np.hypot(x - 200, y - 100)[page.ink]
    width = 5 if selected else 1.2
    assert radius.min() > RING - width / 2 - 1
    assert radius.max() < RING + width / 2 + 1


# -- numbers in pixels


@pytest.mark.parametrize(
    ("scale", "ratio", "channels", "room"),
    [(40, 1, 1, True), (39, 1, 1, False), (64, 2, 1, False), (80, 2, 1, True), (41, 1, 3, False), (42, 1, 3, True)],
)
def test_numbers_need_room(scale, ratio, channels, room):
    assert pixel_values.fits(scale, ratio, channels) == room


def test_each_pixel_has_its_own_numbers(page):
    values = np.arange(24, dtype=float).reshape(2, 3, 4) / 10
    view = CloseUp(60, -30, 10)
    with page as painter:
        pixel_values.paint_values(painter, values, np.zeros((3, 4), np.uint32), view, (1, 3, 0, 2), 1.0)
    assert len(page.texts) == 4
    for text, box in page.texts:
        x, y = view.at(box.center().x(), box.center().y())
        assert text == f"{values[0, y, x]:.2f}\n{values[1, y, x]:.2f}"
        assert box.width() == box.height() == 60


@pytest.mark.parametrize(("grey", "dark_ink"), [(0, False), (60, False), (200, True), (255, True)])
def test_numbers_contrast_with_their_pixel(page, grey, dark_ink):
    pixels = np.full((1, 1), 0xFF000000 | grey * 0x010101, np.uint32)
    page.page.fill(QColor(grey, grey, grey))
    with page as painter:
        pixel_values.paint_values(painter, np.ones((1, 1, 1)), pixels, CloseUp(60, 0, 0), (0, 1, 0, 1), 1.0)
    ink = page.pixels[:60, :60].astype(int).mean(-1)
    strongest = ink.flat[np.abs(ink - grey).argmax()]
    assert (strongest < grey) == dark_ink
    assert abs(strongest - grey) > 100
