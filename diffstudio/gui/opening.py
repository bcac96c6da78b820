"""What a file is, and what opening it means: a trace, a checkpoint, settings in a picture, or a source."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from diffstudio.errors import BadInput, DiffStudioError
from diffstudio.studio import provenance
from diffstudio.studio.request import Request
from diffstudio.studio.sources import ARRAYS, PICTURES
from diffstudio.traces.format import MAGIC

SAME = ("device", "trace_every", "trace_dtype", "kind")  # how a run is recorded is not part of the picture


@dataclass(frozen=True)
class Opened:
    """kind: what to do with the path; settings: those that a picture carries."""

    kind: Literal["trace", "checkpoint", "folder", "settings", "source"]
    path: Path
    settings: dict[str, Any] | None = None


def look_at(path: Path) -> Opened:
    """Decide by content where the content says, else by the suffix.

    Raises:
        BadInput: no such file, or of a kind that is not known.
    """
    if path.is_dir():
        return Opened("folder", path)
    try:
        with path.open("rb") as stream:
            start = stream.read(8)
    except OSError as error:
        raise BadInput(f"can't open {path}: {error.strerror}") from error
    suffix = path.suffix.lower()
    if start[:7] == MAGIC[:7] or suffix == ".trace":
        return Opened("trace", path)
    if suffix in (".safetensors", ".ckpt", ".pt", ".pth", ".bin", ".pkl"):
        return Opened("checkpoint", path)
    if suffix in (*PICTURES, ".apng"):
        found = _settings(path)
        return Opened("settings", path, found) if found else Opened("source", path)
    if suffix in ARRAYS:
        return Opened("source", path)
    raise BadInput(f"{path.name}: files of the kind '{suffix}' can't be opened: expected a checkpoint (.safetensors), "
                   "a .trace, a picture or an array")  # fmt: skip


def _settings(path: Path) -> dict[str, Any] | None:
    try:
        return provenance.read_settings(path)
    except DiffStudioError:
        return None  # whatever is wrong with the picture, loading it as a source will say


def differences(now: Request, then: Request) -> list[tuple[str, str, str]]:
    """What would change: (field, now, then)."""
    before, after = now.model_dump(mode="json"), then.model_dump(mode="json")
    return [(k, _text(before[k]), _text(after[k])) for k in after if k not in SAME and before[k] != after[k]]


def _text(value: Any) -> str:
    return "any" if value is None else str(value)
