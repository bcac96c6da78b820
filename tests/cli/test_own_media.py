"""Own media on the command line: what was taken is said on standard error, a question is one sentence before."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SAMPLE = ["--steps", "2", "--samples", "2", "--device", "cpu", "--seed", "1"]


def arrays(name="a.npz"):
    with np.load(name) as found:
        return {key: found[key] for key in found.files}


def test_points_from_far_away_are_a_question_and_then_in_the_plane(run, dots):
    rows = "".join(f"dino\t{22 + i}\t{97 - 3 * i}\n" for i in range(20))
    Path("dino.tsv").write_text(f"dataset\tx\ty\n{rows}away\t1\t2\n")
    asked = ["sample", dots, "--source", "dino.tsv", "--strength", "0.6", "--out", "a.npz", *SAMPLE]
    code, _, err = run(*asked)
    assert code == 2 and "dino.tsv has points from" in err and "fit them by pad" in err and not Path("a.npz").exists()
    code, _, err = run(*asked, "--fit", "pad")
    assert code == 0 and "divided by" in err and "'dino', 20 rows, is taken" in err
    assert "it holds 20 samples: the first 2 are used" in err
    assert np.abs(arrays()["forward_xt"][0]).max() < 1.5


def test_a_mask_drawn_on_the_photo_follows_the_photos_fit(run, tiny):
    photo = np.random.default_rng(0).integers(0, 256, (48, 64), np.uint8)
    Image.fromarray(photo).save("photo.png")
    mask = np.zeros((48, 64), np.uint8)
    mask[:, 32:] = 255
    Image.fromarray(mask).save("mask.png")
    words = ["sample", tiny, "--source", "photo.png", "--fit", "crop", "--mask", "mask.png", "--out", "a.npz", *SAMPLE]
    code, _, err = run(*words)
    assert code == 0, err
    found = arrays()
    source, last = found["forward_xt"][0], found["xt"][-1]
    np.testing.assert_array_equal(last[..., :14], source[..., :14])
    assert np.abs(last[..., 14:] - source[..., 14:]).max() > 0.01


def test_a_photo_of_the_models_aspect_needs_no_fit_and_pages_are_told(run, tiny):
    pages = [Image.new("L", (56, 56), level) for level in (0, 255)]
    pages[0].save("p.tif", save_all=True, append_images=pages[1:])
    words = ["forward", tiny, "--source", "p.tif", "--out", "f.npz", *SAMPLE]
    code, _, err = run(*words)
    assert code == 0 and "resized from 56×56 to 28×28" in err and "page 1 of 2 is taken" in err
    assert (arrays("f.npz")["forward_xt"][0] == -1).all()
    code, _, _ = run(*words, "--part", "all")
    assert code == 0 and arrays("f.npz")["forward_xt"][0].mean((1, 2, 3)).tolist() == [-1, 1]


def test_what_forward_wrote_is_a_source(run, tiny):
    assert run("forward", tiny, "--out", "f.npz", *SAMPLE)[0] == 0
    code, _, err = run("sample", tiny, "--source", "f.npz", "--out", "a.npz", *SAMPLE)
    assert code == 0 and "the data at the beginning of its forward chain are taken" in err
    np.testing.assert_array_equal(arrays()["forward_xt"][0], arrays("f.npz")["forward_xt"][0])


def test_a_real_text_is_a_source_and_its_strange_letters_are_named(run):
    Path("german.txt").write_bytes("Über 7 Bäume\n".encode("latin-1"))
    code, _, err = run("sample", "words", "--source", "german.txt", "--strength", "0.3", "--out", "a.txt", *SAMPLE)
    assert code == 0
    assert "read as Latin-1" in err and "3 characters replaced: Ü→u, 7→space, ä→a" in err


def test_likelihoods_say_what_was_taken_too(run, dots):
    Path("p.csv").write_text("x,y\n" + "0.5,0.25\n" * 5)
    words = ["likelihood", dots, "--source", "p.csv", "--samples", "2", "--steps", "2", "--device", "cpu"]
    code, out, err = run(*words)
    assert code == 0 and "it holds 5 samples: the first 2 are used" in err and "log p" in out


@pytest.mark.parametrize("region", ["y", "x -5..0"])
def test_a_coordinate_or_a_region_of_points_is_drawn_anew(run, dots, region):
    words = ["--source", "data", "--mask-region", region, "--out", "a.npz", "--samples", "30"]
    code, _, err = run("sample", dots, "--steps", "2", "--device", "cpu", *words)
    assert code == 0, err
    source, last = arrays()["forward_xt"][0], arrays()["xt"][-1]
    kept = np.stack([np.ones(30, bool), np.zeros(30, bool)], 1) if region == "y" else (source[:, :1] > 0).repeat(2, 1)
    np.testing.assert_array_equal(last[kept], source[kept])
    assert (last[~kept] != source[~kept]).all()
