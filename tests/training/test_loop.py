"""Training: what it writes, that it repeats itself, and that it learns what can be computed by hand."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from cards import read_card

from diffstudio.checkpoints.store import load_weights
from diffstudio.data import digits
from diffstudio.diffusion.times import level
from diffstudio.errors import BadFile, BadInput, NotFound
from diffstudio.networks import NETWORKS
from diffstudio.networks.model import load_file
from diffstudio.training import objectives
from diffstudio.training.loop import train
from diffstudio.training.optimisers import Optimisers

HALF = 2e-3  # files hold half precision: weights of size 1 come back to within this


def untrained(recipe, shape=(2,), labels=8):
    """The weights that training starts from: torch's own first draw of the recipe's seed."""
    torch.manual_seed(recipe.training.seed)
    return NETWORKS[recipe.network](shape, labels, **recipe.network_args).state_dict()


def normal(labels, rng):
    return rng.normal(size=(len(labels), 2))


def corners(labels, rng):
    return np.where(labels[:, None] == 0, [0.5, -0.5], [-1.0, 0.25])


def test_a_run_ends_with_a_checkpoint_that_loads(make_recipe, run):
    recipe = make_recipe(title="Tiny", description="a test", licence="MIT", defaults={"steps": 9})
    file, progress = run(recipe)
    assert [p.step for p in progress] == [1, 2, 3, 4]
    assert {p.steps for p in progress} == {4}
    assert [p.saved for p in progress] == [None, None, None, file]
    assert all(a.seconds <= b.seconds for a, b in itertools.pairwise(progress))
    card = read_card(file)
    assert (card.name, card.title, card.description, card.licence) == ("tiny", "Tiny", "a test", "MIT")
    assert (card.step, card.shape, card.modality, card.defaults) == (4, (2,), "points", {"steps": 9})
    assert card.data.dataset == "shapes-2d"
    assert card.labels[:2] == ("unit square", "8 Gaussians")
    assert card.loss == pytest.approx(progress[-1].loss)
    model = load_file(file)
    assert torch.isfinite(model.denoiser(torch.zeros(3, 2), level(model.path, 0.5), model.labels(None, 3))).all()


def test_a_small_u_net_trains_on_the_digits(make_recipe, run):
    args = {"channels": [8, 8], "patch": 2, "embed": 16}
    recipe = make_recipe(dataset="digits", network="unet", network_args=args, training={"lr": 0.02})
    file, progress = run(recipe)
    assert read_card(file).shape == (1, 28, 28)
    assert all(math.isfinite(p.loss) for p in progress)
    start, end = untrained(recipe, (1, 28, 28), 10), load_weights(file)
    assert end.keys() == start.keys()
    for name in ("enter.weight", "middle.1.out.weight", "leave.2.weight"):
        assert (end[name] - start[name]).abs().max() > 2 * HALF, name


@pytest.mark.parametrize("dataset", ["shapes-2d", "digits"])
def test_the_same_recipe_gives_the_same_weights_whatever_was_drawn_before(dataset, make_recipe, run):
    network = {"network": "unet", "network_args": {"channels": [8], "patch": 4, "embed": 8}}
    recipe = make_recipe(dataset=dataset, training={"seed": 5}, **(network if dataset == "digits" else {}))
    first, progress = run(recipe, "first.safetensors")
    torch.rand(7)
    np.random.default_rng().normal()
    second, again = run(recipe, "second.safetensors")
    assert [p.loss for p in again] == [p.loss for p in progress]
    weights, repeated = load_weights(first), load_weights(second)
    assert all(torch.equal(weights[name], repeated[name]) for name in weights)
    assert read_card(first).sha256 == read_card(second).sha256


def test_another_seed_gives_other_weights(make_recipe, run):
    files = [run(make_recipe(training={"seed": seed}), f"{seed}.safetensors")[0] for seed in (0, 1)]
    assert read_card(files[0]).sha256 != read_card(files[1]).sha256


def test_a_training_can_begin_with_the_weights_of_another(make_recipe, run, tmp_path):
    first, _ = run(make_recipe(), "first.safetensors")
    still = {"steps": 1, "warmup": 0, "ema": 0.0, "lr": 1e-30}
    again, _ = run(make_recipe(still | {"start": str(first)}), "again.safetensors")
    fresh, _ = run(make_recipe(still), "fresh.safetensors")
    known, found, others = (load_weights(path) for path in (first, again, fresh))
    assert all(torch.equal(known[name], found[name]) for name in known)
    assert not all(torch.equal(known[name], others[name]) for name in known)
    other = make_recipe({"start": str(first)}, network_args={"width": 32, "depth": 1, "embed": 8, "octaves": 1})
    with pytest.raises(BadFile, match="has shape"):
        run(other, "other.safetensors")


def test_checkpoints_on_the_way_lie_beside_the_last_and_are_those_of_a_run_that_ended_there(make_recipe, run, tmp_path):
    recipe = make_recipe(training={"steps": 6, "save_at": [2, 5, 6], "warmup": 10})
    file, progress = run(recipe, "net.safetensors")
    names = ["net.safetensors", "net@2.safetensors", "net@5.safetensors"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert [p.saved.name if p.saved else None for p in progress] == [None, names[1], None, None, names[2], names[0]]
    assert [read_card(tmp_path / name).step for name in names] == [6, 2, 5]
    assert [read_card(tmp_path / name).spec for name in names] == ["tiny@6", "tiny@2", "tiny@5"]
    # During the warm-up the learning rate does not depend on the length of the run.
    shorter, _ = run(make_recipe(training={"steps": 2, "warmup": 10}), "short.safetensors")
    assert read_card(shorter).sha256 == read_card(tmp_path / names[1]).sha256
    assert read_card(file).sha256 != read_card(tmp_path / names[2]).sha256


def test_a_stopped_run_leaves_the_files_that_were_finished_and_nothing_else(make_recipe, tmp_path):
    chain = train(make_recipe(training={"steps": 50, "save_at": [3]}), tmp_path / "net.safetensors")
    for _ in range(2):
        next(chain)
    chain.close()
    assert list(tmp_path.iterdir()) == []
    chain = train(make_recipe(training={"steps": 50, "save_at": [3]}), tmp_path / "net.safetensors")
    for _ in range(5):
        next(chain)
    chain.close()
    assert [path.name for path in tmp_path.iterdir()] == ["net@3.safetensors"]
    load_file(tmp_path / "net@3.safetensors")


def test_a_run_that_can_not_write_keeps_the_old_checkpoint(make_recipe, run, tmp_path, monkeypatch):
    file, _ = run(make_recipe())
    old = file.read_bytes()

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(BadInput, match=r"out\.safetensors: No space left on device"):
        run(make_recipe(training={"seed": 1}))
    assert file.read_bytes() == old
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_that_is_missing_is_noticed_before_the_training(make_recipe, tmp_path):
    with pytest.raises(BadInput, match=r"there is no folder .*nowhere"):
        next(train(make_recipe(), tmp_path / "nowhere" / "net.safetensors"))


def test_arguments_that_do_not_fit_are_noticed_before_the_training(make_recipe, tmp_path):
    recipe = make_recipe(network="unet", dataset="digits", network_args={"channels": [8, 8, 8, 8]})
    with pytest.raises(BadFile, match=r"recipe 'tiny': network_args .*divisible by 16"):
        next(train(recipe, tmp_path / "net.safetensors"))


def test_an_unknown_dataset_is_noticed_before_the_training(make_recipe, tmp_path):
    with pytest.raises(NotFound, match="no dataset 'cats'"):
        next(train(make_recipe(dataset="cats"), tmp_path / "net.safetensors"))


@pytest.mark.parametrize("prediction", ["x0", "v", "flow"])
def test_two_points_are_learned_by_heart(prediction, make_recipe, run, add_dataset):
    add_dataset(corners)
    recipe = make_recipe(
        dataset="made-here",
        prediction=prediction,
        path={"name": "flow"},
        network_args={"width": 48, "depth": 2, "embed": 16},
        training={"steps": 400, "batch": 128, "lr": 5e-3, "warmup": 20, "ema": 0.98, "label_dropout": 0},
    )
    file, progress = run(recipe)
    assert progress[-1].loss < 0.05 * progress[0].loss
    model = load_file(file)
    at = level(model.path, 0.5)
    eps = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    for label, corner in enumerate(torch.tensor([[0.5, -0.5], [-1.0, 0.25]])):
        x0_hat = model.denoiser(at.a * corner + at.s * eps, at, model.labels(label, 200))
        assert (x0_hat.mean(0) - corner).abs().max() < 0.05
        assert x0_hat.std(0).max() < 0.2


def test_edms_network_learns_two_points(make_recipe, run, add_dataset):
    """It is trained on F, with its own input scale and noise level: what load_file reads it as."""
    add_dataset(corners)
    file, progress = run(
        make_recipe(
            dataset="made-here",
            prediction="edm",
            path={"name": "ve", "params": {"sigma_max": 4.0}},
            network_args={"width": 48, "depth": 2, "embed": 16},
            training={"steps": 400, "batch": 128, "lr": 5e-3, "warmup": 20, "ema": 0.98, "label_dropout": 0},
        )
    )
    assert progress[-1].loss < 0.1 * progress[0].loss
    model = load_file(file)
    eps = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    for t in (0.25, 0.75):
        at = level(model.path, t)
        for label, corner in enumerate(torch.tensor([[0.5, -0.5], [-1.0, 0.25]])):
            x0_hat = model.denoiser(at.a * corner + at.s * eps, at, model.labels(label, 200))
            assert (x0_hat.mean(0) - corner).abs().max() < 0.05
            assert x0_hat.std(0).max() < 0.2


def _mean_alpha_bar():
    return float(np.mean(np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))))


@pytest.mark.parametrize(
    ("prediction", "path", "least"),
    [
        ("flow", "flow", math.pi / 2),  # ∫ dt/((1 − t)² + t²)
        ("x0", "vp_cosine", 0.5),  # ∫ sin²(πt/2) dt
        ("v", "vp_cosine", 1.0),  # v is independent of x_t
        ("eps", "vp_linear", _mean_alpha_bar()),
    ],
)
def test_the_loss_on_normal_data_falls_to_the_conditional_variance(
    prediction, path, least, make_recipe, run, add_dataset
):
    """With x_0 and ε standard normal, Var(target | x_t) has a closed form; a loss below it would be a leak."""
    add_dataset(normal, labels=())
    recipe = make_recipe(
        dataset="made-here",
        prediction=prediction,
        path={"name": path},
        network_args={"width": 32, "depth": 1, "embed": 32, "octaves": 1},
        training={"steps": 500, "batch": 1024, "lr": 5e-3, "warmup": 20},
    )
    _, progress = run(recipe)
    assert progress[-1].loss < progress[0].loss
    assert progress[-1].loss == pytest.approx(least, rel=0.03)


def test_the_first_step_is_as_long_as_the_warm_up_allows(make_recipe, run):
    """Adam's first step moves each weight by the learning rate; here a tenth of 0.1."""
    recipe = make_recipe(training={"steps": 1, "lr": 0.1, "warmup": 10, "ema": 0})
    start, end = untrained(recipe), load_weights(run(recipe)[0])
    moved = torch.cat([(end[name] - start[name]).abs().flatten() for name in start if "label" not in name])
    assert moved.max().item() == pytest.approx(0.01, rel=0.05)
    assert moved.median().item() == pytest.approx(0.01, rel=0.05)


def test_the_last_step_stands_still(make_recipe, run, tmp_path):
    """The cosine ends at zero."""
    recipe = make_recipe(training={"steps": 5, "save_at": [4], "lr": 0.05, "ema": 0})
    file, _ = run(recipe)
    before, after = load_weights(tmp_path / "out@4.safetensors"), load_weights(file)
    assert all(torch.equal(before[name], after[name]) for name in after)


def test_the_rate_rises_with_the_warm_up_and_falls_as_a_cosine(make_recipe, run, monkeypatch):
    """Not as a line, which agrees at the ends and in the middle: a quarter on it is (1 + cos π/4)/2."""
    rates = []
    monkeypatch.setattr(Optimisers, "step", lambda self, rate: rates.append(rate))
    run(make_recipe(training={"steps": 10, "warmup": 2}))
    quarter = (1 + math.sqrt(0.5)) / 2
    assert rates[0] == pytest.approx(0.5)
    assert [rates[k - 1] for k in (2, 4, 6, 8, 10)] == pytest.approx([1, quarter, 0.5, 1 - quarter, 0], abs=1e-12)


def test_a_gradient_is_never_longer_than_the_recipe_allows(make_recipe, run, monkeypatch):
    def lengths(clip):
        found = []

        def step(self, rate):
            weights = [weight for one in self._all for group in one.param_groups for weight in group["params"]]
            found.append(torch.cat([weight.grad.flatten() for weight in weights]).norm().item())

        monkeypatch.setattr(Optimisers, "step", step)
        run(make_recipe(training={"clip": clip}), f"{clip}.safetensors")
        return found

    free = lengths(1e6)
    assert min(free) > 0.05
    assert lengths(0.01) == pytest.approx([0.01] * 4, rel=1e-3)
    assert lengths(1e5) == pytest.approx(free)  # what is short enough is left alone


def test_the_saved_weights_are_the_moving_average(make_recipe, run):
    """After one step with a long memory: 2/11 of the start and 9/11 of the end (the average warms up)."""
    training = {"steps": 1, "lr": 0.5, "warmup": 1}
    plain, averaged = (
        load_weights(run(make_recipe(training=training | {"ema": ema}), f"{ema}.safetensors")[0])
        for ema in (0.0, 0.999)
    )
    start = untrained(make_recipe(training=training))
    for name, value in averaged.items():
        torch.testing.assert_close(value, 2 / 11 * start[name] + 9 / 11 * plain[name], rtol=HALF, atol=HALF)
    assert not torch.allclose(averaged["enter.weight"], plain["enter.weight"], atol=0.05)


@pytest.mark.parametrize("dropout", [0.0, 1.0])
def test_dropout_trains_the_label_that_stands_for_any(dropout, make_recipe, run):
    recipe = make_recipe(training={"steps": 3, "batch": 200, "lr": 0.05, "ema": 0, "label_dropout": dropout})
    name = "condition.label.weight"
    moved = (load_weights(run(recipe)[0])[name] - untrained(recipe)[name]).abs().amax(dim=1) > HALF
    assert moved.tolist() == ([False] * 8 + [True] if dropout else [True] * 8 + [False])


def test_a_quarter_of_the_labels_is_dropped(make_recipe, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr("diffstudio.training.objectives.noise_loss", _recording(seen))
    list(train(make_recipe(training={"batch": 4000, "label_dropout": 0.25}), tmp_path / "net.safetensors"))
    labels = np.concatenate([batch.labels for batch in seen])
    shares = np.bincount(labels, minlength=9) / len(labels)
    np.testing.assert_allclose(shares, [0.75 / 8] * 8 + [0.25], atol=0.02)


def test_the_digits_are_augmented_and_the_held_out_ones_not_used(make_recipe, tmp_path, monkeypatch):
    monkeypatch.setattr(digits, "load", _only_train(digits.load))
    seen = []
    monkeypatch.setattr("diffstudio.training.objectives.noise_loss", _recording(seen))
    recipe = make_recipe(dataset="digits", network="unet", network_args={"channels": [8], "patch": 4, "embed": 8})
    list(train(recipe, tmp_path / "net.safetensors"))
    pictures = digits.load("train")[0]
    assert not any((pictures == row).all(axis=(1, 2, 3)).any() for row in seen[0].x0)


def _only_train(load):
    def guarded(split):
        assert split == "train"
        return load(split)

    return guarded


def _recording(seen):
    original = objectives.noise_loss

    def recorded(network, recipe, path, batch, device):
        seen.append(batch)
        return original(network, recipe, path, batch, device)

    return recorded
