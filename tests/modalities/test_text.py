"""Texts: what their numbers stand for, how they are drawn, written and read."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

from diffstudio.errors import BadFile, BadInput
from diffstudio.modalities import Making, Meaning, Shown
from diffstudio.modalities.glyphs import HEIGHT, WIDTH
from diffstudio.modalities.text import GUESS, INK, PAPER, nearness, spec_of, states_of, strings, tokens_of
from diffstudio.modalities.text_file import read_prompt, read_text
from diffstudio.specs import TextSpec

LETTERS = tuple(" abcdef")
MASKED = TextSpec(vocabulary=LETTERS)
TABLE = np.random.default_rng(0).normal(size=(7, 4)).round(3)
VECTORS = TextSpec(vocabulary=LETTERS, process="embedding", embedding=tuple(map(tuple, TABLE.tolist())))


def meaning(spec=MASKED, length=6):
    channels = 1 if spec.discrete else 4
    return Meaning("text", (channels, length), {"text": spec.model_dump(mode="json")})


def rows(*texts, spec=MASKED):
    numbers = [[spec.mask if letter == "#" else LETTERS.index(letter) for letter in text] for text in texts]
    return np.array(numbers, np.float32)[:, None]


def drawn(found, name="xt", spec=MASKED, **other):
    what = meaning(spec, found.shape[2])
    return what.kind.draw(what, Shown(found, name, None, True, other.get))


def test_numbers_are_letters_and_masks():
    assert strings(rows("ab cde", "#a##f "), MASKED) == ["ab cde", "░a░░f "]
    wild = np.array([[[np.nan, 99, -4, 2.4, 7, 1]]], np.float32)  # whatever a file holds is drawn
    assert strings(wild, MASKED) == [" ░ b░a"]


def test_vectors_are_the_nearest_letters_and_fade_with_their_distance():
    clean = states_of(np.array([[1, 5, 0]]), VECTORS)
    assert clean.shape == (1, 4, 3)
    assert strings(clean, VECTORS) == ["ae "]
    assert np.allclose(nearness(clean, VECTORS), 1, atol=1e-6)
    noisy = clean + np.random.default_rng(1).normal(size=clean.shape) * 3
    near = nearness(noisy, VECTORS)
    assert ((near >= 0) & (near < 0.999)).all()
    distance = ((noisy[:, None] - TABLE[None, :, :, None]) ** 2).sum(2)
    assert (tokens_of(noisy, VECTORS) == distance.argmin(1)).all()


def test_a_letter_is_ink_a_mask_a_box_and_a_guess_coloured_by_its_confidence():
    guesses = np.array([[[2, 2, 2]]], np.float32)
    faint, sure = (np.full((1, 1, 3), p, np.float32) for p in (0.1, 0.9))
    plain = drawn(rows("a# "))[0]
    assert plain.shape == (HEIGHT, 3 * WIDTH, 3)
    letter, box, space = (plain[:, i * WIDTH : (i + 1) * WIDTH].astype(int) for i in range(3))
    assert (space == PAPER[True]).all()
    assert np.abs(letter - INK[True]).sum(2).min() < 60
    assert (box != PAPER[True]).any() and len(np.unique(box.reshape(-1, 3), axis=0)) == 2
    amounts = []
    for odds in (faint, sure):
        told = drawn(rows("a# "), guesses=guesses, odds=odds)[0]
        assert (told[:, :WIDTH] == plain[:, :WIDTH]).all()  # what is known is never overwritten by a guess
        ghost = told[:, WIDTH : 2 * WIDTH].astype(int)
        amounts.append((ghost[..., 2] - ghost[..., 0]).max())
    assert 0 < amounts[0] < amounts[1]
    assert amounts[1] <= GUESS[True][2] - GUESS[True][0]


def test_x0_hat_shows_what_is_certain_as_ink():
    found = rows("ab")
    certain = drawn(found, "x0_hat", guesses=found, odds=np.ones((1, 1, 2), np.float32))
    assert (certain == drawn(found)).all()
    half = drawn(found, "x0_hat", guesses=found, odds=np.full((1, 1, 2), 0.5, np.float32))[0].astype(int)
    assert (half[..., 2] - half[..., 0]).max() > 20


@pytest.mark.parametrize(("length", "size"), [(10, (1, 10)), (20, (1, 20)), (64, (4, 16)), (70, (5, 16))])
def test_long_texts_are_wrapped(length, size):
    what = meaning(MASKED, length)
    pixels = drawn(rows("a" * length))
    assert what.kind.tile(what) == (size[0] * HEIGHT, size[1] * WIDTH) == pixels.shape[1:3]


@pytest.mark.parametrize("spec", [MASKED, VECTORS])
def test_a_difference_of_vectors_is_as_bright_as_it_is_large_and_one_of_tokens_is_there_or_not(spec):
    what = meaning(spec, 3)
    found = np.repeat(np.array([[[0.0, 1, 2]]]), what.shape[0], 1)
    pixels = what.kind.draw(what, Shown(found, "delta", 2.0, True))[0].astype(int)
    cells = [np.abs(pixels[:, i * WIDTH : (i + 1) * WIDTH] - PAPER[True]).sum() for i in range(3)]
    assert cells[0] == 0 < cells[1]
    assert cells[1] == cells[2] if spec.discrete else cells[1] < cells[2]


def test_only_tokens_have_no_noise_to_show():
    assert meaning(MASKED).kind.meaningless(meaning(MASKED)) == ("eps_hat", "split")
    assert meaning(VECTORS).kind.meaningless(meaning(VECTORS)) == ()


def test_the_lanes_count_masks_only_where_there_are_some():
    lanes = meaning().kind.lanes
    assert lanes is not None
    assert list(lanes(meaning(MASKED))) == ["masked", "entropy", "dx_norm", "x0_change"]
    assert list(lanes(meaning(VECTORS))) == ["entropy", "dx_norm", "x0_change", "log_snr"]


def test_a_glance_is_a_square_of_large_letters_and_of_a_long_text_its_first_ones():
    short, long = rows("abcabcabca"), rows("a" * 40 + "#" * 160)
    glance = meaning().kind.glance
    assert glance is not None
    found = glance(meaning(MASKED, 10), Shown(short), 64).astype(int)
    assert found.shape == (64, 64, 3)
    lines = np.flatnonzero(np.abs(found - PAPER[True]).sum((1, 2)))
    assert lines[-1] - lines[0] > 30  # not the one line of 6 pixels that a tile made small would be
    few = glance(meaning(MASKED, 200), Shown(long), 36)
    assert (few == glance(meaning(MASKED, 200), Shown(rows("a" * 40 + " " * 160)), 36)).all()


def test_a_card_without_a_vocabulary_is_a_sentence():
    with pytest.raises(BadFile, match="does not say what its tokens are"):
        spec_of(Meaning("text", (1, 4), {}))


def written(suffix, name="xt", **other):
    stream, what = io.BytesIO(), meaning(MASKED, 3)
    what.kind.write(
        stream, suffix, what, Shown(rows("ab ", "c#a"), name, other=other.get), Making(settings={"seed": 3})
    )
    return stream.getvalue().decode()


def test_a_text_file_has_a_line_for_each_sample():
    assert written(".txt") == "ab\nc░a\n"


def test_json_has_the_tokens_and_the_step_that_revealed_each():
    revealed = np.array([[[4, 2, 9]], [[1, -1, 3]]], np.float32)
    odds = np.full((2, 1, 3), 0.25, np.float32)
    found = json.loads(written(".json", revealed=revealed, odds=odds))
    assert found["texts"] == ["ab ", "c░a"]
    assert found["tokens"] == [["a", "b", " "], ["c", None, "a"]]
    assert found["revealed_at_step"] == [[4, 2, 9], [1, None, 3]]
    assert found["confidence"] == [[0.25] * 3] * 2
    assert found["settings"] == {"seed": 3}


def test_only_states_are_written_as_text():
    with pytest.raises(BadInput, match="only x_t and x̂0 are texts"):
        written(".txt", "delta")


def test_what_is_recorded_beside_a_truth_is_certain():
    for spec, names in ((MASKED, 4), (VECTORS, 3)):
        what = meaning(spec, 3)
        extras = {extra.name: extra for extra in what.kind.extras(what)}
        assert len(extras) == names
        clean = states_of(np.array([[1, 2, 3], [4, 5, 6]]), spec)
        known = {name: extra.known(clean) for name, extra in extras.items()}
        assert all(value.shape == (2, *extras[name].shape) for name, value in known.items())
        assert known["guesses"][:, 0].tolist() == [[1, 2, 3], [4, 5, 6]]
        assert known["odds"].sum(1).tolist() == [[1, 1, 1], [1, 1, 1]]
        assert not known["entropy"].any()


def test_measures_count_cells():
    kind = meaning().kind
    before, after = rows("######", "ab####"), rows("a#####", "abc#f#")
    assert kind.change(meaning(), after, before) == pytest.approx(1.5)
    assert kind.scalars["masked"](meaning(), {"xt": after}) == pytest.approx(3.5)
    assert kind.scalars["entropy"](meaning(), {"xt": after, "entropy": np.full((2, 1, 6), 0.5)}) == pytest.approx(3)


def test_lines_of_a_file_are_samples(tmp_path):
    file = tmp_path / "own.txt"
    file.write_text("bad\n\nAbc def fed\n")
    found, remarks = read_text(file, MASKED, 6)
    assert remarks == ("capitals are read as small letters",)
    assert strings(states_of(found, MASKED), MASKED) == ["bad   ", "abc de", "f fed "]


@pytest.mark.parametrize(
    ("content", "error", "sentence"),
    [
        (b"", BadFile, r"own\.txt has no text in it"),
        (b" \n\n", BadFile, r"own\.txt has no text in it"),
        (b"cafe" + bytes(40), BadFile, r"own\.txt is not a text: it has control characters"),
        ("xyz 漢".encode(), BadInput, r"own\.txt has no character that the model knows: it knows abcdef and the space"),
    ],
)
def test_a_file_that_is_no_such_text_is_refused(content, error, sentence, tmp_path):
    file = tmp_path / "own.txt"
    file.write_bytes(content)
    with pytest.raises(error, match=sentence):
        read_text(file, MASKED, 6)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadInput, match=r"can't read the text .*gone\.txt: No such file"):
        read_text(tmp_path / "gone.txt", MASKED, 6)


def test_a_prompt_fixes_its_letters_and_leaves_the_rest_free():
    tokens, fixed = read_prompt("a_ B", MASKED, 6)
    assert fixed.tolist() == [True, False, True, True, False, False]
    assert tokens[fixed].tolist() == [1, 0, 2]


@pytest.mark.parametrize(
    ("prompt", "sentence"),
    [
        ("abcdefa", "the prompt has 7 characters, expected at most 6: shorten it"),
        ("a?z", r"the prompt has characters that the model does not know: \? z; it knows abcdef and the space"),
    ],
)
def test_a_prompt_that_does_not_fit_is_refused(prompt, sentence):
    with pytest.raises(BadInput, match=sentence):
        read_prompt(prompt, MASKED, 6)
