"""Clips of the user's own as states: MP4 and its kin, animated pictures, or a folder of frames."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from diffstudio.errors import BadFile, BadInput
from diffstudio.modalities.modality import Fit, Meaning, SourceInfo
from diffstudio.modalities.picture_file import MAX_PIXELS, PICTURES, fitted, opaque, open_picture

if TYPE_CHECKING:
    from PIL import Image  # loaded when a clip is read: the window shows itself before

MOVIES = (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi")  # read by PyAV
ANIMATIONS = (".gif", ".webp", ".apng", ".png")  # read by Pillow
FOLDER = "/"
CLIPS = (*MOVIES, *ANIMATIONS, FOLDER)
MAX_FRAMES = 5_000
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
            if number in wanted:
                own = picture() if fit is None else fitted(picture(), (width, height), fit)
                found[number] = np.asarray(opaque(own).convert(mode), np.float32).reshape(height, width, channels)
            if number == wanted[-1]:
                break
    if len(found) < len(set(wanted)):
        raise BadFile(f"{path} ends after {len(found)} frames, expected {count}")
    clip = np.stack([found[number] for number in wanted]) / 127.5 - 1
    return np.ascontiguousarray(clip.transpose(0, 3, 1, 2)[None])


def open_movie(path: Path) -> Any:
    """An open PyAV container.

    Raises:
        BadInput: the extra is missing, or no such file.  BadFile: not a movie that can be read.
    """
    av = import_av(f"reading {path.name}")
    if not path.is_file():
        raise BadInput(f"there is no file {path}")
    try:
        return av.open(str(path))
    except (av.FFmpegError, ValueError) as error:
        raise BadFile(f"{path} is not a video that can be read") from error


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
            if count > MAX_FRAMES:
                raise BadInput(f"{path} has more than {MAX_FRAMES:,} frames: cut it first")
    if not count:
        raise BadFile(f"{path} holds no frame")
    if size[0] * size[1] > MAX_PIXELS:
        raise BadInput(f"{path} has frames of {size[0]:,}×{size[1]:,} pixels: make it smaller first")
    return count, size


@contextlib.contextmanager
def _frames(path: Path) -> Iterator[Iterator[Callable[[], Image.Image]]]:
    """The frames one after the other; each is decoded into a picture only when it is called."""
    if path.is_dir():
        yield _of_folder(path)
    elif path.suffix.lower() in MOVIES:
        with contextlib.closing(open_movie(path)) as movie:
            yield _of_movie(movie, path)
    else:
        yield _of_animation(path)


def _of_folder(path: Path) -> Iterator[Callable[[], Image.Image]]:
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in PICTURES)
    return iter([lambda file=file: open_picture(file) for file in files])


def _of_movie(movie: Any, path: Path) -> Iterator[Callable[[], Image.Image]]:
    av = import_av(f"reading {path.name}")
    if not movie.streams.video:
        raise BadFile(f"{path} holds no video, only sound or text")
    try:
        for frame in movie.decode(movie.streams.video[0]):
            yield frame.to_image
    except av.FFmpegError as error:
        raise BadFile(f"{path} is damaged: a frame can't be decoded") from error


def _of_animation(path: Path) -> Iterator[Callable[[], Image.Image]]:
    from PIL import Image, ImageSequence, UnidentifiedImageError

    open_picture(path)  # refuses what is too large, or no picture
    try:
        with Image.open(path) as found:
            for frame in ImageSequence.Iterator(found):
                yield frame.copy
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise BadFile(f"{path} is damaged: a frame can't be read") from error


def _misfit(path: Path, count: int, size: tuple[int, int], shape: tuple[int, ...]) -> str:
    length, _, height, width = shape
    found = f"{count:,} frame{'s' if count > 1 else ''} of {size[0]}×{size[1]}"
    wanted = f"{length} of {width}×{height}"
    evenly = "" if count == length else f", {length} frames evenly spaced,"
    return (
        f"{path.name} has {found} pixels, the model needs {wanted}: fit it{evenly} by crop, pad or stretch "
        "(--fit on the command line)"
    )
