"""Bounds of network arguments: they may come from a file, and a network is built before its size is known."""

from __future__ import annotations


def limit(name: str, value: object, high: int) -> None:
    """Refuse what is not a whole number from 1 to `high`.

    Raises:
        ValueError: naming the argument, what was found and what was expected.
    """
    if type(value) is not int or not 1 <= value <= high:
        raise ValueError(f"{name} is {value!r}, expected a whole number from 1 to {high:,}")
