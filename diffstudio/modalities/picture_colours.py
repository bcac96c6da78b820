"""A picture of any mode as plain greys or colours: sRGB, opaque, of 8 bits, or deep greys as floats from 0 to 255."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from diffstudio.cancelling import check_cancelled
from diffstudio.modalities.spans import Span, normal, recognised, remark
from diffstudio.strangers import shown

if TYPE_CHECKING:
    from PIL import Image

SRGB_GAMMA = 0.45455  # of a PNG's gAMA chunk that says what everybody assumes
LIGHT = 0.75  # luminance of what is drawn on nothing, from which a white paper would hide it
STRIP = 1 << 18  # pixels that are converted at a time
SEEN = 0.02  # share of pixels that must be clear before their paper is worth a word


class Plain(NamedTuple):
    """A picture of mode "L", "RGB", or "F" for deep greys, 0 to 255; and what was done to it.

    span: the values that are black and white, where the file has numbers that could be meant otherwise.
    """

    picture: Image.Image
    remarks: tuple[str, ...] = ()
    span: Span | None = None


def plain(picture: Image.Image, span: Span | None = None) -> Plain:
    """The picture as it is meant: its profile or gamma converted to sRGB, transparency laid on paper.

    span: the values that are black and white; None: they are recognised.

    Raises:
        ValueError: a mode that nothing is known of.
    """
    if is_deep(picture):
        return _of_numbers(picture, span)
    managed, said = _managed(picture)
    opaque, told = _opaque(managed)
    remarks = tuple(word for word in (said, told) if word)
    if span is None:
        return Plain(opaque, remarks)
    table = [int(v) for v in ((normal(np.arange(256), span) + 1) * 127.5).round().clip(0, 255)]
    stretched = opaque.point(table * len(opaque.getbands()))
    return Plain(stretched, (*remarks, remark(np.asarray(opaque).astype(np.uint16), span)), span)


def is_deep(picture: Image.Image) -> bool:
    """Whether its pixels are single numbers of more than 8 bits."""
    return picture.mode.startswith("I") or picture.mode == "F"


def _of_numbers(picture: Image.Image, span: Span | None) -> Plain:
    """Deep greys: the numbers between black and white are kept as fractions."""
    from PIL import Image

    values = np.asarray(picture)
    own = values.astype(np.uint16, copy=False) if picture.mode.startswith("I;16") else values
    chosen = recognised(own) if span is None else span
    levels = Image.new("F", picture.size)
    for box in strips(picture):
        part = ((normal(own[box[1] : box[3]], chosen) + 1) * 127.5).clip(0, 255)
        levels.paste(Image.fromarray(np.nan_to_num(part)), box)
    said = remark(own, chosen)
    return Plain(levels, (said,) if said else (), chosen)


def strips(picture: Image.Image) -> Iterator[tuple[int, int, int, int]]:
    """The picture from top to bottom, in boxes of not too many pixels."""
    width, height = picture.size
    rows = max(1, STRIP // width)
    for top in range(0, height, rows):
        check_cancelled()
        yield 0, top, width, min(height, top + rows)


def _managed(picture: Image.Image) -> tuple[Image.Image, str]:
    """In sRGB, and what was converted; transparency stays."""
    profile = picture.info.get("icc_profile")
    if profile:
        return _by_profile(picture, profile)
    if picture.mode == "LAB":
        return _by_profile(picture, b"")
    gamma = picture.info.get("gamma")
    if not gamma or "srgb" in picture.info or abs(gamma - SRGB_GAMMA) < 0.02:
        return picture, ""
    exponent = 1 / (2.2 * gamma)
    table = [round(255 * (v / 255) ** exponent) for v in range(256)]
    colours, alpha = _parted(picture)
    return _joined(colours.point(table * len(colours.getbands())), alpha), f"gamma {1 / gamma:.3g} converted to sRGB"


def _by_profile(picture: Image.Image, profile: bytes) -> tuple[Image.Image, str]:
    try:
        from PIL import ImageCms
    except ImportError:  # a Pillow that was built without it
        return picture, "its colour profile is left out: this Pillow can't convert it"
    colours, alpha = _parted(picture)
    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile)) if profile else ImageCms.createProfile("LAB")
        name = ImageCms.getProfileDescription(own).strip() if profile else "Lab"
        if "srgb" in name.casefold():
            return picture, ""
        converted = ImageCms.profileToProfile(colours, own, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return picture, "its colour profile is left out: it can't be used"
    if converted is None:
        return picture, ""
    if colours.mode == "L":
        converted = converted.convert("L")
    return _joined(converted, alpha), f"colours converted from {shown(name, 60)} to sRGB"


def _parted(picture: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """The colours, and the opacity where there is one."""
    if picture.mode == "P":
        picture = picture.convert("RGBA" if "transparency" in picture.info else "RGB")
    elif picture.mode == "PA" or "transparency" in picture.info:
        picture = picture.convert("RGBA")
    elif picture.mode == "1":
        picture = picture.convert("L")
    if picture.mode in ("RGBA", "LA"):
        return picture.convert(picture.mode[:-1]), picture.getchannel("A")
    return picture, None


def _joined(colours: Image.Image, alpha: Image.Image | None) -> Image.Image:
    if alpha is None:
        return colours
    joined = colours.copy()
    joined.putalpha(alpha)
    return joined


def _opaque(picture: Image.Image) -> tuple[Image.Image, str]:
    """L or RGB: what is drawn on nothing is laid on white paper, or on black where white would hide it."""
    from PIL import Image

    if picture.mode not in ("RGBA", "LA", "PA", "RGBa", "La") and "transparency" not in picture.info:
        return (picture if picture.mode in ("L", "RGB") else picture.convert(_grey_or_colour(picture))), ""
    light, clear = _drawn_on_nothing(picture)
    paper = "black" if light else "white"
    done = Image.new("RGB", picture.size)
    for box in strips(picture):
        layered = picture.crop(box).convert("RGBA")
        on_paper = Image.alpha_composite(Image.new("RGBA", layered.size, paper), layered)
        done.paste(on_paper.convert("RGB"), box)
    why = ", where what is drawn is light" if light else ""
    return done, f"transparent places are taken as {paper}{why}" if clear > SEEN else ""


def _drawn_on_nothing(picture: Image.Image) -> tuple[bool, float]:
    """Whether what is drawn is so light that white paper would hide it, and the share of clear places."""
    weight = weighted = 0.0
    faint, clear = False, 0
    for box in strips(picture):
        layered = picture.crop(box).convert("RGBA")
        opacity = np.asarray(layered.getchannel("A"))
        drawn = np.asarray(layered.convert("L"), np.float64)  # of the colours alone: opacity is left out
        weight += float(opacity.sum(dtype=np.int64))
        weighted += float((drawn * opacity).sum())
        faint = faint or bool((opacity < 128).any())
        clear += int((opacity < 255).sum())
    light = weight > 0 and weighted > LIGHT * 255 * weight and faint
    return light, clear / (picture.width * picture.height)


def _grey_or_colour(picture: Image.Image) -> str:
    return "L" if picture.mode == "1" else "RGB"
