"""Texts from strangers' files, made fit to be shown and to name a model."""

from __future__ import annotations

import re
import unicodedata

MAX_NAME = 80


def shown(text: object, most: int = 80) -> str:
    """At most so many characters for a message; those that are not printed, or turn the reading, as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in str(text)[:most])


def model_name(text: str) -> str:
    """A card's name from the name of a file or folder; "@" and slashes have a meaning where models are named."""
    plain = "".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFC", text))
    plain = re.sub(r"[@/\\<>\s]+", " ", plain).strip(" .")
    return plain[:MAX_NAME].strip() or "model"
