"""Files of guided-diffusion: a U-Net of diffusers under the other names must give the same numbers through ours."""

from __future__ import annotations

import json
import re

import pytest
import torch
from safetensors.torch import save_file

from diffstudio.checkpoints.adapters import card_at
from diffstudio.errors import BadFile
from diffstudio.networks.model import load_file

BLOCKS = 1
PARTS = {
    **{"norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0"},
    **{"conv2": "out_layers.3", "conv_shortcut": "skip_connection", "group_norm": "norm", "to_out.0": "proj_out"},
}
TOP = {
    **{"conv_in": "input_blocks.0.0", "time_embedding.linear_1": "time_embed.0", "conv_out": "out.2"},
    **{"time_embedding.linear_2": "time_embed.2", "class_embedding": "label_emb", "conv_norm_out": "out.0"},
    **{"mid_block.resnets.0": "middle_block.0", "mid_block.attentions.0": "middle_block.1"},
    **{"mid_block.resnets.1": "middle_block.2"},
}


def place(prefix, attended):
    """Where a part of diffusers' U-Net lies among the blocks that are counted through."""
    if prefix in TOP:
        return TOP[prefix]
    side, level, part, k = re.fullmatch(r"(down|up)_blocks\.(\d)\.(\w+)\.(\d)", prefix).groups()
    level, k = int(level), int(k)
    if side == "down":
        if part == "downsamplers":
            return f"input_blocks.{(level + 1) * (BLOCKS + 1)}.0"
        return f"input_blocks.{1 + level * (BLOCKS + 1) + k}.{0 if part == 'resnets' else 1}"
    if part == "upsamplers":
        return f"output_blocks.{level * (BLOCKS + 1) + BLOCKS}.{2 if attended('up', level) else 1}"
    return f"output_blocks.{level * (BLOCKS + 1) + k}.{0 if part == 'resnets' else 1}"


def renamed(network, heads_of):
    """The weights as guided-diffusion names and lays them out."""
    config, found, qkv = network.config, {}, {}

    def attended(side, level):
        return "Attn" in config[f"{side}_block_types"][level]

    for name, weight in network.state_dict().items():
        path, kind = name.rsplit(".", 1)
        own = re.search(
            r"\.(norm1|conv1|time_emb_proj|norm2|conv2|conv_shortcut|group_norm|to_out\.0|to_[qkv]|conv)$", path
        )
        prefix, part = (path[: own.start()], own[1]) if own else (path, "")
        at = place(prefix, attended)
        if part in ("to_q", "to_k", "to_v"):
            qkv.setdefault((at, kind), {})[part[-1]] = weight
        elif part == "conv":
            found[f"{at}.{'op' if 'down' in prefix else 'conv'}.{kind}"] = weight
        else:
            weight = weight[..., None] if part == "to_out.0" and kind == "weight" else weight
            found[".".join(filter(None, (at, PARTS.get(part, ""), kind)))] = weight
    for (at, kind), parts in qkv.items():
        # each head's q, k and v beside each other
        channels = parts["q"].shape[0]
        split = [parts[p].unflatten(0, (heads_of(channels), -1)) for p in "qkv"]
        joined = torch.stack(split, dim=1).flatten(0, 2)
        found[f"{at}.qkv.{kind}"] = joined[..., None] if kind == "weight" else joined
    return {name: weight.contiguous() for name, weight in found.items()}


CASES = {
    "resnet": (
        {
            "resnet_time_scale_shift": "scale_shift",
            "downsample_type": "resnet",
            "upsample_type": "resnet",
            "down_block_types": ("ResnetDownsampleBlock2D", "AttnDownBlock2D"),
            "up_block_types": ("AttnUpBlock2D", "ResnetUpsampleBlock2D"),
            "attn_norm_num_groups": 32,
            "attention_head_dim": 32,
            "num_class_embeds": 3,
            "out_channels": 6,
        },
        lambda channels: channels // 32,
    ),
    "conv": (
        {
            "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
            "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
            "attention_head_dim": 16,
        },
        lambda channels: 4,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_its_network_gives_what_that_of_diffusers_gives(tmp_path, make_unet, case):
    changes, heads_of = CASES[case]
    network = make_unet(block_out_channels=(32, 64), norm_num_groups=32, **changes)
    path = tmp_path / "ema_0.9999_250000.pt"  # the content says that it is a .safetensors file
    save_file(renamed(network, heads_of), path)
    (tmp_path / f"{path.name}.card.json").write_text(json.dumps({"shape": [3, 8, 8]}), "utf-8")
    model = load_file(path)
    card = model.card
    assert (card.step, card.parameters) == (250_000, sum(w.numel() for w in network.parameters()))
    assert (len(card.labels), card.learned_range) == ((3, True) if case == "resnet" else (0, False))
    generator = torch.Generator().manual_seed(3)
    x, t = torch.randn(2, 3, 8, 8, generator=generator), torch.tensor([3.0, 700.0])
    labels = torch.tensor([0, 2]) if card.labels else None
    with torch.no_grad():
        torch.testing.assert_close(model.network(x, t, labels), network(x, t, labels).sample, atol=1e-5, rtol=1e-4)


def test_what_the_file_does_not_say_is_that_of_the_published_models(tmp_path, make_unet):
    changes, heads_of = CASES["resnet"]
    weights = renamed(make_unet(block_out_channels=(32, 64), norm_num_groups=32, **changes), heads_of)
    path = tmp_path / "model.pt"
    torch.save(weights, path)
    card = card_at(path)
    assert (card.shape, card.path.name, card.any_label) == ((3, 16, 16), "vp_linear", False)
    assert "16×16 and the linear table of 1,000 steps are taken" in card.description
    torch.save({name: weight for name, weight in weights.items() if not name.startswith("output_blocks.3.")}, path)
    with pytest.raises(BadFile, match="its blocks are not those"):
        card_at(path)
