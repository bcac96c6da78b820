"""Real texts for a model of few letters: what it knows is kept, and what was replaced is said exactly."""

from __future__ import annotations

import pytest

from diffstudio.errors import BadInput
from diffstudio.modalities.encodings import decoded
from diffstudio.modalities.letters import Replacing
from diffstudio.modalities.text_file import read_text
from diffstudio.specs import TextSpec

SENTENCES = tuple(" abcdefghijklmnopqrstuvwxyz.,'-")


def replaced(text, known=SENTENCES):
    replacing = Replacing(frozenset(known))
    return replacing.line(text), replacing.remarks


@pytest.mark.parametrize(
    ("text", "written", "said"),
    [
        ("plain.", "plain.", ()),
        ("Plain", "plain", ("capitals are read as small letters",)),
        ("Ä7", "a ", ("2 characters replaced: Ä→a, 7→space",)),
        ("naïve café", "naive cafe", ("2 characters replaced: ï→i, é→e",)),
        ("in 2007, the", "in , the", ("4 characters replaced: 0→space (2), 2→space, 7→space",)),
        ("“it’s” – ok…", "'it's' - ok...", None),
        ("Straße", "strasse", None),
        ("ﬁne", "fine", ("1 character replaced: ﬁ→fi",)),
        ("a\tb\u00a0c", "a b c", ()),  # blanks are blanks
        ("soft\u00adhyphen\u200b", "softhyphen", ()),  # and what is not seen is nothing
        ("a=b; x", "a b, x", ("2 characters replaced: =→space, ;→,",)),
        ("Ø æ ł", "o ae l", None),
    ],
)
def test_what_is_not_known_becomes_what_is_most_like_it(text, written, said):
    found, remarks = replaced(text)
    assert found == written
    if said is not None:
        assert remarks == said


def test_capitals_stay_where_they_are_known_and_small_ones_rise_where_only_capitals_are():
    assert replaced("Ab", "Ab ")[0] == "Ab"
    assert replaced("ab", "AB ")[0] == "AB"


def test_without_a_space_what_is_unknown_is_left_out():
    assert replaced("a1b", "ab") == ("ab", ("1 character replaced: 1→nothing",))


def test_of_many_kinds_the_most_frequent_are_named():
    _, (said,) = replaced("".join(chr(0x4E00 + i) for i in range(20)) + "\u4e00")
    assert said.startswith("21 characters replaced: 一→space (2), ") and said.endswith(" and 8 more kinds")


@pytest.mark.parametrize(
    ("content", "text", "said"),
    [
        ("aä".encode(), "aä", ""),
        ("aä".encode("utf-8-sig"), "aä", ""),
        ("aä".encode("utf-16"), "aä", "read as UTF-16"),
        ("plain text".encode("utf-16-le"), "plain text", "read as UTF-16"),
        ("plain text".encode("utf-16-be"), "plain text", "read as UTF-16"),
        ("aä “x”".encode("cp1252"), "aä “x”", "it is no UTF-8, and read as Latin-1 (Windows-1252)"),
        (b"", "", ""),
    ],
)
def test_the_encoding_is_what_the_bytes_are(content, text, said):
    assert decoded(content) == (text, said)


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", bytes(range(256)), b"\0" * 9])
def test_what_is_no_text_is_refused(content):
    with pytest.raises(ValueError):
        decoded(content)


def test_a_real_text_is_a_source(tmp_path):
    file = tmp_path / "gpl.txt"
    file.write_bytes("GNU GENERAL PUBLIC LICENSE\r\nVersion 3, 29 June 2007\r\n".encode("utf-16"))
    rows, remarks = read_text(file, TextSpec(vocabulary=SENTENCES), 30)
    assert ["".join(SENTENCES[i] for i in row).rstrip() for row in rows] == [
        "gnu general public license", "version , june",
    ]  # fmt: skip
    assert remarks[0] == "read as UTF-16" and remarks[-1].startswith("7 characters replaced: 2→space (2)")


def test_a_text_in_another_script_is_one_sentence(tmp_path):
    (tmp_path / "a.txt").write_text("你好，世界", encoding="utf-8")
    with pytest.raises(BadInput, match="has no character that the model knows"):
        read_text(tmp_path / "a.txt", TextSpec(vocabulary=tuple(" abc")), 6)
