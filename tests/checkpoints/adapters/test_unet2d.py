"""A UNet2DModel without its config: names and shapes tell all but size, heads, groups and chain."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file as library_load
from safetensors.torch import save_file

from diffstudio.checkpoints.adapters import card_at
from diffstudio.errors import BadFile
from diffstudio.networks.model import load_file

WIDTHS = {"block_out_channels": (32, 64), "norm_num_groups": 32}


def batch(channels=3, side=8):
    generator = torch.Generator().manual_seed(3)
    return torch.randn(2, channels, side, side, generator=generator), torch.tensor([3.0, 700.0])


def same(network, own, *inputs, **more):
    with torch.no_grad():
        torch.testing.assert_close(network(*inputs, **more), own, atol=1e-5, rtol=1e-4)


KINDS = {
    "plain": {},
    "resnet": {
        "downsample_type": "resnet",
        "upsample_type": "resnet",
        "down_block_types": ("ResnetDownsampleBlock2D", "AttnDownBlock2D"),
        "up_block_types": ("AttnUpBlock2D", "ResnetUpsampleBlock2D"),
        "resnet_time_scale_shift": "scale_shift",
    },
    "without attention": {
        "down_block_types": ("DownBlock2D",) * 2,
        "up_block_types": ("UpBlock2D",) * 2,
        "layers_per_block": 2,
    },
    "fourier, as score_sde has it": {"time_embedding_type": "fourier", "flip_sin_to_cos": False},
    "classes and a learned variance": {"num_class_embeds": 4, "out_channels": 6},
    "no attention in the middle": {"add_attention": False},
    "other widths": {"block_out_channels": (24, 48), "norm_num_groups": 8, "time_embedding_dim": 40},
}


@pytest.mark.parametrize("kind", KINDS)
def test_it_gives_what_the_class_gives(tmp_path, make_unet, kind):
    network = make_unet(**{**WIDTHS, **KINDS[kind]})
    path = tmp_path / "cats.safetensors"
    save_file({f"model.{name}": tensor for name, tensor in network.state_dict().items()}, path)
    (tmp_path / "cats.safetensors.card.json").write_text('{"shape": [3, 8, 8]}', "utf-8")
    model = load_file(path)
    labels = torch.tensor([1, 3]) if model.card.labels else None
    with torch.no_grad():
        expected = network(*batch(), labels).sample
    same(model.network, expected, *batch(), labels)
    assert model.card.format == "unet2d" and model.card.learned_range == (network.config.out_channels == 6)
    assert len(model.card.labels) == (network.config.num_class_embeds or 0)


class Course(torch.nn.Module):
    """The class-conditioned network of the Hugging Face course (unit 2): the class as further channels."""

    def __init__(self, network):
        super().__init__()
        self.class_emb = torch.nn.Embedding(10, 4)
        self.model = network

    def forward(self, x, t, labels):
        told = self.class_emb(labels).view(len(x), -1, 1, 1).expand(len(x), 4, *x.shape[2:])
        return self.model(torch.cat((x, told), 1), t).sample


@pytest.mark.parametrize("prefix", ["", "module."])
def test_the_network_of_the_course_is_told_its_classes_by_channels(tmp_path, make_unet, prefix):
    network = Course(make_unet(**WIDTHS, in_channels=5, out_channels=1)).eval()
    path = tmp_path / "digits.safetensors"
    save_file({f"{prefix}{name}": tensor for name, tensor in network.state_dict().items()}, path)
    (tmp_path / "digits.safetensors.card.json").write_text('{"shape": [1, 8, 8]}', "utf-8")
    model = load_file(path)
    card = model.card
    assert (len(card.labels), card.any_label, card.path.name) == (10, False, "vp_cosine_table")
    assert card.parameters == sum(weight.numel() for weight in network.parameters())
    labels = torch.tensor([1, 7])
    with torch.no_grad():
        expected = network(*batch(1), labels)
    same(model.network, expected, *batch(1), labels)


def test_what_is_not_told_is_said_and_a_card_replaces_it(tmp_path, make_unet):
    network = make_unet(**WIDTHS, in_channels=1, out_channels=1)
    torch.save(network.state_dict(), tmp_path / "unet.pth")
    card = card_at(tmp_path / "unet.pth")
    assert card.shape == (1, 28, 28)
    assert card.notes == (
        "its size is not said: 28×28 is taken; a card beside the file (unet.pth.card.json) says another",
    )
    assert "DDPM's linear table and ε are taken" in card.description
    assert "the 8 numbers of a head and the 32 groups" in card.description
    beside = {"shape": [1, 16, 24], "prediction": "v", "network_args": {"attention_head_dim": 16}}
    (tmp_path / "unet.pth.card.json").write_text(json.dumps(beside), "utf-8")
    card = card_at(tmp_path / "unet.pth")
    assert (card.shape, card.prediction, card.notes) == ((1, 16, 24), "v", ())
    assert (card.network_args["attention_head_dim"], card.network_args["block_out_channels"]) == (16, [32, 64])
    (tmp_path / "unet.pth.card.json").write_text('{"shape": [1, 15, 16]}', "utf-8")
    with pytest.raises(BadFile, match=r"unet.pth.card.json: sample_size is 15×16, expected sides divisible by 2"):
        card_at(tmp_path / "unet.pth")


def test_the_card_that_names_the_network_opens_it_as_the_docs_say(tmp_path, make_unet):
    """real: network diffusers_unet and all of its arguments beside the state_dict of the class."""
    network = make_unet(**WIDTHS)
    save_file(network.state_dict(), tmp_path / "unet.safetensors")
    args = {**WIDTHS, "layers_per_block": 1, "down_block_types": ["DownBlock2D", "AttnDownBlock2D"]}
    args |= {"up_block_types": ["AttnUpBlock2D", "UpBlock2D"], "sample_size": 8}
    beside = {"modality": "image", "shape": [3, 8, 8], "path": {"name": "vp_linear"}, "prediction": "eps"}
    beside |= {"time": "timestep", "network": "diffusers_unet", "network_args": args}
    (tmp_path / "unet.safetensors.card.json").write_text(json.dumps(beside), "utf-8")
    with torch.no_grad():
        expected = network(*batch()).sample
    same(load_file(tmp_path / "unet.safetensors").network, expected, *batch())


def test_attention_under_its_old_names_is_its_own(tmp_path, make_unet):
    state, old = make_unet(**WIDTHS).state_dict(), {}
    for name, tensor in state.items():
        for new, then in {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}.items():
            name = name.replace(f".{new}.", f".{then}.")
        old[name] = tensor
    assert old.keys() != state.keys()
    save_file(old, tmp_path / "old.safetensors")
    found = load_file(tmp_path / "old.safetensors").network.state_dict()
    assert all(torch.equal(found[f"unet.{name}"], tensor) for name, tensor in state.items())


def test_blocks_that_weights_do_not_tell_want_their_config(tmp_path, make_unet):
    kinds = {"down_block_types": ("SkipDownBlock2D",) * 2, "up_block_types": ("SkipUpBlock2D",) * 2}
    save_file(make_unet(**WIDTHS, **kinds).state_dict(), tmp_path / "skip.safetensors")
    with pytest.raises(BadFile, match=r"put it beside its config\.json as diffusion_pytorch_model\.bin"):
        card_at(tmp_path / "skip.safetensors")


@pytest.mark.parametrize(
    "damage", ["conv_in.weight", "conv_out.weight", "down_blocks.0.resnets.0.time_emb_proj.weight"]
)
@pytest.mark.parametrize("shape", [(), (0,), (2, 3)])
def test_shapes_that_make_no_network_are_refused_in_a_sentence(tmp_path, make_unet, damage, shape):
    path = tmp_path / "odd.safetensors"
    make_unet(**WIDTHS).save_pretrained(tmp_path / "folder")
    state = library_load(tmp_path / "folder" / "diffusion_pytorch_model.safetensors")
    save_file({**state, damage: torch.zeros(shape)}, path)
    with pytest.raises(BadFile) as caught:
        load_file(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
