"""The frames of a clip one after the other, upright, with the time that each is shown: movies, animations, folders."""

from __future__ import annotations

import contextlib
import re
import struct
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from diffstudio.errors import BadFile, BadInput
from diffstudio.modalities.picture_file import PICTURES, open_picture

if TYPE_CHECKING:
    from PIL import Image  # loaded when a clip is read: the window shows itself before

MOVIES = (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi")  # read by PyAV
ANIMATIONS = (".gif", ".webp", ".apng", ".png")  # read by Pillow
FOLDER = "/"
CLIPS = (*MOVIES, *ANIMATIONS, FOLDER)
NEEDS_AV = "needs the extra 'video': pip install 'diffstudio[video]'"
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
    if path.is_dir():
        yield _of_folder(path)
    elif path.suffix.lower() in MOVIES:
        with contextlib.closing(open_movie(path)) as movie:
            yield _of_movie(movie, path)
    else:
        yield _of_animation(path)


def open_movie(path: Path, what: str = "video") -> Any:
    """An open PyAV container; `what` it should be is named where it is none.

    Raises:
        BadInput: the extra is missing, or no such file.  BadFile: not a movie that can be read.
    """
    av = import_av(f"reading {path.name}")
    if not path.is_file():
        raise BadInput(f"there is no file {path}")
    try:
        return av.open(str(path))
    except (av.FFmpegError, ValueError) as error:
        raise BadFile(f"{path} is not a {what} that can be read") from error


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


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """The key by which people sort names: numbers in them by size, "2" before "10"; letters without their case."""
    parts = re.split(r"([0-9]+)", name)
    # Each part: numbers stand before words.
    return tuple((0, int(part), part) if part[:1].isdecimal() else (1, 0, part.casefold()) for part in parts if part)


def _of_folder(path: Path) -> Iterator[Frame]:
    # Names that begin with a dot are the system's own: macOS writes ._1.png beside 1.png.
    found = [file for file in path.iterdir() if file.suffix.lower() in PICTURES and not file.name.startswith(".")]
    files = sorted(found, key=lambda file: natural(file.name))
    return iter([Frame(lambda file=file: open_picture(file), 0.0) for file in files])


def _of_movie(movie: Any, path: Path) -> Iterator[Frame]:
    """As long as each is shown until the next, or as the last one says itself."""
    av = import_av(f"reading {path.name}")
    if not movie.streams.video:
        raise BadFile(f"{path} holds no video, only sound or text")
    stream = movie.streams.video[0]
    before = None
    try:
        for frame in movie.decode(stream):
            if before is not None:
                yield Frame(_movie_picture(before, stream), _between(before, frame))
            before = frame
    except av.FFmpegError as error:
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
        ratio = stream.sample_aspect_ratio
        if ratio and ratio != 1:  # pixels that are no squares
            found = found.resize((max(1, round(found.width * float(ratio))), found.height), Image.Resampling.LANCZOS)
        return _turned(found, frame)

    return picture


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


def _of_animation(path: Path) -> Iterator[Frame]:
    from PIL import Image, ImageOps, UnidentifiedImageError

    open_picture(path)  # refuses what is too large, or no picture
    try:
        with Image.open(path) as found:
            # The first picture of such a file is shown where nothing moves, and is none of the clip.
            hidden = bool(found.info.get("default_image"))
            for number in range(int(hidden), getattr(found, "n_frames", 1)):
                with warnings.catch_warnings(action="ignore"):  # of crooked Exif
                    found.seek(number)
                    found.load()
                seconds = float(found.info.get("duration") or 0) / 1000
                yield Frame(lambda: ImageOps.exif_transpose(found).copy(), seconds)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError) as error:
        raise BadFile(f"{path} is damaged: a frame can't be read") from error
