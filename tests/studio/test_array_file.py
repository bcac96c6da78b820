"""Arrays of the user's own: which is meant, how it lies, what its numbers are; and those of our own exports."""

from __future__ import annotations

import numpy as np
import pytest

from diffstudio.errors import BadInput
from diffstudio.modalities import Meaning, Taking
from diffstudio.studio.export.write import ExportOptions, export
from diffstudio.studio.sources import load_source, read_source

GREY, COLOUR, CLIP = Meaning("image", (1, 4, 6)), Meaning("image", (3, 4, 6)), Meaning("video", (5, 3, 4, 6))
RAMP = np.linspace(0, 1, 24).reshape(4, 6)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((RAMP * 255).astype(np.float32), "255 as white"),
        (RAMP.astype(np.float32), "1 as white"),
        ((RAMP * 2 - 1).astype(np.float32), ""),
        ((RAMP * 255).round().astype(np.int64), "255 as white"),
        ((RAMP * 255).round().astype(np.uint8), ""),
        ((RAMP * 65535).astype(np.uint16), ""),
    ],
)
def test_the_range_of_numbers_is_recognised_and_told(tmp_path, values, said):
    np.save(tmp_path / "a.npy", values)
    taken = read_source(tmp_path / "a.npy", GREY)
    np.testing.assert_allclose(taken.rows[0, 0], RAMP * 2 - 1, atol=0.005)
    assert said in taken.info.note if said else taken.info.note == ""
    np.testing.assert_allclose(load_source(tmp_path / "a.npy", GREY, taking=Taking(span=(-1, 1)))[0, 0], values)


def test_points_and_latents_have_no_range(tmp_path, latent_engine, latent_folder):
    rows = np.random.default_rng(0).uniform(0, 1, (5, 2)).astype(np.float32)
    np.save(tmp_path / "a.npy", rows)
    np.testing.assert_array_equal(load_source(tmp_path / "a.npy", Meaning("points", (2,))), rows)
    np.save(tmp_path / "counted.npy", np.array([[1, 2], [0, 1]], np.uint8))
    assert load_source(tmp_path / "counted.npy", Meaning("points", (2,))).tolist() == [[1, 2], [0, 1]]
    latents = np.random.default_rng(0).uniform(0, 1, (2, 3, 4, 4)).astype(np.float32)
    np.save(tmp_path / "latents.npy", latents)
    meaning = latent_engine.catalog.find(str(latent_folder)).card.meaning
    np.testing.assert_array_equal(load_source(tmp_path / "latents.npy", meaning), latents)


@pytest.mark.parametrize(
    ("meaning", "stored"),
    [
        (COLOUR, (2, 4, 6, 3)), (COLOUR, (4, 6, 3)), (GREY, (2, 4, 6, 1)), (GREY, (2, 4, 6)),
        (CLIP, (2, 5, 4, 6, 3)), (CLIP, (5, 4, 6, 3)), (Meaning("video", (5, 1, 4, 6)), (5, 4, 6)),
    ],
)  # fmt: skip
def test_channels_may_come_last_or_be_left_out(tmp_path, meaning, stored):
    values = np.random.default_rng(0).integers(0, 255, stored, np.uint8)
    np.save(tmp_path / "a.npy", values)
    found = load_source(tmp_path / "a.npy", meaning)
    assert found.shape[1:] == meaning.shape
    last = values.reshape(-1, *meaning.shape[:-3], 4, 6, meaning.shape[-3])
    np.testing.assert_allclose(found, np.moveaxis(last, -1, -3) / 127.5 - 1, atol=1e-6)


def test_of_an_archive_the_array_that_fits_is_taken_and_told_and_another_can_be_chosen(tmp_path):
    first, second = (np.full((2, 4, 6), level, np.uint8) for level in (0, 255))
    np.savez(tmp_path / "mnist.npz", y_train=np.arange(2), x_train=first, x_test=second, names=np.array(["a"]))
    taken = read_source(tmp_path / "mnist.npz", GREY)
    assert taken.rows.max() == -1 and taken.info.parts == ("y_train", "x_train", "x_test", "names")
    assert "of its 4 arrays 'x_train' is taken" in taken.info.note
    chosen = read_source(tmp_path / "mnist.npz", GREY, Taking(part="x_test"))
    assert chosen.rows.min() == 1 and chosen.info.note == ""
    for part, sentence in (("x", "holds no array 'x': choose one of y_train, x_train"), ("names", "values of type")):
        with pytest.raises(BadInput, match=sentence):
            read_source(tmp_path / "mnist.npz", GREY, Taking(part=part))


def test_the_arrays_of_a_forward_run_are_its_data(make_trace, tmp_path):
    states = np.random.default_rng(0).uniform(0, 1, (3, 2, 1, 4, 6)).astype(np.float32)
    trace = make_trace(forward=states)
    export(trace, tmp_path / "f.npz", ExportOptions("arrays", chain="forward"))
    for file in (tmp_path / "f.npz", trace.path):
        taken = read_source(file, GREY)
        np.testing.assert_array_equal(taken.rows, states[0])  # a state of a chain: its range is known
        assert taken.info.note == "the data at the beginning of its forward chain are taken"


def test_the_arrays_of_both_chains_are_the_samples_and_the_data_can_be_chosen(both, tmp_path):
    export(both, tmp_path / "b.npz", ExportOptions("arrays"))
    meaning = Meaning("image", (1, 5, 4))
    np.testing.assert_array_equal(load_source(tmp_path / "b.npz", meaning), both.array(9, "xt"))
    data = load_source(tmp_path / "b.npz", meaning, taking=Taking(part="forward_xt"))
    np.testing.assert_array_equal(data, both.array(0, "xt"))


def test_a_run_that_was_stopped_is_told(make_trace):
    states = np.random.default_rng(0).normal(size=(5, 2, 1, 4, 6)).astype(np.float32)
    stopped = make_trace(states[:1], planned=5)
    assert read_source(stopped.path, GREY).info.note == "its chain did not reach the end: its state at t 1.000 is taken"
    assert read_source(make_trace(states).path, GREY).info.note == ""


@pytest.mark.parametrize(
    ("name", "meaning", "taking", "sentence"),
    [
        ("a.npy", GREY, Taking(part="x"), r"a\.npy is one array alone, found 'x': leave the part out"),
        ("a.csv", Meaning("points", (2,)), Taking(span=(0, 1)), r"a\.csv has no values of black and white"),
        ("a.trace", Meaning("points", (2,)), Taking(part="2"), r"has no parts, found '2': leave the part out"),
    ],
)  # fmt: skip
def test_a_choice_that_a_file_does_not_offer_is_not_passed_over(tmp_path, cloud, name, meaning, taking, sentence):
    np.save(tmp_path / "a.npy", RAMP)
    (tmp_path / "a.csv").write_text("0.5,0.5\n")
    with pytest.raises(BadInput, match=sentence):
        read_source(cloud.path if name == "a.trace" else tmp_path / name, meaning, taking)


def test_grey_arrays_of_ink_on_paper_look_inverted(tmp_path):
    paper = np.full((3, 4, 6), 255, np.uint8)
    np.save(tmp_path / "a.npy", paper)
    assert read_source(tmp_path / "a.npy", GREY).info.looks_inverted
    np.save(tmp_path / "a.npy", 255 - paper)
    assert not read_source(tmp_path / "a.npy", GREY).info.looks_inverted
