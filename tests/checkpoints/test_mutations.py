"""Good files of every format with something changed: they open, or are refused in one sentence. Nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import ldm_names
import numpy as np
import pytest
import tiny_flow
import tiny_prompted
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from tensor_bytes import card_table

from diffstudio.checkpoints.adapters import card_at
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.store import save
from diffstudio.errors import DiffStudioError
from diffstudio.networks import build
from diffstudio.networks.model import Model, load_file

HERE = Path(__file__).parent / "adapters"
LUCIDRAINS, SMALL, KARRAS, HOURGLASS = (
    json.loads((HERE / f"{name}.json").read_text("utf-8"))[case]
    for name, case in (
        ("lucidrains", "plain"),
        ("smalldiffusion", "dit_classes"),
        ("k_diffusion", "unet"),
        ("k_diffusion", "hourglass"),
    )
)
ODD = [None, -1, 0, 10**12, 1.5, float("inf"), "", "../up", "\u202e<img src=x>", [], [[[[[]]]]], {"a": {}}, True]
FORMATS = (
    "own",
    "bare",
    "lucidrains",
    "guided-diffusion",
    "diffusers",
    "text_to_image",
    "single_file",
    "flow_file",
    "smalldiffusion",
    "k-diffusion",
    "k-diffusion hourglass",
    "unet2d",
    "dit_file",
)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A folder with one file or folder of each format."""
    home = tmp_path_factory.mktemp("good")
    torch.manual_seed(0)
    card = Card.model_validate(card_table(labels=["in", "out"]))
    weights = {n: torch.randn(w.shape) for n, w in build(card).state_dict().items()}
    (home / "own").mkdir()
    save(home / "own" / "rings.safetensors", card, _numpy(weights))
    (home / "bare").mkdir()
    save_file(weights, home / "bare" / "rings.safetensors")
    beside = {key: value for key, value in card_table(labels=["in", "out"]).items() if key != "format_version"}
    (home / "bare" / "rings.safetensors.card.json").write_text(json.dumps(beside), "utf-8")
    (home / "lucidrains").mkdir()
    states = {name: torch.zeros(shape) for name, shape in LUCIDRAINS["weights"].items()}
    states |= {name: torch.tensor(values) for name, values in LUCIDRAINS["tables"].items()}
    torch.save({"step": 5, "model": states, "scaler": None}, home / "lucidrains" / "model-5.pt")
    (home / "guided-diffusion").mkdir()
    args = {"width": 32, "widths": (32,), "blocks": 1, "attention": (False,), "attention_up": (True, False)}
    adm = build(Card.model_validate(card_table(modality="image", shape=[1, 8, 8], network="adm", network_args=args)))
    save_file(
        {n: torch.zeros(w.shape) for n, w in adm.state_dict().items()}, home / "guided-diffusion" / "adm.safetensors"
    )
    for kind, case, said in (
        ("smalldiffusion", SMALL, None),
        ("k-diffusion", KARRAS, {"config": json.dumps(KARRAS["config"])}),
        ("k-diffusion hourglass", HOURGLASS, {"config": json.dumps(HOURGLASS["config"])}),
    ):
        (home / kind).mkdir()
        zeros = {name: torch.zeros(shape) for name, shape in case["weights"].items()}
        save_file(zeros, home / kind / "one.safetensors", said)
    (home / "smalldiffusion" / "one.safetensors.card.json").write_text(json.dumps(SMALL["beside"]), "utf-8")
    pytest.importorskip("diffusers")
    import diffusers

    unet = diffusers.UNet2DModel(
        sample_size=8, block_out_channels=(4,), norm_num_groups=2, layers_per_block=1, attention_head_dim=2,
        down_block_types=("DownBlock2D",), up_block_types=("UpBlock2D",), in_channels=1, out_channels=1,
    )  # fmt: skip
    unet.save_pretrained(home / "diffusers" / "model" / "unet", max_shard_size="10KB")
    diffusers.DDIMScheduler().save_pretrained(home / "diffusers" / "model" / "scheduler")
    (home / "diffusers" / "model" / "model_index.json").write_text('{"_class_name": "DDIMPipeline"}', "utf-8")
    (home / "unet2d").mkdir()
    states = {f"module.{name}": tensor for name, tensor in unet.state_dict().items()}
    save_file({**states, "ema.conv_in.weight": torch.zeros(1)}, home / "unet2d" / "cats.safetensors")
    _save_dit(diffusers, home / "dit_file")
    _save_prompted(diffusers, home)
    return home


def _save_dit(diffusers, home):
    """DiT by the names of its authors, and its autoencoder."""
    diffusers.AutoencoderKL(block_out_channels=(4,), norm_num_groups=2).save_pretrained(home / "vae")
    inside = {"weight": (3 * 8, 8), "bias": (3 * 8,)}
    shapes = {f"blocks.0.attn.qkv.{kind}": shape for kind, shape in inside.items()}
    layers = {"attn.proj": (8, 8), "mlp.fc1": (32, 8), "mlp.fc2": (8, 32), "adaLN_modulation.1": (48, 8)}
    layers = {f"blocks.0.{name}": shape for name, shape in layers.items()}
    layers |= {"x_embedder.proj": (8, 4, 2, 2), "t_embedder.mlp.0": (8, 256), "t_embedder.mlp.2": (8, 8)}
    layers |= {"final_layer.linear": (32, 8), "final_layer.adaLN_modulation.1": (16, 8)}
    for name, shape in layers.items():
        shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    shapes |= {"pos_embed": (1, 4, 8), "y_embedder.embedding_table.weight": (6, 8)}
    save_file({name: torch.zeros(shape) for name, shape in shapes.items()}, home / "DiT.safetensors")


def _save_prompted(diffusers, home):
    """Models that are told a prompt: a folder with three text encoders, and two files."""
    pytest.importorskip("transformers")
    tiny_prompted.stable_diffusion_3(diffusers, home)
    (home / "text_to_image").mkdir()
    (home / "tiny").rename(home / "text_to_image" / "tiny")
    (home / "single_file").mkdir()
    save_file(ldm_names.smallest(diffusers), home / "single_file" / "painter.safetensors")
    (home / "flow_file").mkdir()
    tiny_flow.written(home / "flow_file" / "painter.safetensors", tiny_flow.flux(diffusers, layers=1)[1])


def _numpy(weights):
    return {name: np.asarray(weight) for name, weight in weights.items()}


def place_of(home, kind):
    """What is opened of a format."""
    return next(p for p in sorted((home / kind).iterdir()) if not p.name.endswith(".card.json"))


@pytest.mark.parametrize("kind", FORMATS)
def test_the_good_ones_open(good, kind):
    card = card_at(place_of(good, kind))
    assert card.format == ("" if kind == "own" else kind.split()[0])
    if kind != "lucidrains":  # whose process takes seconds to start, and has its own test
        assert isinstance(load_file(place_of(good, kind)).prompted("a cat"), Model)


@st.composite
def changes(draw):
    """A function of a file's bytes."""
    kind = draw(st.sampled_from(["flip", "cut", "insert", "double", "zero", "json", "json"]))
    at, length = draw(st.floats(0, 1)), draw(st.integers(1, 40))
    odd, more = draw(st.sampled_from(ODD)), draw(st.binary(min_size=1, max_size=12))

    def change(data):
        k = min(len(data) - 1, int(at * len(data)))
        if kind == "json":
            return _odd_entry(data, at, odd)
        return {
            "flip": data[:k] + bytes([data[k] ^ (1 << (length % 8))]) + data[k + 1 :],
            "cut": data[:k],
            "insert": data[:k] + more + data[k:],
            "double": data[:k] + data[k : k + length] * 2 + data[k + length :],
            "zero": data[:k] + bytes(min(length, len(data) - k)) + data[k + length :],
        }[kind]

    return change


def _odd_entry(data, at, odd):
    """A JSON file, or the header of a .safetensors file, with an odd value for one of its entries."""
    length = int.from_bytes(data[:8], "little")
    header = 8 < length + 8 <= len(data) and data[8:9] == b"{"
    try:
        table = json.loads(data[8 : 8 + length] if header else data)
    except ValueError:
        return data[: len(data) // 2]
    flat = [(table, key) for key in table]
    flat += [(value, key) for value in table.values() if isinstance(value, dict) for key in value]
    within, key = flat[min(len(flat) - 1, int(at * len(flat)))]
    within[key] = odd
    text = json.dumps(table).encode()
    return len(text).to_bytes(8, "little") + text + data[8 + length :] if header else text


@settings(max_examples=120, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(kind=st.sampled_from(FORMATS), which=st.integers(0, 20), change=changes())
def test_whatever_is_changed_it_opens_or_is_refused_in_one_sentence(good, tmp_path, kind, which, change):
    home = tmp_path / "changed"
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(good / kind, home)
    files = sorted(p for p in home.rglob("*") if p.is_file())
    file = files[which % len(files)]
    file.write_bytes(change(file.read_bytes()))
    before = {p: p.read_bytes() for p in files}
    try:
        path = place_of(tmp_path, "changed")
        card = card_at(path)
        assert Card.model_validate_json(card.model_dump_json()) == card
        if kind != "lucidrains":
            assert isinstance(load_file(path).prompted("a cat"), Model)
    except DiffStudioError as error:
        assert str(home) in str(error)
        assert str(error).isprintable()
        assert len(str(error)) < 600 + 2 * len(str(home))
    assert {p: p.read_bytes() for p in home.rglob("*") if p.is_file()} == before


ENTRIES = ("shape", "decoded", "weights", "network", "network_args", "labels", "defaults", "path", "name", "time")
BESIDE = [
    *ODD,
    [3, 0, 8],
    [3, 8, "x"],
    [3, 10**9, 8],
    [1, 8, 8],
    [4, 16, 16],
    {"attention_head_dim": 0},
    "raw",
    [True] * 3,
]


@pytest.mark.parametrize("kind", FORMATS)
def test_whatever_a_card_beside_says_it_opens_or_is_refused_in_our_words(good, kind):
    place = place_of(good, kind)
    beside = place.with_name(f"{place.name}.card.json")
    before = beside.read_text("utf-8") if beside.is_file() else None
    try:
        for entry in ENTRIES:
            for value in BESIDE:
                beside.write_text(json.dumps({**json.loads(before or "{}"), entry: value}), "utf-8")
                try:
                    card = card_at(place)
                    assert Card.model_validate_json(card.model_dump_json()) == card
                except DiffStudioError as error:
                    assert str(error).isprintable() and "Input should" not in str(error), (entry, value)
    finally:
        beside.unlink() if before is None else beside.write_text(before, "utf-8")
