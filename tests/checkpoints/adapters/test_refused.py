"""What lies beside models, and published models that do not open: each is called what it is, behind any prefix."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file

from diffstudio.checkpoints.adapters import card_at
from diffstudio.checkpoints.adapters.companions import COMPANIONS
from diffstudio.checkpoints.adapters.families import FAMILIES, family_of_class, family_of_file
from diffstudio.checkpoints.adapters.family_signs import SIGNS
from diffstudio.checkpoints.adapters.look import Ends
from diffstudio.errors import BadFile
from diffstudio.networks import NETWORKS


def sentence(path):
    with pytest.raises(BadFile) as caught:
        card_at(path)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)
    return str(caught.value)


def of_names(path, *names, shape=(4, 8)):
    """The sentence for a file with such tensors."""
    save_file({name: torch.zeros(shape) for name in names}, path)
    return sentence(path)


def test_layers_that_are_those_of_no_known_network_want_a_card(tmp_path):
    layers = torch.nn.Sequential(torch.nn.Linear(5, 16), torch.nn.GELU(), torch.nn.Linear(16, 2))
    torch.save({f"net.{name}": weight for name, weight in layers.state_dict().items()}, tmp_path / "other.pt")
    said = sentence(tmp_path / "other.pt")
    assert "put a card beside it" in said and "the network whose 4 tensors it holds is not known here" in said
    assert "only networks of the registry run" in said


def test_a_shard_alone_is_told_that_it_is_one(tmp_path):
    said = of_names(tmp_path / "model-00002-of-00004.safetensors", "down.5.weight", "down.6.weight")
    assert "is one of 4 shards of a network, which opens as a folder" in said


def test_weights_of_a_network_of_ours_are_sent_to_the_command_that_writes_their_card(tmp_path):
    state = NETWORKS["mlp"]((2,), 0, width=8, depth=1, octaves=1, embed=6).state_dict()
    torch.save({"model_state_dict": state}, tmp_path / "mine.pt")
    assert "it holds the weights of a network of ours" in sentence(tmp_path / "mine.pt")
    assert "`diffstudio card mine.pt`" in sentence(tmp_path / "mine.pt")


BY_NAMES = {
    "is a LoRA: a change to a model": [
        ("lora_unet_x.lora_down.weight", "lora_unet_x.lora_up.weight"),
        ("base_model.model.x.lora_A.weight",),
        ("unet.to_k_lora.down.weight", "unet.to_k_lora.up.weight"),
        ("unet.x.processor.to_q_lora.down.weight",),
        ("unet.x.to_q.lora.down.weight",),
        ("x.lora_linear_layer.up.weight",),
    ],
    "is a LoHa (LyCORIS)": [("lora_unet_x.hada_w1_a", "lora_unet_x.hada_w1_b")],
    "is a LoKr (LyCORIS)": [("lora_unet_x.lokr_w1",), ("lycoris_x.lokr_w2_a",)],
    "is an OFT": [("lora_unet_x.oft_blocks",), ("x.oft_diag",), ("x.oft_R.default.weight",)],
    "holds differences of weights": [("diffusion_model.x.diff", "diffusion_model.x.diff_b")],
    "is a model with a LoRA that is not merged": [("x.base_layer.weight", "x.lora_A.default.weight")],
    "is a ControlNet, which leads a model": [
        ("control_model.input_blocks.0.0.weight",),
        ("controlnet_cond_embedding.conv_in.weight",),
        ("controlnet_blocks.0.weight", "transformer_blocks.0.attn.to_q.weight", "proj_out.weight"),
        ("state_dict.control_model.input_hint_block.0.weight",),
    ],
    "is a T2I-Adapter": [("body.0.in_conv.weight",), ("adapter.body.0.resnets.0.block1.weight",)],
    "is an IP-Adapter": [("image_proj.proj.weight", "ip_adapter.1.to_k_ip.weight"), ("image_proj.latents",)],
    "is an embedding of a word (textual inversion)": [("emb_params",), ("clip_l", "clip_g"), ("<cat-toy>",)],
    "is a motion module (AnimateDiff)": [("down_blocks.0.motion_modules.0.temporal_transformer.norm.weight",)],
    "is an encoder of pictures": [("vision_model.embeddings.patch_embedding.weight",), ("visual.conv1.weight",)],
    "is a text encoder": [
        ("text_model.embeddings.token_embedding.weight",),
        ("text_encoders.t5xxl.transformer.encoder.block.0.layer.0.SelfAttention.q.weight",),
        ("model.embed_tokens.weight", "model.layers.0.self_attn.q_proj.weight"),
    ],
    "is an autoencoder": [
        ("decoder.conv_in.weight", "encoder.conv_in.weight"),
        ("first_stage_model.decoder.conv_in.weight", "first_stage_model.encoder.conv_in.weight"),
    ],
    "is a tiny autoencoder (TAESD)": [
        ("encoder.layers.0.weight", "decoder.layers.1.weight"),
        ("0.weight", "1.conv.0.weight"),
    ],
    "is an upscaler of pictures": [("model.1.sub.0.RDB1.conv1.0.weight",), ("params_ema.body.0.rdb1.conv1.weight",)],
    "without the text encoders or the autoencoder that go with it": [
        ("input_blocks.0.0.weight", "middle_block.1.transformer_blocks.0.attn2.to_k.weight"),
        ("conv_in.weight", "mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight"),
    ],
    "is a transformer of diffusers without its config.json": [
        ("transformer_blocks.0.attn.to_q.weight", "proj_out.weight"),
    ],
    "its weights are quantised (bitsandbytes NF4)": [("x.weight", "x.weight.quant_state.bitsandbytes__nf4")],
    "its weights are quantised (GPTQ or AWQ)": [("x.qweight", "x.scales")],
    "holds data, samples or labels (images 4×8, labels 4×8)": [("images", "labels")],
}  # fmt: skip


@pytest.mark.parametrize("said", BY_NAMES)
def test_a_companion_is_called_what_it_is(tmp_path, said):
    for names in BY_NAMES[said]:
        assert said in of_names(tmp_path / "one.safetensors", *names), names


def optimiser():
    layer = torch.nn.Linear(3, 3)
    found = torch.optim.AdamW(layer.parameters())
    layer(torch.zeros(1, 3)).sum().backward()
    found.step()
    return found.state_dict()


SAVED = {
    "optimizer.bin": (optimiser, "is the state of an optimiser, and no network: the weights lie beside it"),
    "opt010000.pt": (lambda: {"opt": optimiser(), "step": 3}, "is the state of an optimiser"),
    "lr_scheduler.pth": (lambda: {"last_epoch": 3, "base_lrs": [1e-4]}, "is the state of a schedule of learning rates"),
    "scaler.pt": (lambda: {"scale": 1.0, "growth_factor": 2.0}, "is the state of a gradient scaler"),
    "embedding.pt": (lambda: {"string_to_param": {"*": torch.zeros(2, 768)}, "name": "cat"}, "embedding of a word"),
    "learned_embeds.bin": (lambda: {"<cat>": torch.zeros(768)}, "embedding of a word"),
    "samples.pt": (lambda: torch.zeros(16, 3, 8, 8), "holds data, samples or labels (one tensor 16×3×8×8)"),
    "pairs.pt": (lambda: [torch.zeros(4, 2), torch.zeros(4)], "holds data, samples or labels (0 4×2, 1 4)"),
    "metrics.pt": (lambda: {"loss": 0.3, "epoch": 7}, "holds no tensor, and so no network"),
}


@pytest.mark.parametrize("name", SAVED)
def test_what_a_training_leaves_beside_its_weights_is_called_what_it_is(tmp_path, name):
    make, says = SAVED[name]
    torch.save(make(), tmp_path / name)
    assert says in sentence(tmp_path / name)


def test_every_row_says_what_it_is():
    for row in COMPANIONS:
        assert row.why.startswith(("is a", "is the", "is an", "holds", "has")) and row.label and row.recognised


# ── published models ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", SIGNS)
def test_a_published_model_in_one_file_is_named_behind_the_prefixes_of_comfyui(tmp_path, name):
    for signs in SIGNS[name]:
        for prefix in ("", "model.diffusion_model.", "net."):
            names = [prefix + sign.replace("*.", "down_blocks.0.") for sign in signs]
            said = of_names(tmp_path / "one.safetensors", *names)
            assert said.startswith(f"{tmp_path / 'one.safetensors'} is {name}, "), (names, said)
            assert "it does not open here; sample it with" in said


@pytest.mark.parametrize(
    ("name", "sign"),
    [("Flux 2", "double_stream_modulation_img.lin.weight"), ("Chroma", "distilled_guidance_layer.in_proj.weight")],
)
def test_relatives_of_flux_are_named_before_encoders_are_asked_for(tmp_path, name, sign):
    said = of_names(tmp_path / "one.safetensors", "double_blocks.0.img_attn.qkv.weight", "img_in.weight", sign)
    assert f"is {name}, " in said and "clip_l" not in said


def test_quantised_flux_in_one_file_is_said_before_encoders_are_asked_for(tmp_path):
    first = "model.diffusion_model.double_blocks.0.img_attn.qkv.weight"
    said = of_names(tmp_path / "one.safetensors", first, f"{first}.absmax", f"{first}.quant_state.bitsandbytes__nf4")
    assert "its weights are quantised (bitsandbytes NF4)" in said and "clip_l" not in said


def test_signs_belong_to_families_and_no_class_begins_two():
    named = [family.name for family in FAMILIES]
    assert len(set(named)) == len(named) and SIGNS.keys() <= set(named)
    starts = [start for family in FAMILIES for start in family.classes]
    for place, start in enumerate(starts):
        assert not any(start.startswith(earlier) for earlier in starts[:place]), start


# The classes of diffusers that stand on networks which open, and so have no family here.
OPEN = ("Flux", "StableDiffusion", "LatentConsistencyModel", "SemanticStableDiffusion", "TextToVideoZero")
SMALL = {
    "AudioDiffusion",
    "ConsistencyModel",
    "CycleDiffusion",
    "DDIM",
    "DDPM",
    "DiT",
    "KarrasVe",
    "LDM",
    "PNDM",
    "RePaint",
    "ScoreSdeVe",
}


def test_every_pipeline_of_diffusers_is_named_or_stands_on_a_network_that_opens(diffusers):
    if tuple(map(int, diffusers.__version__.split(".")[:2])) > (0, 42):
        pytest.skip("newer models of a newer diffusers are told by their class alone")
    structure = diffusers._import_structure
    names = [name for place, found in structure.items() if "modular" not in place for name in found]
    pipelines = {name for name in names if name.endswith("Pipeline")} - {"DiffusionPipeline", "ModularPipeline"}
    unnamed = {name for name in pipelines if family_of_class(name) is None}
    assert len(pipelines) > 100
    assert {name for name in unnamed if not name.startswith(OPEN)} <= {f"{name}Pipeline" for name in SMALL}


CLASSES = """
    Wan Transformer3DModel|QwenImage Transformer2DModel|ZImage Transformer2DModel|Flux2 Transformer2DModel
    LTXVideo Transformer3DModel|HunyuanVideo Transformer3DModel|PixArt Transformer2DModel|Sana Transformer2DModel
    AuraFlow Transformer2DModel|Lumina2 Transformer2DModel|CogVideoX Transformer3DModel|StableCascade UNet
    UNet SpatioTemporalConditionModel|UNet 3DConditionModel
"""


@pytest.mark.parametrize("name", "|".join(CLASSES.strip().splitlines()).replace(" ", "").split("|"))
def test_the_tensors_of_a_class_and_its_name_say_the_same_family(diffusers, name):
    cls = getattr(diffusers, name, None)
    if cls is None:
        pytest.skip("an older diffusers has no such class")
    with torch.device("meta"):
        names = list(cls().state_dict())
    by_class, by_file = family_of_class(name), family_of_file(SimpleNamespace(ends=Ends(names)))  # type: ignore
    assert by_class is not None and by_file is by_class


UNET, LED = "UNet2DConditionModel", "whose network is led by the embedding of a picture"
FOLDERS = [
    ("WanPipeline", "transformer", "WanTransformer3DModel", "is Wan or a relative of it, a model of videos"),
    ("KandinskyV22Pipeline", "unet", UNET, f"is Kandinsky 2.2, {LED}"),
    ("StableDiffusionImageVariationPipeline", "unet", UNET, f"is Stable Diffusion Image Variations, {LED}"),
    ("StableDiffusionPipeline", "unet", UNET, "is told a prompt or a picture, and its index names no text encoder"),
    ("StableCascadePriorPipeline", "prior", "StableCascadeUNet", "is Stable Cascade, a text-to-image model"),
    ("ShapEPipeline", "prior", "PriorTransformer", "is Shap-E, a model of 3-D shapes"),
    (
        "MyPipeline",
        "brain",
        "MyNet",
        "is a pipeline of the class 'MyPipeline', which has no network that is known here",
    ),
    ("MyPipeline", "unet", "MyNet", "with a network of the class 'MyNet', which is not known here"),
    (None, "unet", UNET, "without its text encoders: open the folder of the whole pipeline"),
]


@pytest.mark.parametrize(("pipeline", "name", "network", "says"), FOLDERS)
def test_a_folder_is_told_what_it_is(tmp_path, pipeline, name, network, says):
    if pipeline:
        index = {"_class_name": pipeline, name: ["diffusers", network], "movq": ["diffusers", "VQModel"]}
        (tmp_path / "model_index.json").write_text(json.dumps(index), "utf-8")
    (tmp_path / name).mkdir()
    (tmp_path / name / "config.json").write_text(json.dumps({"_class_name": network}), "utf-8")
    assert says in sentence(tmp_path)


def test_weights_alone_in_a_large_pipeline_are_not_asked_for_before_the_family_is_named(tmp_path):
    """The weights of Wan are 28 GB: nobody should fetch them to hear that they do not open."""
    index = {"_class_name": "WanPipeline", "transformer": ["diffusers", "WanTransformer3DModel"]}
    (tmp_path / "model_index.json").write_text(json.dumps(index), "utf-8")
    assert "is Wan or a relative of it" in sentence(tmp_path)
