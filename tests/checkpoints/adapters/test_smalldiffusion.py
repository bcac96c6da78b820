"""Weights of smalldiffusion, against numbers that the package itself has computed.

smalldiffusion.json was written with version 0.5.0: for its networks the names and shapes of the weights, their output
at the middle of three σ and their own DDIM sample, with weights drawn in the order of their names by a generator of
seed 1.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from diffstudio.checkpoints.adapters import card_at
from diffstudio.diffusion.chain import reverse
from diffstudio.diffusion.times import level
from diffstudio.errors import BadFile
from diffstudio.networks.model import load_file

CASES = json.loads((Path(__file__).parent / "smalldiffusion.json").read_text("utf-8"))
NAMES = {"mlp": "TimeInputMLP", "unet": "Unet", "dit": "DiT"}


def save(path, case):
    """A state_dict, and the card beside it; returns the state from which the package sampled."""
    generator = torch.Generator().manual_seed(1)
    weights = {
        name: torch.randn(shape, generator=generator) * (0.12 if len(shape) > 1 else 0.3)
        for name, shape in case["weights"].items()
    }
    x = torch.randn(case["shape"], generator=generator)
    save_file(weights, path) if path.suffix == ".safetensors" else torch.save(weights, path)
    if case["beside"]:
        path.with_name(f"{path.name}.card.json").write_text(json.dumps(case["beside"]), "utf-8")
    return x


@pytest.mark.parametrize("name", CASES)
def test_its_samples_are_those_of_the_package(tmp_path, name):
    # A pickle is read in a process of its own, which takes a while to start: once is enough.
    case, path = CASES[name], tmp_path / ("one.pth" if name == "mlp" else "one.safetensors")
    x = save(path, case)
    model = load_file(path)
    card = model.card
    assert card.format == "smalldiffusion"
    assert f"A {NAMES[name.split('_')[0]]} of smalldiffusion" in card.description
    assert card.parameters == sum(torch.Size(shape).numel() for shape in case["weights"].values())
    flow = card.prediction == "flow"
    first, middle, last = case["sigmas"]
    labels = None if case["labels"] is None else torch.tensor(case["labels"])
    with torch.no_grad():
        out = model.network(x, torch.full((2,), middle * 1000 if flow else middle), labels)
    torch.testing.assert_close(out.flatten(), torch.tensor(case["output"]), atol=1e-4, rtol=1e-4)
    most = 1.0 if flow else card.path.params["sigma_max"]
    grid = [level(model.path, sigma / most) for sigma in case["sigmas"]]
    assert [at.s for at in grid] == pytest.approx([first, middle, last])
    *_, end = reverse(model.denoiser, model.path, grid, x * first, None, solver="ddim", cond=labels)
    torch.testing.assert_close(end.xt.flatten(), torch.tensor(case["sampled"]), atol=2e-4, rtol=2e-4)


def test_what_is_assumed_is_said_and_a_card_beside_the_file_replaces_it(tmp_path):
    path = tmp_path / "one.pth"
    save(path, CASES["unet"] | {"beside": {}})
    card = card_at(path)
    assert (card.shape, card.network_args["scaled"], card.defaults["grid_params"]["sigma_max"]) == (
        (1, 28, 28),
        True,
        20,
    )
    assert "28×28 is taken, and that its input is scaled" in card.description
    assert "σ from 0.01 to 20 and ε are taken" in card.description
    save(path, CASES["unet"] | {"beside": {"prediction": "x0", "network_args": {"scaled": False}}})
    card = card_at(path)
    assert (card.prediction, card.network_args["scaled"], card.network_args["width"]) == ("x0", False, 32)


def test_what_predicts_v_says_so_in_a_card_beside_it(tmp_path):
    case, path = CASES["dit"], tmp_path / "one.safetensors"
    x, sigma = save(path, case), 1.7
    plain = load_file(path)
    path.with_name(f"{path.name}.card.json").write_text('{"prediction": "v"}', "utf-8")
    model = load_file(path)
    at = level(model.path, sigma / model.card.path.params["sigma_max"])
    with torch.no_grad():
        v = plain.network(x, torch.full((2,), sigma))
        found = model.denoiser(x, at, None)
    # v = (ε − σ·x_0)/√(1 + σ²) of x = x_0 + σ·ε (Salimans & Ho 2022): x_0 = (x − σ·√(1 + σ²)·v)/(1 + σ²)
    torch.testing.assert_close(found, (x - sigma * (1 + sigma**2) ** 0.5 * v) / (1 + sigma**2), atol=1e-5, rtol=1e-5)


def test_points_of_other_coordinates_and_other_blocks_are_refused_in_a_sentence(tmp_path):
    layers = torch.nn.Sequential(torch.nn.Linear(5, 16), torch.nn.GELU(), torch.nn.Linear(16, 3))
    torch.save({f"net.{name}": weight for name, weight in layers.state_dict().items()}, tmp_path / "three.pt")
    with pytest.raises(BadFile, match="for points of 3 coordinates, expected 2"):
        card_at(tmp_path / "three.pt")
    names = ("conv_in.weight", "sig_embed.mlp.0.weight", "downs.0.blocks.0.0.layer1.0.weight", "out_layer.2.weight")
    torch.save({name: torch.zeros(2, 2) for name in names}, tmp_path / "unet.pt")
    with pytest.raises(BadFile, match=r"'conv_in.weight' is missing or of another shape"):
        card_at(tmp_path / "unet.pt")
