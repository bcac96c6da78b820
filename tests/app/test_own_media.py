"""Own media in the real window: what is read is seen before the run, chosen otherwise, masked, and drawn anew."""

from pathlib import Path

import numpy as np
import pytest
import tiny_prompted
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QMessageBox

from diffstudio.gui.controllers.mask import MASKS
from diffstudio.gui.dialogs.mask import MaskDialog
from diffstudio.gui.dialogs.questions import RestoreQuestion
from diffstudio.gui.dialogs.region import RegionDialog
from diffstudio.studio.masks import mask_for, recorded_mask

LEFT = Qt.MouseButton.LeftButton


def shown(kind):
    """The dialog of that kind that is open."""
    (found,) = [w for w in QApplication.topLevelWidgets() if isinstance(w, kind) and w.isVisible()]
    return found


def ok(dialog):
    dialog.buttons.button(QDialogButtonBox.StandardButton.Ok).click()


def levels(source):
    """The little picture that is shown of the file, as greys."""
    picture = source.own.picture.pixmap().toImage()
    return np.array([[picture.pixelColor(x, y).red() for x in range(picture.width())] for y in range(picture.height())])


@pytest.fixture
def panel(studio):
    panel = studio.parts.sampling
    panel.steps.set_value(4)
    panel.samples.setValue(2)
    return panel


# ── the source ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def wide(tmp_path):
    """40×20: black, its right quarter white; so crop, pad and stretch differ."""
    pixels = np.zeros((20, 40), np.uint8)
    pixels[:, 30:] = 255
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    return tmp_path / "wide.png"


def test_what_will_be_read_is_seen_and_changes_with_its_fit(studio, panel, wide, qtbot):
    studio.commands.filing.open_paths([wide])
    studio.wait_read()
    source = panel.source
    assert "40×20" in source.problem.text() and source.fit.value() == "crop"
    white = {}
    for fit in ("crop", "pad", "stretch"):
        source.fit.set_value(fit)
        assert panel.request().source_fit == fit
        qtbot.waitUntil(lambda: studio.parts.background._open == {})
        white[fit] = (levels(source) > 200).mean()
    assert white["crop"] < 0.02 and white["pad"] == pytest.approx(0.125, abs=0.05)
    assert white["stretch"] == pytest.approx(0.25, abs=0.05)
    before = levels(source)
    source.invert.click()
    qtbot.waitUntil(lambda: np.abs(levels(source) + before - 255).max() < 10)


def test_pages_ranges_and_arrays_are_offered_where_there_are_some(studio, panel, tmp_path, generate, qtbot):
    pages = [Image.new("L", (28, 28), level) for level in (0, 120, 255)]
    pages[0].save(tmp_path / "p.tif", save_all=True, append_images=pages[1:])
    source = panel.source
    studio.commands.filing.open_paths([tmp_path / "p.tif"])
    studio.wait_read()
    assert "Page 1 of 3 is taken" in source.problem.text() and not source.span.isVisibleTo(source)
    source.part.setCurrentIndex(source.part.findText("3"))
    assert panel.request().source_part == "3"
    qtbot.waitUntil(lambda: levels(source).min() == 255)
    source.part.setEditText("7")
    source.part.lineEdit().editingFinished.emit()
    qtbot.waitUntil(lambda: "has the pages 1 to 3, found '7'" in source.problem.text())
    source.part.setEditText("")
    source.part.lineEdit().editingFinished.emit()
    assert panel.request().source_part is None
    np.save(tmp_path / "a.npy", np.full((28, 28), 0.5, np.float32))
    studio.commands.filing.open_paths([tmp_path / "a.npy"])
    studio.wait_read()
    assert source.span.isVisibleTo(source) and not source.part.isVisibleTo(source)
    source.span.set_value("-1.0|1.0")
    assert panel.request().source_range == (-1, 1)
    assert generate().outcome == "done"
    assert (studio.parts.runs.trace.array(0, "xt") == 0.5).all()


def test_points_from_far_away_are_brought_into_the_plane(studio, panel, tmp_path, generate):
    assert studio.parts.models.choose("shapes-2d")
    (tmp_path / "dino.csv").write_text("x,y\n" + "\n".join(f"{20 + 5 * i},{90 - 4 * i}" for i in range(16)))
    studio.commands.filing.open_paths([tmp_path / "dino.csv"])
    studio.wait_read()
    source = panel.source
    assert source.fit.value() == "pad" and "dino.csv has points from (20, 30) to (95, 90)" in source.problem.text()
    panel.samples.setValue(16)
    assert generate().outcome == "done"
    trace = studio.parts.runs.trace
    assert np.abs(trace.array(0, "xt")).max() < 1.5 and "divided by" in trace.header.notes[0]


# ── masks ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_mask_drawn_on_the_photo_follows_its_fit(studio, panel, wide, generate, tmp_path):
    mask = np.zeros((20, 40), np.uint8)
    mask[:, 20:] = 255  # the right half of the photo
    Image.fromarray(mask).save(tmp_path / "mask.png")
    studio.commands.filing.open_paths([wide])
    studio.wait_read()
    panel.set_mask_file(tmp_path / "mask.png")
    panel.source.fit.set_value("stretch")
    assert generate().outcome == "done"
    trace = studio.parts.runs.trace
    np.testing.assert_array_equal(recorded_mask(trace.header)[0, 0], [0] * 14 + [1] * 14)
    data, final = trace.array(0, "xt"), trace.array(len(trace) - 1, "xt")
    np.testing.assert_array_equal(final[..., :14], data[..., :14])
    assert not np.allclose(final[..., 14:], data[..., 14:], atol=0.1)


def test_a_mask_that_suits_neither_the_model_nor_a_new_source_is_told_at_once(studio, panel, wide, tmp_path):
    Image.new("L", (40, 20), 255).save(tmp_path / "mask.png")
    studio.commands.filing.open_paths([wide])
    studio.wait_read()
    panel.set_mask_file(tmp_path / "mask.png")
    field = panel.edit.mask_file
    assert field.note.text() == ""
    Image.new("L", (28, 28), 9).save(tmp_path / "other.png")
    studio.commands.filing.open_paths([tmp_path / "other.png"])
    studio.wait_read()
    assert "is a mask of 40×20 pixels, the model needs 28×28" in field.note.text()


def test_one_frame_of_a_clip_is_painted_or_all(studio, panel, generate, tmp_path):
    assert studio.parts.models.choose("bouncing-digits")
    panel.source.combo.set_value("data")
    panel.steps.set_value(2)
    panel.samples.setValue(1)
    field = panel.edit.mask_file
    field.painter.click()
    studio.wait_read()
    dialog = shown(MaskDialog)
    assert dialog.painting.pixels.shape == (10, 28, 28) and dialog.frames.every.isChecked()
    dialog.frames.every.click()
    dialog.frames.slider.setValue(3)
    assert dialog.frames.number.text() == "frame 4 of 10"
    dialog.painting.begin()
    dialog.painting.line((5, 5), (20, 20), True)
    dialog._settle()
    painted = dialog.painting.pixels.copy()
    assert painted[3].any() and not painted[[0, 1, 2, 4, 5, 6, 7, 8, 9]].any()
    ok(dialog)
    file = Path(panel.request().mask)
    assert file.parent == tmp_path / "runs" / MASKS
    np.testing.assert_array_equal(mask_for(file, panel.card.seen)[:, 0], painted)
    assert generate().outcome == "done"
    trace = studio.parts.runs.trace
    data, final = trace.array(0, "xt")[0], trace.array(len(trace) - 1, "xt")[0]
    kept = np.broadcast_to(~painted[:, None], data.shape)
    np.testing.assert_array_equal(final[kept], data[kept])
    field.painter.click()
    studio.wait_read()
    again = shown(MaskDialog)
    np.testing.assert_array_equal(again.painting.pixels, painted)
    again.reject()


def test_a_part_of_a_spectrogram_is_painted(studio, panel, generate):
    assert studio.parts.models.choose("spoken-digits")
    panel.source.combo.set_value("data")
    panel.steps.set_value(2)
    panel.samples.setValue(1)
    panel.edit.mask_file.painter.click()
    studio.wait_read()
    dialog = shown(MaskDialog)
    dialog.painting.begin()
    dialog.painting.pixels[:20, 40:50] = True  # high frequencies, frames 20 to 24
    dialog._settle()
    ok(dialog)
    assert generate().outcome == "done"
    trace = studio.parts.runs.trace
    data, final = trace.array(0, "xt")[0, 0], trace.array(len(trace) - 1, "xt")[0, 0]
    anew = np.zeros((64, 32), bool)
    anew[-20:, 20:25] = True
    np.testing.assert_array_equal(final[~anew], data[~anew])
    assert (final[anew] != data[anew]).mean() > 0.9


def drag(qtbot, canvas, corners):
    places = [canvas.place(*corner).toPoint() for corner in corners]
    qtbot.mousePress(canvas, LEFT, pos=places[0])
    for place in places[1:]:
        qtbot.mouseMove(canvas, place)
    qtbot.mouseRelease(canvas, LEFT, pos=places[-1])


def test_a_region_of_points_is_drawn_by_mouse_or_by_keys(studio, panel, generate, qtbot):
    assert studio.parts.models.choose("shapes-2d")
    panel.source.combo.set_value("data")
    panel.samples.setValue(200)
    panel.edit.region.drawer.click()
    dialog = shown(RegionDialog)
    assert not dialog.buttons.button(QDialogButtonBox.StandardButton.Ok).isEnabled()
    drag(qtbot, dialog.plane, [(-0.5, 0.4), (0.2, 0.1), (0.6, -0.7)])
    drawn = dialog.region()
    assert drawn.startswith("x -0.") and ", y -0." in drawn and " of 200 points" in dialog.note.text()
    qtbot.keyClick(dialog.plane, Qt.Key.Key_Right)
    assert dialog.region() != drawn
    dialog.anew.set_value("y")
    assert dialog.region().endswith(", y")
    dialog.anew.set_value("not")
    assert dialog.region().startswith("not x ")
    ok(dialog)
    region = panel.request().mask_region
    assert region.startswith("not x ")
    assert generate().outcome == "done"
    trace = studio.parts.runs.trace
    data, final = trace.array(0, "xt"), trace.array(len(trace) - 1, "xt")
    kept = np.broadcast_to(recorded_mask(trace.header) == 0, data.shape)
    assert 0 < kept.sum() < kept.size
    np.testing.assert_array_equal(final[kept], data[kept])
    panel.edit.region.drawer.click()
    again = shown(RegionDialog)
    assert again.region() == region  # it is gone on from
    again.shape.set_value("lasso")
    drag(qtbot, again.plane, [(-1, -1), (1, -1), (1, 1), (-1, 1)])
    again.anew.set_value("both")
    assert again.region().startswith("inside (")
    ok(again)
    assert panel.request().mask_region.startswith("inside (")


def test_words_that_are_no_region_are_told_and_refused(studio, panel, qtbot):
    panel.source.combo.set_value("data")
    panel.folds.set_open("edit")
    field = panel.edit.region
    qtbot.keyClicks(field.edit, "frame 2..3")
    note = panel.edit.rows["mask_region"].note
    assert note.text() == "there is no axis 'frame' here: a region speaks of x, y"
    studio.commands.run("generate")
    box = shown(QMessageBox)
    assert "here is no axis 'frame' here" in box.text()
    box.close()
    field.edit.clear()
    qtbot.keyClicks(field.edit, "x 3..9")
    assert note.text() == "" and panel.request().mask_region == "x 3..9"


# ── settings of other programs ──────────────────────────────────────────────────────────────────────────────────────

PARAMETERS = """a red cat
Negative prompt: a dog
Steps: 3, Sampler: Euler, CFG scale: 2.5, Seed: 77, Size: 512x512, Clip skip: 2, Model: elsewhere"""


@pytest.fixture
def foreign(tmp_path):
    chunks = PngInfo()
    chunks.add_text("parameters", PARAMETERS)
    Image.new("RGB", (8, 8), "red").save(tmp_path / "fox.png", pnginfo=chunks)
    return tmp_path / "fox.png"


@pytest.fixture(scope="module")
def painter(tmp_path_factory):
    diffusers = pytest.importorskip("diffusers")
    pytest.importorskip("transformers")
    return tiny_prompted.stable_diffusion(diffusers, tmp_path_factory.mktemp("models"))[1]


def test_another_programs_settings_are_offered_and_what_can_not_be_had_is_said(studio, painter, foreign, generate):
    p = studio.parts
    studio.commands.filing.show_entry(p.catalog.find(str(painter)))
    p.sampling.set_request(p.sampling.request().model_copy(update={"samples": 1, "device": "cpu"}))
    studio.commands.filing.open_paths([foreign])
    studio.wait_read()
    question = shown(RestoreQuestion)
    ok(question)
    request = p.sampling.request()
    assert (request.prompt, request.negative_prompt, request.seed) == ("a red cat", "a dog", 77)
    assert (request.steps, request.guidance, request.solver) == (3, 2.5, "euler")
    assert generate().outcome == "done"


def test_or_the_picture_is_the_source(studio, painter, foreign, qtbot):
    studio.commands.filing.show_entry(studio.parts.catalog.find(str(painter)))
    studio.commands.filing.open_paths([foreign])
    studio.wait_read()
    question = shown(RestoreQuestion)
    text = " ".join(w.text() for w in question.findChildren(type(studio.parts.window.message)))
    assert "Not taken over: Clip skip 2." in text and "512×512" in text
    question.start.click()
    request = studio.parts.sampling.request()
    assert (request.source, request.source_file, request.prompt) == ("file", str(foreign), "")


def test_without_a_model_that_is_told_a_prompt_it_is_a_source_and_that_is_said(studio, foreign):
    studio.commands.filing.open_paths([foreign])
    studio.wait_read()
    assert studio.parts.sampling.request().source_file == str(foreign)
    assert "for a model that is told a prompt" in studio.parts.window.message.text()
