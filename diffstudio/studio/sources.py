"""Data of the user's own as x_0: an array, a state of a trace, or what a modality reads.

For a latent model they are pictures of the size that it makes, which it encodes, or arrays and traces of its latents.
"""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import numpy as np

from diffstudio import data
from diffstudio.errors import BadFile, BadInput
from diffstudio.modalities import Fit, Meaning, SourceInfo, Taken, Taking
from diffstudio.modalities.picture_file import looks_inverted
from diffstudio.modalities.points_fit import (
    UNKNOWN,
    Plane,
    far_outside,
    into_plane,
    is_outside,
    outside_remark,
    outside_sentence,
)
from diffstudio.studio.array_file import ARRAYS, MAX_BYTES, read_array
from diffstudio.traces.checked import open_checked
from diffstudio.user_files import exists, is_folder

__all__ = ["ARRAYS", "FOLDER", "MAX_BYTES", "inspect_source", "load_source", "read_source", "remarks_of"]

FOLDER = "/"  # among a modality's suffixes: a folder of files can be one sample
LOOKED_AT = 1000  # samples of a data set that show how far it reaches


def inspect_source(path: Path, meaning: Meaning, taking: Taking | None = None) -> SourceInfo:
    """What a file holds and how it is taken, before a run. Errors as `read_source`."""
    return read_source(path, meaning, taking).info


def load_source(
    path: Path, meaning: Meaning, fit: Fit | None = None, invert: bool = False, taking: Taking | None = None
) -> np.ndarray:
    """The samples in a file: (N, *shape), N ≥ 1; errors as `read_source`, and BadInput of another size without a fit.

    fit, invert: short for a taking with these alone.
    """
    return read_source(path, meaning, taking or Taking(fit=fit, invert=invert)).required()


def read_source(path: Path, meaning: Meaning, taking: Taking | None = None) -> Taken:
    """The samples in a file, (N, *shape), in the range of the data, and what is to be said of it.

    Both the look before a run and the run itself read with this. For a latent model the samples are latents or
    pictures.

    Raises:
        BadInput: no such file, an unknown kind of file, another shape, or a choice that it does not offer.
        BadFile: it can't be read.
    """
    how = taking or Taking()
    found = _read_as_meant(path, meaning, how)
    if how.span is not None and found.info.span is None:
        raise BadInput(f"{path.name} has no values of black and white: leave the range out")
    if how.part is not None and not found.info.part_name:
        raise BadInput(f"{path.name} has no parts, found '{how.part:.40}': leave the part out")
    return found


def _read_as_meant(path: Path, meaning: Meaning, how: Taking) -> Taken:
    pictures = _pictures(meaning)
    if pictures is None:
        return _read(path, meaning, how)
    if path.suffix.lower() not in (*ARRAYS, ".trace"):
        return _read(path, pictures, how)
    try:
        return _read(path, meaning, how, latent=True)
    except BadInput:  # no latents
        return _read(path, pictures, how)


def remarks_of(info: SourceInfo | None, samples: int) -> tuple[str, ...]:
    """What is to be said of a run's source: what was done to it, and what of it so many samples leave out."""
    if info is None:
        return ()
    left = (f"it holds {info.count:,} samples: the first {samples:,} are used",) if info.count > samples else ()
    return (*info.remarks, *left)


def _pictures(meaning: Meaning) -> Meaning | None:
    """What a latent model encodes; None of others."""
    decoded = meaning.card.get("decoded")
    return Meaning("image", tuple(decoded)) if decoded else None


def _read(path: Path, meaning: Meaning, taking: Taking, latent: bool = False) -> Taken:
    kind, shape, suffix = meaning.kind, tuple(meaning.shape), path.suffix.lower()
    folder = is_folder(path)
    if not exists(path) or (folder and FOLDER not in kind.suffixes):
        raise BadInput(f"there is no file {path}")
    if taking.fit is not None and kind.fits and taking.fit not in kind.fits:
        raise BadInput(
            f"{kind.title} can be fitted by {', '.join(kind.fits)}, found '{taking.fit}': choose one of these"
        )
    ours = suffix == ".trace"
    if ours:
        found = _from_trace(path)
    elif suffix in ARRAYS:
        found, ours = read_array(path, meaning, taking, latent)
    elif (FOLDER if folder else suffix) in kind.suffixes:
        found = kind.read(path, meaning, taking)
    else:
        kinds = ", ".join(name for name in (*kind.suffixes, *ARRAYS) if name != FOLDER)
        raise BadInput(f"{path}: '{suffix}' can't be read as {kind.name}, expected one of {kinds}, .trace")
    rows = found.rows
    if rows is None:
        return found
    if rows.ndim != len(shape) + 1 or rows.shape[1:] != shape or len(rows) == 0:
        raise BadInput(f"{path} holds an array of shape {rows.shape}, the model needs (N, {str(shape)[1:]}")
    if not np.isfinite(rows).all():
        raise BadFile(f"{path} has values that are not finite (NaN or ∞)")
    if kind.cloud and not ours:
        return _placed(path, meaning, taking, Taken(found.info, rows))
    if suffix in ARRAYS and kind.invertible and not latent:
        info = dataclasses.replace(found.info, looks_inverted=looks_inverted(rows[0]))
        found = Taken(info, rows)
    return Taken(found.info, -rows) if taking.invert else found


def _from_trace(path: Path) -> Taken:
    """The end of a run's chain; of a run that only noised its data, the data."""
    with open_checked(path) as trace:
        if not len(trace):
            raise BadFile(f"{path} has no complete record")
        last = len(trace) - 1
        said: tuple[str, ...] = ()
        if trace.chain(last) == 0:
            k, said = 0, ("the data at the beginning of its forward chain are taken",)
        else:
            k = last
            if trace.scalar(last, "s") > 0:
                said = (f"its chain did not reach the end: its state at t {trace.scalar(last, 't'):.3f} is taken",)
        rows = trace.array(k, "xt")
    return Taken(SourceInfo(len(rows), rows.shape[1:], remarks=said), rows)


def _placed(path: Path, meaning: Meaning, taking: Taking, found: Taken) -> Taken:
    """Points in the plane of the model's data, or with the word that they lie far outside of it."""
    rows, plane = found.required(), plane_of(meaning)
    far = far_outside(rows, plane)
    info = found.info
    if far or is_outside(rows, plane):
        sentence = outside_sentence(path.name, rows, plane)
        info = dataclasses.replace(info, sentence=sentence, fittings=meaning.kind.fits)
    if taking.fit is None and far:
        return Taken(dataclasses.replace(info, fits=False), None)
    said = outside_remark(rows, plane) if info.fittings else ""
    if taking.fit is not None:
        rows, said = into_plane(rows, plane, taking.fit)
    return Taken(dataclasses.replace(info, remarks=(*info.remarks, *((said,) if said else ()))), rows)


def plane_of(meaning: Meaning) -> Plane:
    """The box that the data of a model of points fill; a usual one where they are not known."""
    told = meaning.card.get("data")
    name = told.get("dataset", "") if isinstance(told, dict) else ""
    known = name in data.DATASETS
    low, high = _reach(name) if known else (-UNKNOWN, UNKNOWN)
    return Plane(np.full(meaning.shape[0], low), np.full(meaning.shape[0], high), known)


@functools.lru_cache(maxsize=8)
def _reach(name: str) -> tuple[float, float]:
    """The least and the largest coordinate of a data set, but for its outliers."""
    rows, _ = data.sample(name, (None,) * LOOKED_AT, range(LOOKED_AT))
    reach = float(np.quantile(np.abs(rows), 0.998))
    return -reach, reach
