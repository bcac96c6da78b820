"""What a text model learns from, cells lost by the process and the surprise at them; and what ties clips together."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from cards import read_card

from diffstudio.data import dataset
from diffstudio.diffusion.paths import make_path
from diffstudio.training.loop import _card
from diffstudio.training.objectives import NoiseBatch, noise_loss, roughness, token_batch, token_loss
from diffstudio.training.recipe import Recipe

NETWORK = {"width": 16, "depth": 1, "heads": 2}


def recipe(process="masked", **changed):
    timed = {} if process == "masked" else {"timed": True}
    given = {
        "name": "tiny", "dataset": "words", "network": "transformer", "prediction": "tokens",
        "network_args": NETWORK | timed, "text": {"process": process, "channels": 6},
        "training": {"steps": 3, "batch": 400, **changed.pop("training", {})},
    }  # fmt: skip
    return Recipe.model_validate(given | changed)


def batch(process):
    own = recipe(process)
    source = dataset("words")
    card = _card(own, source)
    return card, token_batch(card, source, make_path(own.path), own.training, np.random.default_rng(0))


def test_masked_cells_are_asked_for_and_no_others():
    card, found = batch("masked")
    masked = found.xt[:, 0] == card.text.mask
    assert (masked == found.asked).all()
    assert (found.xt[:, 0][~masked] == found.tokens[~masked]).all()
    assert found.asked.any(1).all()  # every text asks for something
    share = masked.mean(1)
    assert np.corrcoef(share, found.t)[0, 1] > 0.9
    assert share.mean() == pytest.approx(0.5 + 0.5 / 10, abs=0.02)  # one of the ten always


def test_random_letters_are_asked_for_everywhere():
    card, found = batch("uniform")
    assert found.asked.all() and found.xt.max() < card.text.mask
    changed = (found.xt[:, 0] != found.tokens).mean(1)
    size = len(card.text.vocabulary)
    assert changed.mean() == pytest.approx(0.5 * (size - 1) / size, abs=0.04)
    assert np.corrcoef(changed, found.t)[0, 1] > 0.9


def test_vectors_of_variance_one_are_noised_along_the_path():
    card, found = batch("embedding")
    table = np.array(card.text.embedding)
    assert card.shape == (6, 10) and found.xt.shape == (400, 6, 10)
    assert np.linalg.norm(table, axis=1) == pytest.approx(np.full(len(table), 6**0.5), abs=1e-3)
    clean = table[found.tokens].transpose(0, 2, 1)
    t = found.t[:, None, None]
    noise = (found.xt - (1 - t) * clean) / t
    assert noise[found.t > 0.1].std() == pytest.approx(1, abs=0.02)


def test_the_loss_is_the_surprise_at_the_cells_that_are_asked_for():
    card, found = batch("masked")
    size = len(card.text.vocabulary)

    def certain(x, t, labels):
        """Knows the letter in the asked cells, and errs everywhere else."""
        logits = torch.zeros(len(x), size, x.shape[2])
        own = torch.from_numpy(np.where(found.asked, found.tokens, (found.tokens + 1) % size))
        return logits.scatter(1, own[:, None], 50.0)

    assert token_loss(certain, found, "cpu").item() == pytest.approx(0, abs=1e-5)
    nothing = token_loss(lambda x, t, labels: torch.zeros(len(x), size, x.shape[2]), found, "cpu")
    assert nothing.item() == pytest.approx(np.log(size), rel=1e-5)


@pytest.mark.parametrize("process", ["masked", "uniform", "embedding"])
def test_a_text_model_trains_and_says_what_it_is(process, run):
    file, progress = run(recipe(process, training={"batch": 8, "precision": "bfloat16"}))
    card = read_card(file)
    assert (card.modality, card.prediction, card.text.process) == ("text", "tokens", process)
    assert card.text.vocabulary == dataset("words").vocabulary
    assert card.shape == (6 if process == "embedding" else 1, 10)
    assert card.thumbnail and all(np.isfinite(p.loss) for p in progress)


def test_a_text_of_the_users_own_brings_its_letters(run, tmp_path):
    file = tmp_path / "own.txt"
    file.write_text("äöü und was man sonst noch schreibt " * 9, encoding="utf-8")
    out, _ = run(recipe(training={"batch": 8}, corpus=str(file)))
    card = read_card(out)
    assert "ä" in card.text.vocabulary and len(card.text.vocabulary) < 25
    assert (card.data.dataset, card.data.title) == ("", "own.txt")


@pytest.mark.parametrize("changed", [{"text": None}, {"prediction": "flow"}])
def test_tokens_and_their_process_go_together(changed):
    with pytest.raises(ValueError, match="prediction 'tokens' and the process in 'text' go together"):
        recipe(**changed)


def errors(*over_frames):
    """Clips (1, T, 1, 1, 1) with so large an error in each frame."""
    return torch.tensor(over_frames, dtype=torch.float64).view(1, -1, 1, 1, 1)


def test_an_error_that_is_alike_in_all_frames_or_moves_evenly_is_not_rough():
    assert roughness(errors(0.5, 0.5, 0.5, 0.5)) == 0
    assert roughness(errors(0.0, 0.5, 1.0, 1.5)) == 0
    assert roughness(errors(1.0, -1.0, 1.0, -1.0)) == pytest.approx(16 / 6)


def test_independent_errors_are_as_rough_as_they_are_large():
    independent = torch.randn(4000, 10, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    assert float(roughness(independent)) == pytest.approx(1.0, rel=0.02)


def test_smoothness_weighs_the_roughness_of_the_error():
    x0 = np.random.default_rng(0).normal(size=(3, 10, 3, 4, 4)).astype(np.float32)
    half = np.full(3, 0.5)
    clips = NoiseBatch(x0, np.zeros_like(x0), np.zeros(3, np.int64), half, half, half)

    def loss(smoothness):
        own = {"steps": 1, "smoothness": smoothness}
        given = {"name": "tiny", "dataset": "bouncing-digits", "network": "video_unet", "prediction": "x0"}
        asked = Recipe.model_validate({**given, "training": own})
        nothing = lambda x, t, labels: torch.zeros_like(x)  # noqa: E731
        return float(noise_loss(nothing, asked, make_path(asked.path), clips, "cpu"))

    plain = float(np.square(x0).mean())
    rough = float(np.square(np.diff(x0, 2, axis=1)).mean()) / 6
    assert loss(0.0) == pytest.approx(plain, rel=1e-5)
    assert loss(2.0) == pytest.approx(plain + 2 * rough, rel=1e-5)
