"""The text that other programs write and read: there, back, and what of it can't be had here."""

from __future__ import annotations

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from tiny_prompted import card

from diffstudio.studio.parameters_text import parameters_text, parse_parameters, taken_over
from diffstudio.studio.provenance import read_parameters, read_settings
from diffstudio.studio.request.defaults import default_request

# As AUTOMATIC1111 1.6 and 1.9, Forge and Civitai write it.
OLD = """a red fox, (snow:1.2), <lora:winter:0.8>
second line
Negative prompt: blurry, low quality
Steps: 28, Sampler: DPM++ 2M Karras, CFG scale: 6.5, Seed: 1234567890, Size: 512x768, Model hash: 6ce0161689, \
Model: v1-5-pruned, Denoising strength: 0.6, Clip skip: 2, ENSD: 31337, Version: v1.6.0"""
NEW = """a cat
Steps: 20, Sampler: Euler a, Schedule type: Automatic, CFG scale: 7, Seed: 5, Size: 64x64, Model: "odd, name", \
Variation seed: 9, Variation seed strength: 0.25, Version: v1.9.4"""


def test_a_text_of_another_program_is_understood():
    found = parse_parameters(OLD)
    assert found is not None
    assert found.prompt == "a red fox, (snow:1.2), <lora:winter:0.8>\nsecond line"
    assert found.negative == "blurry, low quality"
    assert found.fields["steps"] == "28" and found.fields["sampler"] == "DPM++ 2M Karras"
    assert found.named["Model hash"] == "6ce0161689" and found.fields["size"] == "512x768"
    new = parse_parameters(NEW)
    assert new is not None and (new.prompt, new.negative, new.fields["model"]) == ("a cat", "", "odd, name")


@pytest.mark.parametrize(
    "text",
    ["", "a cat", "a cat\nNegative prompt: dog", "Title: a, b: c, d: e", '{"steps": 3, "a": 2, "b": 1}', "\n" * 9],
)
def test_other_texts_are_not(text):
    assert parse_parameters(text) is None


@pytest.fixture
def prompted():
    return card()


def test_it_becomes_a_request_and_what_can_not_be_had_is_said(prompted):
    now = default_request(prompted, "painter", seed=3, steps=4, source="data", label=None, mask_region="x 1")
    found, notes = taken_over(parse_parameters(OLD), now, prompted)
    assert (found.prompt[:9], found.negative_prompt) == ("a red fox", "blurry, low quality")
    assert (found.steps, found.seed, found.guidance) == (28, 1234567890, 6.5)
    assert (found.solver, found.grid, found.source, found.mask_region) == ("dpmpp_2m", "karras", "noise", None)
    told = "\n".join(notes)
    assert "It has 512×768 pixels, and this model makes" in told
    assert "Weights, LoRAs and breaks in its prompt are read as plain words." in told
    assert "Not taken over: Denoising strength 0.6, Clip skip 2, ENSD 31337." in told
    new, notes = taken_over(parse_parameters(NEW), now, prompted)
    assert (new.solver, new.grid, new.variation, new.variation_seed) == ("euler_ancestral", now.grid, 0.25, 9)


@pytest.mark.parametrize(
    ("name", "value", "note"),
    [
        ("Sampler", "DPM fast", "Its sampler 'DPM fast' is not known here: the solver stays."),
        ("Sampler", "PLMS Karras", "Its sampler 'PLMS' is not known here: the solver stays."),
        ("Schedule type", "SGM Uniform", "Its schedule 'SGM Uniform' is not known here: the spacing stays."),
        ("Seed", "-1", "Its seed '-1' can't be used."),
        ("CFG scale", "many", "Its cfg scale 'many' can't be used."),
        ("Steps", "0", "Its steps '0' can't be used."),
    ],
)
def test_what_is_not_known_stays_and_is_said(prompted, name, value, note):
    fields = {"Steps": "20", "Sampler": "Euler", "CFG scale": "7", "Seed": "5"} | {name: value}
    text = "a cat\n" + ", ".join(f"{key}: {word}" for key, word in fields.items())
    now = default_request(prompted, "painter", seed=3)
    found, notes = taken_over(parse_parameters(text), now, prompted)
    assert note in notes
    assert found.prompt == "a cat" and (found.solver == now.solver or name != "Sampler" or value == "Euler")


@pytest.mark.parametrize(
    "fields",
    [
        {"prompt": "a red fox", "negative_prompt": "blurry, dark", "steps": 7, "guidance": 3.5, "solver": "heun"},
        {"prompt": "two\nlines: of, words", "solver": "dpmpp_2m_sde", "solver_params": {"variant": 2}},
        {"prompt": "x", "solver": "dpmpp_2m", "grid": "karras", "variation": 0.5, "variation_seed": 8},
        {"prompt": "", "negative_prompt": "", "solver": "unipc"},
    ],
)
def test_what_is_written_comes_back(prompted, fields):
    request = default_request(prompted, "painter", **fields)
    made = parameters_text(request, prompted.model_dump(mode="json"), 12, "ab" * 32, "DiffStudio 1")
    found = parse_parameters(made)
    assert found is not None
    back, notes = taken_over(found, default_request(prompted, "painter"), prompted)
    assert back.model_copy(update={"seed": request.seed}) == request and back.seed == 12
    assert notes == () and found.fields["model hash"] == "ab" * 5


FOREIGN = [
    ("a.png", "png"),
    ("a.jpg", "utf-16-be"),
    ("a.jpg", "utf-16-le"),
    ("a.webp", "utf-16-be"),
    ("b.jpg", "ascii"),
]


@pytest.mark.parametrize(("name", "form"), FOREIGN)
def test_pictures_of_other_programs_are_read(tmp_path, name, form):
    picture = Image.new("RGB", (8, 8))
    if form == "png":
        chunks = PngInfo()
        chunks.add_text("parameters", OLD)
        picture.save(tmp_path / name, pnginfo=chunks)
    else:
        exif = Image.Exif()
        mark = {"ascii": b"ASCII\0\0\0"}.get(form, b"UNICODE\0")
        exif.get_ifd(0x8769)[0x9286] = mark + OLD.encode(form)
        picture.save(tmp_path / name, exif=exif)
    found = read_parameters(tmp_path / name)
    assert found is not None and found.fields["seed"] == "1234567890" and found.negative.startswith("blurry")
    assert read_settings(tmp_path / name) is None


def test_a_picture_without_is_none(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    assert read_parameters(tmp_path / "a.png") is None
