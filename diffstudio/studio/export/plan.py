"""What an export will write, known before it is written: which records, how large."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import NamedTuple

from diffstudio.errors import BadFile, BadInput
from diffstudio.modalities import Meaning
from diffstudio.studio.export import arrays
from diffstudio.studio.export.filmstrip import strip_rows, strip_size
from diffstudio.studio.export.layout import (
    BYTES_PER_PIXEL,
    Subject,
    check_animation,
    check_picture,
    frames_of,
    picture_size,
    scale_of,
)
from diffstudio.studio.export.options import SINGLE, ExportOptions
from diffstudio.traces.format import PREFIX
from diffstudio.traces.reader import Trace

AS_RECORDED = ("arrays", "trace")  # of a latent model these hold its states, everything else their pictures
# Bytes for a value of an image (noise does not compress), for a pixel (enlarged ones do), for a pixel of a cloud.
_DENSITY = {
    ".png": (1.3, 0.035, 0.11),
    ".webp": (0.6, 0.02, 0.06),
    ".gif": (1.0, 0.25, 0.05),
    ".jpg": (0.0, 0.2, 0.16),
    ".jpeg": (0.0, 0.2, 0.16),
    ".tif": (0.0, 3.0, 3.0),
    ".mp4": (0.2, 0.02, 0.02),
    ".tiff": (0.0, 3.0, 3.0),
}


class Estimate(NamedTuple):
    """width, height: of a picture in pixels, 0 where there is none.  frames: pictures, samples or records.

    bytes: of arrays and traces what they will have (within some kilobytes), of pictures a guess.
    """

    width: int
    height: int
    frames: int
    bytes: int


def decodes(trace: Trace, options: ExportOptions) -> bool:
    """Whether the states must become pictures first: those of a latent model, for everything that is drawn."""
    return options.kind not in AS_RECORDED and bool(trace.header.card.get("decoded"))


def subject_of(trace: Trace, options: ExportOptions) -> Subject:
    """What is drawn of a trace."""
    if decodes(trace, options):
        return Subject(Meaning("image", tuple(trace.header.card["decoded"])), trace.batch)
    return Subject.of(trace)


def records(trace: Trace, options: ExportOptions) -> list[int]:
    """The records that are chosen, in the order of the trace; one for SINGLE kinds.

    Raises:
        BadInput: there are none, or a record or the sample is out of range.
    """
    if not len(trace):
        raise BadInput("this run has no recorded step: there is nothing to export")
    for name in ("first", "last", "record"):
        k = getattr(options, name)
        if k is not None and not 0 <= k < len(trace):
            raise BadInput(f"{name} is {k}, expected a record from 0 to {len(trace) - 1}")
    if options.sample is not None and not 0 <= options.sample < trace.batch:
        raise BadInput(f"sample is {options.sample}, expected 0 to {trace.batch - 1}")
    single = options.kind in SINGLE
    if single and options.record is not None:
        return [options.record]
    first, last = options.first or 0, len(trace) - 1 if options.last is None else options.last
    wanted = {"forward": (0,), "reverse": (1,), "both": (0, 1)}[options.chain]
    found = [k for k in range(first, last + 1) if trace.chain(k) in wanted]
    if not found:
        which = "" if options.chain == "both" else f" of the {options.chain} chain"
        raise BadInput(f"there is no step{which} among the records {first} to {last}")
    if single:
        return found[-1:]
    chosen = found[:: options.every]
    return chosen if chosen[-1] == found[-1] else [*chosen, found[-1]]


def check_size(subject: Subject, counts: Sequence[int], options: ExportOptions, suffix: str) -> None:
    """Refuse what is too large; counts: the records that are chosen of each chain.

    Raises:
        BadInput: a picture is too large for its format.  NoRoom: an animation is too large for the memory.
    """
    if options.kind in ("arrays", "trace") or _own_format(subject, options, suffix):
        return
    if options.kind == "strip":
        check_picture(*strip_size(subject, [min(options.columns, count) for count in counts], options), suffix)
    elif options.kind == "animation" and suffix != ".mp4":  # which is written picture by picture
        check_animation(*picture_size(subject, options), sum(counts), suffix)
    elif options.kind == "clip" and suffix in BYTES_PER_PIXEL:
        check_animation(*picture_size(subject, options), frames_of(subject), suffix)
    else:
        check_picture(*picture_size(subject, options), suffix or ".png")


def estimate(trace: Trace, options: ExportOptions, suffix: str = ".png") -> Estimate:
    """How large an export into a file of that suffix will be, from sizes alone.

    Raises:
        BadInput: as `records`.
    """
    subject = subject_of(trace, options)
    if options.kind in ("arrays", "trace"):
        return Estimate(0, 0, len(trace), arrays.size(trace) if options.kind == "arrays" else end_of(trace))
    chosen = records(trace, options)
    if _own_format(subject, options, suffix):
        return Estimate(0, 0, subject.batch, 12 * math.prod(subject.meaning.shape) * subject.batch)
    width, height = picture_size(subject, options)
    values = width * height // scale_of(subject, options) ** 2 if not subject.meaning.kind.cloud else 0
    count = subject.batch if options.kind == "samples" else len(chosen)
    count = frames_of(subject) if options.kind == "clip" else count
    pixels = width * height
    if options.kind == "strip":
        counts = [len(row) for row in strip_rows(trace, chosen, options.columns)]
        width, height = strip_size(subject, counts, options)
        values, pixels, count = values * sum(counts), width * height, 1
    per_value, per_pixel, per_drawn = _DENSITY.get(suffix, _DENSITY[".png"])
    per_pixel = per_drawn if subject.meaning.kind.cloud else per_pixel
    return Estimate(width, height, count, round(1500 + values * per_value + pixels * per_pixel) * count)


def _own_format(subject: Subject, options: ExportOptions, suffix: str) -> bool:
    """Whether the modality writes it, not a picture of it."""
    kind = subject.meaning.kind
    target = kind.sample_suffix if options.kind == "samples" and suffix not in kind.exports else suffix
    return options.kind != "animation" and options.kind in kind.exports.get(target, ())


def end_of(trace: Trace) -> int:
    """Where the last complete record of the trace's file ends."""
    try:
        with trace.path.open("rb") as stream:
            _, header, _ = PREFIX.unpack(stream.read(PREFIX.size))
    except (OSError, struct.error) as error:
        raise BadFile(f"{trace.path} is gone or was cut while it was open") from error
    return PREFIX.size + header + len(trace) * trace.header.record_bytes
