"""Which model and which step of its training a file or folder is, by its name."""

from pathlib import Path

import pytest

from diffstudio.checkpoints.adapters import is_step_folder
from diffstudio.checkpoints.names import name_and_step, name_of_folder


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
    ],
)
def test_name_and_step_of_a_file(path, name, step):
    assert name_and_step(Path(path)) == (name, step)


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
