"""Pictures as they are meant: deep and fractional greys, profiles, transparency, rotation, pages."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from diffstudio.errors import BadInput
from diffstudio.modalities import Meaning, Taking
from diffstudio.modalities.picture_file import read_picture

GREY, COLOUR = Meaning("image", (1, 8, 12)), Meaning("image", (3, 8, 12))
RAMP = np.linspace(0, 1, 96, dtype=np.float32).reshape(8, 12)


def levels(taken):
    """The samples as 0 to 255."""
    return (taken.rows + 1) * 127.5


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def with_chunk(path, kind, content):
    """A PNG with one more chunk behind its header."""
    data = path.read_bytes()
    path.write_bytes(data[:33] + chunk(kind, content) + data[33:])
    return path


# ── numbers that are not bytes ──────────────────────────────────────────────────────────────────────────────────────


def test_fractions_are_black_to_white_and_it_is_told(tmp_path):
    Image.fromarray(RAMP).save(tmp_path / "ramp.tif")
    found = read_picture(tmp_path / "ramp.tif", GREY, Taking())
    np.testing.assert_allclose(found.rows[0, 0], RAMP * 2 - 1, atol=1e-6)  # not 256 levels of it
    assert found.info.span == (0, 1) and "0 is taken as black, 1 as white" in found.info.note
    other = read_picture(tmp_path / "ramp.tif", GREY, Taking(span=(0, 2)))
    np.testing.assert_allclose(other.rows[0, 0], RAMP - 1, atol=1e-6)
    assert "2 as white" in other.info.note


def test_sixteen_bits_keep_all_of_them_also_when_they_are_fitted(tmp_path):
    deep = (RAMP * 65535).astype(np.uint16)
    for name in ("deep.png", "deep.tif"):
        Image.fromarray(deep).save(tmp_path / name)
        found = read_picture(tmp_path / name, GREY, Taking())
        np.testing.assert_allclose(found.rows[0, 0], deep / 32767.5 - 1, atol=1e-6)
        assert found.info.note == ""
    large = deep.repeat(3, 0).repeat(2, 1)
    Image.fromarray(large).save(tmp_path / "large.png")
    fitted = read_picture(tmp_path / "large.png", GREY, Taking(fit="stretch")).rows
    assert len(np.unique(fitted)) == 96 and np.abs(fitted[0, 0] - (RAMP * 2 - 1)).max() < 0.1


def test_bits_that_are_not_all_used_are_told_and_can_be_given(tmp_path):
    Image.fromarray((RAMP * 4095).astype(np.uint16)).save(tmp_path / "camera.tif")
    assert "values from 0 to 4095" in read_picture(tmp_path / "camera.tif", GREY, Taking()).info.note
    found = read_picture(tmp_path / "camera.tif", GREY, Taking(span=(0, 4095)))
    assert (found.rows.min(), found.rows.max()) == (-1, 1)


def test_a_deep_tiff_that_counts_from_white_is_exchanged(tmp_path):
    Image.fromarray(np.full((8, 12), 1000, np.uint16)).save(tmp_path / "white.tif", tiffinfo={262: 0})
    assert read_picture(tmp_path / "white.tif", GREY, Taking()).rows.min() > 0.9


def test_a_range_can_be_given_for_bytes_too(tmp_path):
    Image.fromarray((RAMP * 100).astype(np.uint8)).save(tmp_path / "dim.png")
    found = read_picture(tmp_path / "dim.png", COLOUR, Taking(span=(0, 100)))
    assert (found.rows.min(), found.rows.max()) == (-1, 1)
    assert "100 as white" in found.info.note


def test_sixteen_bits_of_colour_are_read_as_eight(tmp_path):
    deep = np.random.default_rng(0).integers(0, 65536, (8, 12, 3))
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in deep)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 12, 8, 16, 2, 0, 0, 0))
    content = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    (tmp_path / "deep.png").write_bytes(content)
    found = read_picture(tmp_path / "deep.png", COLOUR, Taking())
    np.testing.assert_allclose(levels(found)[0].transpose(1, 2, 0), deep / 257, atol=1)


# ── colours ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def linear_profile():
    """A profile of the sRGB primaries without a curve, as bytes: the standard one with its curves exchanged."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for at in range(132, 132 + 12 * struct.unpack(">I", data[128:132])[0], 12):
        name, offset, size = data[at : at + 4], *struct.unpack(">II", data[at + 4 : at + 12])
        if name[1:] == b"TRC":
            data[offset : offset + size] = (b"curv" + bytes(8)).ljust(size, b"\0")  # no points: the identity
        if name == b"desc":
            text = data[offset : offset + size]
            data[offset : offset + size] = text.replace("sRGB".encode("utf-16-be"), "LinR".encode("utf-16-be"))
    return bytes(data)


def test_a_profile_is_converted_and_the_standard_one_is_left_alone(tmp_path):
    colours = Image.new("RGB", (12, 8), (55, 127, 200))
    standard = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    colours.save(tmp_path / "plain.png", icc_profile=standard)
    found = read_picture(tmp_path / "plain.png", COLOUR, Taking())
    assert levels(found)[0, :, 0, 0].round().tolist() == [55, 127, 200] and found.info.note == ""
    colours.save(tmp_path / "linear.png", icc_profile=linear_profile())
    found = read_picture(tmp_path / "linear.png", COLOUR, Taking())
    share = np.array([55, 127, 200]) / 255
    expected = 255 * (1.055 * share ** (1 / 2.4) - 0.055)
    np.testing.assert_allclose(levels(found)[0, :, 0, 0], expected, atol=1.5)
    assert "to sRGB" in found.info.note


def test_a_profile_that_is_broken_is_told_and_the_picture_is_read(tmp_path):
    Image.new("RGB", (12, 8), (55, 127, 200)).save(tmp_path / "a.png", icc_profile=b"no profile at all")
    found = read_picture(tmp_path / "a.png", COLOUR, Taking())
    assert levels(found)[0, :, 0, 0].round().tolist() == [55, 127, 200]
    assert found.info.note == "its colour profile is left out: it can't be used"


def test_gamma_of_a_png_is_converted_where_it_is_not_the_usual(tmp_path):
    for gamma, level in ((45455, 100), (100_000, 167)):
        Image.new("L", (12, 8), 100).save(tmp_path / "a.png")
        with_chunk(tmp_path / "a.png", b"gAMA", struct.pack(">I", gamma))
        found = read_picture(tmp_path / "a.png", GREY, Taking())
        assert levels(found).mean() == pytest.approx(level, abs=0.6)
        assert bool(found.info.note) == (gamma == 100_000)


def test_four_inks_become_colours(tmp_path):
    Image.new("CMYK", (12, 8), (0, 255, 255, 0)).save(tmp_path / "a.tif")
    assert levels(read_picture(tmp_path / "a.tif", COLOUR, Taking()))[0, :, 0, 0].round().tolist() == [255, 0, 0]


@pytest.mark.parametrize(("ink", "paper", "said"), [(0, 1, "white"), (255, -1, "black, where what is drawn is light")])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_drawn_on_nothing_is_seen_on_its_paper(tmp_path, ink, paper, said, mode):
    values = np.full((8, 12, 4), ink, np.uint8)
    values[..., 3] = 0
    values[3:5, 5:7, 3] = 255
    Image.fromarray(values).convert(mode).save(tmp_path / "a.png")
    found = read_picture(tmp_path / "a.png", GREY, Taking())
    assert found.rows[0, 0, 0, 0] == paper and found.rows[0, 0, 3, 5] == -paper
    assert found.info.note == f"transparent places are taken as {said}"
    assert found.info.looks_inverted == (paper == 1)  # judged on the pixels that are read


def test_whether_it_looks_inverted_is_judged_on_what_is_read(tmp_path):
    deep = np.full((8, 12), 600, np.uint16)
    deep[3:5, 5:7] = 65535
    Image.fromarray(deep).save(tmp_path / "a.png")
    found = read_picture(tmp_path / "a.png", GREY, Taking())
    assert found.rows.mean() < -0.8 and not found.info.looks_inverted


# ── rotation ────────────────────────────────────────────────────────────────────────────────────────────────────────

UPRIGHT = np.zeros((8, 12), np.uint8)
UPRIGHT[0], UPRIGHT[:, 0] = 250, 90
# How a picture is stored that the Exif orientation turns upright (Exif 2.3, table 6).
STORED = {
    2: UPRIGHT[:, ::-1], 3: UPRIGHT[::-1, ::-1], 4: UPRIGHT[::-1], 5: UPRIGHT.T, 6: np.rot90(UPRIGHT),
    7: np.rot90(UPRIGHT, 2).T, 8: np.rot90(UPRIGHT, -1),
}  # fmt: skip


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.tif", "a.jpg"])
def test_every_format_is_upright_once(tmp_path, name, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    own = {"lossless": True} if name == "a.webp" else {"quality": 100} if name == "a.jpg" else {}
    Image.fromarray(np.ascontiguousarray(STORED[orientation])).save(tmp_path / name, exif=exif, **own)
    found = read_picture(tmp_path / name, GREY, Taking())
    assert found.info.size == (8, 12)
    np.testing.assert_allclose(levels(found)[0, 0], UPRIGHT, atol=60 if name == "a.jpg" else 0.01)


# ── pages ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(params=["p.tif", "p.gif", "p.webp", "p.png"])
def pages(request, tmp_path):
    """Three pages, each of another grey."""
    first, *others = [Image.new("L", (12, 8), level) for level in (10, 100, 200)]
    own = {"lossless": True} if request.param == "p.webp" else {}
    first.save(tmp_path / request.param, save_all=True, append_images=others, **own)
    return tmp_path / request.param


@pytest.mark.parametrize(
    ("part", "taken"), [(None, [10]), ("1", [10]), ("3", [200]), ("2..3", [100, 200]), ("all", [10, 100, 200])]
)
def test_pages_can_be_chosen_and_the_first_is_told(pages, part, taken):
    found = read_picture(pages, GREY, Taking(part=part))
    assert levels(found).mean((1, 2, 3)).round().tolist() == taken
    assert found.info.count == len(taken) and found.info.parts == ("1", "2", "3", "all")
    assert ("page 1 of 3 is taken" in found.info.note) == (part is None)


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        ("4", "has the pages 1 to 3, found '4'"),
        ("0", "has the pages 1 to 3, found '0'"),
        ("3..2", "has the pages 1 to 3, found '3..2'"),
        ("first", "'first' is no page: write a number like 3, a range like 2..5, or all"),
    ],
)
def test_a_page_that_is_not_there_is_named(pages, part, sentence):
    with pytest.raises(BadInput, match=sentence):
        read_picture(pages, GREY, Taking(part=part))


def test_a_picture_of_one_page_has_no_other(tmp_path):
    Image.new("L", (12, 8)).save(tmp_path / "a.png")
    assert read_picture(tmp_path / "a.png", GREY, Taking(part="all")).info.parts == ()
    with pytest.raises(BadInput, match="has one page alone, found '2': leave the part out"):
        read_picture(tmp_path / "a.png", GREY, Taking(part="2"))


def test_the_preview_inside_a_photograph_is_no_page(tmp_path):
    first, second = Image.new("RGB", (12, 8), "red"), Image.new("RGB", (12, 8), "blue")
    first.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[second])
    found = read_picture(tmp_path / "a.jpg", COLOUR, Taking())
    assert found.info.parts == () and found.info.note == ""
    stream = io.BytesIO(tmp_path.joinpath("a.jpg").read_bytes())
    assert Image.open(stream).n_frames == 2
