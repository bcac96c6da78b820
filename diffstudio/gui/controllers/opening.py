"""What a file is, and what opening it means: a trace, a checkpoint, settings in a picture, or a source."""

from __future__ import annotations

import dataclasses
import itertools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from diffstudio.checkpoints.catalog import Catalog
from diffstudio.checkpoints.listing import Entry
from diffstudio.errors import BadInput, DiffStudioError
from diffstudio.gui.kit.words import tr
from diffstudio.modalities import MODALITIES, Meaning
from diffstudio.modalities.clip_file import MOVIES
from diffstudio.modalities.picture_file import PICTURES
from diffstudio.studio import provenance
from diffstudio.studio.request.request import Request
from diffstudio.studio.sources import ARRAYS, inspect_source
from diffstudio.traces.checked import open_checked
from diffstudio.traces.format import MAGIC
from diffstudio.traces.reader import Trace
from diffstudio.user_files import is_file, is_folder, open_regular

MAX_LOOKED_AT = 10_000  # files of a folder
SAME = ("device", "trace_every", "trace_dtype", "kind")  # how a run is recorded is not part of the picture


@dataclass(frozen=True)
class Opened:
    """kind: what to do with the path; settings: those that a picture carries.

    What `read` has found: the trace, the checkpoint, or of settings the request with a note on it and its checkpoint.
    """

    kind: Literal["trace", "checkpoint", "folder", "settings", "source"]
    path: Path
    settings: dict[str, Any] | None = None
    trace: Trace | None = None
    entry: Entry | None = None
    request: Request | None = None
    note: str = ""


def read(path: Path, catalog: Catalog, meaning: Meaning | None, masks: Path) -> Opened:
    """Look at what is opened and read it, which may take a while: for the background.

    meaning: of the model that a source is for, None without one.  masks: the folder of those that were painted here.

    Raises:
        BadInput, BadFile, NotFound: it can't be opened.  Cancelled.
    """
    found = look_at(path)
    if found.kind == "trace":
        return dataclasses.replace(found, trace=open_checked(path))
    if found.kind == "checkpoint":
        return dataclasses.replace(found, entry=catalog.find(str(path.absolute())))
    if found.kind == "settings":
        request, note = at_hand(provenance.request_of(found.settings or {}, str(path)), masks)
        return dataclasses.replace(found, request=request, note=note, entry=catalog.find(request.model))
    if found.kind == "source" and meaning is not None:
        inspect_source(path, meaning)  # what it finds is remembered: the panel asks again
    return found


def look_at(path: Path) -> Opened:
    """Decide by content where the content says, else by the suffix.

    Raises:
        BadInput: no such file, or of a kind that is not known.
    """
    if is_folder(path):
        return Opened("source" if _holds_frames(path) else "folder", path)
    with open_regular(path) as stream:
        start = stream.read(8)
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
        suffixes = {Path(entry.name).suffix.lower() for entry in itertools.islice(os.scandir(folder), MAX_LOOKED_AT)}
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
    if request.mask and not (Path(request.mask).parent == masks and is_file(Path(request.mask))):
        notes.append(tr("Its mask {} is not in the picture: everything is repainted.").format(request.mask))
        request = request.model_copy(update={"mask": None, "resample": 1})
    return request, "\n".join(notes)


def differences(now: Request, then: Request) -> list[tuple[str, str, str]]:
    """What would change: (field, now, then)."""
    before, after = now.model_dump(mode="json"), then.model_dump(mode="json")
    return [(k, _text(before[k]), _text(after[k])) for k in after if k not in SAME and before[k] != after[k]]


def _text(value: Any) -> str:
    return "any" if value is None else str(value)
