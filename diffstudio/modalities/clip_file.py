"""Clips of the user's own as states: MP4 and its kin, animated pictures, or a folder of frames."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from diffstudio.cancelling import check_cancelled
from diffstudio.errors import BadFile, BadInput
from diffstudio.modalities.modality import Fit, Meaning, SourceInfo
from diffstudio.modalities.picture_file import (
    DAMAGED,
    MAX_PIXELS,
    PICTURES,
    check_pixels,
    fitted,
    opaque,
    open_picture,
    opened,
)
from diffstudio.user_files import is_folder, open_regular

if TYPE_CHECKING:
    from PIL import Image  # loaded when a clip is read: the window shows itself before

MOVIES = (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi")  # read by PyAV
ANIMATIONS = (".gif", ".webp", ".apng", ".png")  # read by Pillow
FOLDER = "/"
CLIPS = (*MOVIES, *ANIMATIONS, FOLDER)
MAX_FRAMES = 5_000
MAX_FILE = 2 << 30  # bytes of a movie
MAX_FRAME_PIXELS = 36_000_000  # of a movie: 8K
MAX_ANIMATED_PIXELS = 9_000_000  # of a frame of an animated picture: 4K
# Pixels of all frames together that are decoded, of a movie and of an animated picture: some seconds.
MAX_MOVIE, MAX_ANIMATION = 4_000_000_000, 100_000_000
# What a movie is, its first bytes say: left to itself the library would also open lists of other files and addresses.
_BEGINNINGS = {"matroska": (0, (b"\x1aE\xdf\xa3",)), "avi": (8, (b"AVI ",)),
               "mov": (4, (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"))}  # fmt: skip
NEEDS_AV = "needs the extra 'video': pip install 'diffstudio[video]'"


def inspect_clip(path: Path, meaning: Meaning) -> SourceInfo:
    """Length and size of a clip, before it is read. Raises: BadInput, BadFile."""
    count, (width, height) = _measure(path)
    fits = (count, height, width) == (meaning.shape[0], *meaning.shape[2:])
    return SourceInfo(1, (height, width), fits, "" if fits else _misfit(path, count, (width, height), meaning.shape))


def read_clip(path: Path, meaning: Meaning, fit: Fit | None) -> np.ndarray:
    """(1, T, C, H, W) float32 in [-1, 1].

    fit: what to do with frames of another size. Of a clip of another length as many frames as the model has are taken,
    evenly spaced from the first to the last; of one that is too short some are taken twice.

    Raises:
        BadInput: another length or size and no fit, too large, or the extra is missing.  BadFile: it can't be read.
    """
    length, channels, height, width = meaning.shape
    mode = {1: "L", 3: "RGB"}.get(channels)
    if mode is None:
        raise BadInput(f"{path}: a clip has 1 or 3 channels, the model needs {channels}")
    count, size = _measure(path)
    if fit is None and (count, *size) != (length, width, height):
        raise BadInput(_misfit(path, count, size, meaning.shape))
    wanted = np.linspace(0, count - 1, length).round().astype(int)
    found: dict[int, np.ndarray] = {}
    with _frames(path) as pictures:
        for number, picture in enumerate(pictures):
            check_cancelled()
            if number in wanted:
                own = picture() if fit is None else fitted(picture(), (width, height), fit)
                found[number] = np.asarray(opaque(own).convert(mode), np.float32).reshape(height, width, channels)
            if number == wanted[-1]:
                break
    if len(found) < len(set(wanted)):
        raise BadFile(f"{path} ends after {len(found)} frames, expected {count}")
    clip = np.stack([found[number] for number in wanted]) / 127.5 - 1
    return np.ascontiguousarray(clip.transpose(0, 3, 1, 2)[None])


@contextlib.contextmanager
def open_movie(path: Path) -> Iterator[Any]:
    """An open PyAV container.

    Raises:
        BadInput: the extra is missing, no such file, or too large a one.  BadFile: not a movie that can be read.
    """
    av = import_av(f"reading {path.name}")
    with open_regular(path, MAX_FILE) as stream:
        start = stream.read(16)
        stream.seek(0)
        kind = next((kind for kind, (at, words) in _BEGINNINGS.items() if start[at:].startswith(words)), None)
        if kind is None:
            raise BadFile(f"{path} is not a video that can be read")
        try:
            movie = av.open(stream, format=kind)
        except (av.FFmpegError, ValueError) as error:
            raise BadFile(f"{path} is not a video that can be read") from error
        with movie:
            yield movie


def import_av(what: str) -> Any:
    """PyAV. `what` begins the sentence where it is not there.

    Raises:
        BadInput: the extra is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise BadInput(f"{what} {NEEDS_AV}") from error
    return av


def _measure(path: Path) -> tuple[int, tuple[int, int]]:
    """How many frames there are, and (width, height) of the first."""
    count, size = 0, (0, 0)
    with _frames(path) as pictures:
        for picture in pictures:
            if count == 0:
                size = picture().size
            count += 1
            check_cancelled()
            if count > MAX_FRAMES:
                raise BadInput(f"{path} has more than {MAX_FRAMES:,} frames: cut it first")
    if not count:
        raise BadFile(f"{path} holds no frame")
    _check_size(path, size, MAX_PIXELS)
    return count, size


@contextlib.contextmanager
def _frames(path: Path) -> Iterator[Iterator[Callable[[], Image.Image]]]:
    """The frames one after the other; each is decoded into a picture only when it is called."""
    if is_folder(path):
        yield _of_folder(path)
    elif path.suffix.lower() in MOVIES:
        with open_movie(path) as movie:
            yield _of_movie(movie, path)
    else:
        with opened(path) as found:
            check_pixels(path, found)
            if getattr(found, "is_animated", False):
                _check_size(path, found.size, MAX_ANIMATED_PIXELS)
            yield _of_animation(found, path)


def _of_folder(path: Path) -> Iterator[Callable[[], Image.Image]]:
    try:
        found = (Path(entry.path) for entry in os.scandir(path))
        files = list(itertools.islice((file for file in found if file.suffix.lower() in PICTURES), MAX_FRAMES + 1))
    except OSError as error:
        raise BadInput(f"can't read the folder {path}: {error.strerror}") from error
    return iter([lambda file=file: open_picture(file) for file in sorted(files)])


def _of_movie(movie: Any, path: Path) -> Iterator[Callable[[], Image.Image]]:
    av = import_av(f"reading {path.name}")
    if not movie.streams.video:
        raise BadFile(f"{path} holds no video, only sound or text")
    codec = movie.streams.video[0].codec_context
    _check_size(path, (codec.width, codec.height), MAX_FRAME_PIXELS)
    pixels = 0
    try:
        for frame in movie.decode(movie.streams.video[0]):
            pixels = _counted(path, pixels, (frame.width, frame.height), MAX_MOVIE)
            yield frame.to_image
    except av.FFmpegError as error:
        raise BadFile(f"{path} is damaged: a frame can't be decoded") from error


def _of_animation(found: Image.Image, path: Path) -> Iterator[Callable[[], Image.Image]]:
    from PIL import ImageSequence

    pixels = 0
    try:
        for frame in ImageSequence.Iterator(found):
            pixels = _counted(path, pixels, frame.size, MAX_ANIMATION)
            yield frame.copy
    except DAMAGED as error:
        raise BadFile(f"{path} is damaged: a frame can't be read") from error


def _counted(path: Path, pixels: int, size: tuple[int, int], most: int) -> int:
    """The pixels with those of one more frame. Raises: BadInput: that are too many."""
    pixels += size[0] * size[1]
    if pixels > most:
        raise BadInput(
            f"{path} has more than {most:,} pixels in all its frames of {size[0]:,}×{size[1]:,}: make it smaller, or "
            "cut it first"
        )
    return pixels


def _check_size(path: Path, size: tuple[int, int], most: int) -> None:
    if size[0] * size[1] > most:
        raise BadInput(f"{path} has frames of {size[0]:,}×{size[1]:,} pixels: make it smaller first")


def _misfit(path: Path, count: int, size: tuple[int, int], shape: tuple[int, ...]) -> str:
    length, _, height, width = shape
    found = f"{count:,} frame{'s' if count > 1 else ''} of {size[0]}×{size[1]}"
    wanted = f"{length} of {width}×{height}"
    evenly = "" if count == length else f", {length} frames evenly spaced,"
    return (
        f"{path.name} has {found} pixels, the model needs {wanted}: fit it{evenly} by crop, pad or stretch "
        "(--fit on the command line)"
    )
