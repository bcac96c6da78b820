"""A small card beside a file or folder that can't say everything itself: `model-12.pt.card.json`, `cats.card.json`.

Its entries are fields of a card, and replace what the adapter has found out or assumed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from diffstudio.checkpoints.adapters.adapter import invalid
from diffstudio.checkpoints.adapters.look import read_json
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.names import shown
from diffstudio.errors import BadFile
from diffstudio.user_files import is_file

ENDING = ".card.json"
# The file alone says these.
_FIXED = ("format", "format_version", "sha256", "parameters", "decoder_parameters", "dtype", "notes")
_tried: ContextVar[dict[Path, dict[str, Any]]] = ContextVar("tried", default={})  # noqa: B039 - never changed in place


def card_beside(path: Path) -> Path:
    """Where the card beside a file or folder lies, or would."""
    whole = path if path.name not in ("", "..") else path.resolve()
    return whole.with_name(whole.name + ENDING)


@contextlib.contextmanager
def trying(path: Path, entries: Mapping[str, Any]) -> Iterator[None]:
    """Within, the card beside that file or folder has these entries, whatever lies there."""
    token = _tried.set({**_tried.get(), card_beside(path): dict(entries)})
    try:
        yield
    finally:
        _tried.reset(token)


def sidecar(path: Path) -> dict[str, Any]:
    """The entries of the card beside a file or folder, {} without one. Raises: BadFile."""
    beside = card_beside(path)
    tried = _tried.get().get(beside)
    if tried is None and not is_file(beside):
        return {}
    found = read_json(beside.parent, beside.name) if tried is None else tried
    for key in found:
        if key in _FIXED or key not in Card.model_fields:
            raise BadFile(f"{shown(beside, 400)}: '{shown(key)}' is not an entry that a card beside a file has")
    return found


def asked_size(path: Path, factor: int = 1) -> tuple[int, int] | None:
    """Height and width of the states that the card beside a file asks for; None where it says nothing of them.

    factor: pixels a side for a place of a latent, of which the card may tell the picture instead (`decoded`).
    """
    beside = sidecar(path)
    for key, each in (("shape", 1), ("decoded", factor)):
        sides = beside.get(key)
        if isinstance(sides, list) and len(sides) == 3 and all(type(n) is int and n > 0 for n in sides):
            return sides[1] // each, sides[2] // each
    return None


def asked_where(path: Path) -> Path:
    """What says the size: the card beside the file or folder, where it tells one, else that itself."""
    return card_beside(path) if asked_size(path) else path


def completed(path: Path, found: dict[str, Any]) -> Card:
    """The card of what an adapter found, with the entries of the card beside the file.

    Of a latent model the picture follows from the shape, and the shape from the picture, whichever the card tells.

    Raises:
        BadFile: the card beside the file, or both together, are not a card.
    """
    beside = sidecar(path)
    merged = {**found, **beside}
    if isinstance(beside.get("network_args"), dict) and isinstance(found.get("network_args"), dict):
        merged["network_args"] = {**found["network_args"], **beside["network_args"]}
    if found.get("decoded") and ("shape" in beside) != ("decoded" in beside):
        factor = found["decoded"][1] // found["shape"][1]
        size = asked_size(path, factor)
        if size is not None and "shape" in beside:
            merged["decoded"] = (found["decoded"][0], *(factor * side for side in size))
        elif size is not None:
            merged["shape"] = (found["shape"][0], *size)
    merged["weights"] = found.get("weights", "")  # chosen already
    try:
        return Card.model_validate(merged)
    except ValidationError as error:
        raise invalid(card_beside(path) if beside else path, error) from error
