"""What other programs find in our files: blocks where their formats have them, and the colours of movies."""

from __future__ import annotations

import io
import json
import struct

import numpy as np
import pytest
from PIL import Image
from tiny_prompted import card

from diffstudio.data import spoken
from diffstudio.errors import BadInput
from diffstudio.modalities.wave_file import read_wave
from diffstudio.studio import provenance
from diffstudio.studio.export.write import ExportOptions, export
from diffstudio.studio.parameters_text import parse_parameters
from diffstudio.studio.provenance import MADE_BY_A_MODEL, read_parameters, read_settings

SOURCE = f"<Iptc4xmpExt:DigitalSourceType>{MADE_BY_A_MODEL}</Iptc4xmpExt:DigitalSourceType>".encode()


@pytest.fixture
def clips(make_trace):
    """Two clips of five frames in colour, the two chains."""
    values = np.random.default_rng(0).uniform(-1, 1, (2, 3, 2, 5, 3, 8, 8)).astype(np.float32)
    return make_trace(*values, card={"modality": "video"})


def riff_chunks(data, at=12):
    """(name, content) of a RIFF file."""
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        yield name, data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def gif_blocks(data):
    """The application extensions of a GIF, as a plain reader finds them: (name, content of the sub-blocks)."""
    at = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    while data[at] != 0x3B:
        if data[at] == 0x2C:
            at += 10 + (3 << (data[at + 9] & 7) + 1 if data[at + 9] & 0x80 else 0) + 1
        else:
            at += 2
        first, content = data[at + 1 : at + 1 + data[at]], b""
        while data[at]:
            content += data[at + 1 : at + 1 + data[at]]
            at += 1 + data[at]
        at += 1
        yield first, content


def mp4_boxes(data):
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], data[at + 8 : at + size]
        at += size
    assert at == len(data)


@pytest.mark.parametrize("kind", ["picture", "animation"])
def test_the_exif_of_a_webp_begins_with_its_own_header(both, tmp_path, kind):
    export(both, tmp_path / "a.webp", ExportOptions(kind))
    [block] = [content for name, content in riff_chunks((tmp_path / "a.webp").read_bytes()) if name == b"EXIF"]
    assert block[:4] in (b"II*\0", b"MM\0*")
    assert read_settings(tmp_path / "a.webp")["model"] == "known@7"


def test_a_gif_says_its_origin_and_still_plays(both, tmp_path):
    export(both, tmp_path / "a.gif", ExportOptions("animation", fps=5))
    data = (tmp_path / "a.gif").read_bytes()
    names = [name for name, _ in gif_blocks(data)]  # who does not know the block is led through it
    assert b"XMP DataXMP" in names and b"NETSCAPE2.0" in names
    raw = data.partition(b"\x21\xff\x0bXMP DataXMP")[2]  # and who knows it reads a packet up to the trailer
    packet, _, rest = raw.partition(bytes([1, *range(255, -1, -1), 0]))
    assert packet.startswith(b"<?xpacket begin") and packet.endswith(b"?>") and SOURCE in packet and rest
    with Image.open(io.BytesIO(data)) as picture:
        frames = [picture.seek(k) or np.asarray(picture.convert("RGB")) for k in range(picture.n_frames)]
        durations = [picture.seek(k) or picture.info["duration"] for k in range(picture.n_frames)]
    assert len(frames) == 5 and durations[0] == 200
    export(both, tmp_path / "b.webp", ExportOptions("animation", fps=5))
    with Image.open(tmp_path / "b.webp") as picture:
        for k, frame in enumerate(frames):
            picture.seek(k)
            # The paper is the nearest of 256 colours.
            np.testing.assert_allclose(frame.astype(int), np.asarray(picture.convert("RGB")), atol=4)
    export(both, tmp_path / "c.gif", ExportOptions("animation", chain="forward"))
    assert b"XMP DataXMP" not in (tmp_path / "c.gif").read_bytes()


def test_a_clip_says_its_origin_in_every_format(clips, tmp_path):
    for name in ("a.gif", "a.webp", "a.apng", "a.mp4"):
        if name == "a.mp4":
            pytest.importorskip("av")
        export(clips, tmp_path / name, ExportOptions("clip"))
        assert SOURCE in (tmp_path / name).read_bytes()
        assert read_settings(tmp_path / name)["digitalSourceType"] == MADE_BY_A_MODEL


def test_a_movie_says_its_origin_in_a_box_and_its_colours(clips, tmp_path):
    av = pytest.importorskip("av")
    export(clips, tmp_path / "a.mp4", ExportOptions("clip", sample=0, scale=8))
    boxes = list(mp4_boxes((tmp_path / "a.mp4").read_bytes()))
    [packet] = [content for name, content in boxes if name == b"uuid"]
    assert packet[:16].hex() == "be7acfcb97a942e89c71999491e3afac" and SOURCE in packet
    [index] = [content for name, content in boxes if name == b"moov"]
    assert index[index.find(b"colr") + 4 :][:11] == b"nclx" + struct.pack(">HHHB", 1, 13, 1, 0)
    with av.open(str(tmp_path / "a.mp4")) as movie:
        context = movie.streams.video[0].codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (1, 1, 13, 1)
        frames = [frame.to_ndarray(format="rgb24") for frame in movie.decode(video=0)]
    true = ((clips.array(5, "xt", 0).transpose(0, 2, 3, 1) + 1) * 127.5).clip(0, 255)
    middles = np.stack(frames)[:, 3::8, 3::8].astype(float)
    assert np.abs(middles - true).mean() < 6  # with another matrix greens and reds are 20 and more off


def test_saturated_colours_come_back_from_a_movie(make_trace, tmp_path):
    av = pytest.importorskip("av")
    pure = np.array([[1, -1, -1], [-1, 1, -1], [-1, -1, 1], [1, 1, 1], [-1, -1, -1], [0, 0, 0]], np.float32)
    rows = np.broadcast_to(pure[:, None, :, None, None], (6, 3, 3, 8, 8)).copy()[None]
    export(make_trace(rows, card={"modality": "video"}), tmp_path / "a.mp4", ExportOptions("clip", sample=1, scale=4))
    with av.open(str(tmp_path / "a.mp4")) as movie:
        first = next(movie.decode(video=0)).to_ndarray(format="rgb24")
    np.testing.assert_allclose(first[8:-8, 8:-8].reshape(-1, 3), np.broadcast_to([0, 255, 0], (256, 3)), atol=4)


def test_a_sound_says_its_origin_in_a_chunk(make_trace, tmp_path):
    states = spoken.carried("held-out")[0][:2]
    from diffstudio.modalities.mel import to_state

    rows = to_state(states, spoken.SPEC, 64)[None]
    audio = {"modality": "audio", "audio": spoken.SPEC.model_dump(mode="json")}
    trace = make_trace(np.concatenate([rows, rows]), card=audio)
    export(trace, tmp_path / "a.wav", ExportOptions("samples"))
    chunks = dict(riff_chunks((tmp_path / "a.wav").read_bytes()))
    assert SOURCE in chunks[b"_PMX"] and json.loads(read_wave(tmp_path / "a.wav").comment)["model"] == "known@7"
    pytest.importorskip("av")
    export(trace, tmp_path / "a.mp4", ExportOptions("animation", sample=0))
    boxes = mp4_boxes((tmp_path / "a.mp4").read_bytes())
    assert SOURCE in next(content for name, content in boxes if name == b"uuid")


# ── a sample of a batch is told apart ───────────────────────────────────────────────────────────────────────────────


def test_each_sample_says_its_seed_and_its_class(make_trace, tmp_path):
    states = np.random.default_rng(0).uniform(-1, 1, (2, 4, 1, 5, 4)).astype(np.float32)
    trace = make_trace(states, card={"labels": ["a", "b", "c", "d"]}, request={"seed": 100})
    files = export(trace, tmp_path / "folder", ExportOptions("samples"))
    shown = [read_settings(file)["shown"] for file in files]
    assert [one["sample"] for one in shown] == [0, 1, 2, 3]
    assert [one["seed"] for one in shown] == [100, 101, 102, 103]
    assert [one.get("class") for one in shown] == [None, "d", None, "d"]
    export(trace, tmp_path / "grid.png", ExportOptions())
    assert "seed" not in read_settings(tmp_path / "grid.png")["shown"]


def test_each_frame_of_a_clip_says_which_it_is(clips, tmp_path):
    files = export(clips, tmp_path / "folder", ExportOptions("clip", sample=1))
    assert [read_settings(file)["shown"]["frame"] for file in files] == [0, 1, 2, 3, 4]


def test_every_file_that_made_it_is_named_by_its_hash(make_trace, tmp_path):
    trace = make_trace(np.zeros((2, 1, 1, 4, 4), np.float32))
    told = {"checkpoint": "ab" * 32, "source": "cd" * 32, "mask": "ef" * 32}
    trace.header = trace.header.model_copy(update={"sha256": told, "notes": ("page 1 of 3 is taken",)})
    for name in ("a.png", "a.jpg", "a.webp", "a.tiff"):
        export(trace, tmp_path / name, ExportOptions())
        found = read_settings(tmp_path / name)
        assert (found["sha256"], found["notes"]) == (told, ["page 1 of 3 is taken"])


# ── a model that is told a prompt ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def painted(make_trace):
    """The pictures of a text-to-image model, with a prompt beyond ASCII."""
    states = np.random.default_rng(0).uniform(-1, 1, (2, 3, 3, 8, 8)).astype(np.float32)
    request = {"prompt": "a red fox, 狐", "negative_prompt": "blurry", "seed": 40, "model": "painter"}
    told = card(shape=(3, 8, 8), decoded=()).model_dump(mode="json") | {"step": 0}
    return make_trace(states, request=request, card=told)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp"])
@pytest.mark.parametrize("sample", [None, 2])
def test_other_programs_find_the_prompt_and_we_our_settings(painted, tmp_path, name, sample):
    export(painted, tmp_path / name, ExportOptions(sample=sample))
    theirs, ours = read_parameters(tmp_path / name), read_settings(tmp_path / name)
    assert (theirs.prompt, theirs.negative) == ("a red fox, 狐", "blurry")
    assert theirs.fields["seed"] == str(40 + (sample or 0)) and theirs.fields["size"] == "8x8"
    assert ours["request"]["prompt"] == "a red fox, 狐" and "parameters" not in ours
    if name == "a.png":
        with Image.open(tmp_path / name) as picture:
            assert parse_parameters(picture.info["parameters"]) is not None
    else:
        with Image.open(tmp_path / name) as picture:
            comment = picture.getexif().get_ifd(0x8769)[0x9286]
        assert comment.startswith(b"UNICODE\0") and comment[8:].decode("utf-16-be").startswith("a red fox, 狐\n")


def test_a_model_without_a_prompt_writes_none(both, tmp_path):
    export(both, tmp_path / "a.png", ExportOptions())
    assert read_parameters(tmp_path / "a.png") is None


def test_noised_data_carry_no_prompt(painted):
    assert "parameters" in provenance.settings(painted)
    assert "parameters" not in provenance.settings(painted, [])


def test_a_prompt_that_has_no_room_in_a_jpeg_is_one_sentence(make_trace, tmp_path):
    long = {"prompt": "狐" * 10_000, "negative_prompt": "狸" * 10_000}
    trace = make_trace(np.zeros((2, 1, 1, 4, 4), np.float32), request=long)
    with pytest.raises(BadInput, match="have no room in a JPEG: export a PNG or a WebP"):
        export(trace, tmp_path / "a.jpg", ExportOptions())
    assert not (tmp_path / "a.jpg").exists()
    for name in ("a.png", "a.webp"):
        export(trace, tmp_path / name, ExportOptions())
        assert read_settings(tmp_path / name)["request"]["prompt"] == long["prompt"]
