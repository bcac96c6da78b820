"""Files of the user's own as x_0: pictures of any size, arrays, tables, traces, and hostile files."""

import io
import pickle
import struct
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from diffstudio.errors import BadFile, BadInput
from diffstudio.modalities import Meaning
from diffstudio.modalities.picture_file import MAX_PIXELS
from diffstudio.studio.sources import inspect_source, load_source, read_source

GREY, COLOUR = (1, 4, 6), (3, 4, 6)  # height 4, width 6


@pytest.fixture
def picture(tmp_path):
    """picture(array or Image, name): the path of that picture."""

    def picture(content, name="a.png", **options):
        image = content if isinstance(content, Image.Image) else Image.fromarray(np.asarray(content, np.uint8))
        image.save(tmp_path / name, **options)
        return tmp_path / name

    return picture


def ramp(height, width):
    """Every pixel another grey."""
    return (np.arange(height * width) * 251 // (height * width)).reshape(height, width).astype(np.uint8)


# ── pictures of the right size ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tiff", "a.gif", "A.PNG"])
def test_black_is_minus_one_and_white_is_one(picture, name):
    grey = ramp(4, 6)
    grey[0, :2] = 0, 255
    found = load_source(picture(grey, name), Meaning("image", GREY))
    assert (found.shape, found.dtype) == ((1, 1, 4, 6), np.float32)
    np.testing.assert_allclose(found[0, 0], grey / 127.5 - 1, atol=1e-6)
    assert found[0, 0, 0, :2].tolist() == [-1, 1]


@pytest.mark.parametrize(("name", "tolerance"), [("a.jpg", 0.1), ("a.webp", 0.1)])
def test_lossy_pictures_are_near(picture, name, tolerance):
    found = load_source(picture(np.full((4, 6), 60), name, quality=95), Meaning("image", GREY))
    np.testing.assert_allclose(found, 60 / 127.5 - 1, atol=tolerance)


def test_colours_keep_their_channels(picture):
    rgb = np.random.default_rng(0).integers(0, 256, (4, 6, 3))
    found = load_source(picture(rgb), Meaning("image", COLOUR))
    np.testing.assert_allclose(found[0], rgb.transpose(2, 0, 1) / 127.5 - 1, atol=1e-6)


def test_grey_becomes_colour_and_colour_becomes_grey(picture):
    grey = ramp(4, 6)
    for channel in load_source(picture(grey), Meaning("image", COLOUR))[0]:
        np.testing.assert_allclose(channel, grey / 127.5 - 1, atol=1e-6)
    rgb = np.zeros((4, 6, 3))
    rgb[..., 1] = 200  # luminance of ITU-R 601: 0.587 of green
    found = load_source(picture(rgb), Meaning("image", GREY))
    np.testing.assert_allclose(found, np.round(0.587 * 200) / 127.5 - 1, atol=0.01)


def test_what_is_transparent_is_white(picture):
    rgba = np.zeros((4, 6, 4))
    rgba[:, :3, 3] = 255  # black and opaque on the left, nothing on the right
    found = load_source(picture(rgba), Meaning("image", GREY))[0, 0]
    assert found[:, :3].tolist() == [[-1] * 3] * 4
    assert found[:, 3:].tolist() == [[1] * 3] * 4


def test_a_palette_with_a_transparent_colour(picture):
    indexed = Image.new("P", (6, 4), 1)
    indexed.putpalette([255, 0, 0, 0, 0, 0])
    indexed.putpixel((0, 0), 0)
    found = load_source(picture(indexed, transparency=0), Meaning("image", COLOUR))[0]
    assert found[:, 0, 0].tolist() == [1, 1, 1]
    assert found[:, 1, 1].tolist() == [-1, -1, -1]


def test_sixteen_bits_are_scaled_down(picture):
    deep = Image.fromarray(ramp(4, 6).astype(np.uint16) * 257)
    found = load_source(picture(deep), Meaning("image", GREY))
    np.testing.assert_allclose(found[0, 0], ramp(4, 6) / 127.5 - 1, atol=2 / 255)


def test_a_turned_photograph_is_upright(picture):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned by 90°
    lying = np.zeros((6, 4))
    lying[:, 0] = 255
    path = picture(lying, "a.png", exif=exif)
    found = load_source(path, Meaning("image", GREY))[0, 0]
    assert found[0].tolist() == [1] * 6
    assert found[1:].max() == -1


def test_black_and_white_can_be_exchanged(picture):
    path = picture(ramp(4, 6))
    np.testing.assert_array_equal(
        load_source(path, Meaning("image", GREY), invert=True), -load_source(path, Meaning("image", GREY))
    )


# ── pictures of another size ────────────────────────────────────────────────────────────────────────────────────────


def test_another_size_is_refused_with_a_way_out(picture):
    with pytest.raises(BadInput, match=r"^a\.png has 9×8 pixels and another aspect, the model needs 6×4: fit it by"):
        load_source(picture(ramp(8, 9)), Meaning("image", GREY))


def test_a_picture_of_the_models_aspect_needs_no_question_and_the_resizing_is_told(picture):
    file, meaning = picture(ramp(8, 12)), Meaning("image", GREY)
    found = read_source(file, meaning)
    assert found.info.fits and found.info.fittings == () and found.info.note == "resized from 12×8 to 6×4"
    for fit in ("crop", "pad", "stretch"):
        np.testing.assert_array_equal(found.rows, load_source(file, meaning, fit))


def stripes(height, width, at, black):
    """White, with `black` columns from `at` on."""
    out = np.full((height, width), 255, np.uint8)
    out[:, at : at + black] = 0
    return out


def test_cropping_keeps_the_middle(picture):
    # 20×8 for 6×4: a window of 12×8 in the middle, columns 4 to 16, halved.
    inside = load_source(picture(stripes(8, 20, 0, 4)), Meaning("image", GREY), "crop")[0, 0]
    assert inside.min() > 0.8  # the black edge is cut off
    kept = load_source(picture(stripes(8, 20, 4, 6)), Meaning("image", GREY), "crop")[0, 0]
    assert kept[:, :2].max() < -0.8
    assert kept[:, 4:].min() > 0.8


def test_padding_keeps_everything_and_fills_with_the_colour_of_the_border(picture):
    grey = np.full((8, 4), 51, np.uint8)  # 2×4 of 6×4 when it fits
    grey[3:5, 1:3] = 255
    found = load_source(picture(grey), Meaning("image", GREY), "pad")[0, 0]
    paper = 51 / 127.5 - 1
    np.testing.assert_allclose(found[:, [0, 1, 4, 5]], paper, atol=0.02)
    assert found[:, 2:4].max() > paper + 0.3


def test_stretching_uses_the_whole_picture(picture):
    found = load_source(picture(stripes(40, 40, 0, 20)), Meaning("image", GREY), "stretch")[0, 0]
    assert found[:, :2].max() < -0.8
    assert found[:, 4:].min() > 0.8


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("size", [(1, 1), (3, 500), (500, 3), (4, 6), (57, 91)])
def test_every_fit_gives_the_models_size_for_any_picture(picture, fit, size):
    for shape in (GREY, COLOUR):
        found = load_source(picture(ramp(*size)), Meaning("image", shape), fit)
        assert found.shape == (1, *shape)
        assert -1 <= found.min() <= found.max() <= 1


def test_transparent_places_are_white_before_they_are_fitted(picture):
    found = load_source(picture(np.zeros((40, 60, 4))), Meaning("image", GREY), "crop")
    assert found.min() == 1


# ── looking at a file before the run ────────────────────────────────────────────────────────────────────────────────


def test_a_look_says_size_and_whether_it_fits(picture):
    found = inspect_source(picture(ramp(4, 6)), Meaning("image", GREY))
    assert (found.count, found.size, found.fits, found.sentence) == (1, (4, 6), True, "")
    found = inspect_source(picture(ramp(8, 9)), Meaning("image", GREY))
    assert (found.size, found.fits) == ((8, 9), False)
    assert found.sentence.startswith("a.png has 9×8 pixels and another aspect")


@pytest.mark.parametrize(("paper", "ink", "inverted"), [(255, 0, True), (0, 255, False), (160, 0, True)])
def test_dark_ink_on_light_paper_looks_inverted(picture, paper, ink, inverted):
    grey = np.full((28, 28), paper)
    grey[8:20, 12:16] = ink
    assert inspect_source(picture(grey), Meaning("image", (1, 28, 28))).looks_inverted is inverted
    assert not inspect_source(picture(grey), Meaning("image", (3, 28, 28))).looks_inverted


def test_a_look_at_an_array_counts_its_samples(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((5, 2), np.float32))
    found = inspect_source(tmp_path / "a.npy", Meaning("points", (2,)))
    assert (found.count, found.size, found.fits) == (5, (2,), True)


# ── arrays ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("stored", "shape"),
    [((5, 1, 4, 6), GREY), ((1, 4, 6), GREY), ((5, 4, 6), GREY), ((4, 6), GREY), ((2, 3, 4, 6), COLOUR)],
)
@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_arrays_of_one_or_more_samples(tmp_path, stored, shape, name):
    values = np.random.default_rng(0).normal(size=stored)
    (np.save if name == "a.npy" else np.savez)(tmp_path / name, values)
    found = load_source(tmp_path / name, Meaning("image", shape))
    assert (found.shape[1:], found.dtype) == (shape, np.float32)
    np.testing.assert_allclose(found.ravel(), values.ravel(), rtol=1e-6)


def test_bytes_are_pictures(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[[0, 255, 51]]], np.uint8))
    np.testing.assert_allclose(
        load_source(tmp_path / "a.npy", Meaning("image", (1, 1, 3))).ravel(), [-1, 1, -0.6], atol=1e-6
    )


def test_of_our_own_arrays_the_last_state_is_taken(tmp_path):
    xt = np.arange(3 * 4 * 2, dtype=np.float32).reshape(3, 4, 2)
    np.savez(tmp_path / "run.npz", t=np.arange(3.0), xt=xt, x0_hat=xt + 100)
    np.testing.assert_array_equal(load_source(tmp_path / "run.npz", Meaning("points", (2,))), xt[-1])


@pytest.mark.parametrize(
    ("values", "error", "sentence"),
    [
        (np.zeros((5, 3)), BadInput, r"holds an array of shape \(5, 3\), the model needs \(N, 2,\)"),
        (np.zeros((0, 2)), BadInput, r"holds an array of shape \(0, 2\)"),
        (np.zeros(()), BadInput, r"holds an array of shape \(\)"),
        (np.array([[1, np.nan]]), BadFile, r"has values that are not finite"),
        (np.array([[1, np.inf]]), BadFile, r"has values that are not finite"),
        (np.array([["a", "b"]]), BadInput, r"holds values of type <U1, expected numbers"),
        (np.array([[1j, 2]]), BadInput, r"holds values of type complex128, expected numbers"),
    ],
)
def test_arrays_that_are_no_samples_are_refused(tmp_path, values, error, sentence):
    np.save(tmp_path / "a.npy", values)
    with pytest.raises(error, match=sentence):
        load_source(tmp_path / "a.npy", Meaning("points", (2,)))


class Bomb:
    """Leaves a mark if it is ever unpickled."""

    def __reduce__(self):
        return (open, (self.mark, "w"))

    mark = ""


def hostile(tmp_path):
    """A pickle in an .npy, a pickle by that name, an .npz with a pickle, half a file, an empty .npz, text."""
    Bomb.mark = str(tmp_path / "went-off")
    np.save(tmp_path / "object.npy", np.array([Bomb()], object), allow_pickle=True)
    (tmp_path / "pickle.npy").write_bytes(pickle.dumps(Bomb()))
    np.savez(tmp_path / "object.npz", a=np.array([Bomb()], object))
    np.save(tmp_path / "whole.npy", np.zeros((100, 2)))
    (tmp_path / "half.npy").write_bytes((tmp_path / "whole.npy").read_bytes()[:200])
    with zipfile.ZipFile(tmp_path / "empty.npz", "w"):
        pass
    (tmp_path / "text.npy").write_text("1, 2\n3, 4\n")
    (tmp_path / "nothing.npz").write_bytes(b"")
    return ("object.npy", "pickle.npy", "object.npz", "half.npy", "empty.npz", "text.npy", "nothing.npz")


def test_pickles_and_torn_arrays_are_refused_and_nothing_in_them_runs(tmp_path):
    for name in hostile(tmp_path):
        with pytest.raises(BadFile, match=r"is not an array file that can be read \(pickled objects are refused\)"):
            load_source(tmp_path / name, Meaning("points", (2,)))
    assert not (tmp_path / "went-off").exists()


def promise(count):
    """An array file of some bytes that promises `count` points."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (count, 2)})
    return header.getvalue() + b"x" * 100


@pytest.mark.parametrize("packed", [False, True])
def test_an_array_that_promises_more_than_it_has_is_refused(tmp_path, packed):
    for count, error, sentence in (
        (10**10, BadInput, r"holds an array of 80,000,000,000 bytes, expected at most 1,073,741,824$"),
        (1000, BadFile, "is not an array file that can be read"),
    ):
        path = tmp_path / ("a.npz" if packed else "a.npy")
        if packed:
            with zipfile.ZipFile(path, "w") as file:
                file.writestr("a.npy", promise(count))
        else:
            path.write_bytes(promise(count))
        with pytest.raises(error, match=sentence):
            load_source(path, Meaning("points", (2,)))


def test_a_file_that_is_too_large_is_not_opened(tmp_path):
    with (tmp_path / "a.npy").open("wb") as stream:
        stream.truncate((1 << 30) + 1)  # a hole: nothing is written
    with pytest.raises(BadInput, match=r"has 1,073,741,825 bytes, expected at most"):
        load_source(tmp_path / "a.npy", Meaning("points", (2,)))


# ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text",
    ["1,2\n3,4\n", "x,y\n1,2\n3,4", "1 2\n\n3\t4", "# points\n1;2\n3; 4\n", "1.0e0, 2\r\n3, 4.000\r\n"],
)
@pytest.mark.parametrize("name", ["a.csv", "a.txt"])
def test_tables_of_points(tmp_path, text, name):
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert load_source(tmp_path / name, Meaning("points", (2,))).tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("text", "error", "sentence"),
    [
        ("1,2\n3\n", BadFile, r"line 2: 1 numbers, expected 2$"),
        ("1,2\nthree,4\n", BadFile, r"line 2: 'three,4' is not a row of numbers$"),
        ("1,2,3\n", BadInput, r"holds an array of shape \(1, 3\), the model needs \(N, 2,\)"),
        ("x,y\n", BadFile, r"holds no row of numbers$"),
        ("# nothing\n\n", BadFile, r"holds no row of numbers$"),
        ("1,nan\n", BadFile, r"not finite"),
    ],
)
def test_tables_that_are_no_points_name_the_line(tmp_path, text, error, sentence):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(error, match=sentence):
        load_source(tmp_path / "a.csv", Meaning("points", (2,)))


def test_a_binary_file_is_no_table(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\x89PNG\x00\x00\x01\xff\xfe")
    with pytest.raises(BadFile, match="is not a text file that can be read"):
        load_source(tmp_path / "a.txt", Meaning("points", (2,)))


# ── traces, and what is no source at all ────────────────────────────────────────────────────────────────────────────


def test_of_a_trace_the_last_state_is_taken(cloud):
    np.testing.assert_array_equal(load_source(cloud.path, Meaning("points", (2,))), cloud.array(len(cloud) - 1, "xt"))
    with pytest.raises(BadInput, match=r"holds an array of shape \(40, 2\), the model needs \(N, 1, 4, 6\)"):
        load_source(cloud.path, Meaning("image", GREY))


def test_a_trace_without_a_record_is_refused(make_trace):
    empty = make_trace(np.zeros((0, 3, 2), np.float32), planned=4)
    with pytest.raises(BadFile, match="has no complete record"):
        load_source(empty.path, Meaning("points", (2,)))


def test_other_kinds_and_missing_files_are_named(tmp_path, picture):
    with pytest.raises(BadInput, match=r"^there is no file .*gone\.png$"):
        load_source(tmp_path / "gone.png", Meaning("image", GREY))
    with pytest.raises(BadInput, match="there is no file"):
        inspect_source(tmp_path / "gone.png", Meaning("image", GREY))
    with pytest.raises(BadInput, match="there is no file"):
        load_source(tmp_path, Meaning("image", GREY))
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    with pytest.raises(BadInput, match=r"a\.pdf: '\.pdf' can't be read as image, expected one of \.png"):
        load_source(tmp_path / "a.pdf", Meaning("image", GREY))
    with pytest.raises(BadInput, match=r"'\.png' can't be read as points, expected one of \.csv"):
        load_source(picture(ramp(4, 6)), Meaning("points", (2,)))


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_of_size(width, height):
    """A small PNG that says it is enormous."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("look", [inspect_source, load_source])
@pytest.mark.parametrize(("width", "height"), [(60_000, 60_000), (MAX_PIXELS + 1, 1), (9000, 9000)])
def test_an_enormous_picture_is_refused_before_it_is_decoded(tmp_path, look, width, height):
    (tmp_path / "bomb.png").write_bytes(png_of_size(width, height))
    with pytest.raises(BadInput, match=r"pixels.*make it smaller first$"):
        look(tmp_path / "bomb.png", Meaning("image", GREY))


def torn_png():
    whole = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40), np.uint8)).save(whole, "png")
    return whole.getvalue()[:900]


@pytest.mark.parametrize(
    "content",
    [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a" + bytes(20), b"\x80\x04K\x01.", b"<svg/>", torn_png()],
)
@pytest.mark.parametrize("look", [inspect_source, load_source])
def test_what_is_no_picture_is_one_sentence(tmp_path, content, look):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(BadFile, match=r"a\.png is not a picture that can be read$"):
        look(tmp_path / "a.png", Meaning("image", GREY))


def test_a_model_of_two_channels_takes_no_picture(picture):
    with pytest.raises(BadInput, match="a picture has 1 or 3 channels, the model needs 2"):
        load_source(picture(ramp(4, 6)), Meaning("image", (2, 4, 6)))
