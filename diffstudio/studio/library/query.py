"""What is looked for in the library: words and filters, as they are typed or chosen, and the SQL that they become."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from diffstudio.errors import BadInput
from diffstudio.studio.library.run import STATES

Sort = Literal["newest", "oldest", "name", "model", "seconds", "size", "steps", "seed", "star"]
SORTS: dict[Sort, str] = {
    "newest": "created DESC, row DESC",
    "oldest": "created, row",
    "name": "CASE WHEN name = '' THEN checkpoint ELSE name END COLLATE NOCASE, created DESC",
    "model": "checkpoint COLLATE NOCASE, created DESC",
    "seconds": "seconds DESC, created DESC",
    "size": "bytes DESC, created DESC",
    "steps": "steps, created DESC",
    "seed": "seed, created DESC",
    "star": "star DESC, created DESC",
}
TEXTS = {
    "model": ("model", "checkpoint"), "name": ("name",), "note": ("note",), "tag": ("tags",), "class": ("label",),
    "label": ("label",), "prompt": ("prompt",), "solver": ("solver",), "source": ("source",), "device": ("device",),
}  # fmt: skip
EXACT = {"modality": "modality", "kind": "kind", "sweep": "sweep", "parent": "parent", "sha256": "sha256", "id": "id"}
NUMBERS = {
    "steps": "steps", "seed": "seed", "samples": "samples", "guidance": "guidance", "seconds": "seconds",
    "mb": "bytes / 1e6", "nfe": "nfe", "calls": "nfe", "records": "records",
}  # fmt: skip
_TERM = re.compile(r'(-?)(?:([A-Za-z0-9_]+)(:|<=|>=|=|<|>))?(?:"([^"]*)"?|(\S*))\s*')
_YES, _NO = ("yes", "on", "1", "true"), ("no", "off", "0", "false")


@dataclass(frozen=True)
class Query:
    """Conditions that all hold. where: SQL with its values; words: for the full-text index, "" for none.

    trash: what was deleted instead of what is listed.  grouped: one row for runs that differ by seed alone.
    """

    words: str = ""
    where: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    sort: Sort = "newest"
    trash: bool = False
    grouped: bool = False
    text: str = field(default="", compare=False)

    def sql(self) -> tuple[str, list[Any]]:
        """The condition of a SELECT from `runs`, and its values."""
        parts, values = ["trashed IS NOT NULL" if self.trash else "trashed IS NULL"], []
        if self.words:
            parts.append("row IN (SELECT rowid FROM words WHERE words MATCH ?)")
            values.append(self.words)
        for part, given in self.where:
            parts.append(f"({part})")
            values += given
        return " AND ".join(parts), values

    def and_(self, condition: str, *values: Any) -> Query:
        """The same, with one more condition."""
        return replace(self, where=(*self.where, (condition, values)))


def parse_query(text: str, now: Callable[[], datetime] = datetime.now) -> Query:
    """A query as it is typed: words that must occur, and filters such as model:digits solver:ddim steps>20 star:yes.

    Words find their beginnings ("dig" finds digits), "in quotes" a phrase, and - before a word or filter excludes it.
    Filters: model name note tag class prompt solver source device (a part of it), modality kind sweep parent sha256 id
    state (exactly), steps seed samples guidance seconds mb calls (: = < <= > >=), date (2026-11-30, today, week,
    month, with < and >), star (yes, no), sort.

    Raises:
        BadInput: a filter that is not known, or a value that it can't have.
    """
    query, words = Query(text=text), []
    for match in _TERM.finditer(text.strip()):
        if not match.group(0):
            continue
        minus, key, sign, quoted, plain = match.groups()
        value = quoted if quoted is not None else plain or ""
        if key is None:
            term = _word(value, phrase=quoted is not None)
            if term and minus:
                query = query.and_("row NOT IN (SELECT rowid FROM words WHERE words MATCH ?)", term)
            elif term:
                words.append(term)
        else:
            query = _filtered(query, key.lower(), sign, value, bool(minus), now)
    return replace(query, words=" AND ".join(words))


def _word(value: str, phrase: bool) -> str:
    """A term of FTS5: its letters alone, so that nothing in it is taken for syntax."""
    found = re.findall(r"\w+", value)
    if not found:
        return ""
    whole = " ".join(found)
    return f'"{whole}"' if phrase else f'"{whole}"*'


def _filtered(query: Query, key: str, sign: str, value: str, minus: bool, now: Callable[[], datetime]) -> Query:
    if key == "sort":
        if value not in SORTS:
            raise BadInput(f"sort:{value} is not an order: expected one of {', '.join(SORTS)}")
        return replace(query, sort=value)  # pyright: ignore[reportArgumentType]
    condition, values = _condition(key, sign, value, now)
    # What is compared is never NULL but `parent_step`, so that NOT excludes just what the condition finds.
    return query.and_(f"NOT ({condition})" if minus else condition, *values)


def _condition(key: str, sign: str, value: str, now: Callable[[], datetime]) -> tuple[str, tuple[Any, ...]]:
    if key in TEXTS:
        _only_equal(key, sign)
        pattern = f"%{value.replace(chr(92), chr(92) * 2).replace('%', chr(92) + '%').replace('_', chr(92) + '_')}%"
        columns = TEXTS[key]
        if not value:
            return " AND ".join(f"{column} = ''" for column in columns), ()
        return " OR ".join(f"{column} LIKE ? ESCAPE '\\'" for column in columns), (pattern,) * len(columns)
    if key == "state":
        _only_equal(key, sign)
        if value not in STATES:
            raise BadInput(f"state:{value} is not a state: expected one of {', '.join(STATES)}")
        return "state = ?", (value,)
    if key == "star":
        _only_equal(key, sign)
        if value.lower() not in (*_YES, *_NO):
            raise BadInput(f"star:{value}: expected yes or no")
        return "star = ?", (int(value.lower() in _YES),)
    if key in EXACT:
        _only_equal(key, sign)
        return f"{EXACT[key]} = ?", (value,)
    if key in NUMBERS:
        try:
            number = float(value.replace(",", "."))
        except ValueError:
            raise BadInput(f"{key}{sign}{value} is not a number: write {key}>20 or {key}:20") from None
        return f"{NUMBERS[key]} {'=' if sign == ':' else sign} ?", (int(number) if number.is_integer() else number,)
    if key == "date":
        return _date(sign, value, now)
    import difflib  # the window shows itself before it needs this

    known = (*TEXTS, *EXACT, *NUMBERS, "state", "star", "date", "sort")
    near = difflib.get_close_matches(key, known, 1)
    hint = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(known)}"
    raise BadInput(f'{key}{sign}{value}: there is no filter "{key}": {hint}')


def _only_equal(key: str, sign: str) -> None:
    if sign not in (":", "="):
        raise BadInput(f"{key}{sign}: words can't be compared: write {key}:…")


def _date(sign: str, value: str, now: Callable[[], datetime]) -> tuple[str, tuple[float, ...]]:
    today = now().replace(hour=0, minute=0, second=0, microsecond=0)
    names = {"today": (0, 1), "yesterday": (1, 1), "week": (6, 7), "month": (30, 31), "year": (365, 366)}
    if value.lower() in names:
        back, length = names[value.lower()]
        begin, end = today - timedelta(days=back), today - timedelta(days=back) + timedelta(days=length)
    else:
        begin, end = _span(value)
    first, last = begin.timestamp(), end.timestamp()
    return {
        ":": ("created >= ? AND created < ?", (first, last)),
        "=": ("created >= ? AND created < ?", (first, last)),
        ">=": ("created >= ?", (first,)),
        ">": ("created >= ?", (last,)),
        "<": ("created < ?", (first,)),
        "<=": ("created < ?", (last,)),
    }[sign]


def _span(value: str) -> tuple[datetime, datetime]:
    """The day, month or year that is written."""
    try:
        parts = [int(part) for part in value.split("-")]
        if len(parts) == 1:
            return datetime(parts[0], 1, 1), datetime(parts[0] + 1, 1, 1)
        if len(parts) == 2:
            year, month = parts
            return datetime(year, month, 1), datetime(year + month // 12, month % 12 + 1, 1)
        year, month, day = parts
        begin = datetime(year, month, day)
    except (ValueError, OverflowError):
        raise BadInput(f"date:{value} is not a date: write 2026-11-30, 2026-11, today, week or month") from None
    return begin, begin + timedelta(days=1)
