"""Clips of the user's own as states: MP4 and its kin, animated pictures, or a folder of frames."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from diffstudio.errors import BadFile, BadInput
from diffstudio.modalities.clip_frames import CLIPS, opened_frames
from diffstudio.modalities.modality import Fit, Meaning, SourceInfo, Taken, Taking
from diffstudio.modalities.parts import chosen_numbers
from diffstudio.modalities.picture_colours import plain
from diffstudio.modalities.picture_file import rows_of
from diffstudio.modalities.picture_fit import Size, fitted, fittings
from diffstudio.modalities.spans import Span

__all__ = ["CLIPS", "read_clip"]

EVEN = 1.2  # the longest frame over the shortest, up to which all last equally long


def read_clip(path: Path, meaning: Meaning, taking: Taking) -> Taken:
    """(1, T, C, H, W) float32 in [-1, 1].

    Of a clip of another length as many frames as the model has are taken, evenly spaced in time from the first to the
    last; of one that is too short some are taken twice. The part chooses a stretch of frames.

    Raises:
        BadInput: too large, no such frames, or the extra is missing.  BadFile: it can't be read.
    """
    length, channels, height, width = meaning.shape
    if channels not in (1, 3):
        raise BadInput(f"{path}: a clip has 1 or 3 channels, the model needs {channels}")
    seconds, size = measure(path)
    count = len(seconds)
    span = list(range(count)) if taking.part is None else chosen_numbers(taking.part, count, "frame", path.name)
    wanted = [span[i] for i in evenly([seconds[i] for i in span], length)]
    needs = fittings(size, (width, height))
    usable = not needs or taking.fit is not None
    found = _frames(path, set(wanted) if usable else {wanted[0]}, meaning.shape, taking if usable else None)
    rows = None
    if usable:
        if len(found) < len(set(wanted)):
            raise BadFile(f"{path} ends after {len(found)} frames, expected {count}")
        rows = np.stack([found[i].row for i in wanted])[None]
    remarks = dict.fromkeys(word for one in found.values() for word in one.remarks)
    info = SourceInfo(
        1,
        (size[1], size[0]),
        usable,
        _misfit(path, count, size, meaning.shape) if needs else "",
        needs,
        remarks=(*remarks, *_told([seconds[i] for i in span], size, wanted != span, needs, meaning.shape)),
        part=taking.part or "",
        part_name="frame",
        span=next(iter(found.values())).span,
    )
    return Taken(info, rows)


def evenly(seconds: list[float], length: int) -> list[int]:
    """Which frames stand for `length` even ones; seconds: how long each is shown, 0 where nobody says.

    Of exactly that number each is taken once. Where all last equally long: from the first to the last in even steps.
    Else the whole time is cut into even slots, and each has the frame that is shown in its middle.
    """
    count = len(seconds)
    if count == length or not uneven(seconds):
        return [int(i) for i in np.linspace(0, count - 1, length).round()]
    ends = np.cumsum(seconds)
    middles = (np.arange(length) + 0.5) * ends[-1] / length
    return [int(i) for i in np.searchsorted(ends, middles, side="right").clip(0, count - 1)]


def uneven(seconds: list[float]) -> bool:
    """Whether it is known that some frames are shown longer than others."""
    return min(seconds) > 0 and max(seconds) > EVEN * min(seconds)


class _Frame(NamedTuple):
    """row: (C, H, W), empty where it is not taken.  remarks, span: as `Plain`'s."""

    row: np.ndarray
    remarks: tuple[str, ...]
    span: Span | None


def _frames(path: Path, wanted: set[int], shape: tuple[int, ...], taking: Taking | None) -> dict[int, _Frame]:
    """Those frames by their numbers, each at the model's size as soon as it is decoded; taking: None only looks."""
    _, channels, height, width = shape
    found: dict[int, _Frame] = {}
    with opened_frames(path) as frames:
        for number, frame in enumerate(frames):
            if number in wanted:
                one = plain(frame.picture(), taking.span if taking else None)
                row = np.zeros(0, np.float32)
                if taking is not None:
                    row = rows_of(fitted(one.picture, (width, height), taking.fit), channels)[0]
                found[number] = _Frame(row, one.remarks, one.span)
            if len(found) == len(wanted):
                break
    if not found:
        raise BadFile(f"{path} holds no frame")
    return found


def measure(path: Path) -> tuple[list[float], Size]:
    """How long each frame is shown, and (width, height) of the first."""
    seconds: list[float] = []
    size = (0, 0)
    with opened_frames(path) as frames:
        for frame in frames:
            if not seconds:
                size = frame.picture().size
            seconds.append(frame.seconds)
    if not seconds:
        raise BadFile(f"{path} holds no frame")
    return seconds, size


def _told(seconds: list[float], size: Size, chosen: bool, needs: tuple[Fit, ...], shape: tuple[int, ...]) -> list[str]:
    """What is done to a clip of another length or size, or with frames of another pace."""
    length, _, height, width = shape
    count, said = len(seconds), []
    if chosen:
        fewer, more = f"{length} of its {count:,} frames are taken", f"its {count:,} frames make {length}"
        said.append(f"{fewer if count > length else more}, evenly spaced in time")
    elif uneven(seconds):
        low, high = (round(1000 * bound(seconds)) for bound in (min, max))
        said.append(f"its frames last {low:,} to {high:,} ms and are taken one by one")
    if size != (width, height) and not needs:
        said.append(f"resized from {size[0]}×{size[1]} to {width}×{height}")
    return said


def _misfit(path: Path, count: int, size: Size, shape: tuple[int, ...]) -> str:
    length, _, height, width = shape
    found = f"{count:,} frame{'s' if count > 1 else ''} of {size[0]}×{size[1]}"
    wanted = f"{length} of {width}×{height}"
    spaced = "" if count == length else f", {length} frames evenly spaced,"
    return (
        f"{path.name} has {found} pixels, the model needs {wanted}: fit it{spaced} by crop, pad or stretch "
        "(--fit on the command line)"
    )
