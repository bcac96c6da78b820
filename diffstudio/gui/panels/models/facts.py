"""What the owner of a checkpoint knows it by: its file, its folder, its format, its weights."""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path

from diffstudio.checkpoints.adapters import ADAPTERS
from diffstudio.checkpoints.listing import Entry
from diffstudio.gui.kit.words import count, number, size, tr

_SLASH = re.compile(r"(?<=[\w.~-])/(?=[\w.~-])")  # within a path
_FORMATS = {adapter.name: adapter.label.replace("`", "") for adapter in ADAPTERS}


def file_text(entry: Entry) -> str:
    """Its file, or the folder that it is."""
    word = tr("Folder {}") if entry.is_folder else tr("File {}")
    return word.format(entry.path.name)


def folder_text(entry: Entry) -> str:
    """The folder in which it lies."""
    return tr("in {}").format(_folder_of(os.path.abspath(entry.path)))  # noqa: PTH100 - links stay what they are


def format_text(entry: Entry) -> str:
    """Whose kind of file it is."""
    name = entry.card.format if entry.card else ""
    return _FORMATS.get(name, name)


def hash_text(digest: str) -> str:
    """A sha256, short enough to be compared by eye."""
    return f"sha256 {digest[:4]} {digest[4:8]} … {digest[-4:]}"


def step_text(entry: Entry, is_default: bool) -> str:
    """A checkpoint among those of its model, as short as its row is narrow."""
    card = entry.card
    assert card is not None
    unnumbered = not card.step and bool(card.format)
    if entry.variant:
        steps = [] if unnumbered else [count(card.step)]
        return " · ".join([*steps, variant_text(entry.variant)])
    if unnumbered and is_default:
        return tr("final")
    steps = tr("{} steps").format(count(card.step))
    return f"{steps} · {tr('final')}" if is_default else steps


def variant_text(variant: str) -> str:
    """Which weights of its step a checkpoint has."""
    if variant == "ema":
        return tr("averaged")
    kind, _, decay = variant.partition("_")
    if kind == "ema" and decay.replace(".", "", 1).isdecimal():
        return f"EMA {number(float(decay), max(1, len(decay.partition('.')[2])))}"
    return variant


def about(entry: Entry) -> list[str]:
    """All of it, line by line, for a tip."""
    known = [hash_text(entry.sha256)] if entry.sha256 else []
    return [file_text(entry), folder_text(entry), f"{format_text(entry)} · {size(entry.size)}", *known]


def tip(text: str) -> str:
    """A tooltip guesses at rich text: what a file says of itself is escaped. A long path may be broken at a slash."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace("\n", "<br>")
    return f"<qt>{_SLASH.sub('/&#8203;', plain)}</qt>"


def short_path(path: Path) -> str:
    """A path with "~" for the home folder."""
    home = os.path.expanduser("~")  # noqa: PTH111 - Path.home raises where there is none
    text = str(path)
    return f"~{text[len(home) :]}" if text == home or text.startswith(f"{home}{os.sep}") else text


@functools.lru_cache(maxsize=4096)
def _folder_of(path: str) -> str:
    return short_path(Path(path).parent)
