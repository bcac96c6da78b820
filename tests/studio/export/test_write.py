"""Pictures, film strips, folders, arrays and traces: exact values, exact sizes, and nothing half written."""

import json
import os
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from diffstudio.errors import BadInput
from diffstudio.modalities import Meaning
from diffstudio.modalities.colour import diverging
from diffstudio.studio.export.write import (
    ExportOptions,
    estimate,
    export,
    records,
)
from diffstudio.studio.provenance import read_settings
from diffstudio.studio.sources import load_source
from diffstudio.traces.reader import Trace


def grey(x):
    """Levels of values in [-1, 1], by the definition: −1 is 0, 1 is 255, the nearest level between."""
    return np.floor((np.clip(x.astype(np.float64), -1, 1) + 1) * 127.5 + 0.5).clip(0, 255)


def pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


# Pictures


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.tif", "a.tiff"])
@pytest.mark.parametrize("scale", [1, 3, 5])
def test_every_pixel_of_the_grid_is_the_value_there(both, tmp_path, name, scale):
    assert export(both, tmp_path / name, ExportOptions(scale=scale)) == [tmp_path / name]
    found, xt = pixels(tmp_path / name), both.array(9, "xt")
    gap = 1 if scale < 4 else 2
    paper = np.ones(found.shape[:2], bool)
    for i in range(6):  # three rows of two
        y, x = (i // 2) * (5 + gap) * scale, (i % 2) * (4 + gap) * scale
        block = found[y : y + 5 * scale, x : x + 4 * scale]
        wanted = grey(xt[i, 0]).repeat(scale, 0).repeat(scale, 1)
        assert np.abs(block - wanted[..., None]).max() <= 0.5  # half levels may go either way
        paper[y : y + 5 * scale, x : x + 4 * scale] = False
    assert found.shape == ((3 * 5 + 2 * gap) * scale, (2 * 4 + gap) * scale, 3)
    assert (found[paper] == (18, 19, 22)).all()


def test_one_sample_of_one_step_is_a_grey_picture(both, tmp_path):
    export(both, tmp_path / "a.png", ExportOptions(sample=4, record=6, scale=1, tensor="x0_hat"))
    with Image.open(tmp_path / "a.png") as picture:
        assert (picture.mode, picture.size) == ("L", (4, 5))
        assert np.abs(np.asarray(picture) - grey(both.array(6, "x0_hat", 4)[0])).max() <= 0.5


def test_jpeg_is_close_and_its_quality_counts(both, tmp_path):
    for quality in (10, 95):
        export(both, tmp_path / f"{quality}.jpg", ExportOptions(scale=8, quality=quality))
    export(both, tmp_path / "a.png", ExportOptions(scale=8))
    errors = [np.abs(pixels(tmp_path / f"{q}.jpg") - pixels(tmp_path / "a.png")).mean() for q in (10, 95)]
    assert 3 * errors[1] < errors[0] < 20


@pytest.mark.parametrize("dark", [True, False])
def test_the_change_is_shown_in_the_colours_of_its_sign(make_trace, tmp_path, dark):
    states = np.zeros((2, 1, 1, 1, 3), np.float32)
    states[1, 0, 0, 0] = (-1, 0, 1)
    export(make_trace(states), tmp_path / "a.png", ExportOptions(tensor="delta", sample=0, scale=1, dark=dark))
    table = diverging(dark).astype(int)
    assert np.abs(pixels(tmp_path / "a.png")[0] - table[[0, 127, 255]]).max() <= 1


@pytest.mark.parametrize("scale", [0, 1, 2, 7])
@pytest.mark.parametrize(("kind", "aim"), [("picture", 640), ("animation", 512), ("samples", 70)])
def test_scale_0_suits_the_kind_and_sizes_are_known_before(make_trace, tmp_path, scale, kind, aim):
    trace = make_trace(np.zeros((2, 9, 1, 70, 70), np.float32))
    options = ExportOptions(kind, scale=scale)
    files = export(trace, tmp_path / {"picture": "a.png", "animation": "a.gif"}.get(kind, "folder"), options)
    with Image.open(files[0]) as picture:
        assert picture.size == estimate(trace, options)[:2]
        if scale == 0:
            assert aim * 0.8 < picture.width <= aim + 6


def test_points_are_drawn_where_they_are(make_trace, tmp_path):
    states = np.zeros((2, 3, 2), np.float32)
    states[1] = [(0.4, 0.4), (-0.4, 0.4), (-0.4, -0.4)]
    trace = make_trace(states)
    export(trace, tmp_path / "all.png", ExportOptions(scale=1))
    export(trace, tmp_path / "one.png", ExportOptions(scale=1, sample=1, dark=False))
    lit = (pixels(tmp_path / "all.png") != (18, 19, 22)).any(-1)
    quarters = [lit[y : y + 128, x : x + 128].any() for y in (0, 128) for x in (0, 128)]
    assert quarters == [True, True, True, False]
    lit = (pixels(tmp_path / "one.png") != 255).any(-1)
    assert [lit[y : y + 128, x : x + 128].any() for y in (0, 128) for x in (0, 128)] == [True, False, False, False]


# Film strips


def test_a_strip_holds_its_steps_side_by_side_with_captions(both, tmp_path):
    options = ExportOptions("strip", scale=10, columns=3, sample=0)
    export(both, tmp_path / "a.png", options)
    found = pixels(tmp_path / "a.png")
    assert found.shape[1::-1] == estimate(both, options)[:2]
    board = (found == (27, 28, 32)).all(-1)
    at = []
    for k in (5, 7, 9):  # the reverse chain's first, middle and last record
        wanted = grey(both.array(k, "xt", 0)[0]).repeat(10, 0).repeat(10, 1).astype(int)
        places = np.argwhere(np.abs(found[:-49, :, 0] - wanted[0, 0]) <= 1)
        hits = [
            (y, x) for y, x in places
            if found[y : y + 50, x : x + 40, 0].shape == (50, 40)
            and np.abs(found[y : y + 50, x : x + 40, 0] - wanted).max() <= 1
        ]  # fmt: skip
        assert len(hits) == 1
        at.append(hits[0])
    assert at[0][0] == at[1][0] == at[2][0]
    assert at[0][1] < at[1][1] < at[2][1]
    below = ~board[at[0][0] + 50 :]
    assert all(below[:, x : x + 40].any() for _, x in at)  # a caption under each
    assert (~board[: at[0][0]]).any()  # and a heading


def test_a_strip_of_both_chains_has_two_rows(both, tmp_path):
    one, two = (ExportOptions("strip", chain=chain) for chain in ("reverse", "both"))
    assert estimate(both, two).height > 1.8 * estimate(both, one).height
    export(both, tmp_path / "a.jpg", two)
    with Image.open(tmp_path / "a.jpg") as picture:
        assert picture.size == estimate(both, two)[:2]


@pytest.mark.parametrize("scale", [1, 2, 16])
def test_captions_of_neighbours_do_not_touch(both, tmp_path, scale):
    export(both, tmp_path / "a.png", ExportOptions("strip", scale=scale, sample=0))
    found = pixels(tmp_path / "a.png")
    captions = (np.abs(found[-40:] - (27, 28, 32)).sum(-1) > 60).any(0)
    starts = np.flatnonzero(np.diff(captions.astype(int)) == 1)
    gaps = np.diff(np.flatnonzero(captions))
    assert len(starts) >= 5
    assert (gaps > 6).sum() == 4  # five captions with clear space between


# Folders


def test_numbered_pictures_carry_their_own_step(both, tmp_path):
    files = export(both, tmp_path / "steps", ExportOptions("frames", chain="both", every=3, scale=1))
    assert [p.name for p in files] == ["0000.png", "0001.png", "0002.png", "0003.png"]
    shown = [read_settings(p)["shown"] for p in files]
    assert [(s["chain"], s["step"]) for s in shown] == [("forward", 0), ("forward", 3), ("reverse", 1), ("reverse", 4)]
    assert ["digitalSourceType" in read_settings(p) for p in files] == [False, False, True, True]
    for path, k in zip(files, (0, 3, 6, 9), strict=True):
        assert np.abs(pixels(path)[:5, :4, 0] - grey(both.array(k, "xt", 0)[0])).max() <= 0.5


def test_a_folder_keeps_the_files_of_others(both, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "notes.txt").write_text("keep me")
    (folder / "sample-0001.png").write_text("an older one")
    files = export(both, folder, ExportOptions("samples"))
    assert {p.name for p in folder.iterdir()} == {"notes.txt", *(f"sample-{i:04d}.png" for i in range(6))}
    assert (folder / "notes.txt").read_text() == "keep me"
    assert read_settings(files[1])["shown"]["sample"] == 1
    for i, path in enumerate(files):
        assert np.abs(pixels(path)[..., 0] - grey(both.array(9, "xt", i)[0])).max() <= 0.5
        assert load_source(path, Meaning("image", (1, 5, 4))).shape == (1, 1, 5, 4)


@pytest.mark.parametrize("name", ["p.csv", "folder"])
def test_points_become_one_table_that_can_be_read_again(cloud, tmp_path, name):
    [file] = export(cloud, tmp_path / name, ExportOptions("samples"))
    assert file == (tmp_path / name if name == "p.csv" else tmp_path / name / "samples.csv")
    assert file.read_text().splitlines()[0] == "x,y"
    np.testing.assert_array_equal(load_source(file, Meaning("points", (2,))), cloud.array(7, "xt"))


def test_a_new_folder_has_the_usual_rights(both, tmp_path):
    export(both, tmp_path / "new", ExportOptions("samples"))
    mask = os.umask(0)
    os.umask(mask)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o777 & ~mask


# Arrays and traces


def test_arrays_are_what_is_recorded(both, tmp_path):
    export(both, tmp_path / "a.npz", ExportOptions("arrays", chain="forward", every=2))  # a look changes nothing
    with np.load(tmp_path / "a.npz", allow_pickle=False) as found:
        assert set(found.files) == {"xt", "x0_hat", "t", "forward_xt", "forward_t", "labels", "request"}
        assert found["xt"].dtype == found["x0_hat"].dtype == np.float32
        np.testing.assert_array_equal(found["xt"], [both.array(k, "xt") for k in range(5, 10)])
        np.testing.assert_array_equal(found["x0_hat"], [both.array(k, "x0_hat") for k in range(5, 10)])
        np.testing.assert_array_equal(found["forward_xt"], [both.array(k, "xt") for k in range(5)])
        np.testing.assert_array_equal(found["t"], np.linspace(1, 0, 5))
        np.testing.assert_array_equal(found["forward_t"], np.linspace(0, 1, 5))
        np.testing.assert_array_equal(found["labels"], [-1, 3, -1, 3, -1, 3])
        assert json.loads(str(found["request"]))["model"] == "known"
    size = (tmp_path / "a.npz").stat().st_size
    assert abs(estimate(both, ExportOptions("arrays")).bytes - size) < 4096


def test_arrays_of_one_chain_and_of_an_unfinished_one(make_trace, tmp_path):
    states = np.random.default_rng(2).normal(size=(3, 2, 2)).astype(np.float32)
    export(make_trace(forward=states), tmp_path / "f.npz", ExportOptions("arrays"))
    with np.load(tmp_path / "f.npz") as found:
        assert set(found.files) == {"forward_xt", "forward_t", "labels", "request"}
    export(make_trace(states, planned=9), tmp_path / "r.npz", ExportOptions("arrays"))
    with np.load(tmp_path / "r.npz") as found:
        assert found["xt"].shape == (3, 2, 2)
    export(make_trace(states, dtype="float16"), tmp_path / "h.npz", ExportOptions("arrays"))
    with np.load(tmp_path / "h.npz") as found:
        np.testing.assert_array_equal(found["xt"], states.astype(np.float16).astype(np.float32))


def test_the_same_trace_gives_the_same_file(both, tmp_path):
    for name in ("a.npz", "b.npz", "a.png", "b.png", "a.gif", "b.gif"):
        kind = {"npz": "arrays", "png": "picture", "gif": "animation"}[name[-3:]]
        export(both, tmp_path / name, ExportOptions(kind))
    for end in ("npz", "png", "gif"):
        assert (tmp_path / f"a.{end}").read_bytes() == (tmp_path / f"b.{end}").read_bytes()


def test_writing_arrays_needs_the_memory_of_some_records_only(make_trace, tmp_path):
    trace = make_trace(np.zeros((200, 4, 1, 64, 64), np.float32))  # 13 MB an array
    tracemalloc.start()
    export(trace, tmp_path / "a.npz", ExportOptions("arrays"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (tmp_path / "a.npz").stat().st_size > 26e6
    assert peak < 10 * 4 * 64 * 64 * 4


def test_a_trace_is_copied_up_to_its_last_complete_record(both, tmp_path):
    with both.path.open("ab") as stream:
        stream.write(b"STEP torn")
    export(both, tmp_path / "copy.trace", ExportOptions("trace"))
    assert (tmp_path / "copy.trace").stat().st_size == estimate(both, ExportOptions("trace")).bytes
    with Trace.open(tmp_path / "copy.trace") as copy:
        assert (len(copy), copy.damaged, copy.header) == (10, 0, both.header)
        np.testing.assert_array_equal(copy.array(9, "xt"), both.array(9, "xt"))


def test_a_trace_copied_onto_itself_stays(both):
    before = both.path.read_bytes()
    assert export(both, both.path, ExportOptions("trace")) == [both.path]
    assert both.path.read_bytes() == before


# Which records


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({}, [5, 6, 7, 8, 9]),
        ({"chain": "forward"}, [0, 1, 2, 3, 4]),
        ({"chain": "both", "every": 4}, [0, 4, 8, 9]),
        ({"every": 100}, [5, 9]),
        ({"first": 6, "last": 8}, [6, 7, 8]),
        ({"first": 3, "last": 6, "chain": "both"}, [3, 4, 5, 6]),
        ({"first": 3, "last": 6}, [5, 6]),
        ({"kind": "picture", "record": 2}, [2]),
        ({"kind": "picture", "last": 7}, [7]),
        ({"kind": "samples", "chain": "forward"}, [4]),
    ],
)
def test_records(both, options, wanted):
    assert records(both, ExportOptions(**{"kind": "animation"} | options)) == wanted


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"record": 10}, "record is 10, expected a record from 0 to 9"),
        ({"first": -1}, "first is -1, expected"),
        ({"last": 99}, "last is 99"),
        ({"sample": 6}, "sample is 6, expected 0 to 5"),
        ({"first": 7, "last": 6}, "no step of the reverse chain among the records 7 to 6"),
        ({"last": 4}, "no step of the reverse chain"),
    ],
)
def test_what_is_not_there_is_refused(both, tmp_path, options, message):
    with pytest.raises(BadInput, match=message):
        export(both, tmp_path / "a.png", ExportOptions(**options))
    assert not (tmp_path / "a.png").exists()


def test_a_run_without_a_step_has_nothing_to_export(make_trace, tmp_path):
    trace = make_trace(np.zeros((0, 1, 2), np.float32), planned=3)
    with pytest.raises(BadInput, match="no recorded step"):
        export(trace, tmp_path / "a.png", ExportOptions())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "hologram"}, "no kind of export 'hologram': choose one of picture, "),
        ({"tensor": "x"}, "no tensor 'x': choose one of xt, x0_hat, eps_hat, delta"),
        ({"chain": "sideways"}, "no chain 'sideways'"),
        ({"scale": 65}, "scale is 65, expected 0 to 64"),
        ({"fps": 0}, "fps is 0, expected"),
        ({"fps": float("nan")}, "fps is nan"),
        ({"hold_seconds": -1}, "hold_seconds is -1"),
        ({"every": 0}, "every is 0"),
        ({"quality": 0}, "quality is 0"),
        ({"loop": -1}, "loop is -1"),
    ],
)
def test_options_have_bounds(options, message):
    with pytest.raises(BadInput, match=message):
        ExportOptions(**options)
