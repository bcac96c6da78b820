"""How a run ends before its end."""

from __future__ import annotations


class Stopped(Exception):
    """The user stopped the run."""
