"""Recipes as files: what is accepted, and what is said of what is not."""

from __future__ import annotations

import pytest
from cards import read_card
from pydantic import ValidationError

from diffstudio.errors import BadFile, BadInput
from diffstudio.networks import build
from diffstudio.resources import resource
from diffstudio.training.loop import _card
from diffstudio.training.recipe import Recipe, Schedule, load_recipe

LEAST = """
name = "rings"
dataset = "shapes-2d"
network = "mlp"
[training]
steps = 10
"""


@pytest.fixture
def write(tmp_path):
    def write(text, name="rings.toml"):
        file = tmp_path / name
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    return write


def test_the_least_recipe_gets_the_defaults(write):
    recipe = load_recipe(write(LEAST))
    assert recipe.training == Schedule(steps=10)
    assert (recipe.prediction, recipe.path.name, recipe.title) == ("flow", "flow", "")


def test_every_field_of_a_full_recipe_arrives(write):
    text = """
name = "rings"
title = "Ringe"
description = "Für alle"
dataset = "digits"
network = "unet"
prediction = "eps"
licence = "MIT"
network_args = { channels = [8, 16], patch = 4 }
path = { name = "ve", params = { sigma_max = 20 } }
defaults = { solver = "heun", steps = 18, guidance = 1.5 }
[training]
steps = 20
batch = 8
lr = 1e-4
warmup = 3
weight_decay = 0.01
clip = 0.5
ema = 0.9
label_dropout = 0.2
times = "logit-normal"
save_at = [5, 10]
seed = 12
"""
    recipe = load_recipe(write(text))
    assert recipe.title == "Ringe"
    assert recipe.description == "Für alle"
    assert recipe.network_args == {"channels": [8, 16], "patch": 4}
    assert recipe.path.params == {"sigma_max": 20}
    assert recipe.defaults == {"solver": "heun", "steps": 18, "guidance": 1.5}
    assert recipe.training == Schedule(
        steps=20,
        batch=8,
        lr=1e-4,
        warmup=3,
        weight_decay=0.01,
        clip=0.5,
        ema=0.9,
        label_dropout=0.2,
        times="logit-normal",
        save_at=(5, 10),
        seed=12,
    )


@pytest.mark.parametrize("file", sorted(resource("recipes").glob("*.toml")), ids=lambda file: file.stem)
def test_a_bundled_recipe_can_be_trained(file):
    from diffstudio.data import dataset

    recipe = load_recipe(file)
    assert recipe.name == file.stem
    assert recipe.title
    assert recipe.description
    build(_card(recipe, dataset(recipe.dataset)))


def test_a_recipe_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BadInput, match=r"can't read the recipe .*none\.toml: No such file"):
        load_recipe(tmp_path / "none.toml")


def test_a_folder_is_not_a_recipe(tmp_path):
    with pytest.raises(BadInput, match="can't read the recipe"):
        load_recipe(tmp_path)


@pytest.mark.parametrize("text", ["name = ", "{}", b"\xff\xfe\x00", "[training]\nsteps = 1\nsteps = 2\n"])
def test_what_is_not_toml_is_named(text, write):
    with pytest.raises(BadFile, match=r"rings\.toml: not a TOML file"):
        load_recipe(write(text))


def _with(line, section=""):
    """The least recipe with one line more or one line changed, at the top or in [training]."""
    key = line.split(" ")[0]
    kept = "\n".join(old for old in LEAST.splitlines() if not old.startswith(f"{key} "))
    return kept.replace("[training]", f"[training]\n{line}") if section else f"{line}\n{kept}"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (LEAST.replace("steps = 10", ""), r"training\.steps: Field required$"),
        (LEAST.replace('dataset = "shapes-2d"', ""), r"dataset: Field required$"),
        (_with("colour = 3"), r"colour: Extra inputs are not permitted, found 3"),
        (_with("momentum = 0.9", "training"), r"training\.momentum: Extra inputs .*found 0\.9"),
        (_with("steps = 0", "training"), r"training\.steps: .*greater than or equal to 1, found 0"),
        (_with("steps = 1.5", "training"), r"training\.steps: .*integer.*found 1\.5"),
        (_with("batch = 0", "training"), r"training\.batch: .*greater than or equal to 1"),
        (_with("batch = 1_000_000", "training"), r"training\.batch: .*65536, found 1000000"),
        (_with("lr = 0.0", "training"), r"training\.lr: .*greater than 0"),
        (_with("lr = nan", "training"), r"training\.lr: .*found nan"),
        (_with("lr = inf", "training"), r"training\.lr: .*found inf"),
        (_with("ema = 1.0", "training"), r"training\.ema: .*less than 1, found 1\.0"),
        (_with("label_dropout = 2", "training"), r"training\.label_dropout: .*less than or equal to 1"),
        (_with("warmup = -1", "training"), r"training\.warmup: .*greater than or equal to 0"),
        (_with("clip = 0", "training"), r"training\.clip: .*greater than 0"),
        (_with("clip = nan", "training"), r"training\.clip: .*found nan"),
        (_with("weight_decay = nan", "training"), r"training\.weight_decay: .*found nan"),
        (_with('times = "cosine"', "training"), r"training\.times: .*'uniform' or 'logit-normal', found 'cosine'"),
        (_with("save_at = [0]", "training"), r"training\.save_at\.0: .*greater than or equal to 1"),
        (_with("save_at = [5, 11]", "training"), r"training: save_at has 11, expected at most the 10 steps"),
        (_with("seed = -1", "training"), r"training\.seed: .*greater than or equal to 0"),
        (_with('name = ""'), r"name: .*at least 1 character"),
        (_with('name = "a@3"'), r"name: .*pattern.*found 'a@3'"),
        (_with('name = "a/b"'), r"name: .*pattern.*found 'a/b'"),
        (_with(f'title = "{"x" * 201}"'), r"title: .*at most 200 characters"),
        (_with(f'description = "{"x" * 4001}"'), r"description: .*at most 4000 characters"),
        (_with('network = "perceptron"'), r"network: unknown network 'perceptron': choose one of mlp, unet"),
        (_with('network = "exact_data"'), r"network: unknown network 'exact_data': choose one of mlp, unet"),
        (_with("network_args = { width = 65537 }"), r"network_args: network_args\.width is 65537, expected at most"),
        (_with('prediction = "noise"'), r"prediction: .*'eps', 'x0', 'v', 'flow', 'edm' or 'tokens', found 'noise'"),
        (_with('path = { name = "loop" }'), r"path: unknown path 'loop': choose one of flow"),
        (_with('path = { name = "ve", params = { sigma_max = 1e9 } }'), r"path: path 've': sigma_max is 1e\+09"),
        (_with('prediction = "eps"'), r"recipe: prediction 'eps' has no x̂0 where path 'flow' ends without signal"),
        (_with("defaults = { guidance = inf }"), r"defaults\.guidance.*found inf"),
    ],
)
def test_a_wrong_field_is_named_with_the_file_and_what_was_expected(text, sentence, write):
    with pytest.raises(BadFile, match=rf"^\S*rings\.toml: {sentence}"):
        load_recipe(write(text))


def test_an_unknown_dataset_is_answered_with_the_known_ones(write):
    with pytest.raises(BadInput, match=r"rings\.toml: dataset is 'cats', expected one of digits, shapes-2d"):
        load_recipe(write(_with('dataset = "cats"')))


def test_only_clips_have_frames_that_can_be_tied_together(write):
    with pytest.raises(BadFile, match=r"training\.smoothness is for clips, found a dataset of points: leave it out"):
        load_recipe(write(_with("smoothness = 1.0", "training")))


def test_a_long_value_is_not_repeated_in_full(write):
    with pytest.raises(BadFile) as caught:
        load_recipe(write(_with(f'title = "{"x" * 5000}"')))
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("path", ["vp_linear", "ve", "mixing"])
def test_eps_is_accepted_where_signal_is_left_at_the_end(path):
    assert Recipe.model_validate(
        {"name": "x", "dataset": "digits", "network": "unet", "prediction": "eps", "path": {"name": path}}
        | {"training": {"steps": 1}}
    )


@pytest.mark.parametrize("prediction", ["eps", "edm"])
@pytest.mark.parametrize("path", [{"name": "vp_cosine"}, {"name": "vp_linear", "params": {"beta_end": 0.999}}])
def test_eps_and_edm_are_refused_where_the_path_ends_without_signal(path, prediction):
    with pytest.raises(ValidationError, match=f"prediction '{prediction}' has no x̂0 where .* ends without signal"):
        Recipe.model_validate(
            {"name": "x", "dataset": "digits", "network": "unet", "prediction": prediction, "path": path}
            | {"training": {"steps": 1}}
        )


def test_a_recipe_survives_json(make_recipe):
    recipe = make_recipe(training={"save_at": [1, 2]}, defaults={"steps": 3, "guidance": 1.5, "solver": "ddim"})
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe


def test_a_recipe_can_learn_its_variance_and_say_the_spread_of_its_data(make_recipe, run):
    recipe = make_recipe(learned_range=True, path={"name": "vp_linear", "params": {"n": 20}}, prediction="eps")
    assert recipe.training.bound == 1e-3
    card = read_card(run(recipe)[0])
    assert (card.learned_range, card.sigma_data) == (True, 0.5)
    card = read_card(run(make_recipe(prediction="edm", sigma_data=0.8, path={"name": "edm"}), "edm.safetensors")[0])
    assert (card.learned_range, card.sigma_data) == (False, 0.8)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"learned_range": True}, "learned_range needs a path with training steps, .* 'flow' has none"),
        ({"sigma_data": 0.8}, "sigma_data belongs to prediction 'edm', found 'flow': leave it out"),
        ({"prediction": "edm", "path": {"name": "ve"}, "sigma_data": 0}, "sigma_data"),
    ],
)
def test_what_they_do_not_go_with_is_a_sentence(make_recipe, fields, sentence):
    with pytest.raises(ValidationError, match=sentence):
        make_recipe(**fields)
