"""How large an exported picture will be, known before it is drawn and before the run."""

from __future__ import annotations

from dataclasses import dataclass

from diffstudio.errors import BadInput, NoRoom
from diffstudio.modalities import Meaning
from diffstudio.studio.app.memory import free_memory, size
from diffstudio.studio.export.options import ExportOptions
from diffstudio.studio.export.pictures import POINTS_SIDE, grid_columns, grid_gap
from diffstudio.traces.reader import Trace

MAX_PIXELS = 178_956_970  # what Pillow, and with it many programs, agrees to open
MAX_SIDE = {".webp": 16_383, ".jpg": 65_500, ".jpeg": 65_500, ".gif": 65_535}
MAX_SIDE_OTHERS = 100_000
AIM = {"animation": 512, "clip": 512, "strip": 256, "samples": 1}  # pixels of the longer side that scale 0 aims at
AIM_OTHERS = 640
BYTES_PER_PIXEL = {".gif": 2, ".webp": 6, ".png": 6, ".apng": 6}  # what Pillow holds of every picture of an animation


@dataclass(frozen=True)
class Subject:
    """What is drawn: what a sample is, and how many there are."""

    meaning: Meaning
    batch: int

    @classmethod
    def of(cls, trace: Trace) -> Subject:
        """The subject of a trace."""
        return cls(trace.meaning, trace.batch)


def scale_of(subject: Subject, options: ExportOptions) -> int:
    """The scale, chosen where the options leave it open."""
    if options.scale:
        return options.scale
    aim = AIM.get(options.kind, AIM_OTHERS)
    return max(1, min(aim // max(_pixels(subject, options, 1)), 64))


def picture_size(subject: Subject, options: ExportOptions) -> tuple[int, int]:
    """Width and height of one record's picture."""
    return _pixels(subject, options, scale_of(subject, options))


def frames_of(subject: Subject) -> int:
    """How many pictures a clip of a sample has; 1 where nothing moves."""
    frames = subject.meaning.kind.frames
    return 1 if frames is None else frames(subject.meaning)[0]


def check_picture(width: int, height: int, suffix: str) -> None:
    """Refuse a picture that its format, or the programs that open it, can't take.

    Raises:
        BadInput: it is too large.
    """
    side = MAX_SIDE.get(suffix, MAX_SIDE_OTHERS)
    if max(width, height) > side or width * height > MAX_PIXELS:
        limit = f"{side:,} a side" if max(width, height) > side else f"{MAX_PIXELS:,} in all"
        raise BadInput(
            f"the picture would have {width:,}×{height:,} pixels, a '{suffix}' file holds at most {limit}: "
            "use a smaller scale or fewer samples"
        )


def check_animation(width: int, height: int, frames: int, suffix: str) -> None:
    """Refuse an animation that does not fit into memory, where its encoder needs it whole.

    Raises:
        BadInput: its pictures are too large.  NoRoom: it needs more memory than is free.
    """
    check_picture(width, height, suffix)
    needed, free = width * height * frames * BYTES_PER_PIXEL[suffix], free_memory()
    if free is not None and needed > free:
        raise NoRoom(
            f"an animation of {frames:,} pictures of {width:,}×{height:,} needs {size(needed)} of memory, but only "
            f"{size(free)} is free: use a smaller scale, fewer steps, or numbered pictures in a folder"
        )


def _pixels(subject: Subject, options: ExportOptions, scale: int) -> tuple[int, int]:
    tile = subject.meaning.kind.tile
    if tile is None:
        return POINTS_SIDE * scale, POINTS_SIDE * scale
    height, width = tile(subject.meaning)
    frames = subject.meaning.kind.frames
    if options.kind == "clip" and frames is not None:
        _, height, width = frames(subject.meaning)
    if options.kind == "samples" or options.sample is not None:
        return width * scale, height * scale
    columns = grid_columns(subject.batch, height, width)
    rows, gap = -(-subject.batch // columns), grid_gap(scale, subject.meaning.kind.gap)
    return (columns * (width + gap) - gap) * scale, (rows * (height + gap) - gap) * scale
