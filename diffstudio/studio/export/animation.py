"""The chain as an animated picture: GIF, WebP or APNG. WebP and APNG are exact; of GIF grey and mapped colours are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from diffstudio.analysis import fields
from diffstudio.modalities.colour import diverging
from diffstudio.modalities.image import NOT_FINITE
from diffstudio.studio import provenance
from diffstudio.studio.export import pictures
from diffstudio.studio.export.layout import Subject, scale_of
from diffstudio.studio.export.options import ExportOptions
from diffstudio.traces.reader import Trace

GIF_TICK = 10  # GIF counts in hundredths of a second
LOOKED_AT = 16  # records from which the palette of a colour GIF is made


def durations(count: int, options: ExportOptions, tick: int = 1) -> list[int]:
    """Milliseconds of each picture, multiples of `tick` that keep the pace on average; the last one rests longer."""
    ends = [round((i + 1) * 1000 / options.fps / tick) * tick for i in range(count)]
    out = [max(tick, end - begin) for begin, end in zip([0, *ends], ends, strict=False)]
    out[-1] += round(options.hold_seconds * 1000 / tick) * tick
    return out


def write_animation(
    trace: Trace,
    chosen: Sequence[int],
    options: ExportOptions,
    suffix: str,
    found: dict[str, Any],
    stream: BinaryIO,
    steps: Iterable[int],
) -> None:
    """Encode the records `chosen`, with the settings `found`. `steps` yields them, and may raise to stop.

    Pictures that are equal to the one before are one picture of twice the time, as encoders have it.
    """
    times = durations(len(chosen), options, GIF_TICK if suffix == ".gif" else 1)
    if suffix == ".gif":
        palette = _palette(trace, chosen, options)
        frames = _indexed(trace, options, palette, steps)
        # Browsers play once more than the loop says, and once where there is none.
        loop = {} if options.loop == 1 else {"loop": max(0, options.loop - 1)}
        encode(frames, stream, "GIF", times, palette=palette, comment=provenance.to_text(found).encode(), **loop)
    elif suffix == ".webp":
        own = {"exif": provenance.exif_bytes(found), "xmp": provenance.xmp_packet(found)}
        encode(_drawn(trace, options, steps), stream, "WEBP", times, lossless=True, method=4, loop=options.loop, **own)
    else:
        own = {"pnginfo": provenance.png_info(found)}
        encode(_drawn(trace, options, steps), stream, "PNG", times, loop=options.loop, **own)


def encode(frames: Iterator[Image.Image], stream: BinaryIO, kind: str, times: list[int], **own: Any) -> None:
    """Encode pictures as a "GIF", "WEBP" or "PNG" that plays; times: milliseconds of each."""
    first, *others = frames  # the encoders of WebP and PNG look through them more than once
    first.save(stream, kind, save_all=True, append_images=others, duration=times, **own)


def _drawn(trace: Trace, options: ExportOptions, steps: Iterable[int]) -> Iterator[Image.Image]:
    scale = scale_of(Subject.of(trace), options)
    for k in steps:
        yield Image.fromarray(pictures.picture(trace, k, options.tensor, options.sample, scale, options.look))


def _indexed(trace: Trace, options: ExportOptions, palette: bytes, steps: Iterable[int]) -> Iterator[Image.Image]:
    """The pictures with one palette for all: a colour of each picture becomes the nearest of the palette."""
    table = np.frombuffer(palette, np.uint8).reshape(-1, 3)
    model = Image.new("P", (1, 1))
    model.putpalette(palette)
    signed = options.tensor in pictures.SIGNED
    for frame in _drawn(trace, options, steps):
        pixels = np.asarray(frame)
        if (not signed and trace.meaning.kind.colours(trace.meaning) != "any") or trace.meaning.kind.cloud:
            index = _along_ramp(pixels, table)
        elif signed:
            block = scale_of(Subject.of(trace), options)  # an enlarged pixel is looked up once
            index = _nearest(pixels[::block, ::block], table).repeat(block, 0).repeat(block, 1)
        else:
            yield frame.quantize(palette=model, dither=Image.Dither.FLOYDSTEINBERG)
            continue
        out = Image.frombytes("P", frame.size, index.tobytes())
        out.putpalette(palette)
        yield out


def _along_ramp(pixels: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Indices where the colours lie on one line: the channel that varies most decides; what is not finite stays so."""
    ramp = np.flatnonzero((table != NOT_FINITE).any(1))
    channel = int(np.ptp(table[ramp].astype(int), axis=0).argmax())
    levels = table[ramp, channel].astype(int)
    lookup = ramp[np.abs(levels[None] - np.arange(256)[:, None]).argmin(1)].astype(np.uint8)
    index = lookup[pixels[..., channel]]
    if len(ramp) < len(table):
        index[(pixels == NOT_FINITE).all(-1)] = np.setdiff1d(np.arange(len(table)), ramp)[0]
    return index


def _nearest(pixels: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Indices of the nearest colours, looked up once for each colour."""
    packed, where = np.unique(pixels.astype(np.int32) @ np.array([65536, 256, 1]), return_inverse=True)
    colours = np.stack([packed >> 16, packed >> 8 & 255, packed & 255], 1)
    nearest = np.square(colours[:, None] - table[None].astype(int)).sum(2).argmin(1).astype(np.uint8)
    return nearest[where.reshape(pixels.shape[:2])]


def _palette(trace: Trace, chosen: Sequence[int], options: ExportOptions) -> bytes:
    """Up to 256 different colours, which hold every grey, or every colour of the map, that a picture can have."""
    look = options.look
    colours = trace.meaning.kind.colours(trace.meaning)
    if colours == "ramp":
        u = np.linspace(0, 1, 256)[:, None]
        table = (np.array(look.paper) * (1 - u) + np.array(look.ink) * u).round().astype(np.uint8)
    elif options.tensor in pictures.SIGNED:
        # Two of the map's 256 colours, next to its ends, give their places away.
        table = np.vstack([np.delete(diverging(options.dark), (1, 254), 0), [look.paper], [NOT_FINITE]])
    elif colours == "grey":
        table = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, 1)
        if not all(np.isfinite(fields.tensor(trace, k, options.tensor, options.sample)).all() for k in chosen):
            table[1] = NOT_FINITE  # at the cost of the darkest grey, which nobody tells from black
    else:
        table = _adaptive(trace, chosen, options)
    different = np.unique(table, axis=0)
    return different[:256].astype(np.uint8).tobytes()


def _adaptive(trace: Trace, chosen: Sequence[int], options: ExportOptions) -> np.ndarray:
    """The best 255 colours for some of the pictures, and the paper."""
    some = [chosen[i] for i in np.linspace(0, len(chosen) - 1, min(LOOKED_AT, len(chosen))).round().astype(int)]
    pixels = [pictures.picture(trace, k, options.tensor, options.sample, 1, options.look) for k in some]
    best = Image.fromarray(np.concatenate(pixels)).quantize(255, Image.Quantize.MAXCOVERAGE, kmeans=2)
    return np.vstack([np.array(best.getpalette(), np.uint8).reshape(-1, 3), [options.look.paper]])
