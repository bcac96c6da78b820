"""A trace becomes files: pictures, film strips, animations, arrays, single samples. No Qt, no torch.

Everything is written fully or not at all, and every picture carries its settings (see `provenance`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, features

from diffstudio.errors import BadFile, BadInput
from diffstudio.files import atomic_folder, atomic_write
from diffstudio.modalities import Making
from diffstudio.modalities.sound import in_turn
from diffstudio.studio import provenance
from diffstudio.studio.export import arrays, pictures
from diffstudio.studio.export.animation import write_animation
from diffstudio.studio.export.clips import draw_clip, write_clip
from diffstudio.studio.export.filmstrip import draw_strip, strip_rows
from diffstudio.studio.export.layout import Subject, scale_of
from diffstudio.studio.export.options import (
    KINDS,
    SUFFIXES,
    Chain,
    ExportOptions,
    Kind,
    check_target,
    kind_of,
    kinds_for,
    suffix_of,
)
from diffstudio.studio.export.plan import Estimate, check_size, end_of, estimate, records
from diffstudio.studio.export.steps import Steps, Stopped
from diffstudio.traces.reader import Trace
from diffstudio.user_files import exists

__all__ = [
    "KINDS",
    "SUFFIXES",
    "Chain",
    "Estimate",
    "ExportOptions",
    "Kind",
    "check_size",
    "check_target",
    "estimate",
    "export",
    "kind_of",
    "kinds_for",
    "records",
    "suffix_of",
]

_COPY = 1 << 20
# Without loss, as every reader of TIFF knows it; a Pillow that was built without libtiff writes plain pixels.
_DEFLATE = {"compression": "tiff_adobe_deflate"} if features.check("libtiff") else {}
_SAVE = {
    ".png": ("PNG", {}),
    ".jpg": ("JPEG", {"subsampling": 0, "optimize": True}),
    ".jpeg": ("JPEG", {"subsampling": 0, "optimize": True}),
    ".webp": ("WEBP", {"lossless": True, "method": 4}),
    ".tif": ("TIFF", _DEFLATE),
    ".tiff": ("TIFF", _DEFLATE),
}


def export(
    trace: Trace,
    out: Path,
    options: ExportOptions,
    progress: Callable[[int, int], None] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> list[Path]:
    """Write `out` and return the files that were written; [] once `stop` is true: then everything is as it was.

    progress(done, total) is called after every record or sample. In a folder, files of the same names are replaced and
    others left alone: 0000.png … for "frames", frame-0000.png … for "clip", sample-0000.png … or
    samples.csv (x, y of points) for "samples".

    Raises:
        BadInput: the suffix, a record, the sample or the picture's size won't do, or the target can't be written.
        NoRoom: an animation needs more memory than is free.  BadFile: the trace was cut meanwhile.
    """
    check_target(out, options.kind, trace.modality)
    steps = Steps(progress, stop)
    suffix = suffix_of(out)
    try:
        if suffix in trace.meaning.kind.exports and options.kind in kinds_for(suffix, trace.modality):
            return _own_file(trace, out, options, steps)
        match options.kind:
            case "clip" if suffix == "":
                return _clip_frames(trace, out, options, steps)
            case "frames":
                return _frames(trace, out, options, steps)
            case "samples":
                return _samples(trace, out, options, steps)
            case _:
                return _file(trace, out, options, steps)
    except Stopped:
        return []


def _file(trace: Trace, out: Path, options: ExportOptions, steps: Steps) -> list[Path]:
    suffix = suffix_of(out)
    chosen = records(trace, options) if options.kind not in ("arrays", "trace") else []
    found = provenance.settings(trace, chosen, options.tensor, options.sample)
    picture = None
    _check_size(trace, chosen, options, suffix)
    frames: list[np.ndarray] = []
    if options.kind == "picture":
        for k in steps.over(chosen):
            picture = _draw(trace, k, options)
    elif options.kind == "clip":
        for k in steps.over(chosen):
            frames = draw_clip(trace, k, options)
    elif options.kind == "strip":
        rows = strip_rows(trace, chosen, options.columns)
        picture = draw_strip(trace, rows, options, steps.over([k for row in rows for k in row]))
    if options.kind == "trace" and exists(out) and out.samefile(trace.path):
        return [out]
    with atomic_write(out) as stream:
        if picture is not None:
            save_picture(picture, stream, suffix, found, options.quality)
        elif options.kind == "clip":
            write_clip(frames, options, suffix, found, stream)
        elif options.kind == "animation":
            write_animation(trace, chosen, options, suffix, found, stream, steps.over(chosen))
        elif options.kind == "arrays":
            steps.total = sum(len(which) for _, _, which in arrays.members(trace))
            arrays.write_arrays(trace, stream, steps.tick)
        else:
            _copy(trace, stream, steps)
    return [out]


def _frames(trace: Trace, out: Path, options: ExportOptions, steps: Steps) -> list[Path]:
    chosen = records(trace, options)
    _check_size(trace, chosen, options, "")
    digits = max(4, len(str(len(chosen) - 1)))
    names = []
    with atomic_folder(out) as folder:
        for number, k in enumerate(steps.over(chosen)):
            names.append(f"{number:0{digits}d}.png")
            found = provenance.settings(trace, [k], options.tensor, options.sample)
            _save_in(folder / names[-1], _draw(trace, k, options), found)
    return [out / name for name in names]


def _clip_frames(trace: Trace, out: Path, options: ExportOptions, steps: Steps) -> list[Path]:
    [k] = records(trace, options)
    _check_size(trace, [k], options, "")
    frames = draw_clip(trace, k, options)
    digits = max(4, len(str(len(frames) - 1)))
    found = provenance.settings(trace, [k], options.tensor, options.sample)
    names = [f"frame-{number:0{digits}d}.png" for number in range(len(frames))]
    with atomic_folder(out) as folder:
        for number in steps.over(range(len(frames))):
            own = {**found, "shown": {**found["shown"], "frame": number}}
            _save_in(folder / names[number], Image.fromarray(frames[number]), own)
    return [out / name for name in names]


def _samples(trace: Trace, out: Path, options: ExportOptions, steps: Steps) -> list[Path]:
    [k] = records(trace, options)
    _check_size(trace, [k], options, "")
    names = _sample_names(trace, options)
    with atomic_folder(out) as folder:
        for i in steps.over(range(len(names))):
            name, sample = names[i]
            one = replace(options, kind="picture", sample=sample, scale=options.scale or 1)
            with (folder / name).open("wb") as stream:
                _write_sample(trace, k, one, suffix_of(folder / name), stream)
    return [out / name for name, _ in names]


def _sample_names(trace: Trace, options: ExportOptions) -> list[tuple[str, int | None]]:
    """The files of a folder of samples; a cloud is one table: thousands of files of a point each would help nobody."""
    kind = trace.meaning.kind
    if kind.cloud:
        return [(f"samples{kind.sample_suffix}", options.sample)]
    chosen = range(trace.batch) if options.sample is None else [options.sample]
    digits = max(4, len(str(trace.batch - 1)))
    return [(f"sample-{i:0{digits}d}{kind.sample_suffix}", i) for i in chosen]


def _write_sample(trace: Trace, k: int, options: ExportOptions, suffix: str, stream: BinaryIO) -> None:
    """One sample as its modality keeps it, or as a picture."""
    kind = trace.meaning.kind
    if kind.write is not None and suffix in kind.exports:
        making = _making(trace, [k], options)
        shown = pictures.shown(trace, k, options.tensor, options.sample, options.dark)
        kind.write(stream, suffix, trace.meaning, shown, making)
        return
    found = provenance.settings(trace, [k], options.tensor, options.sample)
    if kind.play is not None:
        one = replace(options, kind="clip", scale=options.scale or kind.default_scale)
        write_clip(draw_clip(trace, k, one), one, suffix, found, stream)
        return
    save_picture(_draw(trace, k, options), stream, suffix, found)


def _own_file(trace: Trace, out: Path, options: ExportOptions, steps: Steps) -> list[Path]:
    """A file in a format of the modality's own."""
    kind, chosen = trace.meaning.kind, records(trace, options)
    if options.kind == "animation" and kind.sound is not None:
        return _sound_movie(trace, chosen, out, options, steps)
    if kind.write is None:
        raise BadInput(f"samples of {kind.name} can't be written as '{out.suffix}'")
    with atomic_write(out) as stream:
        for k in steps.over(chosen[-1:]):
            shown = pictures.shown(trace, k, options.tensor, options.sample, options.dark)
            kind.write(stream, suffix_of(out), trace.meaning, shown, _making(trace, [k], options))
    return [out]


def _sound_movie(trace: Trace, chosen: Sequence[int], out: Path, options: ExportOptions, steps: Steps) -> list[Path]:
    """The chain as a movie, with the sound of its last step."""
    from diffstudio.studio.export.sound_movie import write_sound_movie

    _check_size(trace, chosen, options, suffix_of(out))
    sounds, rate = sounds_of(trace, chosen[-1], options)
    look, scale = options.look, scale_of(Subject.of(trace), options)
    frames = (pictures.picture(trace, k, options.tensor, options.sample, scale, look, 0) for k in steps.over(chosen))
    found = provenance.settings(trace, chosen, options.tensor, options.sample)
    with atomic_write(out) as stream:
        write_sound_movie(
            frames, in_turn(sounds, rate), rate, stream,
            fps=options.fps, hold_seconds=options.hold_seconds, paper=look.paper, found=found,
        )  # fmt: skip
    return [out]


def sounds_of(trace: Trace, k: int, options: ExportOptions) -> tuple[np.ndarray, int]:
    """The sounds (B, samples) of a record's state and their rate: of x_t where the tensor itself has none."""
    kind = trace.meaning.kind
    if kind.sound is None:
        raise BadInput(f"samples of {kind.name} have no sound")
    name = "xt" if options.tensor in pictures.SIGNED else options.tensor
    return kind.sound(trace.meaning, pictures.shown(trace, k, name, options.sample).rows)


def _making(trace: Trace, chosen: Sequence[int], options: ExportOptions) -> Making:
    found = provenance.settings(trace, chosen, options.tensor, options.sample)
    scale = options.scale or trace.meaning.kind.default_scale
    return Making(options.fps, scale, found, provenance.xmp_packet(found))


def save_picture(picture: Image.Image, stream: BinaryIO, suffix: str, found: dict, quality: int = 95) -> None:
    """Encode a picture with its settings; suffix: .png, .jpg, .webp, .tiff …"""
    kind, own = _SAVE[suffix]
    if kind == "PNG":
        picture.save(stream, kind, pnginfo=provenance.png_info(found))
        return
    if kind == "TIFF":
        picture.save(stream, kind, tiffinfo=provenance.tiff_tags(found), **own)
        return
    if kind == "JPEG":
        own = {**own, "quality": quality}
    picture.save(stream, kind, exif=provenance.exif_bytes(found, kind), xmp=provenance.xmp_packet(found), **own)


def _save_in(path: Path, picture: Image.Image, found: dict) -> None:
    with path.open("wb") as stream:
        save_picture(picture, stream, ".png", found)


def _draw(trace: Trace, k: int, options: ExportOptions) -> Image.Image:
    """A record's picture; grey where it is, so that other programs read one channel."""
    scale = scale_of(Subject.of(trace), options)
    pixels = pictures.picture(trace, k, options.tensor, options.sample, scale, options.look)
    grey = (pixels[..., 0] == pixels[..., 1]).all() and (pixels[..., 1] == pixels[..., 2]).all()
    return Image.fromarray(np.ascontiguousarray(pixels[..., 0]) if grey else pixels)


def _check_size(trace: Trace, chosen: Sequence[int], options: ExportOptions, suffix: str) -> None:
    chains = [trace.chain(k) for k in chosen]
    check_size(Subject.of(trace), [chains.count(c) for c in sorted(set(chains))], options, suffix)


def _copy(trace: Trace, stream: BinaryIO, steps: Steps) -> None:
    """The file up to its last complete record: a run may still be writing it."""
    left = end_of(trace)
    steps.total = -(-left // _COPY)
    try:
        source = trace.path.open("rb")
    except OSError as error:
        raise BadFile(f"can't read {trace.path}: {error.strerror}") from error
    with source:
        while left:
            part = source.read(min(left, _COPY))
            if not part:
                raise BadFile(f"{trace.path} was cut while it was copied")
            stream.write(part)
            left -= len(part)
            steps.tick()
