"""Building what a card asks for: without memory, and not everything."""

from __future__ import annotations

import pytest
import torch

from diffstudio import options
from diffstudio.errors import BadFile
from diffstudio.networks import MAX_PARAMETERS, NETWORKS, build


def test_every_row_of_the_options_has_its_network():
    assert set(NETWORKS) == set(options.NETWORKS)


@pytest.mark.parametrize(("kind", "shape"), [("mlp", (2,)), ("unet", (1, 28, 28))])
def test_a_network_is_built_without_memory_and_has_the_weights_of_the_real_one(kind, shape, make_card, make_network):
    built = build(make_card(kind, shape))
    assert {p.device.type for p in built.parameters()} == {"meta"}
    real = make_network(kind, shape).state_dict()
    assert {name: w.shape for name, w in built.state_dict().items()} == {name: w.shape for name, w in real.items()}


def test_lists_of_a_json_card_will_do(make_card):
    built = build(make_card("unet", (1, 28, 28), args={"channels": [16, 24, 32], "patch": 1}))
    assert built(torch.empty(1, 1, 28, 28, device="meta"), torch.empty(1, device="meta")).shape == (1, 1, 28, 28)


def test_a_network_that_is_not_ours_is_named_with_its_file(make_card):
    with pytest.raises(BadFile, match=r"^x\.safetensors: network is 'os\.system', expected one of mlp, unet"):
        build(make_card("os.system"), "x.safetensors")


@pytest.mark.parametrize(
    ("kind", "args", "reason"),
    [
        ("mlp", {"width": 0}, "width is 0"),
        ("mlp", {"width": -4}, "width is -4"),
        ("mlp", {"width": 32.0}, "width is 32.0"),
        ("mlp", {"width": True}, "width is True"),
        ("mlp", {"depth": "4"}, "depth is '4'"),
        ("mlp", {"depth": 65_536}, "depth is 65536"),
        ("mlp", {"octaves": 200}, "octaves is 200"),
        ("mlp", {"embed": 7}, "embed is 7"),
        ("mlp", {"embed": 0}, "embed is 0"),
        ("mlp", {"hidden": 3}, "hidden"),
        ("mlp", {"shape": 3}, "shape"),
        ("mlp", {"outputs": 2}, "outputs"),
        ("unet", {"outputs": 3}, "outputs"),
        ("mlp", {"width": 65_536}, "parameters"),
        ("unet", {"channels": []}, "index"),
        ("unet", {"channels": 8}, "iterable"),
        ("unet", {"channels": [0, 8]}, "channels is 0"),
        ("unet", {"channels": ["8"]}, "channels is '8'"),
        ("unet", {"channels": [12]}, "divisible"),
        ("unet", {"channels": [65_536, 65_536]}, "parameters"),
        ("unet", {"blocks": 0}, "blocks is 0"),
        ("unet", {"blocks": 65_536}, "blocks is 65536"),
        ("unet", {"patch": 0}, "patch is 0"),
        ("unet", {"patch": -2}, "patch is -2"),
        ("unet", {"patch": 3}, "divisible by 6"),
        ("unet", {"heads": 0}, "heads is 0"),
        ("unet", {"heads": 7}, "heads is 7"),
        ("unet", {"embed": 9}, "embed is 9"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_absurd_arguments_are_refused_with_the_argument_and_the_file(kind, args, reason, make_card):
    card = make_card(kind, (2,) if kind == "mlp" else (1, 28, 28), args=args)
    with pytest.raises(BadFile, match=f"^evil: network_args .*{reason}"):
        build(card, "evil")


@pytest.mark.parametrize(("kind", "shape"), [("mlp", (1, 28, 28)), ("unet", (2,))])
def test_a_shape_of_the_wrong_rank_is_refused(kind, shape, make_card):
    with pytest.raises(BadFile, match=f"don't fit a '{kind}'"):
        build(make_card(kind, shape, args={}))


def test_the_largest_network_that_is_built_has_twenty_billion_weights(make_card, monkeypatch):
    card = make_card("mlp")
    count = sum(p.numel() for p in build(card).parameters())
    monkeypatch.setattr("diffstudio.networks.MAX_PARAMETERS", count)
    build(card)
    monkeypatch.setattr("diffstudio.networks.MAX_PARAMETERS", count - 1)
    with pytest.raises(BadFile, match=f"{count:,} parameters, expected at most {count - 1:,}"):
        build(card)
    assert MAX_PARAMETERS == 2 * 10**10


def test_a_network_of_another_tool_is_tried_without_memory_before_its_weights_are_read(make_card):
    pytest.importorskip("diffusers")
    args = {
        "block_out_channels": [4, 8],
        "norm_num_groups": 2,
        "layers_per_block": 1,
        "down_block_types": ["DownBlock2D", "DownBlock2D"],
        "up_block_types": ["UpBlock2D", "UpBlock2D"],
    }
    build(make_card("diffusers_unet", (3, 10, 10), (), args=args))
    with pytest.raises(BadFile, match="network_args don't make a 'diffusers_unet' that works"):
        build(make_card("diffusers_unet", (3, 9, 9), (), args=args))
    with pytest.raises(BadFile, match=r"gives \(1, 6, 10, 10\)|don't fit"):
        build(make_card("diffusers_unet", (3, 10, 10), (), args={**args, "out_channels": 6}))
