"""The page of formats in the docs is that of the adapters, and what it says of itself works."""

from __future__ import annotations

import re

import torch

from diffstudio.checkpoints.adapters import ADAPTERS, card_at
from diffstudio.checkpoints.adapters.table import markdown
from diffstudio.networks import NETWORKS
from diffstudio.networks.model import load_file
from diffstudio.resources import resource


def test_the_page_is_current():
    assert resource("docs/formats.md").read_text("utf-8") == markdown()


def test_every_adapter_has_a_name_of_its_own_and_a_whole_row():
    assert len({adapter.name for adapter in ADAPTERS}) == len(ADAPTERS)
    for adapter in ADAPTERS:
        assert all((adapter.label, adapter.opens, adapter.recognised, adapter.asks, adapter.refuses))


def test_the_function_on_the_page_writes_a_checkpoint_that_opens(tmp_path):
    (code,) = re.findall(r"```python\n(.*?)```", markdown(), re.DOTALL)
    scope: dict = {}
    exec(code, scope)
    args = {"channels": [8], "embed": 8, "heads": 2}
    network = NETWORKS["unet"]((1, 4, 4), 2, channels=(8,), embed=8, heads=2)
    file = tmp_path / "mine.safetensors"
    told = {"modality": "image", "path": {"name": "vp_linear"}, "prediction": "eps", "time": "timestep"}
    written = scope["export"](
        network, file, network="unet", network_args=args, shape=(1, 4, 4), labels=("a", "b"), **told
    )
    assert card_at(file) == written
    model = load_file(file)
    assert (written.time, model.card.parameters) == ("timestep", sum(w.numel() for w in network.parameters()))
    torch.testing.assert_close(dict(model.network.state_dict()), dict(network.state_dict()))
