"""Which part of a file is taken, as people write it: "3", "2..5", "all"."""

from __future__ import annotations

import re

from diffstudio.errors import BadInput

ALL = "all"
_NUMBERS = re.compile(r"\s*(\d{1,9})\s*(?:(?:\.\.|…|-|–|:)\s*(\d{1,9})\s*)?")
_SECONDS = re.compile(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*(?:(?:\.\.|…|-|–)\s*(\d{1,9}(?:\.\d{1,9})?)\s*)?s?\s*")


def chosen_numbers(part: str, count: int, what: str, where: str) -> list[int]:
    """The numbers, counted from 0, that a part names of `count` pages or frames, which people count from 1.

    what: "page" or "frame".  where: the file.

    Raises:
        BadInput: it is not of that form, or names one that is not there.
    """
    if part.strip().casefold() == ALL:
        return list(range(count))
    found = _NUMBERS.fullmatch(part)
    if found is None:
        raise BadInput(f"{where}: '{part:.40}' is no {what}: write a number like 3, a range like 2..5, or all")
    first = int(found[1])
    last = first if found[2] is None else int(found[2])
    if not 1 <= first <= last <= count:
        raise BadInput(f"{where} has the {what}s 1 to {count:,}, found '{part.strip():.40}'")
    return list(range(first - 1, last))


def chosen_seconds(part: str, length: float, where: str) -> tuple[float, float]:
    """Where a part of a sound begins and ends, in seconds; with its beginning alone it goes to the end.

    Raises:
        BadInput: it is not of that form, or lies outside.
    """
    found = _SECONDS.fullmatch(part)
    if found is None:
        raise BadInput(f"{where}: '{part:.40}' is no part of a sound: write seconds like 1.5, or a range like 1.5..2")
    first, last = float(found[1]), length if found[2] is None else float(found[2])
    if not first < last or first >= length:
        raise BadInput(f"{where} lasts {length:.2f} s, found '{part.strip():.40}' as the part")
    return first, min(last, length)
