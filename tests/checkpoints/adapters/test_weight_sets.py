"""A network is known behind any wrapping, its averages come first, and what lies beside it is not counted with it."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import save_file

from diffstudio.checkpoints.adapters import card_at
from diffstudio.checkpoints.adapters.bare import SIGNS, WITHIN, weights_of
from diffstudio.checkpoints.adapters.look import Look
from diffstudio.checkpoints.adapters.weight_sets import weight_set, weight_sets
from diffstudio.checkpoints.proposal import own_proposal
from diffstudio.errors import BadFile
from diffstudio.networks import NETWORKS
from diffstudio.networks.model import load_file
from diffstudio.options import NETWORKS as OPTIONS


def adm():
    """A U-Net of guided-diffusion."""
    torch.manual_seed(0)
    args = {"width": 32, "widths": (32, 32), "blocks": 1, "attention": (False,) * 2, "attention_up": (False,) * 4}
    return NETWORKS["adm"]((3, 32, 32), 0, **args).state_dict()


def points():
    """A TimeInputMLP of smalldiffusion, all of whose names begin alike."""
    torch.manual_seed(0)
    return NETWORKS["smalldiffusion_mlp"]((2,), 0, hidden=(16, 16)).state_dict()


def rings():
    """A network of ours."""
    torch.manual_seed(0)
    return NETWORKS["mlp"]((2,), 0, width=8, depth=1, octaves=1, embed=6).state_dict()


def under(prefix, state):
    return {f"{prefix}{name}": tensor for name, tensor in state.items()}


def averages(state):
    return {name: tensor + 1 for name, tensor in state.items()}


def optimiser(state):
    """What an optimiser keeps, by number and, as sharded ones do, by the names of the weights."""
    kept = {i: {"exp_avg": tensor, "step": torch.tensor(3.0)} for i, tensor in enumerate(state.values())}
    return {"state": kept, "param_groups": [{"lr": 1e-3}], "named": {f"{name}.exp_avg": t for name, t in state.items()}}


WRAPPED = {
    "DataParallel": lambda s: under("module.", s),
    "compiled": lambda s: under("_orig_mod.", s),
    "nested prefixes": lambda s: under("module._orig_mod.model.", s),
    "model_state_dict": lambda s: {"epoch": 1, "model_state_dict": s, "loss": 0.5},
    "Lightning": lambda s: {"state_dict": under("model.", s), "optimizer_states": [optimiser(s)], "epoch": 3},
    "a word of nobody": lambda s: {"denoiser_of_cats": s, "optimizer": optimiser(s)},
    "beside its chain": lambda s: s | {"betas": torch.zeros(10), "alphas_cumprod": torch.zeros(10)},
}


@pytest.mark.parametrize("wrap", WRAPPED)
@pytest.mark.parametrize("make", [adm, points])
def test_a_wrapping_means_nothing(tmp_path, make, wrap):
    torch.save(make(), tmp_path / "plain.pt")
    torch.save(WRAPPED[wrap](make()), tmp_path / "wrapped.pt")
    plain, wrapped = (card_at(tmp_path / f"{name}.pt") for name in ("plain", "wrapped"))
    assert wrapped == plain.model_copy(update={"name": "wrapped", "title": "wrapped"})


@pytest.mark.parametrize("wrap", WRAPPED)
def test_weights_of_our_networks_are_told_behind_it_too(tmp_path, wrap):
    torch.save(WRAPPED[wrap](rings()), tmp_path / "wrapped.pt")
    found = own_proposal(Look(tmp_path / "wrapped.pt"))
    assert found is not None and (found.network, found.network_args["width"], found.sets) == ("mlp", 8, ())


def test_the_weights_are_those_of_the_network_alone_whatever_lies_beside_them(tmp_path):
    state, path = rings(), tmp_path / "run.pt"
    torch.save({"net": under("module.", state), "optimizer": optimiser(state), "step": 3}, path)
    beside = {"modality": "points", "shape": [2], "path": {"name": "flow"}, "prediction": "flow", "network": "mlp"}
    args = {"width": 8, "depth": 1, "octaves": 1, "embed": 6}
    (tmp_path / "run.pt.card.json").write_text(json.dumps(beside | {"network_args": args}), "utf-8")
    model = load_file(path)
    assert model.card.parameters == sum(tensor.numel() for tensor in state.values())
    torch.testing.assert_close(dict(model.network.state_dict()), dict(state))


@pytest.mark.parametrize("name", [name for name, row in OPTIONS.items() if row.trained])
def test_every_network_that_is_trained_has_signs_or_is_no_file_of_one_network(name):
    """The large ones of prompts are told by their folders and single files, never by a card that names them alone."""
    assert name in SIGNS or name.startswith("diffusers_")


def test_a_card_may_name_a_network_of_diffusers_whose_file_lacks_our_own_prefix(tmp_path, make_unet):
    network = make_unet()
    for prefix in ("", "unet.", "state_dict.", "module.unet."):
        save_file(under(prefix, network.state_dict()), tmp_path / "cats.safetensors")
        found = weights_of(Look(tmp_path / "cats.safetensors"), "diffusers_unet")
        assert found.names.keys() == under(WITHIN["diffusers_unet"], network.state_dict()).keys(), prefix


# ── raw and averaged ────────────────────────────────────────────────────────────────────────────────────────────────

BOTH = {
    "two tables": lambda s: {"model": s, "ema": averages(s)},
    "params_ema": lambda s: {"params": s, "params_ema": averages(s)},
    "within one table": lambda s: under("net.", s) | under("ema_net.", averages(s)),
    "ema-pytorch": lambda s: {"model": s, "ema": under("online_model.", s) | under("ema_model.", averages(s))},
    "torch's AveragedModel": lambda s: {
        "model": s,
        "swa": under("module.", averages(s)) | {"n_averaged": torch.ones(())},
    },
    "a list": lambda s: {"model": s, "ema": {"shadow_params": list(averages(s).values()), "decay": 0.999}},
    "a list in front": lambda s: {"ema": {"decay": 0.9, "shadow_params": list(averages(s).values())}, "state_dict": s},
}


@pytest.mark.parametrize("kept", BOTH)
def test_averages_are_taken_first_and_the_raw_weights_where_a_card_asks_for_them(tmp_path, kept):
    state, path = points(), tmp_path / "run.pt"
    torch.save(BOTH[kept](state), path)
    card = card_at(path)
    assert card.weights == "averaged" and "its averaged weights are taken; --weights raw" in card.notes[0]
    assert card.parameters == sum(tensor.numel() for tensor in state.values())
    averaged = weight_set(Look(path), ("net.0.weight",))
    (tmp_path / "run.pt.card.json").write_text('{"weights": "raw"}', "utf-8")
    card = card_at(path)
    assert card.weights == "raw" and "its raw weights are taken; --weights averaged" in card.notes[0]
    raw = weight_set(Look(path), ("net.0.weight",))
    assert averaged is not None and raw is not None and averaged.names != raw.names
    if kept == "a list":  # one of them is loaded, in a process that takes a while to start
        torch.testing.assert_close(averaged.load(), averages(state))
        torch.testing.assert_close(raw.load(), dict(state))


def test_weights_that_are_asked_for_and_not_there_are_named(tmp_path):
    torch.save({"ema": points()}, tmp_path / "run.pt")
    (tmp_path / "run.pt.card.json").write_text('{"weights": "raw"}', "utf-8")
    with pytest.raises(BadFile, match=r"asks for weights 'raw', the file has averaged weights"):
        card_at(tmp_path / "run.pt")
    torch.save(points(), tmp_path / "run.pt")
    assert card_at(tmp_path / "run.pt").weights == ""  # one set is raw as well as anything


@pytest.mark.parametrize(
    ("change", "listed"),
    [
        (lambda s: list(s.values()), True),
        (lambda s: list(s.values())[:-1], False),  # the first and the last way to place them differ
        (lambda s: [*s.values(), torch.zeros(7)], False),
        (lambda s: [torch.zeros(5), *list(s.values())[1:]], False),
    ],
)
def test_a_list_without_names_is_placed_only_where_that_is_sure(tmp_path, change, listed):
    state = points() | {"net.4.scale": torch.zeros(2)}  # as long as the bias before it
    torch.save({"model": state, "ema": {"shadow_params": change(state)}}, tmp_path / "run.pt")
    sets = weight_sets(Look(tmp_path / "run.pt"), ("net.0.weight",))
    assert [each.kind for each in sets] == (["averaged", "raw"] if listed else [""])


def test_buffers_of_the_network_are_left_out_of_such_a_list(tmp_path):
    state = {"layer.weight": torch.zeros(4, 3), "layer.scale": torch.zeros(9), "out.weight": torch.zeros(2, 4)}
    shadow = [torch.ones(4, 3), torch.ones(2, 4)]
    torch.save({"model": state, "ema": {"shadow_params": shadow}}, tmp_path / "run.pt")
    first = weight_sets(Look(tmp_path / "run.pt"), ("layer.weight", "out.weight"))[0]
    assert first.names == {
        "layer.weight": "ema.shadow_params.0",
        "layer.scale": "model.layer.scale",
        "out.weight": "ema.shadow_params.1",
    }


def test_a_part_of_a_larger_network_is_no_network_behind_a_prefix(tmp_path):
    torch.save(under("blocks.0.mlp.", points()), tmp_path / "larger.pt")
    with pytest.raises(BadFile, match="is not known here"):
        card_at(tmp_path / "larger.pt")


@pytest.mark.parametrize("key", ["a\0b", "--"])
def test_names_that_no_command_line_holds_are_read_all_the_same(tmp_path, key):
    state = points()
    torch.save({key: state}, tmp_path / "odd.pt")
    found = weight_set(Look(tmp_path / "odd.pt"), ("net.0.weight",))
    assert found is not None
    torch.testing.assert_close(found.load(), dict(state))


def test_what_else_lies_in_the_file_is_said_and_what_a_training_keeps_is_not(tmp_path):
    state = points()
    beside = {"optimizer": optimiser(state), "sched": {"last": torch.zeros(2)}, "betas": torch.zeros(5)}
    torch.save({"model": state, **beside}, tmp_path / "run.pt")
    assert card_at(tmp_path / "run.pt").notes == ()
    torch.save(
        {"model": state, **beside, "head": {"weight": torch.zeros(2), "bias": torch.zeros(2)}}, tmp_path / "run.pt"
    )
    assert card_at(tmp_path / "run.pt").notes == (
        "2 tensors beside its network are not used (the first is 'head.weight')",
    )
