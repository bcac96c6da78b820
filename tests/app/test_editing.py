"""Edits in the real window: a mask that is painted, chosen, dropped; a run with it; what is kept of it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox

from diffstudio.gui.controllers.mask import MASKS
from diffstudio.gui.dialogs.mask import MaskDialog


def shown(kind):
    """The dialog of that kind that is open."""
    (found,) = [w for w in QApplication.topLevelWidgets() if isinstance(w, kind) and w.isVisible()]
    return found


@pytest.fixture
def panel(studio):
    panel = studio.parts.sampling
    panel.source.combo.set_value("data")
    panel.steps.set_value(4)
    panel.samples.setValue(2)
    panel.label.set_value(3)
    return panel


@pytest.fixture
def mask_file(tmp_path):
    pixels = np.zeros((28, 28), np.uint8)
    pixels[:, 14:] = 255
    Image.fromarray(pixels).save(tmp_path / "right.png")
    return tmp_path / "right.png"


def paint(studio, panel):
    """Paint a dot and use it."""
    panel.edit.mask_file.painter.click()
    studio.wait_read()
    dialog = shown(MaskDialog)
    dialog.painting.begin()
    dialog.painting.line((14, 14), (14, 14), True)
    dialog._settle()
    dialog.buttons.button(dialog.buttons.StandardButton.Ok).click()


def test_what_is_painted_is_the_mask_and_lies_beside_the_runs(studio, panel, tmp_path):
    paint(studio, panel)
    mask = Path(panel.request().mask)
    assert mask.parent == tmp_path / "runs" / MASKS
    panel.edit.mask_file.painter.click()
    studio.wait_read()
    again = shown(MaskDialog)
    assert np.array_equal(again.painting.pixels, np.asarray(Image.open(mask)) > 0), "it is gone on from"
    again.reject()


def test_a_chosen_mask_keeps_what_is_black(studio, panel, mask_file, generate, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(mask_file), ""))
    panel.edit.mask_file.choose.click()
    assert panel.request().mask == str(mask_file)
    assert generate().outcome == "done"
    trace = studio.parts.runs.trace
    data, final = trace.array(0, "xt"), trace.array(len(trace) - 1, "xt")
    assert np.allclose(final[..., :14], data[..., :14], atol=1e-5)
    assert not np.allclose(final[..., 14:], data[..., 14:], atol=0.1)


def test_a_dropped_mask_of_another_size_is_refused_in_one_sentence(studio, panel, tmp_path):
    Image.new("L", (9, 7), 255).save(tmp_path / "small.png")
    panel.edit.mask_file.dropped.emit(tmp_path / "small.png")
    box = shown(QMessageBox)
    assert box.text() == "small.png is a mask of 9×7 pixels, the model needs 28×28: draw it there"
    assert panel.request().mask is None
    box.close()


def test_half_the_strength_is_half_the_steps(studio, panel, generate):
    panel.edit.strength.set_value(0.5)
    assert generate().outcome == "done"
    trace = studio.parts.runs.trace
    assert [spec.records for spec in trace.header.chains] == [3, 3]


def test_a_run_goes_on_from_a_step_without_the_edits_that_need_data(studio, panel, mask_file, generate):
    panel.set_mask_file(mask_file)
    assert generate().outcome == "done"
    studio.parts.playhead.move_to(6)
    assert generate("fork").outcome == "done"
    assert studio.parts.runs.trace.header.request["mask"] is None


def test_both_halves_of_guidance_are_recorded(studio, panel, generate):
    panel.guidance.set_value(2.0)
    panel.guiding.split.setChecked(True)
    assert generate().outcome == "done"
    trace = studio.parts.runs.trace
    last = len(trace) - 2
    cond, free, x0_hat = (trace.array(last, name) for name in ("x0_cond", "x0_free", "x0_hat"))
    assert np.allclose(x0_hat, free + 2.0 * (cond - free), atol=1e-4)
    assert not np.allclose(cond, free, atol=1e-3)


def test_a_preset_keeps_the_source_and_the_edits(studio, panel, mask_file):
    panel.set_mask_file(mask_file)
    panel.edit.strength.set_value(0.6)
    panel.guiding.rescale.set_value(0.5)
    request = panel.request()
    studio.commands.presets.keep("mine", panel.checked_request())
    panel.reset()
    assert panel.request().mask is None and panel.request().source == "noise"
    studio.commands.presets.take("mine")
    assert panel.request() == request


def test_a_preset_of_a_run_begins_with_noise(studio, panel, generate):
    assert generate().outcome == "done"
    panel.source.combo.set_value("last")
    studio.commands.presets.keep("mine", panel.checked_request())
    studio.commands.presets.take("mine")
    assert panel.request().source == "noise"


def test_the_open_folds_are_remembered(studio, panel, tmp_path):
    studio.parts.sampling.folds.set_open("edit", "advanced")
    studio.keeping.save()
    assert studio.parts.settings.window["folds"] == ["edit", "advanced"]
    panel.folds.set_open()
    studio.keeping.restore()
    assert panel.folds.open == ("edit", "advanced")


def test_the_open_fold_of_an_older_start_is_remembered(studio, panel):
    studio.parts.settings.window = {"fold": "advanced"}
    studio.keeping.restore()
    assert panel.folds.open == ("advanced",)


def test_betas_are_read_from_a_file(studio, panel, tmp_path, monkeypatch):
    panel.advanced.path.set_value("vp_table")
    (tmp_path / "betas.txt").write_text("0.1, 0.2\n0.5; 0.9\n")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(tmp_path / "betas.txt"), ""))
    panel.advanced.betas.choose.click()
    studio.wait_read()
    assert panel.request().path.betas == (0.1, 0.2, 0.5, 0.9)
    (tmp_path / "betas.txt").write_text("beta")
    panel.advanced.betas.choose.click()
    studio.wait_read()
    box = shown(QMessageBox)
    assert "is not a text of betas" in box.text()
    box.close()
    assert panel.request().path.betas == (0.1, 0.2, 0.5, 0.9)


def test_a_run_with_betas_that_are_none_is_refused(studio, panel):
    panel.advanced.path.set_value("vp_table")
    panel.advanced.betas.edit.setText("0.1, 7")
    panel.advanced.betas.edit.textEdited.emit("0.1, 7")
    panel.advanced.betas.edit.editingFinished.emit()
    assert panel.footer.note.text() == "path 'vp_table': beta 2 of the table is 7, expected 1e-12 to 1"
    studio.commands.run("generate")
    box = shown(QMessageBox)
    assert "beta 2 of the table is 7" in box.text()
    box.close()
    assert not studio.parts.runs.running
