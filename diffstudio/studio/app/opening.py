"""What a file is, for the window and the command line alike, and what it means to take a picture's settings back.

Nothing here is in a user's language: what is to be told is a value, and who shows it finds the words.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from diffstudio.checkpoints.adapters import may_be_model
from diffstudio.checkpoints.finding import LISTED, SUFFIXES
from diffstudio.errors import BadInput, DiffStudioError
from diffstudio.modalities import MODALITIES
from diffstudio.modalities.movie_file import MOVIES
from diffstudio.modalities.picture_file import PICTURES
from diffstudio.studio import provenance
from diffstudio.studio.app.recalled import Note
from diffstudio.studio.masks import painted_here
from diffstudio.studio.parameters_text import Parameters
from diffstudio.studio.request.checks import MASKS, NEUTRAL, OF_FILES
from diffstudio.studio.request.request import Request
from diffstudio.studio.sources import ARRAYS, FOLDER
from diffstudio.traces.format import MAGIC
from diffstudio.user_files import is_folder, open_regular

SOUNDS = (".wav",)
_OTHERS = (b"GGUF", b"\x89HDF", b"\x80")  # beginnings of what may hold weights: it is refused by its own sentence
_LEGACY = b"\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"  # in a pickle of torch before its zip files
Kind = Literal["trace", "checkpoint", "folder", "settings", "foreign", "source"]
Role = Literal["checkpoint", "source", "mask"]


@dataclass(frozen=True)
class Opened:
    """kind: what to do with the path, "folder": it may hold checkpoints; settings: those that a picture carries;
    parameters: those of another program ("foreign").
    """

    kind: Kind
    path: Path
    settings: dict[str, Any] | None = None
    parameters: Parameters | None = None


def look_at(path: Path) -> Opened:
    """Decide by content where the content says, else by the suffix. No more than the beginning of a file is read,
    and the settings of a picture.

    Raises:
        BadInput: no such file, or of a kind that is not known.
    """
    if is_folder(path):
        return Opened(_kind_of_folder(path), path)
    start, size = _start(path)
    suffix = path.suffix.lower()
    if start[:7] == MAGIC[:7] or suffix == ".trace":
        return Opened("trace", path)
    if _are_weights(start, size) or (path.name.lower().endswith(LISTED) and suffix not in ARRAYS):
        return Opened("checkpoint", path)  # or what is none: the way out is said when it is looked at
    if suffix in (*PICTURES, ".apng", *MOVIES, *SOUNDS):
        found = _settings(path)
        if found:
            return Opened("settings", path, found)
        theirs = _parameters(path)
        return Opened("foreign", path, parameters=theirs) if theirs else Opened("source", path)
    if suffix in ARRAYS or any(suffix in row.suffixes for row in MODALITIES.values()):
        return Opened("source", path)
    if start.startswith(_OTHERS):
        return Opened("checkpoint", path)
    raise BadInput(
        f"{path.name}: files of the kind '{suffix}' can't be opened: expected a checkpoint ({', '.join(SUFFIXES)}, or "
        "whatever holds weights), a .trace, a picture, an array or another file of data"
    )


def check_role(path: Path, role: Role) -> None:
    """Refuse a file that is surely of another kind than what it is given for; what else is wrong its reader says.

    Raises:
        BadInput: a sentence that says what it is, and where it belongs.
    """
    try:
        kind = look_at(path).kind
        weights = kind == "checkpoint" and (is_folder(path) or _are_weights(*_start(path)))
    except BadInput:
        return
    if role == "checkpoint" and kind in ("trace", "settings", "foreign", "source"):
        what = "the recording of a run" if kind == "trace" else "data"
        raise BadInput(f"{path} is {what}, not a checkpoint: open it in the window, or start from it with --source")
    if role == "source" and weights:
        raise BadInput(f"{path} is a checkpoint, nothing to start from: it can be the model")
    if role == "mask" and (weights or kind == "trace"):
        what = "a checkpoint" if weights else "the recording of a run"
        raise BadInput(f"{path} is {what}: a mask is a picture, white where the source is repainted")


def _start(path: Path) -> tuple[bytes, int]:
    """The beginning of a file, and its size. Raises: BadInput: none, or no regular one."""
    with open_regular(path) as stream:
        try:
            return stream.read(512), os.fstat(stream.fileno()).st_size
        except OSError as error:
            raise BadInput(f"can't read {path}: {error.strerror}") from error


def _are_weights(start: bytes, size: int) -> bool:
    """Whether a file begins as one of weights does, whatever it is called."""
    if start[:4] == b"PK\x03\x04":  # of torch.save; an archive of arrays begins with an array
        name = start[30 : 30 + int.from_bytes(start[26:28], "little")]
        return name.endswith(b"/data.pkl") or b"/.data/" in name or name.endswith((b"/byteorder", b"/version"))
    header = start[8:9] == b"{" and 8 + int.from_bytes(start[:8], "little") <= size
    return header or (start[:1] == b"\x80" and _LEGACY in start[:32])


def _kind_of_folder(folder: Path) -> Kind:
    """A model, a clip frame by frame, or a folder in which there may be checkpoints."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return "folder"
    files = [entry.name for entry in entries if not entry.is_dir()]
    if may_be_model(folder, files, [entry.name for entry in entries if entry.is_dir()]):
        return "checkpoint"
    suffixes = {Path(name).suffix.lower() for name in files}
    frames = suffixes.isdisjoint(SUFFIXES) and not suffixes.isdisjoint(PICTURES)
    return "source" if frames and any(FOLDER in row.suffixes for row in MODALITIES.values()) else "folder"


def _settings(path: Path) -> dict[str, Any] | None:
    try:
        return provenance.read_settings(path)
    except DiffStudioError:
        return None  # whatever is wrong with the picture, loading it as a source will say


def _parameters(path: Path) -> Parameters | None:
    try:
        return provenance.read_parameters(path)
    except DiffStudioError:
        return None


# ── settings that are taken back ────────────────────────────────────────────────────────────────────────────────────


def at_hand(request: Request, masks: Path) -> tuple[Request, tuple[Note, ...]]:
    """A picture's request without the files that are not in the picture, and what is said of that.

    A mask that was painted here, in the folder `masks`, is one that we wrote: it is taken if it is still there. Any
    other path in a picture is a stranger's word, and not opened.
    """
    notes = []
    if request.source in ("file", "step"):
        notes.append(Note("source", str(request.source_file)))
        nothing = {name: NEUTRAL[name] for name in ("source_file", "source_step", "source_sample", *OF_FILES)}
        edits = {name: NEUTRAL[name] for name in ("strength", "resample", "keep_pixels", *MASKS)}
        request = request.model_copy(update={"source": "noise", **nothing, **edits})
    here = painted_here(request.mask, masks) if request.mask else None
    if here is not None:
        request = request.model_copy(update={"mask": str(here)})
    elif request.mask:
        notes.append(Note("mask", request.mask))
        alone = {} if request.mask_region else {"resample": 1, "keep_pixels": True}
        request = request.model_copy(update={"mask": None, **alone})
    return request, tuple(notes)
