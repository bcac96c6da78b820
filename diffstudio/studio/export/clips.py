"""One step of clips as a file that plays: MP4, GIF, WebP, APNG, or a folder of frames."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from diffstudio.errors import BadInput
from diffstudio.modalities import image
from diffstudio.modalities.movie_file import import_av
from diffstudio.studio import provenance
from diffstudio.studio.export import pictures
from diffstudio.studio.export.animation import GIF_TICK, durations, encode
from diffstudio.studio.export.layout import Subject, scale_of
from diffstudio.studio.export.movie_colours import movie_frame, say_colours
from diffstudio.studio.export.options import ExportOptions
from diffstudio.studio.xmp_carriers import mp4_box
from diffstudio.traces.reader import Trace

CODECS = ("libx264", "mpeg4")  # the first that this build of PyAV has
QUALITY = {"libx264": {"crf": "12", "preset": "medium"}, "mpeg4": {"qscale": "2"}}


def draw_clip(trace: Trace, k: int, options: ExportOptions) -> list[np.ndarray]:
    """Record k as pictures (H, W, 3) uint8, one a frame: the grid of all samples, or one sample."""
    play = trace.meaning.kind.play
    if play is None:
        raise BadInput(f"samples of {trace.modality} have no frames: export a picture or an animation instead")
    clips = play(trace.meaning, pictures.shown(trace, k, options.tensor, options.sample, options.dark))
    scale, paper = scale_of(Subject.of(trace), options), options.look.paper
    columns, gap = pictures.grid_columns(*clips.shape[:1], *clips.shape[2:4]), pictures.grid_gap(scale)
    return [image.enlarge(image.tile(clips[:, t], columns, gap, paper), scale) for t in range(clips.shape[1])]


def write_clip(
    frames: list[np.ndarray], options: ExportOptions, suffix: str, found: dict[str, Any], stream: BinaryIO
) -> None:
    """Encode the frames of a clip, with the settings `found`.

    Raises:
        BadInput: the extra that an MP4 needs is not installed.
    """
    if suffix == ".mp4":
        write_movie(frames * max(1, options.loop), options, found, stream)
        return
    times = durations(len(frames), replace(options, hold_seconds=0.0), GIF_TICK if suffix == ".gif" else 1)
    drawn = (Image.fromarray(frame) for frame in frames)
    if suffix == ".gif":
        # Browsers play once more than the loop says, and once where there is none.
        loop = {} if options.loop == 1 else {"loop": max(0, options.loop - 1)}
        own = {"comment": provenance.to_text(found).encode(), "xmp": provenance.xmp_packet(found)}
        encode(_indexed(drawn, frames), stream, "GIF", times, **own, **loop)
    elif suffix == ".webp":
        own = {"exif": provenance.exif_bytes(found, "WEBP"), "xmp": provenance.xmp_packet(found)}
        encode(drawn, stream, "WEBP", times, lossless=True, method=4, loop=options.loop, **own)
    else:
        encode(drawn, stream, "PNG", times, loop=options.loop, pnginfo=provenance.png_info(found))


def write_movie(frames: list[np.ndarray], options: ExportOptions, found: dict[str, Any], stream: BinaryIO) -> None:
    """H.264 in MP4, that plays everywhere: sides are made even with the paper's colour, colours have half the places.

    Raises:
        BadInput: the extra is not installed.
    """
    av = import_av("writing an MP4")
    codec = next(name for name in CODECS if name in av.codecs_available)
    written = io.BytesIO()
    with av.open(written, "w", format="mp4") as movie:
        movie.metadata["comment"] = provenance.to_text(found)
        track = movie.add_stream(codec, rate=Fraction(options.fps).limit_denominator(1000), options=QUALITY[codec])
        track.height, track.width = even(frames[0], options.look.paper).shape[:2]
        say_colours(track)
        for frame in frames:
            movie.mux(track.encode(movie_frame(av, even(frame, options.look.paper))))
        movie.mux(track.encode())
    packet = provenance.xmp_packet(found)
    stream.write(written.getvalue() + (mp4_box(packet) if packet else b""))


def even(frame: np.ndarray, paper: tuple[int, int, int]) -> np.ndarray:
    """Sides made even, as its colours at half the places need them."""
    height, width = frame.shape[:2]
    out = np.empty((height + height % 2, width + width % 2, 3), np.uint8)
    out[:] = paper
    out[:height, :width] = frame
    return out


def _indexed(drawn: Iterator[Image.Image], frames: list[np.ndarray]) -> Iterator[Image.Image]:
    """The frames with one palette for all: exact where they have no more than 256 colours together."""
    whole = np.concatenate(frames)
    colours = np.unique(whole.reshape(-1, 3), axis=0)
    if len(colours) <= 256:
        palette = colours.tobytes()
    else:
        best = Image.fromarray(whole).quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=2)
        palette = np.array(best.getpalette(), np.uint8).tobytes()
    model = Image.new("P", (1, 1))
    model.putpalette(palette)
    for frame in drawn:
        yield frame.quantize(palette=model, dither=Image.Dither.NONE)
