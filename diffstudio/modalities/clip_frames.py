"""The frames of a clip one after the other, upright, with the time that each is shown: movies, animations, folders."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from diffstudio.cancelling import check_cancelled
from diffstudio.errors import BadFile, BadInput
from diffstudio.modalities.movie_file import MOVIES, import_av, open_movie
from diffstudio.modalities.picture_file import DAMAGED, PICTURES, check_pixels, open_picture, opened
from diffstudio.user_files import is_folder

if TYPE_CHECKING:
    from PIL import Image  # loaded when a clip is read: the window shows itself before

ANIMATIONS = (".gif", ".webp", ".apng", ".png")  # read by Pillow
FOLDER = "/"
CLIPS = (*MOVIES, *ANIMATIONS, FOLDER)
MAX_FRAMES = 5_000
MAX_FRAME_PIXELS = 36_000_000  # of a movie: 8K
MAX_ANIMATED_PIXELS = 9_000_000  # of a frame of an animated picture: 4K
# Pixels of all frames together that are decoded, of a movie and of an animated picture: some seconds.
MAX_MOVIE, MAX_ANIMATION = 4_000_000_000, 100_000_000
HIGH = 720  # lines from which a movie that does not say its colours has those of television, not of video


class Frame(NamedTuple):
    """One frame. picture: decodes it.  seconds: how long it is shown, 0 where nobody says."""

    picture: Callable[[], Image.Image]
    seconds: float


@contextlib.contextmanager
def opened_frames(path: Path) -> Iterator[Iterator[Frame]]:
    """The frames; each is decoded into a picture only when it is called, before the next one is taken.

    Raises:
        BadInput: the extra is missing, or no such file.  BadFile: it can't be read, also in the middle.
    """
    if is_folder(path):
        yield _watched(_of_folder(path), path)
    elif path.suffix.lower() in MOVIES:
        with open_movie(path) as movie:
            yield _watched(_of_movie(movie, path), path)
    else:
        with opened(path) as found:
            check_pixels(path, found)
            if getattr(found, "is_animated", False):
                _check_size(path, *found.size, MAX_ANIMATED_PIXELS)
            yield _watched(_of_animation(found, path), path)


def _watched(frames: Iterator[Frame], path: Path) -> Iterator[Frame]:
    """The frames, as long as they are wanted and not too many. Raises: BadInput; Cancelled."""
    for number, frame in enumerate(frames):
        check_cancelled()
        if number == MAX_FRAMES:
            raise BadInput(f"{path} has more than {MAX_FRAMES:,} frames: cut it first")
        yield frame


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """The key by which people sort names: numbers in them by size, "2" before "10"; letters without their case."""
    parts = re.split(r"([0-9]+)", name)
    # Each part: numbers stand before words.
    return tuple((0, int(part), part) if part[:1].isdecimal() else (1, 0, part.casefold()) for part in parts if part)


def _of_folder(path: Path) -> Iterator[Frame]:
    def is_frame(file: Path) -> bool:
        # Names that begin with a dot are the system's own: macOS writes ._1.png beside 1.png.
        return file.suffix.lower() in PICTURES and not file.name.startswith(".")

    try:
        with os.scandir(path) as entries:
            found = filter(is_frame, (Path(entry.path) for entry in entries))
            files = sorted(itertools.islice(found, MAX_FRAMES + 1), key=lambda file: natural(file.name))
    except OSError as error:
        raise BadInput(f"can't read the folder {path}: {error.strerror}") from error
    return iter([Frame(lambda file=file: open_picture(file), 0.0) for file in files])


def _of_movie(movie: Any, path: Path) -> Iterator[Frame]:
    """As long as each is shown until the next, or as the last one says itself."""
    av = import_av(f"reading {path.name}")
    if not movie.streams.video:
        raise BadFile(f"{path} holds no video, only sound or text")
    stream = movie.streams.video[0]
    if stream.codec_context is None:
        raise BadFile(f"{path} holds video of a kind that can't be decoded: save it as an MP4 (H.264)")
    _check_size(path, *_shown_size(stream.codec_context, stream), MAX_FRAME_PIXELS)
    before, pixels = None, 0
    try:
        for frame in movie.decode(stream):
            size = _shown_size(frame, stream)
            _check_size(path, *size, MAX_FRAME_PIXELS)  # another one may come in the middle
            pixels = _counted(path, pixels, size, MAX_MOVIE)
            if before is not None:
                yield Frame(_movie_picture(before, stream), _between(before, frame))
            before = frame
    except (av.FFmpegError, OSError) as error:
        raise BadFile(f"{path} is damaged: a frame can't be decoded") from error
    if before is not None:
        last = float(before.duration * before.time_base) if before.duration and before.time_base else 0.0
        yield Frame(_movie_picture(before, stream), last)


def _between(before: Any, after: Any) -> float:
    if before.time is None or after.time is None:
        return 0.0
    return max(0.0, after.time - before.time)


def _movie_picture(frame: Any, stream: Any) -> Callable[[], Image.Image]:
    def picture() -> Image.Image:
        from PIL import Image

        own = {"src_colorspace": "ITU709"} if frame.colorspace == 2 and frame.height >= HIGH else {}
        found = Image.fromarray(frame.reformat(format="rgb24", **own).to_ndarray())
        size = _shown_size(frame, stream)
        return _turned(found if found.size == size else found.resize(size, Image.Resampling.LANCZOS), frame)

    return picture


def _shown_size(found: Any, stream: Any) -> tuple[int, int]:
    """Width and height of a frame, or of a codec's, as squares: its pixels may be none."""
    ratio = stream.sample_aspect_ratio
    wide = found.width * float(ratio) if ratio and ratio > 0 else found.width
    return max(1, round(wide)), found.height


def _turned(picture: Image.Image, frame: Any) -> Image.Image:
    """Upright, as the movie's display matrix says: (x, y) is shown at (a·x + c·y, b·x + d·y)."""
    from PIL import Image

    for data in frame.side_data:
        if data.type.name == "DISPLAYMATRIX" and len(bytes(data)) >= 36:
            a, b, _, c, d = struct.unpack("<5i", bytes(data)[:20])
            break
    else:
        return picture
    way = Image.Transpose
    if abs(b) + abs(c) > abs(a) + abs(d):
        picture = picture.transpose(way.TRANSPOSE)
        a, d = c, b
    if a < 0:
        picture = picture.transpose(way.FLIP_LEFT_RIGHT)
    return picture.transpose(way.FLIP_TOP_BOTTOM) if d < 0 else picture


def _of_animation(found: Image.Image, path: Path) -> Iterator[Frame]:
    from PIL import ImageOps

    pixels = 0
    try:
        # The first picture of such a file is shown where nothing moves, and is none of the clip.
        for number in itertools.count(int(bool(found.info.get("default_image")))):
            if not _seek(found, number):
                return
            pixels = _counted(path, pixels, found.size, MAX_ANIMATION)
            found.load()
            seconds = float(found.info.get("duration") or 0) / 1000
            yield Frame(lambda: ImageOps.exif_transpose(found), seconds)
    except DAMAGED as error:
        raise BadFile(f"{path} is damaged: a frame can't be read") from error


def _seek(found: Image.Image, number: int) -> bool:
    """Whether there is such a frame. Of a GIF nobody knows how many there are until the last is read."""
    if found.format != "GIF":
        if number < getattr(found, "n_frames", 1):
            found.seek(number)
            return True
        return False
    try:
        found.seek(number)
    except EOFError:
        return False
    return True


def _counted(path: Path, pixels: int, size: tuple[int, int], most: int) -> int:
    """The pixels with those of one more frame. Raises: BadInput: that are too many."""
    pixels += size[0] * size[1]
    if pixels > most:
        raise BadInput(
            f"{path} has more than {most:,} pixels in all its frames of {size[0]:,}×{size[1]:,}: make it smaller, or "
            "cut it first"
        )
    return pixels


def _check_size(path: Path, width: int, height: int, most: int) -> None:
    if width * height > most:
        raise BadInput(f"{path} has frames of {width:,}×{height:,} pixels: make it smaller first")
