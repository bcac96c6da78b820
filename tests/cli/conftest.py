"""Tiny checkpoints with random weights, and an empty folder to work in."""

from pathlib import Path

import pytest
import torch

from diffstudio.checkpoints.card import Card, TrainingData
from diffstudio.checkpoints.store import save
from diffstudio.cli import run_cli
from diffstudio.networks import NETWORKS
from diffstudio.specs import PathSpec

torch.set_num_threads(1)
MODELS = (
    ("tiny", "image", (1, 28, 28), "unet", {"channels": [8, 8], "patch": 2}, "digits", tuple("0123456789")),
    ("dots", "points", (2,), "mlp", {"width": 16, "depth": 1, "embed": 8, "octaves": 1}, "shapes-2d", ("a", "b b")),
)


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory):
    """A folder with an image model and a model of points."""
    folder = tmp_path_factory.mktemp("checkpoints")
    torch.manual_seed(0)
    for name, modality, shape, network, args, data, labels in MODELS:
        card = Card(
            name=name, modality=modality, shape=shape, path=PathSpec(), prediction="flow", network=network,
            network_args=args, labels=labels, data=TrainingData(dataset=data), step=9,
            defaults={"steps": 6, "samples": 2, "solver": "euler", "guidance": 1.0},
        )  # fmt: skip
        net = NETWORKS[network](shape, len(labels), **args)
        # The last layer starts at zero; a model that predicts nothing would show nothing.
        weights = {key: torch.randn_like(v) * 0.2 if not v.any() else v for key, v in net.state_dict().items()}
        save(folder / f"{name}.safetensors", card, {key: value.numpy() for key, value in weights.items()})
    return folder


@pytest.fixture
def tiny(checkpoints):
    return str(checkpoints / "tiny.safetensors")


@pytest.fixture
def dots(checkpoints):
    return str(checkpoints / "dots.safetensors")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Every test has its own home and works in an empty folder."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def run(capsys):
    """run(*words): exit code, stdout, stderr."""

    def run(*words):
        code = run_cli([str(word) for word in words])
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def names():
    """names(folder): what is in it, sorted."""
    return lambda folder: sorted(path.name for path in Path(folder).iterdir())
