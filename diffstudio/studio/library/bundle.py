"""Runs as a file that travels: their traces, with the names, stars, tags, notes and marks that stand beside them."""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from diffstudio.errors import BadFile, BadInput
from diffstudio.files import atomic_write
from diffstudio.studio.library.intake import take_in
from diffstudio.studio.library.library import SUFFIX, TRACES, Library
from diffstudio.studio.library.run import Run

BUNDLE = ".runs"
_TABLE = "runs.json"
MAX_TABLE = 64 << 20
MAX_RUNS = 100_000


class Packed(BaseModel):
    """What a bundle says of one run beside its trace."""

    model_config = ConfigDict(extra="ignore")  # a newer version may say more
    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,200}\.trace$")]
    name: Annotated[str, Field(max_length=200)] = ""
    note: Annotated[str, Field(max_length=20_000)] = ""
    tags: Annotated[tuple[str, ...], Field(max_length=200)] = ()
    star: bool = False
    marks: dict[str, Any] = {}


class Contents(BaseModel):
    """The table of a bundle."""

    model_config = ConfigDict(extra="ignore")
    format_version: Literal[1] = 1
    runs: Annotated[tuple[Packed, ...], Field(max_length=MAX_RUNS)]


def pack(runs: Sequence[Run], out: Path) -> Iterator[int]:
    """Write runs into one file; yields how many are in it. To stop is to leave it: nothing stays behind.

    Raises:
        BadInput: a trace is gone, or the file can't be written.
    """
    gone = [run for run in runs if not run.file.exists()]
    if gone:
        raise BadInput(f"the trace of run {gone[0].id} is not where it was ({gone[0].file}): it can't be exported")
    names = {run.id: f"{run.id}{SUFFIX}" for run in runs}
    packed = [Packed(file=names[r.id], name=r.name, note=r.note, tags=r.tags, star=r.star, marks=r.marks) for r in runs]
    # Noise does not compress: the traces are stored as they are.
    with atomic_write(out) as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        archive.writestr(_TABLE, Contents(runs=tuple(packed)).model_dump_json(indent=1))
        for done, run in enumerate(runs, 1):
            archive.write(run.file, names[run.id])
            yield done


def unpack(library: Library, path: Path) -> Iterator[Run]:
    """Take the runs of a bundle into the library; one that is there already only gets what it has not.

    Raises:
        BadFile: it is no bundle, or a trace in it is damaged.  BadInput: the library's folder is full.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            contents = _contents(archive, path)
            folder = library.folder / TRACES
            folder.mkdir(parents=True, exist_ok=True)
            for packed in contents.runs:
                yield _unpacked(library, archive, packed, folder, path)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise BadFile(f"{path} is not a file of exported runs: {error}") from error
    except OSError as error:
        raise BadInput(f"can't read {path}: {error.strerror or error}") from error


def _contents(archive: zipfile.ZipFile, path: Path) -> Contents:
    try:
        if archive.getinfo(_TABLE).file_size > MAX_TABLE:
            raise BadFile(f"{path}: its table has more than {MAX_TABLE:,} bytes")
        found = json.loads(archive.read(_TABLE))
        version = found.get("format_version") if isinstance(found, dict) else None
        if isinstance(version, int) and version > 1:
            raise BadFile(f"{path}: exported runs of format {version}, expected 1: open it with a newer DiffStudio")
        return Contents.model_validate(found)
    except KeyError as error:
        raise BadFile(f"{path} is not a file of exported runs: it has no {_TABLE}") from error
    except (ValueError, ValidationError, RecursionError) as error:
        raise BadFile(f"{path}: the table of its runs is damaged") from error


def _unpacked(library: Library, archive: zipfile.ZipFile, packed: Packed, folder: Path, path: Path) -> Run:
    with tempfile.TemporaryDirectory(prefix=".import-", dir=folder) as place:
        file = Path(place) / packed.file
        try:
            with archive.open(packed.file) as stored, file.open("wb") as stream:
                shutil.copyfileobj(stored, stream, 1 << 20)
        except KeyError as error:
            raise BadFile(f"{path}: the trace {packed.file} is not in it") from error
        run = take_in(library, file, move=True)
    if packed.name and not run.name:
        library.rename(run.id, packed.name)
    if packed.note and not run.note:
        library.annotate(run.id, packed.note)
    if packed.marks and not run.marks:
        library.mark(run.id, packed.marks)
    if packed.star:
        library.star([run.id], True)
    for tag in packed.tags:
        library.tag([run.id], tag)
    return library.get(run.id)
