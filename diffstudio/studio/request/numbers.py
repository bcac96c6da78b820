"""Numbers as people type and paste them, the same in every language: "2.5" and "2,5" are one number, never 25."""

from __future__ import annotations

import math
import re
import unicodedata
from decimal import Decimal

MOST = 400  # characters of one number, and decades of its exponent: more is no number that a field has

_SIGNS = {
    **dict.fromkeys("−‐‑‒–﹣－", "-"),
    **dict.fromkeys("’‘ʼ٬", "'"),  # between thousands
    "٫": ".",
    "،": ",",
    "؛": ";",
}
_ASCII = re.compile(r"[-+0-9eE.,;\s]*", re.ASCII)  # nothing to unify
_PYTHON = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?")  # one that Python reads the same way
_POWER = re.compile(r"\s*(?:e|أس|[x×*·]\s*10\s*\^?)\s*([+-]?\d+)$", re.IGNORECASE)
_GROUPED = re.compile(r"\d{1,3}(?:([ '])\d{3})(?:\1\d{3})*")  # 1 000, 1'000'000
_THOUSANDS = {sign: re.compile(rf"[1-9]\d{{0,2}}(?:{re.escape(sign)}\d{{3}})+") for sign in ".,"}


def read_number(text: str) -> float | None:
    """The number that a text is, None if it is none, not finite, or can be read in two ways.

    Comma and dot are both the decimal sign. Where they occur together, the last is it, and the other stands between
    thousands, as spaces and apostrophes may.
    """
    plain = _plain_number(_unified(text))
    found = None if plain is None else float(plain)
    return found if found is not None and math.isfinite(found) else None


def read_whole(text: str) -> int | None:
    """The whole number that a text is, exactly, however large; None as `read_number`, and for fractions.

    "1,000" and "1.000" are None: they mean a thousand to some, and one to others.
    """
    unified = _unified(text)
    body = unified.lstrip("+- ")
    if any(_THOUSANDS[sign].fullmatch(body) and body.count(sign) == 1 for sign in ".,"):
        return None
    plain = _plain_number(unified)
    if plain is None:
        return None
    exact = Decimal(plain)
    return int(exact) if exact == exact.to_integral_value() else None


def read_numbers(text: str) -> tuple[float, ...] | None:
    """The numbers of a list, between semicolons, spaces, lines or commas; None if one is none, or there are none.

    A comma within a word is a decimal sign where something else stands between the words ("0,5; 0,2" and "1, 0,5"), or
    else stands between numbers itself ("1,0.5,0.1").
    """
    unified = _unified(text).strip("[]()")
    words = [word for word in (part.strip(",") for part in re.split(r"[;\s]+", unified)) if word]
    if len(words) == 1:  # commas alone
        words = words[0].split(",")
    found: list[float] = []
    for word in words:
        if _PYTHON.fullmatch(word):
            found.append(float(word))
            continue
        number = read_number(word)
        several = [number] if number is not None else [read_number(part) for part in word.split(",")]
        found += [math.nan if one is None else one for one in several]
    return tuple(found) if found and all(map(math.isfinite, found)) else None


def _unified(text: str) -> str:
    """One sign for each meaning: ASCII digits, minus, spaces; without invisible marks."""
    if _ASCII.fullmatch(text):
        return text.strip()
    out = []
    for letter in unicodedata.normalize("NFKC", text):
        digit = unicodedata.decimal(letter, None)
        if digit is not None:
            out.append(str(digit))
        elif unicodedata.category(letter) != "Cf":
            out.append(_SIGNS.get(letter, letter))
    return "".join(out).strip()


def _plain_number(text: str) -> str | None:
    """A unified text as Python writes the number; None if it is none."""
    if not text or len(text) > MOST:
        return None
    if _PYTHON.fullmatch(text):
        return text
    power = _POWER.search(text)
    exponent = int(power.group(1)) if power else 0
    if abs(exponent) > MOST:
        return None
    body = text[: power.start()] if power else text
    sign, body = ("-" if body.startswith("-") else ""), re.sub(r"^[+-]\s*", "", body)
    digits = _ungrouped(body)
    return None if digits is None else f"{sign}{digits}e{exponent}"


def _ungrouped(body: str) -> str | None:
    """Digits with a dot or none, of digits with any signs between."""
    grouped = _GROUPED.match(body)
    if grouped:
        body = re.sub(r"[ ']", "", grouped.group()) + body[grouped.end() :]
    last = max(body.rfind("."), body.rfind(","))
    if last < 0:
        return body if re.fullmatch(r"[0-9]+", body) else None
    mark = body[last]
    whole, part = body[:last], body[last + 1 :]
    if body.count(mark) > 1:  # no number has two decimal signs
        return re.sub(r"[.,]", "", body) if _THOUSANDS[mark].fullmatch(body) else None
    other = "," if mark == "." else "."
    if other in whole:
        if not _THOUSANDS[other].fullmatch(whole):
            return None
        whole = whole.replace(other, "")
    return f"{whole}.{part}" if re.fullmatch(r"[0-9]*\.[0-9]*", f"{whole}.{part}") and whole + part else None
