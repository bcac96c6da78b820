"""What is told of a Stable Diffusion in one file beside its tensors, in the order in which it counts."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import save_file
from spoilt_file import spoilt

from diffstudio.checkpoints.adapters import card_at
from diffstudio.checkpoints.adapters.look import Look
from diffstudio.checkpoints.adapters.told import numbers
from diffstudio.checkpoints.finding import stamp
from diffstudio.errors import BadFile

NEITHER = "nothing says what it predicts"


def second(tmp_path, name="painter", metadata=None, **marks):
    """A Stable Diffusion 2, of headers alone."""
    return spoilt(tmp_path, marks, metadata, name=name, family="2")


def first(tmp_path, name="painter", metadata=None, **marks):
    return spoilt(tmp_path, marks, metadata, name=name)


@pytest.mark.parametrize("made", [first, second])
def test_where_nothing_says_what_it_predicts_the_published_models_do_until_its_first_run(tmp_path, made):
    card = card_at(made(tmp_path))
    assert card.prediction == ("eps" if made is first else "v")
    assert card.untold == ("prediction",)
    assert NEITHER in card.description and "until its first run shows it" in card.description


@pytest.mark.parametrize(
    ("metadata", "prediction"),
    [
        ({"modelspec.prediction_type": "epsilon"}, "eps"),
        ({"modelspec.prediction_type": "v"}, "v"),
        ({"modelspec.predict_key": "epsilon"}, "eps"),
        ({"modelspec.architecture": "stable-diffusion-v2-512"}, "eps"),
        ({"modelspec.architecture": "stable-diffusion-v2-768-v"}, "v"),
    ],
)
def test_the_metadata_say_it(tmp_path, metadata, prediction):
    card = card_at(second(tmp_path, metadata=metadata))
    assert (card.prediction, card.untold) == (prediction, ())
    assert card.decoded[1] == (768 if prediction == "v" else 512)
    assert "the file says that" in card.description


def test_marks_for_comfyui_say_it_also_as_empty_tensors(tmp_path):
    card = card_at(first(tmp_path, v_pred=(0,), ztsnr=(0,)))
    assert (card.prediction, card.path.params["zero_snr"], card.untold) == ("v", 1.0, ())
    assert card.defaults["grid"] == "trailing"
    assert card.time == "timestep"


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_a_network_of_v_in_edms_sigma_has_that_chain(tmp_path, dtype):
    """CosXL."""
    marks = {"edm_vpred.sigma_max": torch.tensor(120.0), "edm_vpred.sigma_min": torch.tensor(0.002)}
    card = card_at(first(tmp_path, **{name: mark.to(dtype) for name, mark in marks.items()}))
    assert (card.prediction, card.time, card.path.name, card.untold) == ("v", "log_sigma", "vp_edm", ())
    assert card.path.params["sigma_max"] == pytest.approx(120, rel=1e-2)
    assert card.defaults["grid_params"]["sigma_min"] == pytest.approx(0.002, rel=1e-2)
    assert "predicts v in EDM's σ" in card.description


def test_ends_of_sigma_that_are_none_are_refused(tmp_path):
    with pytest.raises(BadFile, match="expected two rising numbers above 0"):
        card_at(first(tmp_path, **{"edm_vpred.sigma_max": torch.tensor(-1.0)}))


def test_playground_has_edms_f_and_its_latents_normed_channel_by_channel(tmp_path):
    mean, std = torch.tensor([-1.6574, 1.886, -1.383, 2.5155]), torch.tensor([8.4927, 5.9022, 6.5498, 5.2299])
    card = card_at(first(tmp_path, edm_mean=mean.view(1, 4, 1, 1), edm_std=std.view(1, 4, 1, 1)))
    vae = card.network_args["vae"]
    assert (card.prediction, card.path.name, card.sigma_data) == ("edm", "edm", 0.5)
    assert vae["latents_mean"] == pytest.approx(mean.tolist())
    assert vae["latents_std"] == pytest.approx(std.tolist())
    assert vae["scaling_factor"] == 0.5


@pytest.mark.parametrize(
    ("ending", "text", "prediction"),
    [
        (".yaml", 'model:\n  params:\n    parameterization: "v"\n    linear_start: 0.001\n', "v"),
        (".yaml", "model:\n  params:\n    parameterization: eps # as usual\n    scale_factor: 0.2\n", "eps"),
        (".civitai.info", json.dumps({"baseModel": "SD 2.1 768"}), "v"),
        (".json", json.dumps({"sd version": "SD 2.1"}), "eps"),
        (".metadata.json", json.dumps({"prediction_type": "v_prediction"}), "v"),
        (".safetensors.json", json.dumps({"parameterization": "eps"}), "eps"),
    ],
)
def test_a_file_beside_it_says_it(tmp_path, ending, text, prediction):
    path = second(tmp_path)
    before = stamp(path)
    beside = path.with_name(path.stem + ending)
    beside.write_text(text, "utf-8")
    card = card_at(path)
    assert (card.prediction, card.untold) == (prediction, ())
    assert f"{beside.name} beside it says that it" in card.description
    assert stamp(path) != before, "a scan reads it again"
    if "linear_start" in text:
        assert card.path.params["beta_start"] == 0.001
    if "scale_factor" in text:
        assert card.network_args["vae"]["scaling_factor"] == 0.2


@pytest.mark.parametrize("text", ["", "[]", "{", "\x00\x01", "parameterization: [v", json.dumps({"baseModel": 3})])
@pytest.mark.parametrize("ending", [".yaml", ".json"])
def test_what_other_tools_left_beside_it_and_makes_no_sense_says_nothing(tmp_path, ending, text):
    path = second(tmp_path)
    path.with_name(path.stem + ending).write_text(text, "utf-8")
    assert card_at(path).untold == ("prediction",)


def test_the_file_counts_before_what_lies_beside_it_and_that_before_its_name(tmp_path):
    path = second(tmp_path, "v2-1_768-ema", {"modelspec.prediction_type": "epsilon"})
    path.with_suffix(".yaml").write_text("parameterization: v", "utf-8")
    assert card_at(path).prediction == "eps"
    path = second(tmp_path, "v2-1_768-ema")
    path.with_suffix(".yaml").write_text("parameterization: eps", "utf-8")
    assert card_at(path).prediction == "eps"
    (tmp_path / f"{path.name}.card.json").write_text(json.dumps({"prediction": "x0"}))
    card = card_at(path)
    assert (card.prediction, card.untold) == ("x0", ())
    assert "the card beside it says what it predicts" in card.description


@pytest.mark.parametrize(
    ("made", "name", "prediction"),
    [
        (second, "v2-1_512-ema-pruned", "eps"),
        (second, "v2-1_768-ema-pruned", "v"),
        (second, "512-base-ema", "eps"),
        (first, "noobaiXLNAIXL_vPred10Version", "v"),
        (first, "model-v-prediction", "v"),
        (first, "improved_predictions", "eps"),
        (first, "v-predator", "eps"),
    ],
)
def test_a_name_is_a_hint_that_the_first_run_still_tries(tmp_path, made, name, prediction):
    card = card_at(made(tmp_path, name))
    assert (card.prediction, card.untold) == (prediction, ("prediction",))


def test_numbers_are_those_of_short_tensors_alone(tmp_path):
    tensors = {"a": torch.tensor([1.5, -2.0]), "long": torch.zeros(1000), "none": torch.zeros(0), "b": torch.tensor(3)}
    tensors["nan"] = torch.tensor(float("nan"))
    save_file(tensors, tmp_path / "a.safetensors")
    look = Look(tmp_path / "a.safetensors")
    found = {name: numbers(look, name) for name in (*tensors, "missing")}
    assert found == {"a": (1.5, -2.0), "long": None, "none": None, "b": (3.0,), "nan": None, "missing": None}
