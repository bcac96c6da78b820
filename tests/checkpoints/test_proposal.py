"""What bare weights tell: for every network of ours the arguments that it was made with."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import save_file

from diffstudio.checkpoints.adapters import card_at
from diffstudio.checkpoints.proposal import entries, proposal_of, propose, write_card
from diffstudio.errors import BadFile, BadInput
from diffstudio.networks import NETWORKS
from diffstudio.networks.model import load_file

MADE = [
    ("mlp", (2,), 3, {"width": 16, "depth": 2, "octaves": 3, "embed": 8}),
    ("mlp", (5,), 0, {"width": 8, "depth": 1, "octaves": 1, "embed": 6}),
    ("unet", (1, 8, 8), 10, {"channels": [8, 16], "blocks": 2, "embed": 8, "heads": 4, "patch": 2}),
    ("unet", (3, 4, 4), 0, {"channels": [8], "blocks": 1, "embed": 4, "heads": 4, "patch": 1}),
    ("unet", (3, 16, 16), 2, {"channels": [8, 8, 16], "blocks": 1, "embed": 8, "heads": 4, "patch": 2}),
    ("video_unet", (4, 1, 8, 16), 2, {"channels": [8, 16], "embed": 8, "heads": 4, "patch": 2}),
    ("video_transformer", (4, 1, 8, 16), 2, {"width": 16, "depth": 2, "heads": 4, "patch": 4}),
    ("video_transformer", (3, 3, 14, 7), 0, {"width": 8, "depth": 1, "heads": 4, "patch": 7}),
]


def weights(name, shape, labels, args, **more):
    torch.manual_seed(0)
    given = {key: tuple(v) if isinstance(v, list) else v for key, v in args.items()}
    return NETWORKS[name](shape, labels, **given, **more).state_dict()


def shapes(state):
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


@pytest.mark.parametrize(("name", "shape", "labels", "args"), MADE)
def test_a_network_is_told_by_its_tensors(name, shape, labels, args):
    found = proposal_of(shapes(weights(name, shape, labels, args)))
    assert found is not None
    assert (found.network, found.network_args, found.labels, found.learned_range) == (name, args, labels, False)
    assert len(found.shape) == len(shape)
    assert all(told in (0, side) for told, side in zip(found.shape, shape, strict=True))
    assert all(found.shape) == (name != "unet")  # a convolution does not tell how large the picture is


@pytest.mark.parametrize(("name", "shape", "args"), [(MADE[0][0], MADE[0][1], MADE[0][3]), (*MADE[2][:2], MADE[2][3])])
def test_a_learned_range_is_told(name, shape, args):
    found = proposal_of(shapes(weights(name, shape, 0, args, outputs=2)))
    assert found is not None and found.learned_range and found.network_args == args


def test_other_weights_are_not_taken_for_ours():
    text = NETWORKS["transformer"]((1, 4), 0, vocabulary=5, width=8, depth=1, heads=2).state_dict()
    for state in ({}, {"enter.weight": (3,)}, shapes(text)):
        assert proposal_of(state) is None
    real = shapes(weights(*MADE[2]))
    for name in real:  # named like ours, and damaged
        found = proposal_of({**real, name: ()})
        assert found is None or found.network == "unet"
    assert (
        proposal_of({**real, "condition.label.weight": (2**50, 0)}) is None
    )  # as many classes as it likes, in 0 bytes


@pytest.mark.parametrize("damage", [{"enter.weight": (8, 5)}, {"out.weight": (9, 9)}, {"place.2": ()}])
def test_a_damaged_transformer_of_clips_is_not_taken_for_one(damage):
    real = shapes(weights(*MADE[-1]))
    assert proposal_of(real | damage) is None


def test_weights_with_the_card_that_was_written_open(tmp_path):
    name, shape, labels, args = MADE[2]
    state = weights(name, shape, labels, args)
    for file in (tmp_path / "digits-12.pt", tmp_path / "other.safetensors"):
        torch.save(state, file) if file.suffix == ".pt" else save_file(state, file)
        with pytest.raises(BadFile):
            card_at(file)
        told = {"shape": [1, 8, 8], "prediction": "eps", "path": {"name": "vp_linear"}, "time": "timestep"}
        beside = write_card(file, entries(propose(file), **told))
        assert beside == file.with_name(file.name + ".card.json")
        model = load_file(file)
        assert (model.card.time, model.card.labels) == ("timestep", tuple("0123456789"))
        torch.testing.assert_close(dict(model.network.state_dict()), dict(state))
        with pytest.raises(BadInput, match="nothing is to be written"):
            propose(file)


def test_a_card_is_not_replaced_without_a_word(tmp_path):
    file = tmp_path / "dots.pt"
    torch.save(weights(*MADE[0]), file)
    found = entries(propose(file), prediction="eps", path={"name": "flow"})
    beside = write_card(file, found)
    before = beside.read_bytes()
    with pytest.raises(BadInput, match="is there already"):
        write_card(file, found | {"prediction": "x0"})
    assert beside.read_bytes() == before
    write_card(file, found | {"prediction": "x0"}, overwrite=True)
    assert json.loads(beside.read_text("utf-8"))["prediction"] == "x0"
    with pytest.raises(BadFile, match="prediction"):
        write_card(file, found | {"prediction": "magic"}, overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dots.pt", "dots.pt.card.json"]


def test_what_is_no_file_of_weights_is_refused(tmp_path):
    (tmp_path / "page.pt").write_text("<html>")
    with pytest.raises(BadFile, match="is a web page or XML"):
        propose(tmp_path / "page.pt")
    torch.save({"a.weight": torch.zeros(2)}, tmp_path / "other.pt")
    with pytest.raises(BadFile, match="only networks of the registry run"):
        propose(tmp_path / "other.pt")


@pytest.fixture
def published(tmp_path):
    """A file as guided-diffusion writes it: nothing tells that its pictures are 32×32."""
    torch.manual_seed(0)
    args = {"width": 32, "widths": (32, 32), "blocks": 1, "attention": (False,) * 2, "attention_up": (False,) * 4}
    torch.save(NETWORKS["adm"]((3, 32, 32), 0, **args).state_dict(), tmp_path / "model.pt")
    return tmp_path / "model.pt"


def test_size_and_path_of_a_published_model_are_chosen_and_kept_beside_the_file(published):
    assert card_at(published).shape == (3, 16, 16)
    found = propose(published)
    assert (found.network, found.shape, found.assumed[0]) == ("adm", (3, 16, 16), "pictures of 16×16")
    chosen = found.published("CIFAR-10 32×32 of improved-diffusion (cosine)")
    assert (chosen.shape, chosen.usual["path"], chosen.usual["time"]) == ((3, 32, 32), "vp_cosine_table", "timestep")
    path = {"name": chosen.usual["path"]}
    write_card(published, entries(chosen, prediction=chosen.usual["prediction"], path=path, time=chosen.usual["time"]))
    card = card_at(published)
    assert (card.shape, card.path.name, card.format) == ((3, 32, 32), "vp_cosine_table", "guided-diffusion")
    assert load_file(published).card.shape == (3, 32, 32)
    with pytest.raises(BadInput, match="has a card beside it"):
        propose(published)
    assert propose(published, again=True).shape == (3, 32, 32)
