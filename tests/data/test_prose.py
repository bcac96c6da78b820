"""The corpus of the text models, and text files of the user's own."""

from __future__ import annotations

import numpy as np
import pytest

from diffstudio.data import dataset, prose
from diffstudio.data.own_text import own_text
from diffstudio.errors import BadFile, BadInput


def letters(rows, vocabulary=prose.LETTERS):
    return ["".join(vocabulary[int(i)] for i in row[0]) for row in rows]


def test_the_corpus_is_prose_in_the_letters_of_the_vocabulary():
    train, held_out = prose.lines("train"), prose.lines("held-out")
    assert len(train) > 10 * len(held_out) > 5000
    assert not set(train) & set(held_out)
    assert set("".join(train)) == set(prose.LETTERS)
    every = " ".join(train)
    assert sum(every.count(f" {word} ") for word in ("the", "a", "of", "is", "to")) > 20_000


@pytest.mark.parametrize("split", ["train", "held-out"])
def test_sentences_begin_with_a_word_and_come_from_their_split(split):
    rows = dataset("sentences").draw(np.zeros(50, int), np.random.default_rng(0), split)
    assert rows.shape == (50, 1, 64) and rows.dtype == np.float32
    tape = " ".join(prose.lines(split))
    for text in letters(rows):
        assert f" {text}" in tape or tape.startswith(text)


def test_words_are_words_of_the_corpus_each_once_and_held_out_ones_are_others():
    train, held_out = prose.words("train"), prose.words("held-out")
    assert len(train) > 3500 and not set(train) & set(held_out)
    assert all(3 <= len(word) <= 10 and word.isalpha() for word in train)
    assert {"function", "value", "string"} <= set(train) | set(held_out)
    rows = dataset("words").draw(np.zeros(200, int), np.random.default_rng(1), "train")
    assert {text.rstrip() for text in letters(rows)} <= set(train)
    every, _ = dataset("words").every("held-out")
    assert [text.rstrip() for text in letters(every)] == list(held_out)


def test_a_file_of_the_users_own_is_read_in_the_form_of_a_dataset(tmp_path):
    file = tmp_path / "own.txt"
    file.write_text("Ein Wörterbuch\nist  kein Roman. " * 20, encoding="utf-8")
    own = own_text(file, dataset("words"))
    assert own.shape == (1, 10) and own.name == "" and own.title == "own.txt"
    assert set(own.vocabulary) == set(" Ein Wörterbuch ist kein Roman.")
    found = letters(own.draw(np.zeros(30, int), np.random.default_rng(0), "train"), own.vocabulary)
    text = " ".join(file.read_text("utf-8").split())
    assert all(one in text for one in found)
    assert all(text.startswith(one) or f" {one}" in text for one in found)


@pytest.mark.parametrize(
    ("content", "form", "error", "sentence"),
    [
        (b"too short", "words", BadFile, r"own\.txt has 9 characters, expected at least 20: two samples"),
        (b"\xff\xfe" * 40, "words", BadFile, r"own\.txt: not a UTF-8 text \(byte 0\)"),
        (b"long enough for a word or two", "digits", BadInput, r"'digits' holds no texts"),
    ],
)
def test_a_file_that_is_no_corpus_is_refused(content, form, error, sentence, tmp_path):
    file = tmp_path / "own.txt"
    file.write_bytes(content)
    with pytest.raises(error, match=sentence):
        own_text(file, dataset(form))
    with pytest.raises(BadInput, match="can't read the text"):
        own_text(tmp_path / "gone.txt", dataset("words"))
