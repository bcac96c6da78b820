"""Masks of every modality: what is kept is the data to the last bit, and the rest is drawn anew."""

from __future__ import annotations

import numpy as np
import pytest
from known_network import save_known
from PIL import Image

from diffstudio.checkpoints.catalog import default_catalog
from diffstudio.data import spoken
from diffstudio.errors import BadInput
from diffstudio.modalities.text import spec_of, strings
from diffstudio.studio.engine import Engine
from diffstudio.studio.masks import recorded_mask
from diffstudio.studio.request.defaults import default_request
from diffstudio.traces.reader import Trace

SHAPES = {"image": (3, 8, 12), "video": (5, 3, 8, 12), "audio": (1, 64, 32), "points": (2,)}
AUDIO = spoken.SPEC.model_dump(mode="json")
SOLVERS = ("dpmpp_2m", "ddpm", "heun")


@pytest.fixture
def masked(record, folder, tmp_path):
    """masked(modality, …): a run from three samples of noise; its trace, the data, and what was kept, (B, …) bool."""

    def masked(modality, **fields):
        save_known(
            folder, modality, modality=modality, shape=SHAPES[modality], data={"dataset": ""},
            **({"audio": AUDIO} if modality == "audio" else {}),
        )  # fmt: skip
        x0 = np.random.default_rng(5).uniform(-1, 1, (3, *SHAPES[modality])).astype(np.float32)
        np.save(tmp_path / "x0.npy", x0)
        plain = {"model": modality, "source": "file", "source_file": str(tmp_path / "x0.npy"), "label": 0}
        trace = record(**plain, **fields)
        final = trace.array(len(trace) - 1, "xt")
        return trace, x0, final

    return masked


def check(x0, final, kept):
    """Kept to the last bit, and nowhere else."""
    kept = np.broadcast_to(kept, x0.shape)
    assert 0 < kept.sum() < kept.size
    np.testing.assert_array_equal(final[kept], x0[kept])
    assert np.abs(final - x0)[~kept].min() > 1e-7 and np.isfinite(final).all()


def picture(path, white):
    Image.fromarray(np.asarray(white, bool).astype(np.uint8) * 255).save(path)
    return str(path)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("strength", [1.0, 0.4])
@pytest.mark.parametrize(
    ("modality", "region", "anew"),
    [
        ("image", "x 3..6, y 2..4", np.s_[:, :, 2:5, 3:7]),
        ("video", "frame 2..3", np.s_[:, 1:3]),
        ("video", "frame 4, x 0..5", np.s_[:, 3, :, :, :6]),
        ("audio", "0.1..0.19 s", np.s_[:, :, :, 6:12]),
        ("points", "y", np.s_[:, 1]),
    ],
)
def test_a_region_is_drawn_anew_and_the_rest_is_kept(masked, solver, strength, modality, region, anew):
    trace, x0, final = masked(modality, mask_region=region, solver=solver, strength=strength)
    kept = np.ones(x0.shape, bool)
    kept[anew] = False
    check(x0, final, kept)
    # At every level on the way the kept part is the data with noise of that level: its own recorded step says so.
    recorded = np.broadcast_to(recorded_mask(trace.header), x0.shape)
    np.testing.assert_array_equal(recorded == 0, kept)


def test_points_that_lie_in_a_region_are_drawn_anew_and_the_others_stay(masked):
    _, x0, final = masked("points", mask_region="inside (-2 -2) (2 -2) (2 0) (-2 0)", samples=3)
    inside = x0[:, 1] < 0
    assert inside.tolist() == [False, True, True] or inside.any()
    check(x0, final, ~inside[:, None])


def test_what_is_drawn_anew_is_drawn_given_what_is_kept(masked):
    """Of independent coordinates the new one has the model's own distribution: N(−1, 0.5²) of class 0."""
    _, x0, final = masked("points", mask_region="y", samples=2000, solver="ddpm", steps=30)
    assert (final[:, 0] == x0[np.arange(2000) % 3, 0]).all()
    assert final[:, 1].mean() == pytest.approx(-1, abs=0.05) and final[:, 1].std() == pytest.approx(0.5, abs=0.08)


def test_a_clip_and_a_still_picture_are_masks_of_a_clip(masked, tmp_path):
    white = np.zeros((5, 8, 12), bool)
    white[2, 3:6, 4:9] = True
    first, *others = [Image.fromarray(frame.astype(np.uint8) * 255) for frame in white]
    first.save(tmp_path / "clip.gif", save_all=True, append_images=others, duration=100)
    _, x0, final = masked("video", mask=str(tmp_path / "clip.gif"))
    check(x0, final, ~white[None, :, None])
    _, x0, final = masked("video", mask=picture(tmp_path / "still.png", white[2]))
    check(x0, final, ~white[2][None, None, None])
    _, x0, final = masked("video", mask=str(tmp_path / "still.png"), mask_region="frame 1..2")
    kept = np.broadcast_to(~white[2], (3, 5, 3, 8, 12)).copy()
    kept[:, 2:] = True
    check(x0, final, kept)


def test_a_picture_over_the_spectrogram_is_a_mask_of_a_sound(masked, tmp_path):
    white = np.zeros((64, 64), bool)
    white[:10, 20:30] = True  # the highest bands, frames 10 to 14
    _, x0, final = masked("audio", mask=picture(tmp_path / "mask.png", white))
    kept = np.ones((64, 32), bool)
    kept[-10:, 10:15] = False
    check(x0, final, kept)


@pytest.mark.parametrize(
    ("modality", "fields", "sentence"),
    [
        ("points", {"mask": "m.png"}, "a mask of points is no file"),
        ("points", {"mask_region": "x 90..99"}, "the region 'x 90..99' holds no place of the data"),
        ("image", {"mask_region": "frame 2"}, "there is no axis 'frame' here"),
        ("image", {"mask": "white.png", "mask_region": "x 0..2"}, "have no place in common"),
    ],
)
def test_a_mask_that_masks_nothing_is_one_sentence(masked, tmp_path, monkeypatch, modality, fields, sentence):
    monkeypatch.chdir(tmp_path)
    white = np.zeros((8, 12), bool)
    white[:, 6:] = True
    picture(tmp_path / "white.png", white)
    with pytest.raises(BadInput, match=sentence):
        masked(modality, **fields)


# ── texts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def rewritten(tmp_path):
    """rewritten(model, …): the texts of a run from "windows" and "mirrors", (before, after)."""
    engine = Engine(default_catalog())
    (tmp_path / "own.txt").write_text("windows\nmirrors\n")

    def rewritten(name, **fields):
        card = engine.catalog.find(name).card
        plain = {"samples": 4, "steps": 8, "source": "file", "source_file": str(tmp_path / "own.txt"), "device": "cpu"}
        for _ in engine.run(default_request(card, name, **plain, **fields), tmp_path / "t.trace"):
            pass
        with Trace.open(tmp_path / "t.trace") as trace:
            spec = spec_of(trace.meaning)
            return [strings(trace.array(k, "xt"), spec) for k in range(len(trace))], trace.array(len(trace) - 1, "xt")

    return rewritten


@pytest.mark.parametrize("name", ["words", "words-uniform", "words-gaussian"])
def test_letters_that_are_kept_stay_and_a_prompt_stands_above_them(rewritten, name):
    texts, _ = rewritten(name, mask_region="letter 1..3")
    assert [text[3:] for text in texts[-1]] == ["dows   ", "rors   "] * 2
    assert any(text[:3] not in ("win", "mir") for text in texts[-1])
    if name != "words-gaussian":
        reverse = [text for step in texts[9:] for text in step]
        assert all(text[3:] in ("dows   ", "rors   ") for text in reverse)
    texts, _ = rewritten(name, mask_region="letter 1..3", prompt="_a__l")
    assert all(text[1] == "a" and text[4] == "l" and text[5:] in ("ws   ", "rs   ") for text in texts[-1])
