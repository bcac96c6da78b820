"""Files of Stable Diffusion 3 and Flux that are not whole, or say something odd: refused in one sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import flow_names as names
import pytest
import tiny_flow as tiny
import torch

from diffstudio.checkpoints.adapters import card_at
from diffstudio.checkpoints.catalog import Catalog
from diffstudio.errors import BadFile
from diffstudio.networks.model import load_file

N, L, G, T5 = names.NETWORK, names.CLIP_L, names.CLIP_G, names.T5
ALL = "every tensor that begins so"


@pytest.fixture(scope="module")
def good(diffusers):
    """The tensors of either, by the name of its function."""
    pytest.importorskip("transformers")
    return {family: getattr(tiny, family)(diffusers)[1] for family in ("sd3", "flux")}


def spoilt(folder, tensors, change):
    """The file with other tensors, by their shapes; None leaves one out, or all that begin with it."""
    out = dict(tensors)
    for name, shape in change.items():
        if shape is ALL:
            out = {key: tensor for key, tensor in out.items() if not key.startswith(name)}
        elif shape is None:
            del out[name]
        else:
            out[name] = shape if isinstance(shape, torch.Tensor) else torch.zeros(shape)
    return tiny.written(folder / "spoilt.safetensors", out)


def refused(call, path):
    with pytest.raises(BadFile) as caught:
        call(path)
    assert str(path) in str(caught.value) and str(caught.value).isprintable()
    return str(caught.value)


@pytest.mark.parametrize(
    ("family", "change", "says"),
    [
        ("flux", {f"{N}img_in.weight": (128, 24)}, "takes 24 channels and gives 16: one that is also given a picture"),
        ("flux", {f"{N}double_blocks.0.img_attn.norm.query_norm.scale": (64,)}, "its heads have 64 numbers"),
        ("flux", {f"{N}vector_in.in_layer.weight": None}, "vector_in.in_layer.weight' is missing"),
        ("flux", {"vae.": ALL}, "Flux without its autoencoder (ae.safetensors): put what is missing beside it under"),
        ("flux", {L: ALL, T5: ALL}, "its CLIP-L text encoder (clip_l.safetensors), its T5 (t5xxl_fp16.safetensors)"),
        ("flux", {"vae.decoder.conv_in.weight": (32, 3, 3, 3)}, "have 3 channels, its network has 4"),
        ("flux", {"vae.encoder.down.0.block.0.conv2.weight": (8,)}, "is missing or of another shape"),
        ("flux", {f"{N}img_in.weight": torch.zeros(8, 16, dtype=torch.uint8)}, "quantised: 'img_in.weight' is U8"),
        ("flux", {f"{T5}shared.weight": (5,)}, "'text_encoders.t5xxl.transformer.shared.weight' is missing or of"),
        ("sd3", {"first_stage_model.": ALL}, "Stable Diffusion 3 without its autoencoder: open the whole model"),
        ("sd3", {G: ALL}, "without its CLIP-G text encoder (clip_g.safetensors): put what is missing beside it"),
        ("sd3", {f"{N}pos_embed": None}, "'model.diffusion_model.pos_embed' is missing"),
        ("sd3", {f"{N}pos_embed": (1, 10**6, 1)}, "field pos_embed_max_size"),
        ("sd3", {f"{N}x_embedder.proj.weight": (60, 4, 2, 2)}, "caption_projection_dim is 60, expected"),
    ],
)  # fmt: skip
def test_what_is_missing_or_odd_is_said_by_the_header_alone(tmp_path, good, family, change, says):
    sentence = refused(card_at, spoilt(tmp_path, good[family], change))
    assert says in sentence


@pytest.mark.parametrize(
    ("family", "change", "says"),
    [
        ("flux", {f"{N}double_blocks.1.txt_attn.qkv.weight": None}, "blocks.1.attn.add_k_proj.weight' is missing"),
        ("flux", {f"{N}single_blocks.1.linear1.bias": (200,)}, "has shape (72,), expected (128,)"),
        ("flux", {f"{N}single_blocks.0.odd.weight": (2,)}, "'network.single_transformer_blocks.0.odd.weight' does not"),
        ("flux", {f"{N}img_in.scale_weight": (3,)}, "'img_in.scale_weight' has 3 numbers, expected one"),
        ("flux", {f"{N}img_in.bias": torch.full((128,), torch.nan)}, "128 values are not finite"),
        ("flux", {f"{T5}shared.weight": (1000, 16)}, "text_encoder_2 knows 1,000 words, expected T5's 32,128"),
        ("sd3", {f"{N}joint_blocks.1.x_block.attn.proj.bias": None}, "joint_blocks.1.x_block.attn.proj.bias' is"),
        ("sd3", {f"{N}joint_blocks.x.attn.qkv.weight": (2,)}, "its tensors can't be renamed"),
        ("sd3", {f"{N}pos_embed": (1, 4000, 64)}, "'network.pos_embed.pos_embed' has shape (1, 4000, 64), expected"),
        ("sd3", {f"{G}text_model.final_layer_norm.bias": None}, "text_encoder_2.model.final_layer_norm.bias' is"),
    ],
)  # fmt: skip
def test_weights_that_do_not_fit_are_refused(tmp_path, good, family, change, says):
    assert says in refused(load_file, spoilt(tmp_path, good[family], change))


def test_its_card_needs_no_library_at_all_and_a_card_beside_it_says_more(tmp_path, good):
    path = spoilt(tmp_path, good["flux"], {})
    (tmp_path / f"{path.name}.card.json").write_text(json.dumps({"shape": [4, 32, 32], "decoded": [3, 64, 64]}))
    code = (
        "import sys; from pathlib import Path; from diffstudio.checkpoints.adapters import card_at;"
        "print(card_at(Path(sys.argv[1])).shape);"
        "sys.exit(bool({'torch', 'diffusers', 'transformers', 'tokenizers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "(4, 32, 32)\n")


def test_a_size_beyond_the_table_of_places_is_left_aside(tmp_path, good):
    path = tiny.written(tmp_path / "large.safetensors", good["sd3"], {"modelspec.resolution": "1024x1024"})
    assert card_at(path).decoded == (3, 256, 256)


def test_a_part_that_is_put_beside_a_file_is_seen_by_the_next_scan(tmp_path, good, monkeypatch):
    monkeypatch.setattr("diffstudio.checkpoints.finding.WITH_PARTS", 1)
    vae = {name.removeprefix("vae."): t for name, t in good["flux"].items() if name.startswith("vae.")}
    path = spoilt(tmp_path, good["flux"], {"vae.": ALL})
    os.utime(path, (1e9, 1e9))
    catalog = Catalog([("user", tmp_path)])
    catalog.scan()
    assert "without its autoencoder" in catalog.listing.entries[0].problem
    tiny.written(tmp_path / "ae.safetensors", vae)
    catalog.scan()
    found = {entry.path.name: entry for entry in catalog.listing.entries}
    assert found[path.name].problem is None and found[path.name].card.format == "flow_file"
    assert "no model by itself: put it beside the transformer" in found["ae.safetensors"].problem


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
def test_a_part_that_is_a_link_out_of_its_folder_is_not_taken(tmp_path, good):
    home = tmp_path / "home"
    home.mkdir()
    vae = {name.removeprefix("vae."): t for name, t in good["flux"].items() if name.startswith("vae.")}
    (home / "ae.safetensors").symlink_to(tiny.written(tmp_path / "outside.safetensors", vae))
    assert "without its autoencoder" in refused(card_at, spoilt(home, good["flux"], {"vae.": ALL}))
