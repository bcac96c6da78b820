"""DiT as its authors publish it: the network of diffusers by other names, and the time as their own code tells it."""

from __future__ import annotations

import math

import pytest
import torch
from safetensors.torch import save_file

from diffstudio.checkpoints.adapters import card_at
from diffstudio.errors import BadFile
from diffstudio.networks.model import load_file

TIMES = "transformer_blocks.0.norm1.emb."
BLOCK = {
    "attn1.to_out.0": "attn.proj",
    "ff.net.0.proj": "mlp.fc1",
    "ff.net.2": "mlp.fc2",
    "norm1.linear": "adaLN_modulation.1",
}


def published(state, layers):
    """The tensors by the names of facebookresearch/DiT, those of times and classes once."""
    out = {"pos_embed": torch.zeros(1, 4, state["pos_embed.proj.weight"].shape[0])}
    for kind in ("weight", "bias"):
        out[f"x_embedder.proj.{kind}"] = state[f"pos_embed.proj.{kind}"]
        out[f"t_embedder.mlp.0.{kind}"] = state[f"{TIMES}timestep_embedder.linear_1.{kind}"]
        out[f"t_embedder.mlp.2.{kind}"] = state[f"{TIMES}timestep_embedder.linear_2.{kind}"]
        out[f"final_layer.linear.{kind}"] = state[f"proj_out_2.{kind}"]
        out[f"final_layer.adaLN_modulation.1.{kind}"] = state[f"proj_out_1.{kind}"]
        for i in range(layers):
            at = f"transformer_blocks.{i}."
            out[f"blocks.{i}.attn.qkv.{kind}"] = torch.cat([state[f"{at}attn1.to_{q}.{kind}"] for q in "qkv"])
            out |= {f"blocks.{i}.{new}.{kind}": state[f"{at}{own}.{kind}"] for own, new in BLOCK.items()}
    out["y_embedder.embedding_table.weight"] = state[f"{TIMES}class_embedder.embedding_table.weight"]
    return out


@pytest.fixture
def made(tmp_path, diffusers):
    """A network of diffusers whose blocks tell the time alike, its file by the other names, and an autoencoder."""
    torch.manual_seed(0)
    network = diffusers.DiTTransformer2DModel(
        num_attention_heads=1, attention_head_dim=64, in_channels=4, out_channels=8, num_layers=2, sample_size=4,
        num_embeds_ada_norm=10,
    ).eval()  # fmt: skip
    state = network.state_dict()
    state |= {name.replace("blocks.0.", "blocks.1."): t for name, t in state.items() if name.startswith(TIMES)}
    network.load_state_dict(state)
    diffusers.AutoencoderKL(
        block_out_channels=(4, 8), down_block_types=("DownEncoderBlock2D",) * 2, norm_num_groups=2,
        up_block_types=("UpDecoderBlock2D",) * 2,
    ).save_pretrained(tmp_path / "vae")  # fmt: skip
    path = tmp_path / "DiT-S-2-256x256.safetensors"
    save_file({name: tensor.clone() for name, tensor in published(state, 2).items()}, path)
    return path, network


def test_it_is_the_network_of_diffusers_with_the_frequencies_of_its_authors(made):
    path, network = made
    model = load_file(path)
    card = model.card
    assert (card.shape, card.decoded, len(card.labels), card.learned_range) == ((4, 4, 4), (3, 8, 8), 10, True)
    assert (card.any_label, card.time, card.path.name) == (True, "timestep", "vp_linear")
    for block in network.transformer_blocks:
        block.norm1.emb.time_proj.downscale_freq_shift = 0
    x, t, labels = torch.randn(2, 4, 4, 4), torch.tensor([3.0, 900.0]), torch.tensor([1, 10])
    with torch.no_grad():
        expected = network(x, timestep=t, class_labels=labels).sample
        torch.testing.assert_close(model.network(x, t, labels), expected)
        told = model.network.transformer.transformer_blocks[0].norm1.emb.time_proj(t)
    # [cos(ω·t), sin(ω·t)], ω_k = 10000^(−k/128): TimestepEmbedder in their models.py
    angles = t[:, None] * torch.tensor([math.exp(-math.log(10_000) * k / 128) for k in range(128)])
    torch.testing.assert_close(told, torch.cat([angles.cos(), angles.sin()], 1), atol=1e-4, rtol=1e-4)


def test_without_its_autoencoder_it_says_what_to_put_where(made):
    path, _ = made
    (path.parent / "vae").rename(path.parent / "other")
    with pytest.raises(BadFile, match="is a DiT without its autoencoder: put that beside it as a folder 'vae'"):
        card_at(path)


def test_a_sit_by_its_name_is_not_taken_for_a_dit(made):
    path, _ = made
    path.rename(path.with_name("SiT-XL-2-256x256.safetensors"))
    with pytest.raises(BadFile, match="is a SiT by its name: a DiT that was trained on a flow"):
        card_at(path.with_name("SiT-XL-2-256x256.safetensors"))
