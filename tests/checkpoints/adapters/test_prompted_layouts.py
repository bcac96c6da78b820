"""Text-to-image models as they are found: pruned, with parts left out, at another size, pickled, averaged, refused."""

from __future__ import annotations

import json
import shutil

import ldm_files as single
import pytest
import tiny_prompted as tiny
import torch
from safetensors.torch import load_file as library_load
from safetensors.torch import save_file

from diffstudio.checkpoints.adapters import card_at
from diffstudio.errors import BadFile
from diffstudio.networks.model import load_file

UNET = "model.diffusion_model."


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A Stable Diffusion as it is saved."""
    diffusers = pytest.importorskip("diffusers")
    pytest.importorskip("transformers")
    return tiny.stable_diffusion(diffusers, tmp_path_factory.mktemp("made"))[1]


@pytest.fixture
def folder(made, tmp_path):
    return shutil.copytree(made, tmp_path / "painter")


def change(path, **changes):
    """Replace entries of a JSON file; None takes one away."""
    table = {**json.loads(path.read_text("utf-8")), **changes}
    path.write_text(json.dumps({key: value for key, value in table.items() if value is not None}), "utf-8")


def refusal(path):
    with pytest.raises(BadFile) as caught:
        card_at(path)
    said = str(caught.value)
    assert "\n" not in said
    # pydantic's words
    assert not any(word in said for word in ("Input should", "Value error", "constrained-int", "valid integer"))
    return said


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("controlnet", ["diffusers", "ControlNetModel"]),
        ("adapter", ["diffusers", "T2IAdapter"]),
        ("image_encoder", ["transformers", "CLIPVisionModelWithProjection"]),
    ],
)
def test_what_leads_a_pipeline_and_is_left_out_is_said(folder, name, entry):
    change(folder / "model_index.json", **{name: entry})
    assert card_at(folder).notes == (f"its {name} ({entry[1]}) is left out: the model is opened without it",)


def test_a_card_beside_the_folder_asks_for_another_size(folder):
    folder.with_name("painter.card.json").write_text('{"decoded": [3, 32, 48], "name": "wide"}', "utf-8")
    model = load_file(folder)
    assert (model.card.shape, model.card.decoded, model.card.name) == ((4, 16, 24), (3, 32, 48), "wide")
    folder.with_name("painter.card.json").write_text('{"shape": [4, 9, 8]}', "utf-8")
    assert "painter.card.json: sample_size is 9×8, expected sides divisible by 2" in refusal(folder)


def test_shards_of_a_text_encoder_in_half_precision_are_read(folder):
    file, whole = folder / "text_encoder" / "model.safetensors", card_at(folder).parameters
    state = library_load(file)
    file.unlink()
    for i in range(2):
        part = {name: tensor.half() for k, (name, tensor) in enumerate(sorted(state.items())) if k % 2 == i}
        save_file(part, file.with_name(f"model.fp16-{i + 1:05}-of-00002.safetensors"))
    assert card_at(folder).parameters == whole


def test_blocks_of_different_depth_are_those_of_a_pruned_network(tmp_path, diffusers):
    """As segmind/SSD-1B has them: lists in the list of the levels, and others on the way up."""
    torch.manual_seed(0)
    network = diffusers.UNet2DConditionModel(
        sample_size=8, block_out_channels=(8, 16), norm_num_groups=4, cross_attention_dim=8, attention_head_dim=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=[0, [2, 1]], reverse_transformer_layers_per_block=[[1, 2, 1], 0],
        mid_block_type="UNetMidBlock2D",
    ).eval()  # fmt: skip
    _, folder = tiny.stable_diffusion(diffusers, tmp_path)
    shutil.rmtree(folder / "unet")
    network.save_pretrained(folder / "unet")
    model = load_file(folder)
    x, t = torch.randn(1, 4, 8, 8), torch.tensor([5.0])
    words = torch.randn(1, 16, 8)
    with torch.no_grad():
        expected = network(x, t, words).sample
        torch.testing.assert_close(model.network.network(x, t, words).sample, expected)


ODD = [
    ({"time_cond_proj_dim": 256}, "is a Latent Consistency Model (time_cond_proj_dim is '256')"),
    ({"mid_block_type": "UNetMidBlock2DSimpleCrossAttn"}, "is DeepFloyd IF or Kandinsky 2"),
    ({"class_embed_type": "projection"}, "is unCLIP (class_embed_type is 'projection')"),
    ({"addition_embed_type": "text_image"}, "is Kandinsky 2"),
    ({"in_channels": 9}, "in_channels is 9, expected 4 as out_channels: a network that is also given a picture or a"),
    ({"layers_per_block": "many"}, "field layers_per_block is 'many', expected a whole number"),
    ({"cross_attention_dim": [8, 16]}, "field cross_attention_dim is '[8, 16]', expected a whole number"),
    ({"only_cross_attention": True}, "field only_cross_attention is 'True', expected False"),
]


@pytest.mark.parametrize(("changes", "says"), ODD, ids=[says for _, says in ODD])
def test_a_network_of_another_kind_is_told_its_family(folder, changes, says):
    change(folder / "unet" / "config.json", **changes)
    assert says in refusal(folder)


@pytest.mark.parametrize(
    ("pipeline", "says"),
    [
        ("IFPipeline", "is DeepFloyd IF, a text-to-image model of pixels in stages"),
        ("UnCLIPPipeline", "is unCLIP (Karlo), whose network is led by the embedding of a picture"),
        ("StableDiffusionLDM3DPipeline", "is LDM3D, a model of pictures with their depth"),
    ],
)
def test_a_pipeline_is_named_where_its_network_could_be_another_ones(folder, pipeline, says):
    change(folder / "model_index.json", _class_name=pipeline)
    change(folder / "unet" / "config.json", class_embed_type="projection")
    assert says in refusal(folder)


def test_the_refiner_in_a_folder_is_told_apart_from_its_base(folder):
    index = {"text_encoder": [None, None], "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"]}
    change(folder / "model_index.json", **index)
    shutil.move(folder / "text_encoder", folder / "text_encoder_2")
    shutil.move(folder / "tokenizer", folder / "tokenizer_2")
    change(folder / "text_encoder_2" / "config.json", architectures=["CLIPTextModelWithProjection"])
    assert "is the refiner of Stable Diffusion XL, which goes on from another model" in refusal(folder)


def test_a_quantised_text_encoder_is_said(folder):
    said = {"quant_method": "bitsandbytes", "load_in_8bit": True}
    change(folder / "text_encoder" / "config.json", quantization_config=said)
    assert "text_encoder: its weights are quantised (bitsandbytes int8)" in refusal(folder)


# ── in one file ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The tensors of a Stable Diffusion 1 in one file."""
    diffusers = pytest.importorskip("diffusers")
    pytest.importorskip("transformers")
    return library_load(single.first(diffusers, tmp_path_factory.mktemp("one"))[0])


def test_a_pickle_opens_as_the_safetensors_file_does(whole, tmp_path):
    save_file(whole, tmp_path / "painter.safetensors")
    torch.save({"state_dict": whole, "global_step": 470_000, "callbacks": {}}, tmp_path / "painter.ckpt")
    plain, pickled = (card_at(tmp_path / f"painter.{end}") for end in ("safetensors", "ckpt"))
    assert pickled == plain
    first, second = (load_file(tmp_path / f"painter.{end}").network.state_dict() for end in ("safetensors", "ckpt"))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_averages_under_names_without_dots_come_first(whole, tmp_path):
    """As latent-diffusion keeps them in the full published files."""
    own = [name for name in whole if name.startswith(UNET)]
    averages = {f"model_ema.{name.removeprefix('model.').replace('.', '')}": whole[name] + 1 for name in own}
    path = tmp_path / "full.safetensors"
    save_file({**whole, **averages}, path)
    save_file(whole, tmp_path / "plain.safetensors")
    assert card_at(path).parameters == card_at(tmp_path / "plain.safetensors").parameters
    plain = load_file(tmp_path / "plain.safetensors").network.state_dict()["network.conv_in.weight"]
    for asked, added in ((None, 1), ("raw", 0)):
        if asked:
            (tmp_path / "full.safetensors.card.json").write_text(json.dumps({"weights": asked}), "utf-8")
        model = load_file(path)
        assert model.card.weights == (asked or "averaged")
        torch.testing.assert_close(model.network.state_dict()["network.conv_in.weight"], plain + added)
    some = dict(list(averages.items())[1:])  # an average is missing: they are none of this network
    save_file({**whole, **some}, tmp_path / "some.safetensors")
    assert card_at(tmp_path / "some.safetensors").weights == ""


@pytest.mark.parametrize("prefix", ["", "module."])
def test_the_network_alone_is_no_guided_diffusion(whole, tmp_path, prefix):
    alone = {prefix + name.removeprefix(UNET): t for name, t in whole.items() if name.startswith(UNET)}
    save_file(alone, tmp_path / "unet.safetensors")
    assert "without the text encoders or the autoencoder that go with it" in refusal(tmp_path / "unet.safetensors")


def test_a_size_that_a_card_beside_the_file_tells_is_that_of_the_picture_too(whole, tmp_path):
    save_file(whole, tmp_path / "painter.safetensors")
    (tmp_path / "painter.safetensors.card.json").write_text('{"shape": [4, 40, 48]}', "utf-8")
    assert card_at(tmp_path / "painter.safetensors").decoded == (3, 80, 96)
