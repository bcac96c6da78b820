"""Settings travel with every kind of picture and come back, and nothing else does."""

import json
import random
import zlib

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from diffstudio.errors import BadFile, BadInput
from diffstudio.studio import provenance
from diffstudio.studio.export.write import ExportOptions, export
from diffstudio.studio.provenance import MADE_BY_A_MODEL, read_settings, request_of, settings
from diffstudio.studio.request.request import Request

PICTURES = ("a.png", "a.jpg", "a.jpeg", "a.webp", "a.tif", "a.tiff")
ANIMATIONS = ("b.gif", "b.webp", "b.apng", "b.png")
ALL = [(name, "picture") for name in PICTURES] + [(name, "animation") for name in ANIMATIONS]
ALL += [("c.png", "strip"), ("c.jpg", "strip")]


@pytest.mark.parametrize(("name", "kind"), ALL)
def test_settings_come_back_from_every_format(both, tmp_path, name, kind):
    export(both, tmp_path / name, ExportOptions(kind, tensor="x0_hat", sample=2))
    found = read_settings(tmp_path / name)
    assert found is not None
    assert request_of(found) == Request.model_validate(both.header.request)
    assert found["model"] == "known@7"
    assert found["checkpoint_sha256"] == "ab" * 32
    assert found["versions"]["torch"] == "2.13.0"
    assert found["digitalSourceType"] == MADE_BY_A_MODEL
    assert (found["shown"]["tensor"], found["shown"]["sample"]) == ("x0_hat", 2)
    if kind == "picture":
        assert (found["shown"]["step"], found["shown"]["t"]) == (4, 0)


@pytest.mark.parametrize(("name", "kind"), [row for row in ALL if not row[0].endswith("gif")])
def test_the_origin_is_written_for_other_programs(both, tmp_path, name, kind):
    export(both, tmp_path / name, ExportOptions(kind))
    with Image.open(tmp_path / name) as picture:
        packet = picture.info["xmp"]
    packet = packet.decode() if isinstance(packet, bytes) else packet
    assert f"<Iptc4xmpExt:DigitalSourceType>{MADE_BY_A_MODEL}</Iptc4xmpExt:DigitalSourceType>" in packet


@pytest.mark.parametrize("name", ["a.jpg", "a.webp"])
def test_other_programs_find_the_software_and_a_comment_in_the_exif(both, tmp_path, name):
    export(both, tmp_path / name, ExportOptions())
    with Image.open(tmp_path / name) as picture:
        exif = picture.getexif()
        comment = exif.get_ifd(0x8769)[0x9286]
    assert exif[0x0131].startswith("DiffStudio ")
    assert comment[:8] == b"UNICODE\0"
    assert json.loads(comment[8:].decode("utf-16-be"))["model"] == "known@7"


@pytest.mark.parametrize("name", ["a.tif", "a.tiff"])
def test_a_tiff_is_packed_without_loss_and_tells_its_settings_in_the_description(both, tmp_path, name):
    export(both, tmp_path / name, ExportOptions(scale=16))
    export(both, tmp_path / "a.png", ExportOptions(scale=16))
    with Image.open(tmp_path / name) as picture, Image.open(tmp_path / "a.png") as same:
        tags = picture.getexif()
        assert picture.info["compression"] == "tiff_adobe_deflate"
        np.testing.assert_array_equal(np.asarray(picture), np.asarray(same))
        assert (tmp_path / name).stat().st_size < picture.width * picture.height / 4
    assert tags[0x0131].startswith("DiffStudio ")
    assert json.loads(tags[0x010E])["model"] == "known@7"


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.tiff", "b.gif"])
def test_noised_data_is_not_called_the_work_of_a_model(both, tmp_path, name):
    kind = "animation" if name == "b.gif" else "picture"
    export(both, tmp_path / name, ExportOptions(kind, chain="forward"))
    found = read_settings(tmp_path / name)
    assert found is not None
    assert "digitalSourceType" not in found
    assert found["shown"]["chain"] == "forward"
    assert b"trainedAlgorithmicMedia" not in (tmp_path / name).read_bytes()


def test_the_origin_depends_on_the_records_that_are_shown(both):
    assert "digitalSourceType" not in settings(both, [0, 4])
    assert settings(both, [4, 5])["digitalSourceType"] == MADE_BY_A_MODEL
    assert settings(both)["shown"] == {"chain": "both", "tensor": "xt", "sample": None, "records": 10}


@pytest.mark.parametrize("folder", ["/home/alice/secret/", "C:\\Users\\alice\\"])
def test_paths_of_the_computer_do_not_travel(make_trace, folder):
    asked = {"source": "file", "source_file": f"{folder}cat.png", "model": f"{folder}m.safetensors"}
    asked |= {"mask": f"{folder}hole.png", "guidance_model": f"{folder}weak.pt"}
    found = settings(make_trace(np.zeros((2, 1, 1, 2, 2), np.float32), request=asked))
    assert "alice" not in json.dumps(found)
    assert found["request"]["source_file"] == "cat.png"
    assert found["request"]["model"] == "known@7"
    assert (found["request"]["mask"], found["request"]["guidance_model"]) == ("hole.png", "weak.pt")


def test_a_trace_with_a_request_of_another_world_has_pictures_without_request(make_trace, tmp_path):
    trace = make_trace(
        np.zeros((2, 1, 1, 2, 2), np.float32), request={"new_field": float("nan")}, card={"name": "x" * 9000}
    )
    export(trace, tmp_path / "a.jpg", ExportOptions())
    found = read_settings(tmp_path / "a.jpg")
    assert found is not None
    with pytest.raises(BadFile, match=r"a\.jpg: request: found none"):
        request_of(found, "a.jpg")


def test_pictures_of_others_have_no_settings(tmp_path):
    grey = Image.new("L", (3, 3))
    for name in ("a.png", "a.jpg", "a.webp", "a.tiff", "a.gif"):
        grey.save(tmp_path / name)
        assert read_settings(tmp_path / name) is None
    grey.save(tmp_path / "b.gif", comment=b"made by hand")
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0hello"
    grey.save(tmp_path / "b.jpg", exif=exif)
    chunks = PngInfo()
    chunks.add_text("parameters", "a cat, steps: 20")
    chunks.add_text("diffstudio", "not ours")
    grey.save(tmp_path / "b.png", pnginfo=chunks)
    for name in ("b.gif", "b.jpg", "b.png"):
        assert read_settings(tmp_path / name) is None


def png_with(path, *texts):
    chunks = PngInfo()
    for text in texts:
        chunks.add_text("diffstudio", text)
    Image.new("L", (2, 2)).save(path, pnginfo=chunks)
    return path


def test_the_last_of_repeated_chunks_counts(tmp_path):
    texts = [provenance.to_text({"model": name, "request": {}}) for name in ("first", "last")]
    assert read_settings(png_with(tmp_path / "a.png", *texts))["model"] == "last"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"diffstudio": 1, "requ', "damaged: not JSON"),
        ('{"diffstudio": 2, "request": {}}', "settings of format 2, expected 1"),
        ('{"diffstudio": [1]}', r"settings: diffstudio: .*found '\[1\]'"),
        ('{"diffstudio": 1, "request": 3}', "settings: request: "),
        ('{"diffstudio": 1, "request": ' + "[" * 100_000, "damaged: not JSON"),
        ('{"diffstudio": 1, "x": "' + "x" * (1 << 20) + '"}', "more than 1,048,576 characters"),
    ],
)
def test_settings_that_are_damaged_are_refused_with_the_name_of_the_file(tmp_path, text, message):
    with pytest.raises(BadFile, match=r"a\.png: .*" + message):
        read_settings(png_with(tmp_path / "a.png", text))


def test_a_comment_that_is_too_long_is_refused_in_every_format(both, tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "MAX_TEXT", 300)
    for name in ("a.png", "a.jpg", "a.webp", "a.tiff", "b.gif"):
        export(both, tmp_path / name, ExportOptions("animation" if name == "b.gif" else "picture"))
        with pytest.raises(BadFile, match="more than 300 characters"):
            read_settings(tmp_path / name)


def test_a_compressed_chunk_that_would_fill_the_memory_is_refused(tmp_path):
    plain = png_with(tmp_path / "a.png", "x").read_bytes()
    payload = b"diffstudio\0\0" + zlib.compress(b'{"diffstudio": 1' + b" " * (64 << 20))
    chunk = b"zTXt" + payload
    bomb = plain[:33] + len(payload).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big") + plain[33:]
    (tmp_path / "bomb.png").write_bytes(bomb)
    with pytest.raises(BadFile, match=r"bomb\.png"):
        read_settings(tmp_path / "bomb.png")


def test_what_is_no_picture_is_said_so(tmp_path):
    with pytest.raises(BadInput, match="there is no file"):
        read_settings(tmp_path / "none.png")
    with pytest.raises(BadInput, match="it is a folder"):
        read_settings(tmp_path)
    (tmp_path / "text.png").write_text("hello")
    with pytest.raises(BadFile, match=r"text\.png is not a picture"):
        read_settings(tmp_path / "text.png")
    (tmp_path / "empty.png").touch()
    with pytest.raises(BadFile):
        read_settings(tmp_path / "empty.png")


def test_no_damage_ends_in_another_error(both, tmp_path):
    chance = random.Random(0)
    for name in ("a.png", "a.jpg", "a.webp", "a.tiff", "b.gif", "b.apng"):
        path = tmp_path / name
        export(both, path, ExportOptions("animation" if name[0] == "b" else "picture"))
        whole = path.read_bytes()
        for _ in range(150):
            data = bytearray(whole)
            for _ in range(chance.randrange(1, 6)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            path.write_bytes(data[: chance.randrange(len(data))] if chance.random() < 0.3 else data)
            try:
                found = read_settings(path)
                if found is not None:
                    request_of(found, name)
            except (BadFile, BadInput) as error:
                assert str(path) in str(error) or name in str(error)


def test_a_request_out_of_its_bounds_names_file_and_field(both):
    found = settings(both)
    found["request"]["steps"] = -1
    with pytest.raises(BadFile, match=r"cat\.png: request: steps: .*found '-1'"):
        request_of(found, "cat.png")
    found["request"] = {"solver": "magic"}
    with pytest.raises(BadFile, match=r"cat\.png: request: .*unknown solver 'magic'"):
        request_of(found, "cat.png")


@pytest.mark.parametrize(
    ("model", "name", "told"),
    [
        ("known", "known", "known@7"),
        ("known@7:ema_0.99", "known", "known@7:ema_0.99"),
        ("/home/me/secret/ema_0.99_7.pt", "known", "known@7:ema_0.99"),
        ("secret\\ema_0.99_7.pt", "known", "known@7"),
        ("~/secret/known.pt", "known", "known@7"),
        ("known (b)@7", "known (b)", "known (b)@7"),
        ("known (secret/b)@7", "known (secret/b)", "known@7"),
    ],
)
def test_a_picture_names_its_checkpoint_without_where_it_lies(make_trace, model, name, told):
    trace = make_trace(np.zeros((2, 2, 1, 4, 4), np.float32), request={"model": model},
                       card={"name": name, "format": "guided-diffusion"})  # fmt: skip
    found = settings(trace)
    assert found["model"] == told
    assert "secret" not in json.dumps(found)


def test_a_guide_s_path_is_its_file_s_name(make_trace):
    request = {"guidance_model": "/home/me/secret/weak.pt", "model": "known@7"}
    trace = make_trace(np.zeros((2, 2, 1, 4, 4), np.float32), request=request)
    assert settings(trace)["request"]["guidance_model"] == "weak.pt"
