"""Loading a checkpoint as a denoiser, from small files made here."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from diffstudio.diffusion.denoiser import estimate, on_path
from diffstudio.diffusion.guidance import rescaled
from diffstudio.diffusion.times import Level, level
from diffstudio.errors import BadFile, BadInput, NotFound
from diffstudio.networks import NETWORKS, model
from diffstudio.networks.model import load_file, load_model

KINDS = pytest.mark.parametrize(("network", "shape"), [("mlp", (2,)), ("unet", (1, 28, 28))])
AT = Level(0.4, 0.6, 0.4)


def state(shape, batch=5):
    return torch.randn(batch, *shape, generator=torch.Generator().manual_seed(1))


@KINDS
def test_a_loaded_network_has_the_saved_weights_in_single_precision(network, shape, save_checkpoint, make_network):
    file, card = save_checkpoint(network=network, shape=shape)
    loaded = load_file(file)
    saved = make_network(network, shape).state_dict()
    for name, weight in loaded.network.state_dict().items():
        assert weight.dtype == torch.float32
        assert torch.equal(weight, saved[name].half().float())
    assert loaded.card.name == card.name
    assert not loaded.network.training
    assert not any(p.requires_grad for p in loaded.network.parameters())


@pytest.mark.parametrize("prediction", ["eps", "x0", "v", "flow"])
@KINDS
def test_the_denoiser_is_the_network_read_as_what_it_predicts(network, shape, prediction, save_checkpoint):
    """x̂0 solves x = a·x̂0 + s·ε̂ together with the equation that defines the prediction."""
    file, card = save_checkpoint(network=network, shape=shape, path="vp_linear", prediction=prediction)
    loaded = load_file(file)
    at = level(loaded.path, 0.3)
    x, labels = state(shape), torch.tensor([0, 1, 2, 3, 0])
    plain = NETWORKS[network](shape, 3, **card.network_args)  # built apart, in the default memory layout
    plain.load_state_dict(loaded.network.state_dict())
    with torch.no_grad():
        out = plain(x, torch.full((5,), 0.3), labels)
    x0_hat = loaded.denoiser(x, at, labels)
    eps_hat = (x - at.a * x0_hat) / at.s
    predicted = {"eps": eps_hat, "x0": x0_hat, "v": at.a * eps_hat - at.s * x0_hat, "flow": eps_hat - x0_hat}
    scale = out.abs().max().item()
    torch.testing.assert_close(predicted[prediction], out, rtol=0, atol=2e-3 * scale)


def test_an_edm_network_is_read_with_the_cards_sigma_data(save_checkpoint):
    file, _ = save_checkpoint(path="edm", prediction="edm", sigma_data=0.8)
    loaded = load_file(file)
    at, x = level(loaded.path, 0.6), state((2,))
    norm = (at.s**2 + 0.8**2) ** 0.5
    out = loaded.network(x / norm, torch.full((5,), float(np.log(at.s)) / 4), None)
    expected = 0.8**2 / norm**2 * x + at.s * 0.8 / norm * out
    torch.testing.assert_close(loaded.denoiser(x, at, None), expected, rtol=1e-4, atol=1e-4)


@KINDS
@pytest.mark.parametrize("elements", [1 << 18, 1], ids=["whole", "in parts"])
def test_a_learned_range_comes_with_x0_hat(network, shape, elements, save_checkpoint, monkeypatch):
    monkeypatch.setattr(model, "CHUNK_ELEMENTS", elements)
    file, _ = save_checkpoint(network=network, shape=shape, path="vp_linear", prediction="x0", learned_range=True)
    loaded = load_file(file)
    x, at = state(shape), level(loaded.path, 0.4)
    out = loaded.network(x, torch.full((5,), 0.4), None)
    assert out.shape == (5, 2 * shape[0], *shape[1:])
    found = estimate(loaded.denoiser(x, at, None))
    torch.testing.assert_close(found.x0_hat, out[:, : shape[0]], rtol=1e-3, atol=1e-3 * out.abs().max().item())
    wanted = (out[:, shape[0] :] + 1) / 2
    torch.testing.assert_close(found.extras["variance_range"], wanted, rtol=1e-3, atol=1e-3 * out.abs().max().item())


def test_the_path_is_the_one_that_the_card_names(save_checkpoint):
    loaded = load_file(save_checkpoint(path="vp_cosine")[0])
    assert loaded.path.a(np.float64(0.5)) == pytest.approx(np.sqrt(0.5))


def test_labels_are_a_batch_of_one_class_or_of_any(save_checkpoint):
    loaded = load_file(save_checkpoint()[0])
    assert loaded.labels(1, 4).tolist() == [1, 1, 1, 1]
    assert loaded.labels(0, 2).tolist() == [0, 0]
    assert loaded.labels(None, 2).tolist() == [3, 3] == [loaded.any_label] * 2


def test_a_model_without_classes_takes_no_labels_and_no_guidance(save_checkpoint):
    loaded = load_file(save_checkpoint(labels=())[0])
    assert loaded.labels(None, 4) is None
    x = state((2,))
    assert torch.equal(loaded.guided(5.0)(x, AT, None), loaded.denoiser(x, AT, None))


@KINDS
def test_guidance_goes_from_any_through_the_class(network, shape, save_checkpoint):
    loaded = load_file(save_checkpoint(network=network, shape=shape)[0])
    x = state(shape)
    free = loaded.denoiser(x, AT, loaded.labels(None, 5))
    chosen = loaded.denoiser(x, AT, loaded.labels(1, 5))
    assert not torch.allclose(free, chosen, atol=1e-3)
    for scale in (0.0, 1.0, 2.5):
        found = estimate(loaded.guided(scale)(x, AT, loaded.labels(1, 5))).x0_hat
        torch.testing.assert_close(found, free + scale * (chosen - free), rtol=1e-3, atol=1e-3)


def test_a_weak_model_of_another_path_guides_at_the_same_noise_level(save_checkpoint):
    weak = load_file(save_checkpoint(path="vp_cosine")[0])
    loaded = load_file(save_checkpoint()[0])
    x, cond = state((2,)), loaded.labels(1, 5)
    own, other = loaded.denoiser(x, AT, cond), on_path(weak.denoiser, weak.path)(x, AT, cond)
    assert not torch.allclose(own, other, atol=1e-3)
    found = estimate(loaded.guided(2.0, weak=weak)(x, AT, cond)).x0_hat
    torch.testing.assert_close(found, other + 2.0 * (own - other))


def test_a_weak_model_of_other_classes_is_refused(save_checkpoint):
    weak = load_file(save_checkpoint(labels=("a", "b"))[0])
    loaded = load_file(save_checkpoint()[0])
    with pytest.raises(BadInput, match="its classes differ"):
        loaded.guided(2.0, weak=weak)


def test_guidance_is_rescaled_in_what_the_card_predicts(save_checkpoint):
    loaded = load_file(save_checkpoint(network="unet", shape=(1, 28, 28), prediction="v")[0])
    x, cond = state((1, 28, 28)), loaded.labels(1, 5)
    plain = estimate(loaded.guided(3.0)(x, AT, cond)).x0_hat
    expected = rescaled(plain, loaded.denoiser(x, AT, cond), x, AT, 0.7, "v")
    found = estimate(loaded.guided(3.0, rescale=0.7)(x, AT, cond)).x0_hat
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("labels", [None, [0, 1, 2, 3, 0, 1, 2]], ids=["no labels", "labels"])
def test_a_large_batch_is_computed_in_parts_with_the_same_result(labels, save_checkpoint, monkeypatch):
    file, _ = save_checkpoint()
    sizes = []
    hook = torch.nn.modules.module.register_module_forward_pre_hook(
        lambda module, args: sizes.append(len(args[0])) if type(module).__name__ == "MLP" else None
    )
    x, cond = state((2,), 7), None if labels is None else torch.tensor(labels)
    try:
        whole = load_file(file).denoiser(x, AT, cond)
        assert sizes == [7]
        monkeypatch.setattr(model, "CHUNK_ELEMENTS", 6)
        sizes.clear()
        parts = estimate(load_file(file).denoiser(x, AT, cond)).x0_hat
    finally:
        hook.remove()
    assert sizes == [3, 3, 1]
    torch.testing.assert_close(parts, whole)


def test_a_sample_larger_than_a_part_goes_alone(save_checkpoint, monkeypatch):
    monkeypatch.setattr(model, "CHUNK_ELEMENTS", 1)
    x = state((2,), 3)
    assert estimate(load_file(save_checkpoint()[0]).denoiser(x, AT, None)).x0_hat.shape == x.shape


def test_a_model_is_found_by_the_path_of_its_file(save_checkpoint):
    file, card = save_checkpoint()
    assert load_model(file).card.name == card.name
    assert load_model(str(file)).card.step == 7


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(NotFound, match=r"none\.safetensors"):
        load_model(tmp_path / "none.safetensors")


def _missing(weights):
    del weights["leave.2.bias"]


def _extra(weights):
    weights["trojan"] = np.zeros(3)


def _misshapen(weights):
    weights["leave.2.bias"] = np.zeros(5)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_missing, r"tensor 'leave\.2\.bias' is missing"),
        (_extra, "tensor 'trojan' does not belong"),
        (_misshapen, r"tensor 'leave\.2\.bias' has shape \(5,\), expected \(2,\)"),
    ],
)
def test_weights_that_do_not_fit_their_card_are_refused(change, sentence, save_checkpoint):
    file, _ = save_checkpoint(change)
    with pytest.raises(BadFile, match=sentence) as caught:
        load_file(file)
    assert str(caught.value).startswith(str(file))


def test_a_card_with_absurd_arguments_is_refused_with_its_file(save_checkpoint, monkeypatch):
    file, _ = save_checkpoint()
    monkeypatch.setattr("diffstudio.networks.MAX_PARAMETERS", 100)
    with pytest.raises(BadFile, match=r"tiny\.safetensors: network_args ask for"):
        load_file(file)
