"""One proven number."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """What was measured and what it must be.

    within: |measured − expected| may be as large; None where measured must only not exceed expected.
    note: what the numbers are, or where a difference lies in the definition.
    """

    group: str
    name: str
    measured: float
    expected: float
    within: float | None = None
    note: str = ""

    @property
    def ok(self) -> bool:
        """Whether it holds; not a number never does."""
        if self.within is None:
            return self.measured <= self.expected
        return abs(self.measured - self.expected) <= self.within
