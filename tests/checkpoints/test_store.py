"""Saving and loading weights: judged by safetensors itself, hashlib and the bytes in the file."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest
import torch
from cards import read_card
from safetensors import safe_open
from safetensors.numpy import load_file as library_load
from safetensors.numpy import save_file as library_save
from tensor_bytes import card, metadata

from diffstudio.checkpoints.store import load_weights, save
from diffstudio.errors import BadFile, BadInput, NotFound
from diffstudio.networks import build
from diffstudio.networks.model import load_file


@pytest.fixture(scope="module")
def tiny():
    rng = np.random.default_rng(0)
    shapes = {name: tuple(t.shape) for name, t in build(card()).state_dict().items()}
    return {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}


def payload(path):
    data = path.read_bytes()
    return data[8 + int.from_bytes(data[:8], "little") :]


def library_metadata(path):
    with safe_open(path, "numpy") as opened:
        return opened.metadata()


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_weights_come_back_rounded_to_what_they_were_stored_in(path, tiny, dtype):
    save(path, card(), tiny, dtype)
    found = load_weights(path)
    assert found.keys() == tiny.keys()
    for name, values in tiny.items():
        assert found[name].dtype == torch.float32
        np.testing.assert_array_equal(found[name].numpy(), values.astype(dtype))


def test_the_library_reads_what_was_saved(path, tiny):
    save(path, card(), tiny, "float16")
    found = library_load(path)
    assert found.keys() == tiny.keys()
    for name, values in tiny.items():
        np.testing.assert_array_equal(found[name], values.astype(np.float16))


def test_the_card_gains_hash_and_size_and_keeps_the_rest(path, tiny):
    saved = save(path, card(), tiny)
    assert saved.sha256 == hashlib.sha256(payload(path)).hexdigest()
    assert saved.parameters == sum(v.size for v in tiny.values()) == len(payload(path)) // 2
    assert read_card(path) == saved
    assert saved.model_copy(update={"sha256": "", "parameters": 0, "dtype": ""}) == card()


def test_other_programs_find_their_keys(path, tiny):
    picture = {"modality": "image", "shape": [1, 20, 30], "prediction": "eps", "thumbnail": "aGk=", "labels": ["inner"]}
    saved = save(path, card(title="Two rings", description="Rings.", licence="CC0-1.0", **picture), tiny)
    found = library_metadata(path)
    assert json.loads(found.pop("diffstudio.card"))["labels"] == ["inner"]
    assert found.pop("modelspec.date").count("-") == 2
    assert found == {
        "format": "pt",
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.architecture": "diffstudio/mlp",
        "modelspec.implementation": "diffstudio",
        "modelspec.title": "Two rings",
        "modelspec.description": "Rings.",
        "modelspec.author": "DiffStudio",
        "modelspec.license": "CC0-1.0",
        "modelspec.hash_sha256": f"0x{saved.sha256}",
        "modelspec.prediction_type": "epsilon",
        "modelspec.resolution": "30x20",
        "modelspec.thumbnail": "data:image/png;base64,aGk=",
    }


def test_what_a_card_does_not_say_has_no_key(path, tiny):
    save(path, card(), tiny)
    found = library_metadata(path)
    assert found["modelspec.title"] == "rings"
    assert not {"modelspec.license", "modelspec.description", "modelspec.resolution", "modelspec.thumbnail"} & set(
        found
    )


def test_a_single_number_and_another_memory_order_keep_shape_and_values(path):
    values = {"count": np.array(3.0), "w": np.asfortranarray(np.arange(6.0).reshape(2, 3)), "none": np.zeros((0, 4))}
    save(path, card(), values)
    for found in (library_load(path), {name: t.numpy() for name, t in load_weights(path).items()}):
        assert {name: array.shape for name, array in found.items()} == {"count": (), "w": (2, 3), "none": (0, 4)}
        np.testing.assert_array_equal(found["w"], [[0, 1, 2], [3, 4, 5]])


@pytest.mark.parametrize(("value", "dtype"), [(np.nan, "float32"), (-np.inf, "float32"), (1e6, "float16")])
def test_weights_that_are_not_finite_are_not_saved_and_the_old_file_stays(path, tiny, value, dtype):
    save(path, card(), tiny)
    before = path.read_bytes()
    name = sorted(tiny)[0]
    broken = {**tiny, name: np.full_like(tiny[name], value)}
    with pytest.raises(BadInput, match=f"weight '{name}' is not finite as {dtype}"):
        save(path, card(), broken, dtype)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_number_too_large_for_half_precision_fits_in_single(path):
    save(path, card(), {"w": np.array([1e6])}, "float32")
    assert load_weights(path)["w"].item() == 1e6


def test_a_card_too_large_for_a_header_that_would_be_read_again_is_not_saved(path, tiny):
    labels = [f"{i:0200}" for i in range(10_000)]
    with pytest.raises(BadInput, match="card of 'rings' is too large for a header of 1,048,576 bytes"):
        save(path, card(labels=labels), tiny)
    assert not path.exists()


def test_a_folder_that_is_not_there_is_named(tmp_path, tiny):
    with pytest.raises(BadInput, match=r"can't write .*nowhere"):
        save(tmp_path / "nowhere" / "rings.safetensors", card(), tiny)


@pytest.mark.parametrize("where", [-1, -500, 0])
def test_one_flipped_bit_in_the_weights_is_found(path, tiny, where):
    save(path, card(), tiny)
    data = bytearray(path.read_bytes())
    data[where if where else len(data) - len(payload(path))] ^= 1
    path.write_bytes(data)
    assert read_card(path).name == "rings"  # the header is whole
    with pytest.raises(
        BadFile, match=r"rings\.safetensors: the weights are not those that were saved \(sha256 differs"
    ):
        load_weights(path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("hashed", [True, False])
def test_weights_of_another_program_that_are_not_finite_are_refused(path, value, hashed):
    values = {"good": np.ones(3, np.float32), "worse": np.array([0, value], np.float32)}
    library_save(values, path, metadata())
    if hashed:
        library_save(values, path, metadata(sha256=hashlib.sha256(payload(path)).hexdigest()))
    with pytest.raises(BadFile, match=r"rings\.safetensors: weight 'worse' has values that are not finite"):
        load_weights(path)


def test_a_file_that_is_gone_or_has_no_card_is_not_loaded(path, tiny):
    with pytest.raises(NotFound, match=r"there is no file .*rings\.safetensors"):
        load_weights(path)
    library_save(tiny, path)
    with pytest.raises(BadFile, match=r"rings\.safetensors has no DiffStudio card"):
        load_weights(path)


def test_a_saved_checkpoint_becomes_a_model(path, tiny):
    save(path, card(), tiny, "float32")
    model = load_file(path)
    assert model.card == read_card(path)
    for name, values in model.network.state_dict().items():
        np.testing.assert_array_equal(values.numpy(), tiny[name])


def test_weights_that_do_not_fit_the_card_are_refused_by_name(path, tiny):
    name = sorted(tiny)[-1]
    wrong = np.zeros((3, *tiny[name].shape), np.float32)
    for tensors, says in [
        ({**tiny, name: wrong}, f"tensor '{name}' has shape "),
        ({n: v for n, v in tiny.items() if n != name}, f"tensor '{name}' is missing"),
        ({**tiny, "zusatz": wrong}, "tensor 'zusatz' does not belong"),
    ]:
        save(path, card(), tensors)
        with pytest.raises(BadFile) as caught:
            load_file(path)
        assert str(caught.value).startswith(f"{path}: {says}")


@pytest.mark.parametrize("args", [{"width": -8}, {"height": 8}, {"width": "wide"}, {"shape": [2]}])
def test_arguments_that_the_network_does_not_take_are_refused(path, tiny, args):
    save(path, card(network_args=args), tiny)
    with pytest.raises(BadFile, match=r"rings\.safetensors: "):
        load_file(path)
