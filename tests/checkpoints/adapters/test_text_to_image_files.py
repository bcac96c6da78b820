"""What the folder of a text-to-image model may say, and what is refused in one sentence."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys

import pytest
import tiny_prompted as tiny
from safetensors.torch import load_file as library_load
from safetensors.torch import save_file

from diffstudio.checkpoints.adapters import card_at
from diffstudio.errors import BadFile, BadInput
from diffstudio.networks.model import load_file


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A Stable Diffusion as it is saved."""
    diffusers = pytest.importorskip("diffusers")
    pytest.importorskip("transformers")
    return tiny.stable_diffusion(diffusers, tmp_path_factory.mktemp("made"))[1]


@pytest.fixture
def folder(made, tmp_path):
    """A copy, whose tokenizer has its words and merges in files of their own, as Stable Diffusion's has."""
    out = shutil.copytree(made, tmp_path / "painter")
    shutil.rmtree(out / "tokenizer")
    tiny.clip_tokenizer(out / "tokenizer")
    return out


def change(path, **changes):
    """Replace entries of a JSON file; None takes one away."""
    table = {**json.loads(path.read_text("utf-8")), **changes}
    path.write_text(json.dumps({key: value for key, value in table.items() if value is not None}), "utf-8")


def refusal(do, *arguments):
    with pytest.raises((BadFile, BadInput)) as caught:
        do(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_card_needs_no_library_at_all(folder):
    code = (
        "import sys; from pathlib import Path; from diffstudio.checkpoints.adapters import card_at;"
        "card = card_at(Path(sys.argv[1])); print(card.parameters, card.group, card.prompts.tokens);"
        "sys.exit(bool({'torch', 'diffusers', 'transformers', 'tokenizers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True)
    assert (done.returncode, done.stdout.split()) == (0, [str(card_at(folder).parameters), "image", "16"])


def test_both_ways_to_save_a_tokenizer_read_the_same(made, folder):
    prompt = "a red cat's 12 rugs!"
    first, second = (load_file(at).network.told((prompt, ""), load_file(at).words)["context"] for at in (made, folder))
    assert first.shape == (2, 16, 8) and bool((first == second).all())


def test_old_names_of_the_text_encoder_are_known(folder):
    path = folder / "text_encoder" / "model.safetensors"
    plain = {name.removeprefix("text_model."): tensor for name, tensor in library_load(path).items()}
    expected = load_file(folder).network.state_dict()
    positions = {"embeddings.position_ids": tiny.torch.arange(16)[None]}
    for prefix in ("", "text_model."):
        save_file({prefix + name: tensor for name, tensor in {**plain, **positions}.items()}, path)
        found = load_file(folder).network.state_dict()
        assert found.keys() == expected.keys() and all(bool((found[k] == expected[k]).all()) for k in expected)


CHANGED = [
    ("model_index.json", {"_class_name": ["pipeline", "Mine"]}, "brings code of its own for its pipeline"),
    ("model_index.json", {"text_encoder": ["mine", "CLIPTextModel"]}, "its text_encoder is code of its own"),
    ("model_index.json", {"text_encoder_2": ["transformers", "T5"]}, "the folder text_encoder_2 is missing"),
    ("model_index.json", {"text_encoder": [None, None]}, "with the text encoders none is not known here"),
    ("text_encoder/config.json", {"auto_map": {"AutoModel": "evil.Model"}}, "brings code of its own (auto_map)"),
    ("text_encoder/config.json", {"architectures": ["os.system"]}, "it is a 'os.system', expected one of CLIP"),
    ("text_encoder/config.json", {"hidden_size": 10**9}, "hidden_size"),
    ("text_encoder/config.json", {"num_attention_heads": 3}, "expected a multiple of its 3 attention heads"),
    ("text_encoder/config.json", {"max_position_embeddings": "many"}, "max_position_embeddings"),
    ("unet/config.json", {"in_channels": 9}, "a network that is also given a picture or a mask is not opened"),
    ("unet/config.json", {"down_block_types": ["Evil", "DownBlock2D"]}, "has 'Evil', expected one of"),
    ("unet/config.json", {"time_cond_proj_dim": 32}, "time_cond_proj_dim"),
    (
        "unet/config.json",
        {"_class_name": "UNetMotionModel"},
        "is AnimateDiff, a model of videos: it does not open here",
    ),
    ("vae/config.json", {"latent_channels": 8}, "have 8 channels, its network has 4"),
    ("vae/config.json", {"_class_name": "AsymmetricAutoencoderKL"}, "its autoencoder is a 'AsymmetricAutoencoderKL'"),
]


@pytest.mark.parametrize(("file", "changes", "says"), CHANGED, ids=[says for *_, says in CHANGED])
def test_a_config_out_of_its_bounds_is_refused(folder, file, changes, says):
    if "text_encoder" in changes and changes["text_encoder"] == [None, None]:
        change(folder / file, text_encoder=None)
    else:
        change(folder / file, **changes)
    assert says in refusal(card_at, folder)


@pytest.mark.parametrize(
    ("name", "says"), [("tokenizer", "the folder tokenizer is missing"), ("vae", "is not an AutoencoderKL")]
)
def test_a_folder_that_is_missing_is_named(folder, name, says):
    shutil.rmtree(folder / name)
    assert says in refusal(card_at, folder)


TOKENIZERS = [
    ("vocab.json", None, "the tokenizer's vocab.json with merges.txt, or tokenizer.json is missing"),
    ("vocab.json", "[]", "vocab.json is not a table"),
    ("vocab.json", "{", "vocab.json is not valid JSON"),
    ("vocab.json", '{"a": 0, "b": 59}', "the word 'b' has the number '59', expected less than 59"),
    ("vocab.json", '{"a": 0, "b": 0}', "two words of its vocabulary have the same number"),
    ("vocab.json", '{"a": 0, "b": 1}', "its special token '<|startoftext|>' is not in its vocabulary"),
    ("vocab.json", json.dumps({"x" * 300: 0, "b": 1}), "has 300 characters, expected 1 to 256"),
    ("vocab.json", "[" * 100_000, "is not valid JSON"),
    ("vocab.json", " " * (5 << 20), "has more than 4,194,304 bytes"),
    ("merges.txt", "a b c\n", "its merges have"),
    ("merges.txt", "\udcff", "can't read"),
]


@pytest.mark.parametrize(("file", "text", "says"), TOKENIZERS, ids=[says for *_, says in TOKENIZERS])
def test_a_tokenizer_that_is_damaged_is_refused(folder, file, text, says):
    path = folder / "tokenizer" / file
    path.unlink()
    if text is not None:
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert says in refusal(load_file, folder)


def test_a_tokenizer_outside_of_the_folder_is_not_opened(folder, tmp_path):
    path = folder / "tokenizer" / "vocab.json"
    shutil.move(path, tmp_path / "vocab.json")
    path.symlink_to(tmp_path / "vocab.json")
    assert "is a link that leaves the folder" in refusal(load_file, folder)


def test_merges_of_words_that_are_not_there_are_refused(folder):
    (folder / "tokenizer" / "merges.txt").write_text("#version: 0.2\nno thing\n", "utf-8")
    model = load_file(folder)
    said = refusal(model.prompted, "a cat")
    assert said.startswith(f"{folder / 'tokenizer'}: its vocabulary and its merges don't fit each other")


def test_sentencepiece_alone_is_refused_with_the_way_out(tmp_path, diffusers):
    _, folder = tiny.flux(diffusers, tmp_path)
    shutil.move(folder / "tokenizer_2" / "tokenizer.json", folder / "tokenizer_2" / "spiece.model")
    assert "from its spiece.model the transformers library makes one" in refusal(load_file, folder)


def test_an_encoder_of_other_numbers_than_its_weights_is_refused(folder):
    change(folder / "text_encoder" / "config.json", num_hidden_layers=3)
    assert "tensor 'text_encoder.model.encoder.layers.2" in refusal(load_file, folder)


def test_a_network_that_takes_another_embedding_is_refused(folder):
    change(folder / "unet" / "config.json", cross_attention_dim=16)
    assert "its text encoders give 8 numbers a token and None a prompt, the network takes 16" in refusal(
        load_file, folder
    )


def test_a_prompt_that_is_too_long_is_refused_and_one_that_just_fits_is_read(folder):
    model = load_file(folder)
    model.prompted("c " * 14)
    said = refusal(model.prompted, "c " * 15)
    assert "has 17 tokens with its begin and end, and the model reads at most 16: shorten it" in said
    assert "has 22 tokens" in refusal(model.prompted, "a cat", "d " * 20)


@pytest.mark.parametrize("missing", ["tokenizers", "transformers.models.clip.modeling_clip"])
def test_without_transformers_the_extra_is_named(folder, monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    said = refusal(lambda: load_file(folder).prompted("a cat"))
    assert said == "prompts need the transformers library, which is not installed: pip install 'diffstudio[diffusers]'"


def test_nothing_asks_the_network(folder, monkeypatch):
    asked = []
    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, lambda *found: asked.append(found))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *found, **_: asked.append(found))
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    card_at(folder)
    load_file(folder).prompted("a red cat", "a dog")
    assert asked == []
    assert os.environ["HF_HUB_OFFLINE"] == os.environ["TRANSFORMERS_OFFLINE"] == "1"  # before the libraries come
