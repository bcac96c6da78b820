"""A small card beside a file that can't say everything itself: `model-12.pt.card.json`.

Its entries are fields of a card, and replace what the adapter has found out or assumed.
"""

from __future__ import annotations

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
_FIXED = (
    "format",
    "format_version",
    "sha256",
    "parameters",
    "decoder_parameters",
    "dtype",
)  # the file alone says these


def sidecar(path: Path) -> dict[str, Any]:
    """The entries of the card beside a file, {} without one. Raises: BadFile."""
    name = path.name + ENDING
    if not is_file(path.parent / name):
        return {}
    found = read_json(path.parent, name)
    for key in found:
        if key in _FIXED or key not in Card.model_fields:
            raise BadFile(
                f"{shown(path.parent / name, 400)}: '{shown(key)}' is not an entry that a card beside a file has"
            )
    return found


def completed(path: Path, found: dict[str, Any]) -> Card:
    """The card of what an adapter found, with the entries of the card beside the file.

    Raises:
        BadFile: the card beside the file, or both together, are not a card.
    """
    beside = sidecar(path)
    merged = {**found, **beside}
    if isinstance(beside.get("network_args"), dict) and isinstance(found.get("network_args"), dict):
        merged["network_args"] = {**found["network_args"], **beside["network_args"]}
    try:
        return Card.model_validate(merged)
    except ValidationError as error:
        where = path.with_name(path.name + ENDING) if beside else path
        raise invalid(where, error) from error
