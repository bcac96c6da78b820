"""Letters that a model does not know as the nearest that it does, and what was replaced, exactly."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from diffstudio.cancelling import check_cancelled

SPACE = " "
PIECE = 10_000  # letters between two looks at whether they are still wanted
SHOWN = 12  # replacements that are named
# What Unicode's own decomposition does not take apart.
_ALIKE = {
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "`": "'", "´": "'", "ʼ": "'",
    "“": '"', "”": '"', "„": '"', "″": '"', "«": '"', "»": '"',
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-", "_": "-",
    "ø": "o", "Ø": "o", "đ": "d", "Đ": "d", "ð": "d", "Ð": "d", "ł": "l", "Ł": "l", "ħ": "h", "ı": "i",
    "æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe", "ß": "ss", "þ": "th", "Þ": "th",
    "!": ".", "?": ".", ";": ",", ":": ",", "&": " and ", "•": "-", '"': "'", "×": "x",
}  # fmt: skip


@dataclass
class Replacing:
    """Writes texts with the letters of a vocabulary, and counts what it replaces. capitals: became small letters."""

    known: Collection[str]
    replaced: Counter[tuple[str, str]] = field(default_factory=Counter)
    capitals: bool = False

    def line(self, text: str) -> str:
        """A line; what has no letter that is like it becomes a space, several in a row a single one."""
        if all(letter in self.known for letter in text):
            return text
        out = "".join(self._letters(unicodedata.normalize("NFC", text)))
        return re.sub(" {2,}", SPACE, out) if SPACE in self.known else out

    def _letters(self, text: str) -> Iterator[str]:
        for number, letter in enumerate(text):
            if number % PIECE == 0:
                check_cancelled()
            if letter in self.known:
                yield letter
                continue
            other = self._other(letter)
            if letter.isspace() or unicodedata.category(letter) in ("Cf", "Cc"):
                yield SPACE if SPACE in self.known and letter.isspace() else ""
                continue
            if other == letter.lower() and other != letter:
                self.capitals = True
            else:
                self.replaced[letter, other] += 1
            yield other

    def _other(self, letter: str) -> str:
        """The nearest that is known; "" where there is nothing."""
        alike = _ALIKE.get(letter, "")
        # Without its marks: ä is an a with two dots, ﬁ is f and i.
        bare = "".join(c for c in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(c))
        for found in (letter.lower(), letter.upper(), alike, alike.upper(), bare, bare.lower(), letter.casefold()):
            if found and found != letter and all(c in self.known for c in found):
                return found
        second = _ALIKE.get(alike, "")
        if second and all(c in self.known for c in second):
            return second
        return SPACE if SPACE in self.known else ""

    @property
    def remarks(self) -> tuple[str, ...]:
        """What was replaced: "3 characters replaced: Ä→a, 7→space (2)"."""
        said = ("capitals are read as small letters",) if self.capitals else ()
        if not self.replaced:
            return said
        count = sum(self.replaced.values())
        pairs = [_pair(*pair, many) for pair, many in self.replaced.most_common(SHOWN)]
        more = len(self.replaced) - len(pairs)
        others = f" and {more:,} more kind{'s' if more > 1 else ''}" if more > 0 else ""
        return (*said, f"{count:,} character{'s' if count > 1 else ''} replaced: {', '.join(pairs)}{others}")


def _pair(letter: str, other: str, many: int) -> str:
    shown = letter if letter.isprintable() else f"U+{ord(letter):04X}"
    into = {"": "nothing", SPACE: "space"}.get(other, other)
    return f"{shown}→{into}" + (f" ({many:,})" if many > 1 else "")
