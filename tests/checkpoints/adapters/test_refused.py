"""Formats that are recognised and not opened: one sentence that names what it is."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import save_file

from diffstudio.checkpoints.adapters import card_at
from diffstudio.errors import BadFile

CONFIG = {"model": {"type": "image_v1", "input_channels": 3, "input_size": [32, 32], "sigma_data": 0.5}}


def sentence(path):
    with pytest.raises(BadFile) as caught:
        card_at(path)
    assert "\n" not in str(caught.value) and "NETWORK" not in str(caught.value)
    return str(caught.value)


def test_the_network_of_k_diffusion_is_named(tmp_path):
    weights = {"inner_model.proj_in.weight": torch.zeros(2, 3, 1, 1)}
    save_file(weights, tmp_path / "one.safetensors", {"config": json.dumps(CONFIG)})
    assert "k-diffusion with a network 'image_v1' of pictures 3×32×32" in sentence(tmp_path / "one.safetensors")
    torch.save({"model_ema": weights}, tmp_path / "two.pth")
    assert "k-diffusion with a network, which" in sentence(tmp_path / "two.pth")
    (tmp_path / "two.json").write_text(json.dumps(CONFIG), "utf-8")
    assert "a network 'image_v1' of pictures 3×32×32" in sentence(tmp_path / "two.pth")


@pytest.mark.parametrize(
    "config", ['{"model"', '{"model": 3}', '{"model": {"type": "x\\n<b>", "input_channels": 1e999, "input_size": []}}']
)
def test_a_config_that_says_nonsense_is_left_aside(tmp_path, config):
    save_file({"a": torch.zeros(1)}, tmp_path / "one.safetensors", {"config": config})
    assert "k-diffusion with a network, which" in sentence(tmp_path / "one.safetensors")


def test_layers_that_are_those_of_no_known_network_want_a_card(tmp_path):
    layers = torch.nn.Sequential(torch.nn.Linear(5, 16), torch.nn.GELU(), torch.nn.Linear(16, 2))
    torch.save({f"net.{name}": weight for name, weight in layers.state_dict().items()}, tmp_path / "other.pt")
    assert "put a card beside it" in sentence(tmp_path / "other.pt")
