"""Files of denoising-diffusion-pytorch, against numbers that the package itself has computed.

lucidrains.json was written with version 2.3.4: for two of its Unets the names and shapes of the weights, its tables,
its output at one t and its own DDIM sample, with weights drawn in the order of their names by a generator of seed 1.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch

from diffstudio.checkpoints.adapters import card_at
from diffstudio.diffusion.chain import reverse
from diffstudio.diffusion.clipping import CLIPS
from diffstudio.diffusion.times import levels
from diffstudio.errors import BadFile
from diffstudio.networks.model import load_file

CASES = json.loads((Path(__file__).parent / "lucidrains.json").read_text("utf-8"))


def save(path, case, **changes):
    """A trainer's file; returns the state from which the package sampled."""
    generator = torch.Generator().manual_seed(1)
    weights = {
        name: torch.randn(shape, generator=generator) * (0.12 if len(shape) > 1 else 0.3)
        for name, shape in case["weights"].items()
    }
    x = torch.randn(case["shape"], generator=generator)
    tables = {name: torch.tensor(values) for name, values in case["tables"].items()} | changes
    averaged = {f"ema_model.{name}": value for name, value in (weights | tables).items()}
    plain = {name: torch.zeros_like(value) for name, value in weights.items()} | tables
    more = {"initted": torch.tensor(True), "step": torch.tensor(7)}
    path.parent.mkdir(exist_ok=True)
    torch.save({"step": 12_000, "model": plain, "ema": averaged | more, "scaler": None, "version": "2.3.4"}, path)
    return x


@pytest.mark.parametrize(
    ("name", "prediction", "steps", "shape"), [("plain", "v", 5, [1, 8, 8]), ("other", "eps", 4, [3, 8, 8])]
)
def test_its_samples_are_those_of_the_package(tmp_path, name, prediction, steps, shape):
    case, path = CASES[name], tmp_path / "cats" / "model-12.pt"
    x = save(path, case)
    (path.parent / "model-12.pt.card.json").write_text(json.dumps({"shape": shape, "licence": "MIT"}), "utf-8")
    model = load_file(path)
    card = model.card
    assert (card.name, card.step, card.prediction, card.licence) == ("cats", 12_000, prediction, "MIT")
    assert card.parameters == sum(torch.Size(shape).numel() for shape in case["weights"].values())
    with torch.no_grad():
        out = model.network(x, torch.tensor([float(case["t"])]))
    torch.testing.assert_close(out.flatten(), torch.tensor(case["output"]), atol=1e-4, rtol=1e-4)
    grid = levels(model.path, steps, card.defaults["grid"])
    *_, last = reverse(CLIPS[card.defaults["clip"]](model.denoiser), model.path, grid, x, None, solver="ddim")
    torch.testing.assert_close(last.xt.flatten(), torch.tensor(case["sampled"]), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("objective", "prediction"), [("pred_noise", "eps"), ("pred_x0", "x0"), ("pred_v", "v")])
@pytest.mark.parametrize("bounded", [False, True])
def test_the_objective_is_told_from_the_weights_of_its_loss(tmp_path, objective, prediction, bounded):
    kept = (1 - torch.tensor(CASES["plain"]["tables"]["betas"], dtype=torch.float64)).cumprod(0)
    snr = kept / (1 - kept)
    most = snr.clamp(max=5) if bounded else snr
    weight = {"pred_noise": most / snr, "pred_x0": most, "pred_v": most / (snr + 1)}[objective]
    save(tmp_path / "cats" / "model-1.pt", CASES["plain"], loss_weight=weight.float())
    assert card_at(tmp_path / "cats" / "model-1.pt").prediction == prediction


def test_what_is_assumed_is_said_and_a_wrong_card_beside_it_is_named(tmp_path):
    path = tmp_path / "cats" / "model-3.pt"
    save(path, CASES["plain"])
    card = card_at(path)
    assert card.shape == (1, 64, 64)
    assert "64×64 is taken" in card.description
    beside = tmp_path / "cats" / "model-3.pt.card.json"
    for table, says in (
        ({"shape": [1, 0, 8]}, "field shape.1 is '0'"),
        ({"sha256": ""}, "'sha256' is not an entry"),
        ({"run": "me"}, "'run' is not an entry"),
        ([1], "is not a table"),
    ):
        beside.write_text(json.dumps(table), "utf-8")
        with pytest.raises(BadFile) as caught:
            card_at(path)
        assert str(beside) in str(caught.value)
        assert says in str(caught.value)


def test_the_diffusion_alone_brings_its_tables_and_the_unet_alone_gets_the_packages_own(tmp_path):
    case = CASES["plain"]
    weights = {name: torch.zeros(shape) for name, shape in case["weights"].items()}  # all begin with "model."
    tables = {name: torch.tensor(values) for name, values in case["tables"].items()}
    torch.save(weights | tables, tmp_path / "diffusion.pt")
    whole = card_at(tmp_path / "diffusion.pt")
    assert whole.path.betas == pytest.approx(case["tables"]["betas"])
    assert whole.prediction == "v" and "sigmoid table" not in whole.description
    unet = {name.removeprefix("model."): tensor for name, tensor in weights.items()}
    torch.save({"module." + name: tensor for name, tensor in unet.items()}, tmp_path / "unet.pt")
    alone = card_at(tmp_path / "unet.pt")
    assert (alone.network_args, alone.parameters) == (whole.network_args, whole.parameters)
    assert "the package's sigmoid table of 1,000 steps and v are taken" in alone.description
    # ᾱ(t) = (σ(3) − σ(6t − 3))/(σ(3) − σ(−3)), the middle of which is half
    kept = torch.cumprod(1 - torch.tensor(alone.path.betas, dtype=torch.float64), 0)
    t = torch.arange(1, 1001, dtype=torch.float64) / 1000
    expected = ((6 * t - 3).sigmoid() - 1 / (1 + math.exp(-3))) / (1 / (1 + math.exp(3)) - 1 / (1 + math.exp(-3)))
    torch.testing.assert_close(kept[:-1], expected[:-1], atol=1e-9, rtol=1e-6)
    assert kept[499] == pytest.approx(0.5)


def test_unets_of_other_tools_with_its_names_are_not_taken_for_its_own(tmp_path):
    """As the annotated diffusion model has them: the same first layers, and others after these."""
    names = ("init_conv.weight", "time_mlp.1.weight", "downs.0.0.mlp.1.weight", "downs.0.0.block1.proj.weight")
    torch.save({name: torch.zeros(4, 4) for name in names}, tmp_path / "annotated.pt")
    with pytest.raises(BadFile, match="is not known here"):
        card_at(tmp_path / "annotated.pt")
