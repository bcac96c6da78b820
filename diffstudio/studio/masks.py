"""What of a source is drawn anew: a file that is white there, a region in words, or where both agree."""

from __future__ import annotations

import base64
import functools
import itertools
import math
import os
import stat
import zlib
from pathlib import Path, PureWindowsPath

import numpy as np

from diffstudio.checkpoints.card import Card
from diffstudio.errors import BadInput
from diffstudio.modalities import Meaning, Placing, SourceInfo
from diffstudio.modalities.clip_frames import MAX_FRAMES
from diffstudio.modalities.region import inside, parse_region
from diffstudio.studio.request.request import Request
from diffstudio.traces.format import MAX_MASK, MaskSpec, TraceHeader
from diffstudio.user_files import is_file


def mask_of(card: Card, request: Request, rows: np.ndarray | None = None, placing: Placing | None = None) -> np.ndarray:
    """float32 in 0 to 1 that broadcasts to (B, *shape) of the states, of a latent model of its pictures.

    1 is drawn anew, 0 is kept, between them both are mixed.
    rows: the data (B, …), of which a region of points speaks.  placing: where the source's file was placed.

    Raises:
        BadInput: no such file, another size, or nothing to draw anew.  BadFile: a file that can't be read.
    """
    found = np.ones((1,), np.float32)
    if request.mask is not None:
        found = found * _from_file(Path(request.mask), card.seen, placing or Placing())
    if request.mask_region is not None:
        found = found * _from_words(request.mask_region, card.seen, rows)
    if not found.any():
        raise BadInput("the mask and its region have no place in common, so nothing would be drawn anew: change one")
    return found


def load_mask(path: Path, shape: tuple[int, ...], placing: Placing | None = None) -> np.ndarray:
    """(1, H, W) float32 of a mask of pictures; transparent pixels are kept. As `mask_for`.

    shape: of the picture that a sample is, or is decoded to, (C, H, W).
    """
    return mask_for(path, Meaning("image", tuple(shape)), placing)


def mask_for(path: Path, meaning: Meaning, placing: Placing | None = None) -> np.ndarray:
    """A mask of any modality's samples from its file, broadcasts to (*shape,). Errors as `mask_of`.

    A file that has not changed is not read again, since whoever plans a run asks for it at every change: the array is
    shared, and not to be written to.
    """
    return _from_file(path, meaning, placing or Placing())


def _from_file(path: Path, meaning: Meaning, placing: Placing) -> np.ndarray:
    if meaning.kind.read_mask is None:
        raise BadInput(f"{path.name} is no mask of {meaning.modality}: give a region in words")
    return _read(path, meaning.modality, tuple(meaning.shape), placing, _stamp(path))


@functools.lru_cache(maxsize=4)
def _read(path: Path, modality: str, shape: tuple[int, ...], placing: Placing, stamp: tuple[object, ...]) -> np.ndarray:
    """The shape is all that a mask needs of what it masks."""
    meaning = Meaning(modality, shape)
    assert meaning.kind.read_mask is not None
    mask = meaning.kind.read_mask(path, meaning, placing)
    if not mask.any():
        raise BadInput(f"{path.name} has no white pixel, so nothing would be repainted: paint the region white")
    mask.setflags(write=False)
    return mask


def _stamp(path: Path) -> tuple[object, ...]:
    """What changes with a file, and with the files of a folder; () of what can't be read, which its reader says."""
    try:
        found = path.stat()
        own = (found.st_mtime_ns, found.st_size, found.st_ino)
        if not stat.S_ISDIR(found.st_mode):
            return own
        with os.scandir(path) as entries:
            some = [(entry.name, entry.stat()) for entry in itertools.islice(entries, MAX_FRAMES)]
    except (OSError, ValueError):
        return ()
    return (*own, *((name, one.st_mtime_ns, one.st_size) for name, one in sorted(some)))


def _from_words(region: str, meaning: Meaning, rows: np.ndarray | None) -> np.ndarray:
    try:
        found = inside(parse_region(region), meaning.kind.axes(meaning, rows))
    except ValueError as error:
        raise BadInput(f"the region of the mask: {error}") from error
    if not found.any():
        raise BadInput(f"the region '{region:.80}' holds no place of the data, so nothing would be drawn anew")
    return found.astype(np.float32)


def placing_of(info: SourceInfo | None, request: Request) -> Placing:
    """Where the file of a source was placed: what a mask of its own size follows."""
    if info is None or len(info.size) != 2:
        return Placing()
    return Placing((info.size[1], info.size[0]), request.source_fit)


def painted_here(mask: str, folder: Path) -> Path | None:
    """The mask of that name in the folder of those that were painted here, None where it is not there.

    Nothing else of a path in a stranger's picture is believed.
    """
    path = folder / PureWindowsPath(mask).name
    return path if is_file(path) else None


def recorded(mask: np.ndarray) -> MaskSpec | None:
    """A mask as a trace keeps it; None of one that would take too much of its header."""
    levels = np.ascontiguousarray((mask * 255).round().astype(np.uint8))
    packed = base64.b64encode(zlib.compress(levels.tobytes(), 9)).decode()
    return MaskSpec(shape=levels.shape, levels=packed) if len(packed) <= MAX_MASK else None


def recorded_mask(header: TraceHeader) -> np.ndarray | None:
    """What of a run's samples was drawn anew, as `mask_of`; None where nothing was kept, or the trace does not say."""
    spec = header.mask
    if spec is None:
        return None
    size = math.prod(spec.shape)
    try:
        decoder = zlib.decompressobj()
        levels = decoder.decompress(base64.b64decode(spec.levels, validate=True), size + 1)
    except (ValueError, zlib.error):
        return None
    if len(levels) != size:
        return None
    return np.frombuffer(levels, np.uint8).reshape(spec.shape).astype(np.float32) / 255


def in_latents(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A mask of a picture, (1, H, W), for latents of shape (c, h, w): a place is repainted as far as any of its pixels
    is. (1, h, w).

    Raises:
        BadInput: no whole number of pixels is one place of the latents.
    """
    (_, height, width), (rows, columns) = mask.shape, shape[-2:]
    if height % rows or width % columns:
        raise BadInput(f"a mask of {width}×{height} pixels does not fall on latents of {columns}×{rows}: leave it out")
    return mask.reshape(1, rows, height // rows, columns, width // columns).max((2, 4))
