"""Bare weights in the window: what they don't tell is asked, the card is written, the model is there."""

from __future__ import annotations

import pytest
import torch

from diffstudio.gui.controllers.weights_card import Carding
from diffstudio.networks import NETWORKS


@pytest.fixture
def bare(tmp_path):
    torch.manual_seed(0)
    (tmp_path / "weights").mkdir()
    file = tmp_path / "weights" / "mine.pt"
    torch.save(NETWORKS["unet"]((1, 8, 8), 2, channels=(8, 8), embed=8, patch=2).state_dict(), file)
    return file


def test_what_is_not_told_is_asked_and_the_model_opens(studio, bare, qtbot):
    carding = Carding(studio.parts, studio.commands.filing)
    carding.ask(bare)
    studio.wait_read()
    dialog = carding.dialog
    assert dialog.shape.text() == "1×?×?" and dialog.labels.text() == "0, 1"
    dialog._on_save()
    assert "3 numbers" in dialog.problem.text() and dialog.isVisible()
    dialog.shape.setText("1×8×8")
    dialog.labels.setText("a")
    dialog._on_save()
    assert "2 classes" in dialog.problem.text() and dialog.isVisible()
    dialog.labels.setText("cat, dog")
    with qtbot.waitSignal(studio.parts.files.ended) as signal:
        dialog._on_save()
    assert signal.args[0].outcome == "done"
    card = studio.parts.catalog.find(str(bare)).card
    assert (card.shape, card.labels, card.prediction) == ((1, 8, 8), ("cat", "dog"), "eps")


def test_a_published_model_fills_in_size_and_path(studio, tmp_path):
    args = {"width": 32, "widths": (32, 32), "blocks": 1, "attention": (False,) * 2, "attention_up": (False,) * 4}
    torch.save(NETWORKS["adm"]((3, 32, 32), 0, **args).state_dict(), tmp_path / "model.pt")
    carding = Carding(studio.parts, studio.commands.filing)
    carding.ask(tmp_path / "model.pt")
    studio.wait_read()
    dialog = carding.dialog
    assert (dialog.shape.text(), dialog.path.currentData(), dialog.time.currentData()) == (
        "3×16×16", "vp_linear", "timestep",
    )  # fmt: skip
    dialog.preset.setCurrentText("ImageNet 64×64 (cosine)")
    assert (dialog.shape.text(), dialog.path.currentData()) == ("3×64×64", "vp_cosine_table")
    dialog.preset.setCurrentIndex(0)
    assert (dialog.shape.text(), dialog.path.currentData()) == ("3×16×16", "vp_linear")
    dialog.reject()


def test_the_raw_weights_can_be_chosen_where_both_are_there(studio, bare, qtbot):
    state = torch.load(bare, weights_only=True)
    torch.save({"model": state, "ema": {name: tensor + 1 for name, tensor in state.items()}}, bare)
    carding = Carding(studio.parts, studio.commands.filing)
    carding.ask(bare)
    studio.wait_read()
    dialog = carding.dialog
    assert dialog.set.currentData() == "averaged"
    dialog.shape.setText("1×8×8")
    dialog.set.setCurrentIndex(dialog.set.findData("raw"))
    with qtbot.waitSignal(studio.parts.files.ended) as signal:
        dialog._on_save()
    assert signal.args[0].outcome == "done"
    card = studio.parts.catalog.find(str(bare)).card
    assert card.weights == "raw" and "its raw weights are taken" in card.notes[0]
