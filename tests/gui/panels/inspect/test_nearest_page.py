"""The page of the nearest training samples: true labels, pictures as the canvas has them, words that say how near."""

from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QLocale, QRectF
from PySide6.QtGui import QColor

from diffstudio.analysis.neighbours import known, seen_by
from diffstudio.data import DATASETS, spoken
from diffstudio.data.finite import finite_part
from diffstudio.gui.kit import theme
from diffstudio.gui.panels.inspect import nearest_painting
from diffstudio.gui.panels.inspect.nearest_page import NearestPage
from diffstudio.modalities import Meaning, Shown
from diffstudio.studio.export.pictures import portrait


@pytest.fixture
def page(shown):
    """Shows a step of a run, its question answered at once; gives the page and what it says."""
    QLocale.setDefault(QLocale.c())
    made = shown(NearestPage(theme.DARK), 460, 320)
    made.wanted.connect(lambda kind, find: made.take_answer(find(lambda: False)))

    def show(trace, k, sample=0):
        made.set_trace(trace)
        made.refresh()
        made.told = made.show_step(trace, k, "xt", sample)
        return made

    return show


def run_of(make_run, name, rows, **card):
    """The trace of two chains of two records, whose x̂0 are the rows."""
    source = DATASETS[name]
    rows = rows.astype(np.float32)
    facts = {"data": {"dataset": name}, "labels": list(source.labels), **card}
    if source.modality == "audio":
        facts["audio"] = spoken.SPEC.model_dump()
    if source.vocabulary:
        facts["text"] = {"vocabulary": list(source.vocabulary), "process": "masked"}
    return make_run(
        2, 2, source.modality, batch=len(rows), shape=rows.shape[1:], card=facts, values=lambda k, t: (rows * t, rows)
    ).trace


@pytest.fixture
def digits(make_run):
    return run_of(make_run, "digits", DATASETS["digits"].everything("train")[0][[7, 40]])


def test_the_forward_chain_knows_the_true_sample_and_the_reverse_chain_guesses(page, digits):
    assert page(digits, 1)._query.title == "x_0 (true)"
    assert page(digits, 1).told.startswith("x_0 (true) of sample 1 is training sample 8 (class ")
    assert page(digits, 3)._query.title == "x̂0"
    assert page(digits, 3, sample=1).told.startswith("x̂0 of sample 2 is training sample 41 (class ")


def test_words_say_which_sample_how_far_and_how_near_that_is(page, make_run):
    train, labels = DATASETS["digits"].everything("train")
    rng = np.random.default_rng(0)
    near, far = train[8] + 1e-3, rng.normal(size=(1, 28, 28))
    shown = page(run_of(make_run, "digits", np.stack([near, train[8] + 0.1 * rng.normal(size=near.shape), far])), 3)
    apart = known(seen_by({"data": {"dataset": "digits"}})).apart
    distance = 1e-3 * 28
    assert shown.told == (
        f"x̂0 of sample 1 is {distance:.2f} from training sample 9 (class {labels[8]}), of 1438: "
        f"{distance / apart:.2f} × as far as those are apart, as good as a copy."
    )
    assert page(shown._trace, 3, 1).told.endswith("remarkably close.")
    assert page(shown._trace, 3, 2).told.endswith("× as far as those are apart.")


def test_an_exact_model_has_nearest_samples_although_its_data_come_from_a_formula(page, make_run):
    points, labels = finite_part(DATASETS["shapes-2d"], 40, 2)
    args = {"network": "exact_data", "network_args": {"dataset": "shapes-2d", "size": 40, "seed": 2}}
    shown = page(run_of(make_run, "shapes-2d", points[[3, 300]], **args), 3, sample=1)
    assert shown.neighbours[0].index == 300
    named = DATASETS["shapes-2d"].labels[labels[300]]
    assert shown.told == f"x̂0 of sample 2 is training sample 301 (class {named}), of 320."
    picture = shown.grab().toImage()
    ring = QColor(theme.DARK.lane_a)
    plot = shown._cells()[0].left() - nearest_painting.GAP
    middle = round(plot / 2), round(shown.height() / 2)
    around = [picture.pixelColor(middle[0] + 6, middle[1]), picture.pixelColor(middle[0] - 6, middle[1])]
    assert any(abs(pixel.blue() - ring.blue()) < 60 and pixel.blue() > pixel.red() for pixel in around)


def test_texts_are_compared_letter_by_letter_and_shown_as_lines(page, make_run):
    words = DATASETS["words"].every("train")[0]
    changed = words[100].copy()
    changed[0, :2] = (changed[0, :2] + 1) % len(DATASETS["words"].vocabulary)
    shown = page(run_of(make_run, "words", np.stack([words[100], changed])), 3)
    assert shown.told == "x̂0 of sample 1 is training sample 101, of 3683."
    shown = page(shown._trace, 3, 1)
    assert shown.neighbours[0].distance <= 2 and "letters from training sample" in shown.told
    boxes = shown._cells()
    assert all(a.bottom() <= b.top() + 0.01 for a, b in pairwise(boxes)), "one below the other"
    assert len(np.unique(_pixels(shown, boxes[0]))) > 10, "its letters are painted"


def test_sounds_stand_as_on_the_canvas(page, make_run):
    """A spectrogram with energy in its lowest bands alone: bright below, twice as wide as its frames."""
    rows = -np.ones((1, *DATASETS["spoken-digits"].shape))
    rows[:, :, :8] = 1
    shown = page(run_of(make_run, "spoken-digits", rows), 3)
    cell = shown._cells()[0]
    box = nearest_painting.picture_box(
        cell, *portrait(shown._query.meaning, Shown(rows.astype(np.float32)), 99).shape[:2]
    )
    painted = _pixels(shown, box.adjusted(2, 2, -2, -2))
    assert painted[-3:].mean() > 250 and painted[: len(painted) // 2].mean() < 5
    assert box.width() == pytest.approx(box.height()), "64 bands of 32 frames, each two pixels wide"


@pytest.mark.parametrize(
    ("modality", "shape"),
    [("image", (3, 12, 30)), ("image", (1, 30, 12)), ("video", (4, 1, 10, 20)), ("audio", (1, 64, 20))],
)
def test_every_modality_is_drawn_by_its_own_painter_in_proportion(modality, shape):
    card = {"audio": spoken.SPEC.model_dump()} if modality == "audio" else {}
    meaning = Meaning(modality, shape, card)
    row = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
    drawn = portrait(meaning, Shown(row[None]), 64)
    kind = meaning.kind
    expected = (
        kind.draw(meaning, Shown(row[None]))[0] if modality != "video" else kind.play(meaning, Shown(row[None]))[0][2]
    )
    assert np.array_equal(drawn, expected)
    box = nearest_painting.picture_box(QRectF(0, 0, 100, 90), *drawn.shape[:2])
    assert box.width() / box.height() == pytest.approx(drawn.shape[1] / drawn.shape[0])
    assert QRectF(0, 0, 100, 90).contains(box)


def test_the_index_and_class_of_a_training_sample_are_said(page, digits):
    shown = page(digits, 3)
    labels = DATASETS["digits"].everything("train")[1]
    assert shown.name_of(shown.neighbours[0]) == f"8 (class {labels[7]})"
    assert nearest_painting._words(shown.neighbours[0], DATASETS["digits"].labels) == (str(labels[7]), "no. 8 · 0.00")


def test_a_place_on_the_page_means_a_neighbour(page, digits):
    shown = page(digits, 3)
    boxes = shown._cells()
    assert shown.neighbour_at(boxes[0].center().x(), boxes[0].center().y()) == -1, "the sample itself"
    assert [shown.neighbour_at(box.center().x(), box.center().y()) for box in boxes[1:]] == [0, 1, 2, 3, 4]
    assert not shown.picture_of(2).isNull() and shown.picture_of(7).isNull()


@pytest.mark.parametrize("size", [(160, 160), (300, 180), (900, 500)])
def test_pictures_and_words_stay_within_their_cells(page, digits, size, qtbot):
    shown = page(digits, 3)
    shown.resize(*size)
    qtbot.wait(10)
    boxes = shown._cells()
    assert len(boxes) == 6
    for i, box in enumerate(boxes):
        assert QRectF(shown.rect()).contains(box)
        assert not any(box.intersects(other) for other in boxes[i + 1 :])


@pytest.mark.parametrize(
    ("card", "shape", "words"),
    [
        ({"data": {"dataset": "shapes-2d"}}, (2,), "formula"),
        ({"data": {"dataset": "nobody's"}}, (1, 28, 28), "not at hand"),
        ({"data": {"dataset": "spoken-digits"}}, (1, 28, 28), "another kind"),
        ({"data": {"dataset": "digits"}}, (1, 8, 8), "another shape"),
    ],
)
def test_where_nothing_can_be_near_it_says_why(page, make_run, card, shape, words):
    modality = "points" if shape == (2,) else "image"
    shown = page(make_run(2, 2, modality, shape=shape, card=card).trace, 3)
    assert words in shown._why_not() and shown.told == "" and shown.neighbours == []
    shown.grab()


def _pixels(widget, box):
    """Grey levels (H, W) of a part of what it paints."""
    picture = widget.grab(box.toAlignedRect()).toImage()
    return np.array(
        [[picture.pixelColor(x, y).lightness() for x in range(picture.width())] for y in range(picture.height())]
    )
