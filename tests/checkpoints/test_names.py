"""Which model and which step of its training a file or folder is, by its name."""

from pathlib import Path

import pytest

from diffstudio.checkpoints.adapters import is_step_folder
from diffstudio.checkpoints.names import name_and_step, name_of_folder, spelling, variant_rank


@pytest.mark.parametrize(
    ("path", "name", "step"),
    [
        ("/runs/cats/model-12.pt", "cats", 12),
        ("/runs/cats/step_1000.safetensors", "cats", 1000),
        ("/runs/cats/checkpoint-500.pt", "cats", 500),
        ("/runs/cats/global_step500.pt", "cats", 500),
        ("/runs/cats/ckpt_0007.pth", "cats", 7),
        ("/runs/cats/1000.pt", "cats", 1000),
        ("/runs/cats/ema_0.9999_050000.pt", "cats", 50000),
        ("/runs/cats/epoch=3-step=2000.ckpt", "cats", 2000),
        ("/runs/cats/epoch=3-step=2000-v1.ckpt", "cats", 2000),
        ("/runs/x/cats-epoch=3-step=2000.ckpt", "cats", 2000),
        ("/runs/cats/step=2000.ckpt", "cats", 2000),
        ("/runs/x/cats@400.safetensors", "cats", 400),
        ("/runs/x/cats-v2-400.safetensors", "cats-v2", 400),
        ("/runs/x/cats.safetensors", "cats", 0),
        ("/runs/cats/checkpoints/model-12.pt", "cats", 12),
        ("/runs/cats/results/step_1000.pt", "cats", 1000),
        ("/runs/cats/models/dogs-3.pt", "dogs", 3),
        ("/model-12.pt", "model", 12),
        ("/runs/cats/model_ema.pt", "cats", 0),
        ("/runs/cats/ema-0.9999-10000.pt", "cats", 10000),
        ("/runs/x/cats-ema-500.pt", "cats", 500),
        ("/runs/x/cats-step00001000.safetensors", "cats", 1000),
        ("/runs/x/cats-000010.safetensors", "cats", 10),
        ("/runs/x/cats_00000070.pth", "cats", 70),
        ("/runs/x/agent007.pth", "agent007", 0),
        ("/runs/x/sd15.safetensors", "sd15", 0),
        ("/runs/x/dream_8.safetensors", "dream_8", 0),
        ("/runs/x/cats_ema.pt", "cats_ema", 0),
        ("/runs/x/anything-v5.safetensors", "anything-v5", 0),
        ("/runs/x/sd-v1-5.safetensors", "sd-v1-5", 0),
        ("/runs/x/catsV3.safetensors", "catsV3", 0),
        ("/runs/x/cats-20240115.pt", "cats-20240115", 0),
        ("/runs/x/SDXL-1.0.safetensors", "SDXL-1.0", 0),
        ("/runs/x/cinema-500.pt", "cinema", 500),
        ("/runs/x/rings.weights", "rings", 0),
        ("/runs/cats/ema_0.9999_010000", "cats", 10000),
        ("/hub/models--me--cats/snapshots/0a1b/model.safetensors", "me cats", 0),
    ],
)
def test_name_and_step_of_a_file(path, name, step):
    assert name_and_step(Path(path)) == (name, step)


@pytest.mark.parametrize(
    ("file", "digits", "variant", "marked"),
    [
        ("ema_0.9999_010000.pt", "010000", "ema_0.9999", True),
        ("ema.pt", "", "ema", True),
        ("model-ema-0.999.pt", "", "ema_0.999", True),
        ("cats.ema.500.pt", "500", "ema", False),
        ("cats_ema_.9999_500.pt", "500", "ema_0.9999", False),
        ("cats500.pt", "500", "", False),
        ("cats.pt", "", "", True),
        ("epoch=3-step=2000-v1.ckpt", "2000", "v1", True),
        ("schema.pt", "", "", True),
    ],
)
def test_how_sure_a_name_is_of_its_step_and_its_average(file, digits, variant, marked):
    found = spelling(Path("/runs/cats") / file)
    assert (found.digits, found.variant, found.marked) == (digits, variant, marked)


def test_averages_over_a_longer_time_come_later():
    variants = ["ema_0.9999", "", "ema", "v1", "ema_0.999"]
    assert sorted(variants, key=variant_rank) == ["", "v1", "ema", "ema_0.999", "ema_0.9999"]


@pytest.mark.parametrize(
    "name", ["checkpoint-500", "checkpoint_500", "step_1000", "step-10", "global_step5", "iter100", "epoch-3", "ckpt-7"]
)
def test_folders_that_are_steps(name):
    assert is_step_folder(name)


@pytest.mark.parametrize("name", ["cats", "cats-500", "checkpoint", "step_", "unet", "2024", "checkpoint-500-old"])
def test_folders_that_are_no_steps(name):
    assert not is_step_folder(name)


def test_a_folder_named_for_what_is_in_it_has_the_name_of_the_one_above():
    assert name_of_folder(Path("/runs/cats/checkpoints")) == "cats"
    assert name_of_folder(Path("/runs/cats")) == "cats"
    assert name_of_folder(Path("/models")) == "models"
