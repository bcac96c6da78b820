"""What a card may say."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError
from tensor_bytes import card, card_table

from diffstudio.checkpoints.card import Card


def test_a_card_keeps_what_it_says_through_json():
    written = card(
        title="Two rings",
        labels=["inner", "outer"],
        path={"name": "ve", "params": {"sigma_max": 20.0}},
        ema=0.99,
        loss=0.25,
        defaults={"steps": 20, "solver": "heun", "guidance_scale": 1.5},
        measures={"modes": 1.0},
    )
    table = json.loads(written.model_dump_json())
    assert table["labels"] == ["inner", "outer"]
    assert table["path"] == {"name": "ve", "params": {"sigma_max": 20.0}}
    assert table["defaults"] == {"steps": 20, "solver": "heun", "guidance_scale": 1.5}
    assert Card.model_validate_json(written.model_dump_json()) == written


def test_what_is_not_said_has_a_harmless_default():
    plain = card()
    assert (plain.labels, plain.loss, plain.sha256, plain.thumbnail, plain.ema) == ((), None, "", "", 0)
    assert (plain.format_version, plain.sigma_data, plain.learned_range) == (1, 0.5, False)


def test_spec_names_this_very_checkpoint():
    assert card(name="digits", step=400).spec == "digits@400"


def test_a_card_is_a_value():
    with pytest.raises(ValidationError, match="frozen"):
        card().step = 5


@pytest.mark.parametrize("left_out", ["name", "modality", "shape", "path", "prediction", "network", "data", "step"])
def test_what_a_model_cannot_be_built_without_must_be_said(left_out):
    table = card_table()
    del table[left_out]
    with pytest.raises(ValidationError) as caught:
        Card.model_validate(table)
    assert [(e["loc"], e["type"]) for e in caught.value.errors()] == [((left_out,), "missing")]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"format_version": 2}, "format_version"),
        ({"name": ""}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"modality": "smell"}, "modality"),
        ({"prediction": "score"}, "prediction"),
        ({"sigma_data": 0.0}, "sigma_data"),
        ({"sigma_data": float("nan")}, "sigma_data"),
        ({"learned_range": "perhaps"}, "learned_range"),
        ({"shape": []}, "shape"),
        ({"shape": [1] * 5}, "shape"),
        ({"shape": [0]}, "shape"),
        ({"shape": [4097, 2]}, "shape"),
        ({"path": {"name": "spiral"}}, "path"),
        ({"path": {"name": "ve", "params": {"sigma_max": 1e9}}}, "path"),
        ({"path": {"name": "ve", "params": {"beta": 1}}}, "path"),
        ({"path": {"name": "ve", "params": {"sigma_max": float("nan")}}}, "path"),
        ({"step": -1}, "step"),
        ({"step": 10**9 + 1}, "step"),
        ({"step": 1.5}, "step"),
        ({"ema": 1.0}, "ema"),
        ({"loss": float("nan")}, "loss"),
        ({"loss": -0.1}, "loss"),
        ({"parameters": -1}, "parameters"),
        ({"sha256": "abc"}, "sha256"),
        ({"sha256": "A" * 64}, "sha256"),
        ({"labels": ["x"] * 10_001}, "labels"),
        ({"labels": ["x" * 201]}, "labels"),
        ({"title": "x" * 201}, "title"),
        ({"description": "x" * 4001}, "description"),
        ({"thumbnail": "x" * 40_001}, "thumbnail"),
        ({"data": {"dataset": "d", "url": "http://"}}, "data"),
        ({"measures": {"agreement": float("nan")}}, "measures"),
        ({"measures": {"agreement": float("inf")}}, "measures"),
        ({"defaults": {"guidance_scale": float("nan")}}, "defaults"),
        ({"run_me": "import os"}, "run_me"),
    ],
)
def test_what_is_out_of_bounds_is_refused_by_the_name_of_its_field(changes, field):
    with pytest.raises(ValidationError) as caught:
        card(**changes)
    assert {e["loc"][0] for e in caught.value.errors()} == {field}


@pytest.mark.parametrize(
    "args",
    [{}, {"width": 65_536, "depth": -1}, {"attention": [False, True], "act": "silu"}, {"a": {"b": [0.5, "x"]}}],
)
def test_network_arguments_are_small_numbers_short_words_and_lists(args):
    assert card(network_args=args).network_args == args


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({"channels": 10**9}, "network_args.channels is 1000000000, expected at most 65536"),
        ({"channels": [32, -(10**9)]}, "network_args.channels.1 is -1000000000, expected at most 65536"),
        ({"rate": float("nan")}, "network_args.rate is nan"),
        ({"rate": float("inf")}, "network_args.rate is inf"),
        ({"act": "x" * 201}, "network_args.act is not a small number, a short text or a list of them"),
        ({"act": None}, "network_args.act is not a small number"),
        ({"channels": [1] * 65}, "network_args.channels is not a small number"),
        ({str(i): 1 for i in range(65)}, "network_args is not a small number"),
        ({"a": [[[1]]]}, "network_args.a.0.0 is not a small number"),
    ],
)
def test_network_arguments_that_could_build_something_huge_are_refused(args, says):
    with pytest.raises(ValidationError, match="network_args") as caught:
        card(network_args=args)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("network", "group"), [("mlp", "points"), ("exact_mixture", "exact"), ("exact_data", "exact"), ("?", "points")]
)
def test_a_card_stands_with_its_modality_or_with_the_exact_ones(network, group):
    assert card(network=network).group == group
