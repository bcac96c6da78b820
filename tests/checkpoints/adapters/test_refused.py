"""Formats that are recognised and not opened: one sentence that names what it is."""

from __future__ import annotations

import pytest
import torch

from diffstudio.checkpoints.adapters import card_at
from diffstudio.errors import BadFile


def sentence(path):
    with pytest.raises(BadFile) as caught:
        card_at(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_layers_that_are_those_of_no_known_network_want_a_card(tmp_path):
    layers = torch.nn.Sequential(torch.nn.Linear(5, 16), torch.nn.GELU(), torch.nn.Linear(16, 2))
    torch.save({f"net.{name}": weight for name, weight in layers.state_dict().items()}, tmp_path / "other.pt")
    assert "put a card beside it" in sentence(tmp_path / "other.pt")
