"""What a file is, and what opening it means: a trace, a checkpoint, settings in a picture, or a source."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from diffstudio.errors import BadInput, DiffStudioError
from diffstudio.gui.kit.words import tr
from diffstudio.modalities import MODALITIES
from diffstudio.modalities.clip_file import MOVIES
from diffstudio.modalities.picture_file import PICTURES
from diffstudio.studio import provenance
from diffstudio.studio.request.request import Request
from diffstudio.studio.sources import ARRAYS
from diffstudio.traces.format import MAGIC


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
        return Opened("source" if _holds_frames(path) else "folder", path)
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
    if suffix in (*PICTURES, ".apng", *MOVIES, ".wav"):
        found = _settings(path)
        return Opened("settings", path, found) if found else Opened("source", path)
    if suffix in ARRAYS or any(suffix in row.suffixes for row in MODALITIES.values()):
        return Opened("source", path)
    raise BadInput(f"{path.name}: files of the kind '{suffix}' can't be opened: expected a checkpoint (.safetensors), "
                   "a .trace, a picture, an array or another file of data")  # fmt: skip


def _holds_frames(folder: Path) -> bool:
    """Whether a folder is a clip, frame by frame, not one of checkpoints."""
    try:
        suffixes = {file.suffix.lower() for file in folder.iterdir()}
    except OSError:
        return False
    return ".safetensors" not in suffixes and not suffixes.isdisjoint(PICTURES)


def _settings(path: Path) -> dict[str, Any] | None:
    try:
        return provenance.read_settings(path)
    except DiffStudioError:
        return None  # whatever is wrong with the picture, loading it as a source will say


def at_hand(request: Request, masks: Path) -> tuple[Request, str]:
    """A picture's request without the files that are not in the picture, and the sentences that say so.

    A mask that was painted here, in the folder `masks`, is one that we wrote: it is taken if it is still there. Any
    other path in a picture is a stranger's word, and not opened.
    """
    notes = []
    if request.source in ("file", "step"):
        notes.append(
            tr("It started from the file {}, which is not in the picture: noise is set instead.").format(
                request.source_file
            )
        )
        nothing = {"source_file": None, "source_step": None, "source_fit": None, "source_invert": False}
        request = request.model_copy(
            update={"source": "noise", **nothing, "strength": 1.0, "mask": None, "resample": 1}
        )
    if request.mask and not (Path(request.mask).parent == masks and Path(request.mask).is_file()):
        notes.append(tr("Its mask {} is not in the picture: everything is repainted.").format(request.mask))
        request = request.model_copy(update={"mask": None, "resample": 1})
    return request, "\n".join(notes)
