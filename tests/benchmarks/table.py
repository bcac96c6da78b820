"""The benchmarks' table: one row for each figure, with its target and how far single measurements lay apart."""

from __future__ import annotations

import os
import platform
import statistics
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version

HEADINGS = ("what", "target", "measured", "spread")


@dataclass(frozen=True)
class Row:
    """A figure. target: the most that it should be, None where there is none; digits: decimal places."""

    what: str
    figure: float
    unit: str
    spread: str
    target: float | None = None
    digits: int = 2

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """The row in words, under HEADINGS."""
        wanted = "" if self.target is None else f"≤ {self.target:g} {self.unit}"
        missed = self.target is not None and self.figure > self.target
        return self.what, wanted, f"{self.figure:.{self.digits}f} {self.unit}{' (missed)' * missed}", self.spread


def median(what: str, values: Sequence[float], unit: str, target: float | None = None, digits: int = 2) -> Row:
    """The median of repeated measurements; the spread is their minimum and maximum."""
    spread = f"{min(values):.{digits}f} to {max(values):.{digits}f}, median of {len(values)}"
    return Row(what, statistics.median(values), unit, spread, target, digits)


def percentile(what: str, values: Sequence[float], unit: str, target: float | None = None, digits: int = 1) -> Row:
    """The 99th percentile of many measurements; the spread is their median and maximum."""
    ordered = sorted(values)
    p99 = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    spread = f"median {statistics.median(ordered):.{digits}f}, worst {ordered[-1]:.{digits}f}, of {len(ordered):,}"
    return Row(what, p99, unit, spread, target, digits)


def worst(what: str, values: Sequence[float], unit: str, target: float | None = None, digits: int = 1) -> Row:
    """The maximum; the spread is the median."""
    spread = f"median {statistics.median(values):.{digits}f}, of {len(values):,}"
    return Row(what, max(values), unit, spread, target, digits)


def markdown(rows: Iterable[Sequence[str]]) -> str:
    """Lines of a Markdown table."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def machine() -> str:
    """What the figures were measured on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "PySide6-Essentials", "numpy"))
    return f"{cores} cores ({platform.machine()}, {platform.system()}), Python {platform.python_version()}, {packages}"


def report(measure: Callable[[], list[Row]]) -> None:
    """What a benchmark's `main` does: measure and print; with --rows only the rows, for the table of them all."""
    rows = [row.cells for row in measure()]
    if "--rows" in sys.argv:
        print(markdown(rows))
    else:
        print(f"{machine()}\n")
        print(markdown([HEADINGS, ("---",) * len(HEADINGS), *rows]))
