"""One thread for torch, and networks whose every weight matters: a fresh U-Net has zeros at the end of each branch."""

from __future__ import annotations

import pytest
import torch

from diffstudio.checkpoints import store
from diffstudio.checkpoints.card import Card, TrainingData
from diffstudio.networks import NETWORKS
from diffstudio.specs import PathSpec

torch.set_num_threads(1)

SMALL = {
    "mlp": {"width": 32, "depth": 2, "embed": 16},
    "unet": {"channels": (8, 16), "embed": 16, "heads": 2},
    "video_unet": {"channels": (8, 16), "embed": 16, "heads": 2},
    "video_transformer": {"width": 24, "depth": 2, "heads": 2, "patch": 3},
}


@pytest.fixture
def make_card():
    def make(network="mlp", shape=(2,), labels=("a", "b", "c"), path="flow", prediction="flow", args=None, **more):
        return Card(
            name="tiny",
            modality="points" if len(shape) == 1 else "image",
            shape=shape,
            path=PathSpec(name=path),
            prediction=prediction,
            network=network,
            network_args=SMALL.get(network, {}) if args is None else args,
            labels=labels,
            data=TrainingData(dataset=""),
            step=7,
            **more,
        )

    return make


@pytest.fixture
def make_network():
    """A small network with random weights everywhere, in float64 so that a comparison means what it says."""

    def make(kind, shape, labels=3, **args):
        torch.manual_seed(0)
        network = NETWORKS[kind](shape, labels, **(SMALL[kind] | args))
        for weight in network.parameters():
            torch.nn.init.normal_(weight, std=0.3 if weight.ndim > 1 else 0.5)
        return network.double().requires_grad_(False)

    return make


@pytest.fixture
def save_checkpoint(tmp_path, make_card, make_network):
    """Write a small checkpoint: (file, card). `change` may alter the weights before they are written."""

    def write(change=None, **card_fields):
        card = make_card(**card_fields)
        more = {"outputs": 2} if card.learned_range else {}
        network = make_network(card.network, card.shape, len(card.labels), **more)
        weights = {name: value.numpy() for name, value in network.state_dict().items()}
        if change:
            change(weights)
        file = tmp_path / "tiny.safetensors"
        store.save(file, card, weights)
        return file, card

    return write
