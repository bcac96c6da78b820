"""The colours of an MP4, said in the file: players that are left to guess guess by its size."""

from __future__ import annotations

from typing import Any

import numpy as np

# Numbers of ITU-T H.273: the primaries and the matrix of BT.709, the curve of sRGB, video levels.
BT709, SRGB_CURVE, VIDEO_LEVELS = 1, 13, 1
PIXELS = "yuv420p"


def say_colours(track: Any) -> None:
    """Tell the encoder of a track what its frames will be."""
    track.pix_fmt = PIXELS
    context = track.codec_context
    context.color_primaries, context.colorspace = BT709, BT709
    context.color_trc, context.color_range = SRGB_CURVE, VIDEO_LEVELS


def movie_frame(av: Any, pixels: np.ndarray) -> Any:
    """A frame of pixels (H, W, 3) uint8, converted as `say_colours` says."""
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    return frame.reformat(format=PIXELS, dst_colorspace="ITU709", src_color_range="JPEG", dst_color_range="MPEG")
