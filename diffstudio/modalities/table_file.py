"""Tables of numbers of the user's own, .csv, .tsv or .txt, as points."""

from __future__ import annotations

import array
import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from diffstudio.cancelling import check_cancelled
from diffstudio.errors import BadFile, BadInput
from diffstudio.modalities.encodings import decoded, lines_of
from diffstudio.modalities.modality import Meaning, SourceInfo, Taken, Taking
from diffstudio.modalities.parts import ALL
from diffstudio.user_files import read_regular

MAX_BYTES = 64 << 20
MAX_ROWS = 1_000_000  # more samples no run has
MAX_CELLS = 4_000_000
MAX_LINE = 1_000_000  # characters
PIECE = 10_000  # rows between two looks at whether they are still wanted
T = TypeVar("T")
TABLES = (".csv", ".tsv", ".tab", ".txt")
AXES = ("x", "y", "z")
NUMBERING = ("", "index", "unnamed: 0")  # columns that only count the rows
SEPARATE = ("dataset", "data_set", "set", "name", "file")  # columns whose values are data sets of their own
MAX_GROUPS = 200
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?")


class _Line(NamedTuple):
    """number: in the file.  text: as it is written."""

    number: int
    text: str
    cells: list[str]


@dataclass(frozen=True)
class _Table:
    """heading: the names of the columns, () where there are none."""

    heading: tuple[str, ...]
    lines: list[_Line]
    remarks: tuple[str, ...]


def read_table(path: Path, meaning: Meaning, taking: Taking) -> Taken:
    """The rows (N, M) float32, N ≥ 1: of columns named x and y these, else all that hold numbers.

    Separated by tabs, semicolons, commas or blanks; beside tabs and semicolons a comma is a decimal one. A column of
    words groups the rows: the part chooses one group, or all.

    Raises:
        BadInput: no such group.  BadFile: it is no table of numbers; the line is named.
    """
    table = _read(path)
    table, groups, chosen = _grouped(path, table, taking.part)
    found = _numbers(path, table, _columns(table, meaning.shape[0]))
    info = SourceInfo(
        len(found),
        found.shape[1:],
        remarks=table.remarks,
        parts=(*groups, ALL) if groups else (),
        part=chosen,
        part_name="rows",
    )
    return Taken(info, found)


def _numbers(path: Path, table: _Table, columns: list[int] | None) -> np.ndarray:
    """The cells of those columns as numbers, (N, M) float32."""
    count, width, numbers = 0, 0, array.array("f")
    for line in _wanted(table.lines):
        used = line.cells if columns is None else [line.cells[i] for i in columns if i < len(line.cells)]
        try:
            numbers.extend([float(cell) for cell in used])
        except ValueError as error:
            raise BadFile(f"{path}, line {line.number}: {line.text[:40]!r} is not a row of numbers") from error
        count, width = count + 1, width or len(used)
        if len(used) != width:
            raise BadFile(f"{path}, line {line.number}: {len(used)} numbers, expected {width}")
    if not count:
        raise BadFile(f"{path} holds no row of numbers")
    return np.array(numbers, np.float32).reshape(count, width)


def _wanted(rows: Iterable[T]) -> Iterator[T]:
    """The rows, as long as they are wanted. Raises: Cancelled."""
    for number, row in enumerate(rows):
        if number % PIECE == 0:
            check_cancelled()
        yield row


def _read(path: Path) -> _Table:
    content = read_regular(path, MAX_BYTES)
    try:
        text, said = decoded(content)
    except ValueError as error:
        raise BadFile(f"{path} is not a text file that can be read") from error
    lines: list[tuple[int, str]] = []
    for number, line in _wanted(enumerate(lines_of(text), 1)):
        if not line.strip() or line.startswith("#"):
            continue
        if len(line) > MAX_LINE:
            raise BadInput(f"{path}, line {number}: {len(line):,} characters, expected at most {MAX_LINE:,}")
        lines.append((number, line))
        if len(lines) > MAX_ROWS + 1:  # one may be a heading
            raise BadInput(f"{path} has more than {MAX_ROWS:,} rows: cut it first")
    cells = _split(path, [line for _, line in lines])
    found = [_Line(number, line, row) for (number, line), row in zip(lines, cells, strict=True)]
    heading: tuple[str, ...] = ()
    if found and _is_heading(found[0].cells, [line.cells for line in found[1:]]):
        heading = tuple(cell.strip().casefold() for cell in found[0].cells)
        found = found[1:]
    return _Table(heading, found, (said,) if said else ())


def _is_heading(first: list[str], others: list[list[str]]) -> bool:
    """Whether the first line names the columns: it has no number, or a word where later lines have numbers."""
    if not any(map(_is_number, first)):
        return True
    words = [i for i, cell in enumerate(first) if not _is_number(cell)]
    return any(i < len(cells) and _is_number(cells[i]) for cells in others for i in words)


def _split(path: Path, lines: list[str]) -> list[list[str]]:
    """The cells of each line, decimal commas as points. Raises: BadInput: too many."""
    if lines and all("\t" in line for line in lines):
        rows = _quoted(lines, "\t", False)
    elif any(";" in line for line in lines):
        rows = _quoted(lines, ";", True)
    elif any("," in line for line in lines) and not _commas_are_decimal(lines):
        return _counted(path, map(_words, _quoted(lines, ",", True)))
    else:
        rows = map(str.split, lines)
    return _counted(path, ([_with_point(cell.strip()) for cell in row] for row in rows))


def _counted(path: Path, rows: Iterable[list[str]]) -> list[list[str]]:
    """The rows in memory, if they are not too many cells."""
    found, cells = [], 0
    for row in _wanted(rows):
        found.append(row)
        cells += len(row)
        if cells > MAX_CELLS:
            raise BadInput(f"{path} has more than {MAX_CELLS:,} cells: cut it first")
    return found


def _quoted(lines: list[str], delimiter: str, skip: bool) -> Iterator[list[str]]:
    """A row for each line; a quotation mark that is not closed there is a letter."""
    for line in lines:
        if '"' not in line:
            cells = line.split(delimiter)
            yield [cell.lstrip(" ") for cell in cells] if skip else cells
            continue
        try:
            yield next(csv.reader([line], delimiter=delimiter, skipinitialspace=skip, strict=True))
        except csv.Error:
            yield line.split(delimiter)


def _words(row: list[str]) -> list[str]:
    """Cells between commas; a line without one has blanks between its numbers. A comma at the end adds none."""
    if len(row) == 1:
        return row[0].split()
    return [cell.strip() for cell in (row[:-1] if row[-1].strip() == "" else row)]


def _commas_are_decimal(lines: list[str]) -> bool:
    """Whether the numbers stand between blanks, with commas in them: "1,5 2,25"."""
    found = False
    for line in _wanted(lines):
        row = line.split()
        commas = [cell for cell in row if "," in cell and any(letter.isdigit() for letter in cell)]
        if len(row) == 1 or not all(map(_DECIMAL_COMMA.fullmatch, commas)):
            return False
        found = found or bool(commas)
    return found


def _with_point(cell: str) -> str:
    """ "1,5" as "1.5", and "1.234,5" as "1234.5"; what has no comma, or is no number, stays."""
    if "," not in cell or any(letter.isalpha() and letter not in "eE" for letter in cell):
        return cell
    return cell.replace(".", "").replace(",", ".") if cell.count(",") == 1 else cell


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _grouped(path: Path, table: _Table, part: str | None) -> tuple[_Table, tuple[str, ...], str]:
    """The rows of the chosen group without its column, the names of all groups, and which is taken."""
    column = _column_of_words(table)
    if column is None:
        if part is not None and part.strip().casefold() != ALL:
            raise BadInput(f"{path.name} has no column of names, found '{part:.40}': leave the part out")
        return table, (), ""
    names = list(dict.fromkeys(line.cells[column] for line in table.lines))
    heading = table.heading[column] if column < len(table.heading) else ""
    usual = names[0] if heading in SEPARATE and len(names) > 1 else ALL
    chosen = usual if part is None else part.strip()
    if chosen.casefold() == ALL:
        kept = table.lines
    else:
        kept = [line for line in table.lines if line.cells[column].casefold() == chosen.casefold()]
        if not kept:
            some = ", ".join(f"{name:.40}" for name in names[:20]) + (", …" if len(names) > 20 else "")
            raise BadInput(f"{path.name} has no rows named '{chosen:.40}': choose one of {some}, or all")
    lines = [line._replace(cells=[cell for i, cell in enumerate(line.cells) if i != column]) for line in kept]
    left = tuple(name for i, name in enumerate(table.heading) if i != column)
    remarks = table.remarks
    if len(names) > 1 and part is None:
        what = "all of them" if chosen == ALL else f"'{chosen:.40}', {len(lines):,} rows,"
        are = "are" if chosen == ALL else "is"
        remarks = (
            *remarks,
            f"its rows have {len(names):,} names in the column '{heading[:40] or column + 1}': {what} {are} taken "
            "(--part chooses others)",
        )
    return _Table(left, lines, remarks), tuple(names[:MAX_GROUPS]), chosen


def _column_of_words(table: _Table) -> int | None:
    """The one column that holds no number in any row; None where there is none, or a row lacks it."""
    if not table.lines:
        return None
    width = min(len(line.cells) for line in table.lines)
    words = [i for i in range(width) if not any(_is_number(line.cells[i]) for line in _wanted(table.lines))]
    return words[0] if len(words) == 1 and width > 1 else None


def _columns(table: _Table, wanted: int) -> list[int] | None:
    """Which columns hold the coordinates, by their names; None: all of them."""
    axes = AXES[:wanted]
    if wanted <= len(AXES) and all(axis in table.heading for axis in axes):
        return [table.heading.index(axis) for axis in axes]
    others = [i for i, name in enumerate(table.heading) if name not in NUMBERING]
    return others if len(others) < len(table.heading) else None
