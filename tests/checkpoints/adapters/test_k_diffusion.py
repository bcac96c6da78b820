"""Checkpoints of k-diffusion, against numbers that the package itself has computed.

k_diffusion.json was written with version 0.1.1.post1: for its networks the config, the names and shapes of the weights,
its denoiser at σ = 1 and its own DPM-Solver++ 2M over three σ, with weights drawn in the order of their names by a
generator of seed 1; its smoothing kernels are those of the package. For image_transformer_v2, which came later, they
are from its source at commit 21d12c9, with the attention to neighbours computed place by place.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from diffstudio.checkpoints.adapters import card_at
from diffstudio.diffusion.chain import reverse
from diffstudio.diffusion.denoiser import estimate
from diffstudio.diffusion.times import level
from diffstudio.errors import BadFile
from diffstudio.networks.model import load_file

CASES = json.loads((Path(__file__).parent / "k_diffusion.json").read_text("utf-8"))
ROW = torch.tensor([[1, 3, 3, 1]]) / 8


def drawn(case):
    """The weights of a case, and the state from which the package sampled."""
    generator = torch.Generator().manual_seed(1)
    weights = {}
    for name, shape in case["weights"].items():
        if name.endswith("kernel"):
            weights[name] = ROW.T @ ROW * (4 if ".u_blocks." in name else 1)
        else:
            weights[name] = torch.randn(shape, generator=generator) * (0.12 if len(shape) > 1 else 0.3)
        if name.endswith(("attn.scale", "emb.freqs")):  # loud enough to attend to something, turned visibly
            weights[name] = weights[name].abs() * (20 if name.endswith("scale") else 50)
    return weights, torch.randn(case["shape"], generator=generator)


@pytest.mark.parametrize("name", CASES)
def test_its_samples_are_those_of_the_package(tmp_path, name):
    case, path = CASES[name], tmp_path / "one.safetensors"
    weights, x = drawn(case)
    save_file(weights, path, {"config": json.dumps(case["config"])})
    model = load_file(path)
    card, said = model.card, case["config"]["model"]
    assert (card.format, card.prediction, card.sigma_data) == ("k-diffusion", "edm", said["sigma_data"])
    assert card.defaults["grid_params"] == {"rho": 7, "sigma_min": said["sigma_min"], "sigma_max": said["sigma_max"]}
    labels = None if case["labels"] is None else torch.tensor(case["labels"])
    grid = [level(model.path, (sigma / said["sigma_max"]) ** (1 / 7)) for sigma in case["sigmas"]]
    assert [at.s for at in grid] == pytest.approx(case["sigmas"])
    with torch.no_grad():
        out = estimate(model.denoiser(x, grid[1], labels)).x0_hat
    torch.testing.assert_close(out.flatten(), torch.tensor(case["output"]), atol=1e-4, rtol=1e-4)
    *_, end = reverse(model.denoiser, model.path, grid, 6 * x, None, solver="dpmpp_2m", cond=labels)
    torch.testing.assert_close(end.xt.flatten(), torch.tensor(case["sampled"]), atol=2e-4, rtol=2e-4)


def test_the_file_of_the_trainer_opens_with_its_config_inside_or_beside(tmp_path):
    case, path = CASES["unet"], tmp_path / "cats_00005000.pth"
    weights, _ = drawn(case)
    averaged = {"model_ema": weights, "model": {name: torch.zeros(1) for name in weights}, "step": 5000, "gns": None}
    torch.save(averaged, path)
    with pytest.raises(BadFile, match="put the JSON file that it was trained with beside it as cats_00005000"):
        card_at(path)
    (tmp_path / "cats_00005000.json").write_text(json.dumps(case["config"]), "utf-8")
    beside = load_file(path)
    assert (beside.card.step, beside.card.shape) == (5000, (3, 8, 8))
    torch.testing.assert_close(beside.network.state_dict()["proj_in.weight"], weights["inner_model.proj_in.weight"])
    (tmp_path / "cats_00005000.json").unlink()
    torch.save(averaged | {"config": case["config"]}, path)
    assert card_at(path) == beside.card


def test_the_config_in_the_trainers_file_keeps_its_lists_of_tables(tmp_path):
    case = CASES["hourglass"]
    weights, _ = drawn(case)
    torch.save({"model_ema": weights, "step": 70, "config": case["config"]}, tmp_path / "cats_00000070.pth")
    save_file(weights, tmp_path / "cats_00000070.safetensors", {"config": json.dumps(case["config"])})
    inside, plain = (card_at(tmp_path / f"cats_00000070.{ending}") for ending in ("pth", "safetensors"))
    assert inside == plain
    assert (plain.network, plain.network_args["attention"]) == ("k_diffusion_hourglass", ["neighborhood", "global"])


def test_an_hourglass_has_the_defaults_of_the_package(tmp_path):
    path = tmp_path / "one.safetensors"
    said = {"widths": [128, 256, 512], "depths": [2, 2, 4], "input_size": [256, 256], "patch_size": [4, 4]}
    config = {"model": {"type": "image_transformer_v2", "input_channels": 3, "self_attns": None, **said}}
    save_file({"class_emb.weight": torch.zeros(3, 256)}, path, {"config": json.dumps(config)})
    card = card_at(path)
    assert (card.sigma_data, card.labels) == (1.0, ("0", "1"))
    assert card.network_args == {
        "widths": [128, 256, 512],
        "depths": [2, 2, 4],
        "hidden": [384, 768, 1536],
        "attention": ["neighborhood", "neighborhood", "global"],
        "head_width": [64, 64, 64],
        "reach": [7, 7, 0],
        "patch": [4, 4],
        "mapping": [256, 2, 768],
    }


HOURGLASS = {"type": "image_transformer_v2", "input_channels": 1, "input_size": [8, 8], "widths": [64], "depths": [1]}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"widths": None}, "model field widths is '"),
        ({"widths": [64] * 9}, "model field widths has 9 entries, expected at most 8"),
        ({"widths": [10**6]}, "model field widths.0 is '"),
        ({"depths": [1, 1]}, "depths has 2 entries for 1 widths"),
        ({"depths": [65]}, "model field depths.0 is '"),
        ({"d_ffs": [8, 8]}, "d_ffs has 2 entries for 1 widths"),
        ({"self_attns": [{"type": "global"}] * 2}, "self_attns has 2 entries for 1 widths"),
        ({"self_attns": [{"type": "linear"}]}, "model field self_attns.0.type is '"),
        ({"self_attns": [{"type": "shifted-window"}]}, "a shifted-window has no window_size"),
        ({"self_attns": [{"type": "neighborhood", "kernel_size": 99}]}, "model field self_attns.0.kernel_size is '"),
        ({"mapping_width": "wide"}, "model field mapping_width is '"),
        ({"mapping_cond_dim": 768}, "mapping_cond_dim 768, expected 0: conditions other than classes"),
        ({"self_attns": [{"type": "neighborhood", "kernel_size": 4}]}, "reach is 4 on 8×8 tokens, expected an odd"),
        ({"self_attns": [{"type": "neighborhood", "kernel_size": 9}]}, "reach is 9 on 8×8 tokens"),
        ({"self_attns": [{"type": "shifted-window", "window_size": 3}]}, "windows of 3 do not fill 8×8 tokens"),
        ({"self_attns": [{"type": "global", "d_head": 48}]}, "head_width is 48 in a width of 64"),
        ({"patch_size": 3}, "sides divisible by 3×3"),
        ({}, "tensor 'aug_emb.weight' is missing"),
    ],
)
def test_an_hourglass_that_can_not_be_is_refused_in_a_sentence(tmp_path, changes, says):
    path = tmp_path / "one.safetensors"
    save_file({"a": torch.zeros(1)}, path, {"config": json.dumps({"model": HOURGLASS | changes})})
    with pytest.raises(BadFile) as caught:
        load_file(path)
    assert says in str(caught.value) and str(path) in str(caught.value)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 600 + len(str(path))


@pytest.mark.parametrize("shape", [[2**50, 0], []])
def test_an_embedding_of_classes_that_holds_nothing_costs_nothing(tmp_path, shape):
    header = {"class_emb.weight": {"dtype": "F32", "shape": shape, "data_offsets": [0, 0 if shape else 4]}}
    header["__metadata__"] = {"config": json.dumps({"model": HOURGLASS})}
    text = json.dumps(header).encode()
    path = tmp_path / "one.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(0 if shape else 4))
    if shape:
        with pytest.raises(BadFile, match="labels has 10,001 entries, expected at most 10,000"):
            card_at(path)
    else:
        assert card_at(path).labels == ()


def test_what_is_not_known_is_said_with_its_name(tmp_path):
    path = tmp_path / "one.safetensors"

    def sentence(config):
        save_file({"a": torch.zeros(1)}, path, {"config": config})
        with pytest.raises(BadFile) as caught:
            card_at(path)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    plain = {"type": "image_transformer_v3", "input_channels": 3, "input_size": [32, 32]}
    assert "a network 'image_transformer_v3' of pictures 3×32×32, expected image_v1" in sentence(
        json.dumps({"model": plain})
    )
    crossed = plain | {"type": "image_v1", "cross_cond_dim": 768}
    assert "cross_cond_dim 768, expected 0" in sentence(json.dumps({"model": crossed}))
    assert "image_transformer_v1' in its config" in sentence(
        json.dumps({"model": plain | {"type": "image_transformer_v1"}})
    )
    assert "is not valid JSON" in sentence('{"model"')
    assert "model field" in sentence('{"model": {"type": "x\\n<b>", "input_channels": 1e999, "input_size": []}}')


@pytest.mark.parametrize("wrap", ["model", "model_ema", "state_dict"])
def test_its_networks_are_known_by_their_own_names_under_any_key(tmp_path, wrap):
    case = CASES["unet"]
    weights, _ = drawn(case)
    torch.save({wrap: weights, "step": 5, "opt": {"state": {}, "param_groups": []}}, tmp_path / "cats.pth")
    (tmp_path / "cats.json").write_text(json.dumps(case["config"]), "utf-8")
    card = card_at(tmp_path / "cats.pth")
    assert (card.format, card.step) == ("k-diffusion", 5)
    assert card.parameters == sum(weight.numel() for weight in weights.values())


def test_of_raw_and_averaged_weights_the_averages_are_taken(tmp_path):
    case = CASES["unet"]
    weights, _ = drawn(case)
    raw = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    torch.save({"model": raw, "model_ema": weights, "config": case["config"]}, tmp_path / "cats.pth")
    assert card_at(tmp_path / "cats.pth").weights == "averaged"
