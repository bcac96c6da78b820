"""How well a name fits what somebody types: whole words first, then beginnings, then letters in their order."""

from __future__ import annotations

import re

WHOLE, START, INSIDE, LETTERS = 4.0, 3.0, 1.5, 0.5  # of each word that is typed
ASIDE = 0.6  # of a word that is found in what else a thing is called


def score(query: str, title: str, words: str = "") -> float | None:
    """How well a title, or what else the thing is called, fits all the words of a query; None: it does not.

    One that is typed whole is the best: "steps" finds "Sampling: Steps" before "Timeline: Ten steps back".
    """
    typed = query.casefold().split()
    names = title.casefold()
    total = 0.0
    for word in typed:
        found = _fit(word, names)
        beside = _fit(word, words.casefold()) * ASIDE if words else 0.0
        if not max(found, beside):
            return None
        total += max(found, beside)
    return total + (names.rpartition(": ")[2].split() == typed)


def _fit(word: str, text: str) -> float:
    """How well one word fits a text, 0: not at all."""
    starts = [m.start() for m in re.finditer(r"(?<![^\W_])[^\W_]", text)]
    if any(text.startswith(word, at) and not text[at + len(word) : at + len(word) + 1].isalnum() for at in starts):
        return WHOLE
    if any(text.startswith(word, at) for at in starts):
        return START
    if (len(word) > 1 or not word.isalnum()) and word in text:
        return INSIDE
    return LETTERS if len(word) > 1 and any(_in_order(word, text[at:]) for at in starts) else 0.0


def _in_order(word: str, text: str) -> bool:
    """Whether the letters of a word occur in a text in that order, the first at its beginning, none far off."""
    if not text.startswith(word[:1]):
        return False
    at = 0
    for letter in word[1:]:
        found = text.find(letter, at + 1)
        if found < 0 or found - at > 12:
            return False
        at = found
    return True
