"""Folders of diffusers as they lie on disk: roots, shards, variants, prefixes, sizes, and parts that are left out."""

from __future__ import annotations

import json
import re
import shutil

import pytest
import torch
from safetensors.torch import load_file as library_load
from safetensors.torch import save_file

from diffstudio.checkpoints import sandbox
from diffstudio.checkpoints.adapters import card_at
from diffstudio.checkpoints.catalog import Catalog, default_catalog
from diffstudio.errors import BadFile
from diffstudio.networks.model import load_file

WEIGHTS = "diffusion_pytorch_model.safetensors"
BASE = "diffusion_pytorch_model"


@pytest.fixture
def folder(tmp_path, diffusers, make_unet):
    """A pipeline with its network in a folder of its own."""
    out = tmp_path / "cats"
    diffusers.DDPMPipeline(make_unet(), diffusers.DDPMScheduler()).save_pretrained(out)
    return out


def change(path, **changes):
    """Replace entries of a JSON file; None takes one away."""
    table = {**json.loads(path.read_text("utf-8")), **changes}
    path.write_text(json.dumps({key: value for key, value in table.items() if value is not None}), "utf-8")


def refusal(folder):
    with pytest.raises(BadFile) as caught:
        card_at(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ── the root ────────────────────────────────────────────────────────────────────────────────────────────────────────


def in_root(out, diffusers, network):
    """As google/ddpm-cifar10-32 has it: index, config, scheduler and weights side by side."""
    network.save_pretrained(out)
    diffusers.DDPMScheduler(beta_schedule="squaredcos_cap_v2").save_pretrained(out)
    index = {"_class_name": "DDPMPipeline", "unet": ["diffusers", "UNet2DModel"]}
    index["scheduler"] = ["diffusers", "DDPMScheduler"]
    (out / "model_index.json").write_text(json.dumps(index), "utf-8")
    return out


def test_a_pipeline_without_folders_opens_with_its_scheduler(tmp_path, diffusers, make_unet):
    model = load_file(in_root(tmp_path / "ddpm-cifar10-32", diffusers, make_unet()))
    assert (model.card.path.name, model.card.shape) == ("vp_cosine_table", (3, 8, 8))
    assert torch.equal(model.network.state_dict()["unet.conv_in.weight"], make_unet().state_dict()["conv_in.weight"])


def test_and_is_listed_in_the_cache_of_the_hub(tmp_path, diffusers, make_unet, monkeypatch):
    hub = tmp_path / "hub"
    in_root(hub / "models--google--ddpm-cat-256" / "snapshots" / "0a1b", diffusers, make_unet())
    monkeypatch.setenv("HF_HUB_CACHE", str(hub))
    (entry,) = (entry for entry in default_catalog().scan() if entry.group == "Hugging Face")
    assert (entry.spec, entry.problem) == ("google ddpm-cat-256@0", None)


@pytest.mark.parametrize(("pipeline", "name"), [("DDPMPipeline", "unet"), ("StableDiffusion3Pipeline", "transformer")])
def test_a_folder_that_the_index_names_and_that_is_missing_is_named(tmp_path, pipeline, name):
    index = {"_class_name": pipeline, name: ["diffusers", "Any"], "text_encoder": ["transformers", "CLIPTextModel"]}
    (tmp_path / "model_index.json").write_text(json.dumps(index), "utf-8")
    assert f"the folder {name} is missing, which its index names; copy the folder again" in refusal(tmp_path)


# ── shards and variants ─────────────────────────────────────────────────────────────────────────────────────────────


def after_the_number(unet):
    """As older versions of diffusers name the shards of a variant."""
    for path in list(unet.iterdir()):
        path.rename(unet / re.sub(r"\.fp16(-\d+-of-\d+)\.", r"\1.fp16.", path.name))
    for index in unet.glob("*.index.*"):
        table = json.loads(index.read_text("utf-8"))
        table["weight_map"] = {
            k: re.sub(r"\.fp16(-\d+-of-\d+)\.", r"\1.fp16.", v) for k, v in table["weight_map"].items()
        }
        index.write_text(json.dumps(table), "utf-8")


def without_index(unet):
    for path in unet.glob("*.index.*"):
        path.unlink()


def before_the_suffix(unet):
    for path in list(unet.glob("*.index.*")):
        path.rename(unet / f"{BASE}.fp16.safetensors.index.json")


@pytest.mark.parametrize("respell", [lambda _: None, after_the_number, without_index, before_the_suffix])
def test_shards_of_a_variant_are_read_in_every_spelling(tmp_path, make_unet, respell):
    whole = sum(weight.numel() for weight in make_unet().parameters())
    make_unet().half().save_pretrained(tmp_path / "cats" / "unet", variant="fp16", max_shard_size="20KB")
    respell(tmp_path / "cats" / "unet")
    assert len(list((tmp_path / "cats" / "unet").glob("*-of-*"))) > 2
    card = card_at(tmp_path / "cats")
    assert (card.parameters, card.dtype) == (whole, "F16")
    found = load_file(tmp_path / "cats").network.state_dict()
    assert torch.equal(found["unet.conv_in.weight"], make_unet().half().state_dict()["conv_in.weight"].float())


def test_a_shard_that_is_missing_is_named(tmp_path, make_unet):
    make_unet().save_pretrained(tmp_path / "unet", max_shard_size="20KB")
    without_index(tmp_path / "unet")
    gone = sorted((tmp_path / "unet").glob("*-00002-of-*"))[0]
    gone.unlink()
    assert f"the shard '{gone.name}' is missing; copy the folder again" in refusal(tmp_path)


def test_the_plain_file_is_taken_before_its_variants(tmp_path, make_unet):
    make_unet().half().save_pretrained(tmp_path / "unet", variant="fp16", max_shard_size="20KB")
    make_unet().save_pretrained(tmp_path / "unet")
    assert card_at(tmp_path).dtype == "F32"


def test_shards_of_pickles_are_read_by_one_process(tmp_path, make_unet, monkeypatch):
    make_unet().save_pretrained(tmp_path / "unet", max_shard_size="20KB", safe_serialization=False)
    assert len(list((tmp_path / "unet").glob("*.bin"))) > 2
    started, run = [], sandbox.subprocess.Popen
    monkeypatch.setattr(sandbox.subprocess, "Popen", lambda *a, **k: started.append(a) or run(*a, **k))
    found = load_file(tmp_path).network.state_dict()
    assert sum("diffstudio.checkpoints.child" in command for (command,) in started) == 1
    assert all(torch.equal(found[f"unet.{name}"], tensor) for name, tensor in make_unet().state_dict().items())


# ── prefixes, raw and averaged ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("prefix", ["_orig_mod.", "module.", "module._orig_mod."])
def test_a_network_that_was_compiled_or_distributed_when_it_was_saved_opens(folder, prefix):
    file = folder / "unet" / WEIGHTS
    before = library_load(file)
    save_file({f"{prefix}{name}": tensor for name, tensor in before.items()}, file)
    found = load_file(folder).network.state_dict()
    assert all(torch.equal(found[f"unet.{name}"], tensor) for name, tensor in before.items())


def test_weights_that_do_not_fit_say_what_is_there_instead(folder):
    file = folder / "unet" / WEIGHTS
    save_file({name.replace("conv_in.bias", "conv_on.bias"): t for name, t in library_load(file).items()}, file)
    with pytest.raises(
        BadFile, match=r"'unet\.conv_in\.bias' is missing and tensor 'unet\.conv_on\.bias' does not bel"
    ):
        load_file(folder)


def doubled(folder, make_unet):
    """A training's folder with the averaged network beside the raw one."""
    shutil.copytree(folder / "unet", folder / "unet_ema")
    state = {name: tensor + 1 for name, tensor in make_unet().state_dict().items()}
    save_file(state, folder / "unet_ema" / WEIGHTS)


def with_raw_variant(folder, make_unet):
    """As Stable Diffusion 1.5 was published: the averages, and the raw weights as a variant."""
    unet = folder / "unet"
    (unet / WEIGHTS).rename(unet / f"{BASE}.non_ema.safetensors")
    save_file({name: tensor + 1 for name, tensor in make_unet().state_dict().items()}, unet / WEIGHTS)


@pytest.mark.parametrize("make", [doubled, with_raw_variant])
def test_averages_come_first_and_a_card_beside_the_folder_asks_for_the_raw_ones(folder, make_unet, make):
    make(folder, make_unet)
    plain = make_unet().state_dict()["conv_in.weight"]
    for asked, added in ((None, 1), ("raw", 0), ("averaged", 1)):
        if asked is not None:
            folder.with_name("cats.card.json").write_text(json.dumps({"weights": asked}), "utf-8")
        model = load_file(folder)
        assert model.card.weights == (asked or "averaged")
        assert f"its {asked or 'averaged'} weights are taken" in model.card.notes[-1]
        torch.testing.assert_close(model.network.state_dict()["unet.conv_in.weight"], plain + added)


def test_raw_weights_that_are_not_there_can_not_be_asked_for(folder):
    folder.with_name("cats.card.json").write_text('{"weights": "raw"}', "utf-8")
    assert "asks for raw weights, the folder has one set of weights alone" in refusal(folder)


# ── size, and the card beside the folder ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("changes", "side"),
    [({}, 32), ({"in_channels": 1, "out_channels": 1}, 28), ({"block_out_channels": (4, 8, 8, 8)}, 64)],
)
def test_a_size_that_is_not_told_is_assumed_and_said(tmp_path, make_unet, changes, side):
    levels = len(changes.get("block_out_channels", (0, 0)))
    kinds = {"down_block_types": ("DownBlock2D",) * levels, "up_block_types": ("UpBlock2D",) * levels}
    make_unet(**{**kinds, **changes}).save_pretrained(tmp_path / "cats" / "unet")
    change(tmp_path / "cats" / "unet" / "config.json", sample_size=None)
    card = card_at(tmp_path / "cats")
    assert card.shape[1:] == (side, side)
    said = f"its size is not said: {side}×{side} is taken; a card beside it (cats.card.json) with a shape says another"
    assert card.notes == (said,)


def test_a_card_beside_the_folder_replaces_size_name_and_defaults(folder):
    change(folder / "unet" / "config.json", sample_size=None)
    beside = {"shape": [3, 16, 12], "name": "my cats", "defaults": {"steps": 3}, "licence": "MIT"}
    folder.with_name("cats.card.json").write_text(json.dumps(beside), "utf-8")
    model = load_file(folder)
    card = model.card
    assert (card.shape, card.name, card.defaults, card.licence) == ((3, 16, 12), "my cats", {"steps": 3}, "MIT")
    assert card.notes == ()
    with torch.no_grad():
        assert model.network(torch.zeros(1, 3, 16, 12), torch.zeros(1)).shape == (1, 3, 16, 12)
    folder.with_name("cats.card.json").write_text('{"shape": [3, 9, 12]}', "utf-8")
    assert "cats.card.json: sample_size is 9×12, expected sides divisible by 2" in refusal(folder)


def test_the_scan_sees_the_card_that_is_put_beside_a_folder(folder):
    catalog = Catalog([("user", folder.parent)])
    (entry,) = catalog.scan()
    assert entry.card is not None and entry.card.shape == (3, 8, 8)
    folder.with_name("cats.card.json").write_text('{"shape": [3, 16, 16]}', "utf-8")
    (entry,) = catalog.scan()
    assert entry.card is not None and entry.card.shape == (3, 16, 16)
    folder.with_name("cats.card.json").unlink()
    (entry,) = catalog.scan()
    assert entry.card is not None and entry.card.shape == (3, 8, 8)


def test_of_latents_the_picture_follows_from_the_shape_and_the_shape_from_the_picture(tmp_path, diffusers, make_unet):
    torch.manual_seed(0)
    vae = diffusers.AutoencoderKL(
        block_out_channels=(4, 8), down_block_types=("DownEncoderBlock2D",) * 2, norm_num_groups=2,
        up_block_types=("UpDecoderBlock2D",) * 2, latent_channels=3,
    )  # fmt: skip
    diffusers.LDMPipeline(vae, make_unet(), diffusers.DDIMScheduler()).save_pretrained(tmp_path / "latent")
    for beside in ({"shape": [3, 12, 16]}, {"decoded": [3, 24, 32]}):
        (tmp_path / "latent.card.json").write_text(json.dumps(beside), "utf-8")
        card = card_at(tmp_path / "latent")
        assert (card.shape, card.decoded) == ((3, 12, 16), (3, 24, 32))


# ── what is left out, what is quantised ─────────────────────────────────────────────────────────────────────────────


def test_a_part_that_is_left_out_is_said_on_the_card(folder):
    index = {"controlnet": ["diffusers", "ControlNetModel"], "image_encoder": [None, None]}
    change(folder / "model_index.json", **index, safety_checker=["stable_diffusion", "Checker"])
    assert card_at(folder).notes == ("its controlnet (ControlNetModel) is left out: the model is opened without it",)


NF4 = {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}


@pytest.mark.parametrize(
    ("said", "who"),
    [
        (NF4, "bitsandbytes NF4"),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, "bitsandbytes int8"),
        ({"quant_method": "quanto", "weights_dtype": "int4"}, "quanto int4"),
        ({"quant_method": "torchao", "quant_type": "int8wo"}, "torchao int8wo"),
        ({"quant_method": "gguf"}, "GGUF"),
    ],
)
def test_quantised_weights_are_said_by_their_config_when_they_are_listed(folder, said, who):
    change(folder / "unet" / "config.json", quantization_config=said)
    assert f"its weights are quantised ({who}): open the model in 16 bits or fp8" in refusal(folder)


@pytest.mark.parametrize(
    ("beside", "who"),
    [
        ({".absmax": torch.zeros(3), ".quant_state.bitsandbytes__nf4": torch.zeros(3, dtype=torch.uint8)}, "NF4"),
        ({".SCB": torch.zeros(3)}, "bitsandbytes int8"),
        ({"._data": torch.zeros(3)}, "quanto"),
    ],
)
def test_and_by_what_lies_beside_a_weight(folder, beside, who):
    file, name = folder / "unet" / WEIGHTS, "up_blocks.0.attentions.0.to_q.weight"
    save_file({**library_load(file), **{f"{name}{end}": tensor for end, tensor in beside.items()}}, file)
    assert who in refusal(folder) and "its weights are quantised" in refusal(folder)


def test_and_by_whole_numbers(folder):
    file = folder / "unet" / WEIGHTS
    save_file({name: tensor.to(torch.int8) for name, tensor in library_load(file).items()}, file)
    assert "its weights are quantised (I8)" in refusal(folder)


@pytest.mark.parametrize("changes", [{"attention_head_dim": None}, {"add_attention": False}, {"mid_block_type": None}])
def test_what_a_config_says_by_null_is_kept(tmp_path, make_unet, changes):
    network = make_unet(block_out_channels=(16, 32), **changes)
    network.save_pretrained(tmp_path / "unet")
    assert "null" in (tmp_path / "unet" / "config.json").read_text("utf-8")
    x, t = torch.randn(1, 3, 8, 8), torch.tensor([5.0])
    with torch.no_grad():
        torch.testing.assert_close(load_file(tmp_path).network(x, t), network(x, t).sample)


def test_layers_that_are_left_over_are_left_out_and_a_tensor_within_a_layer_is_refused(folder, caplog):
    file = folder / "unet" / WEIGHTS
    before = library_load(file)
    save_file({**before, "old_head.proj.weight": torch.zeros(3), "old_head.proj.bias": torch.zeros(3)}, file)
    found = load_file(folder).network.state_dict()
    assert found.keys() == {f"unet.{name}" for name in before}
    assert "2 tensors of layers that its network does not have are left out, as 'unet.old_head.proj" in caplog.text
    save_file({**before, "conv_in.gain": torch.zeros(3)}, file)
    with pytest.raises(BadFile, match=r"tensor 'unet\.conv_in\.gain' does not belong"):
        load_file(folder)
