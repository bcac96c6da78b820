"""The dialogs and the ways files come in and go out, driven in the real window."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtWidgets import QApplication, QMessageBox

from diffstudio.gui.dialogs.export import ExportDialog
from diffstudio.gui.dialogs.questions import BudgetQuestion, RestoreQuestion


def shown(kind):
    """The dialog of that kind that is open."""
    found = [w for w in QApplication.topLevelWidgets() if isinstance(w, kind) and w.isVisible()]
    assert len(found) == 1
    return found[0]


@pytest.fixture
def small_run(studio, generate, tmp_path):
    studio.parts.settings.last_folder = str(tmp_path)
    studio.parts.sampling.steps.set_value(4)
    studio.parts.sampling.samples.setValue(2)
    studio.parts.sampling.seed.set_value(5)
    assert generate().outcome == "done"
    return studio


@pytest.fixture
def exported(small_run, qtbot, tmp_path) -> Path:
    small_run.commands.run("export")
    dialog = shown(ExportDialog)
    dialog.scale.setValue(1)
    with qtbot.waitSignal(small_run.parts.files.ended):
        dialog.buttons.button(dialog.buttons.StandardButton.Save).click()
    (picture,) = tmp_path.glob("*.png")
    return picture


def test_the_export_dialog_writes_the_step_at_the_playhead(small_run, exported):
    last = small_run.parts.runs.trace.array(9, "xt", 0)[0]
    found = np.asarray(Image.open(exported).convert("L"), float)[:28, :28] / 127.5 - 1
    assert np.abs(found - last.clip(-1, 1)).max() < 0.01


def test_a_dropped_picture_offers_its_settings_and_restores_them(small_run, exported):
    small_run.parts.sampling.steps.set_value(9)
    small_run.parts.sampling.seed.set_value(7)
    small_run.commands.filing.open_paths([exported])
    small_run.wait_read()
    shown(RestoreQuestion).accept()
    request = small_run.parts.sampling.request()
    assert (request.steps, request.seed) == (4, 5)


def test_declining_to_restore_changes_nothing(small_run, exported):
    small_run.parts.sampling.steps.set_value(9)
    before = small_run.parts.sampling.request()
    small_run.commands.filing.open_paths([exported])
    small_run.wait_read()
    shown(RestoreQuestion).reject()
    assert small_run.parts.sampling.request() == before


def test_images_are_not_offered_as_a_table_of_points(small_run):
    small_run.commands.run("export")
    dialog = shown(ExportDialog)
    dialog.kind.setCurrentIndex(dialog.kind.findData("samples"))
    assert [dialog.format.itemData(i) for i in range(dialog.format.count())] == [""]
    dialog.close()


def test_a_run_over_the_budget_asks_and_records_less(studio, generate, qtbot):
    studio.parts.settings.trace_budget_gib = 0.01
    studio.parts.sampling.samples.setValue(16)
    studio.parts.sampling.steps.set_value(60)
    with qtbot.waitSignal(studio.parts.runs.ended):
        studio.commands.run("generate")
        shown(BudgetQuestion).accept()
    trace = studio.parts.runs.trace
    assert trace.complete and len(trace) < 122
    assert trace.header.total_bytes <= 0.01 * 2**30


def test_a_run_over_the_budget_can_be_left(studio):
    studio.parts.settings.trace_budget_gib = 0.01
    studio.parts.sampling.steps.set_value(400)
    studio.commands.run("generate")
    shown(BudgetQuestion).reject()
    assert not studio.parts.runs.running and studio.parts.runs.trace is None


def test_a_picture_of_another_size_is_fitted_and_denoised(studio, generate, tmp_path):
    path = tmp_path / "paper.png"
    Image.new("L", (100, 60), 255).save(path)
    studio.commands.filing.open_paths([path])
    studio.wait_read()
    request = studio.parts.sampling.request()
    assert (request.source, request.source_fit, request.source_invert) == ("file", "crop", True)
    studio.parts.sampling.steps.set_value(3)
    assert generate().outcome == "done"
    assert np.allclose(studio.parts.runs.trace.array(0, "xt"), -1)  # white paper, exchanged


def test_a_pickle_is_refused_in_one_sentence_and_does_not_run(studio, tmp_path, qtbot):
    class Trap:
        def __reduce__(self):
            return Path.touch, (tmp_path / "ran",)

    path = tmp_path / "model.safetensors"
    path.write_bytes(pickle.dumps(Trap()))
    studio.commands.filing.open_paths([path])
    studio.wait_read()
    qtbot.waitUntil(lambda: not studio.parts.scanning.going)
    box = shown(QMessageBox)
    assert "model.safetensors is a pickle" in box.text()
    assert not (tmp_path / "ran").exists()
    box.close()


def test_a_fork_goes_on_from_the_step_at_the_playhead(small_run, generate):
    before = small_run.parts.runs.trace.array(7, "xt")
    small_run.parts.playhead.move_to(7)
    assert generate("fork").outcome == "done"
    assert np.allclose(small_run.parts.runs.trace.array(0, "xt"), before, atol=1e-5)
    small_run.commands.run("compare")
    assert len(small_run.parts.runs.trace) == 10


def test_the_last_sample_can_be_noised_again(small_run, generate):
    final = small_run.parts.runs.trace.array(9, "xt")
    small_run.parts.sampling.source.combo.set_value("last")
    assert generate().outcome == "done"
    assert np.array_equal(small_run.parts.runs.trace.array(0, "xt"), final)


def test_closing_mid_run_ends_it(studio, qtbot):
    studio.parts.window.show()
    studio.parts.sampling.steps.set_value(5000)
    with qtbot.waitSignal(studio.parts.runs.grew):
        studio.commands.run("generate")
    studio.parts.window.close()
    assert studio.parts.runs._jobs._thread.isFinished()


@pytest.mark.parametrize("action", ["palette", "keys", "proofs", "settings", "about"])
def test_pages_open_and_close(studio, action, qtbot):
    before = set(QApplication.topLevelWidgets())
    studio.commands.run(action)
    (page,) = [w for w in QApplication.topLevelWidgets() if w.isVisible() and w not in before]
    page.close()
    qtbot.waitUntil(lambda: not any(w.isVisible() for w in set(QApplication.topLevelWidgets()) - before))


@pytest.mark.parametrize("split", [False, True])
def test_the_export_dialog_offers_the_halves_of_guidance_where_they_are(small_run, qtbot, split):
    request = small_run.parts.sampling.request()
    with qtbot.waitSignal(small_run.parts.runs.ended):
        small_run.parts.runs.generate(request.model_copy(update={"label": 3, "guidance": 2.0, "record_split": split}))
    small_run.commands.run("export")
    dialog = shown(ExportDialog)
    offered = [dialog.tensor.itemData(i) for i in range(dialog.tensor.count())]
    assert offered == ["xt", "x0_hat", "eps_hat", "delta", *(("x0_cond", "x0_free", "split") if split else ())]
    assert small_run.parts.window.actions_by_id["tensor_split"].isEnabled() == split
    dialog.close()
