"""Bytes as text: UTF-8 and UTF-16 as they say, else Windows-1252, which is told."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from diffstudio.cancelling import check_cancelled

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_CONTROLS = frozenset(range(32)) - {9, 10, 11, 12, 13, 26, 27}
_BINARY = 0.001  # share of control characters from which something is no text
_LOOKED_AT = 65_536
_BLOCK = 1 << 20  # characters of which there is a list of lines
_BREAK = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")


def decoded(content: bytes) -> tuple[str, str]:
    """The text, and what was guessed of its encoding, "" where nothing was.

    Raises:
        ValueError: it is no text.
    """
    text, said = _decoded(content)
    some = text[:_LOOKED_AT]
    if sum(ord(letter) in _CONTROLS for letter in some) > _BINARY * len(some):
        raise ValueError("control characters")
    return text, said


def lines_of(text: str) -> Iterator[str]:
    """The lines as `str.splitlines` has them, without a list of all: it takes far more memory than the text."""
    at = 0
    while at < len(text):
        check_cancelled()
        found = _BREAK.search(text, at + _BLOCK)
        end = found.end() if found else len(text)
        yield from text[at:end].splitlines()
        at = end


def _decoded(content: bytes) -> tuple[str, str]:
    for mark, name in _BOMS:
        if content.startswith(mark):
            return content.decode(name), "" if name == "utf-8-sig" else "read as UTF-16"
    # Without a mark: every second byte of a western text in UTF-16 is 0, and no byte of another text is.
    some = content[:_LOOKED_AT]
    if len(content) % 2 == 0 and 0 in some:
        for start, name in ((1, "utf-16-le"), (0, "utf-16-be")):
            if some[start::2].count(0) > len(some) * 0.2:
                return content.decode(name), "read as UTF-16"
    try:
        return content.decode("utf-8"), ""
    except UnicodeDecodeError:
        pass
    return content.decode("cp1252", "replace"), "it is no UTF-8, and read as Latin-1 (Windows-1252)"
