"""A prompt and a negative prompt on the command line: what is drawn, carried with the picture, and refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tiny_prompted

from diffstudio.networks.model import load_file
from diffstudio.studio.provenance import read_settings

SAMPLE = ["--steps", "2", "--samples", "2", "--seed", "5", "--device", "cpu"]


@pytest.fixture(scope="module")
def painter(tmp_path_factory):
    """A tiny Stable Diffusion."""
    diffusers = pytest.importorskip("diffusers")
    pytest.importorskip("transformers")
    return tiny_prompted.stable_diffusion(diffusers, tmp_path_factory.mktemp("models"))[1]


@pytest.fixture
def sample(run, painter, here):
    """What a run with these words ends with: the states of its samples."""

    def drawn(*words, out="a.npz"):
        code, said, err = run("sample", painter, "--out", out, *SAMPLE, *words)
        assert (code, err) == (0, ""), said
        return np.load(here / out)["xt"][-1]

    return drawn


def test_the_prompt_and_the_negative_prompt_decide_what_is_drawn(sample):
    plain, prompted = sample(), sample("--prompt", "a red cat")
    negative = sample("--prompt", "a red cat", "--negative-prompt", "bad")
    unguided = sample("--prompt", "a red cat", "--guidance", 1)
    found = [plain, prompted, negative, unguided]
    assert all(np.abs(one - other).max() > 1e-6 for i, one in enumerate(found) for other in found[:i])
    assert np.array_equal(prompted, sample("--prompt", "a red cat", "--negative-prompt", ""))


def test_a_picture_is_decoded_and_carries_its_prompts(run, painter, here):
    words = ["--prompt", "a red cat", "--negative-prompt", "a dog", "--scale", 1]
    code, _, err = run("sample", painter, "--out", "a.png", *SAMPLE, *words)
    assert (code, err) == (0, "")
    found = read_settings(here / "a.png")["request"]
    assert (found["prompt"], found["negative_prompt"], found["guidance"]) == ("a red cat", "a dog", 7.5)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--prompt", "c " * 99], "has 101 tokens with its begin and end, and the model reads at most 16: shorten it"),
        (["--prompt", "a cat", "--negative-prompt", "a dog", "--guidance", 1], "guidance of 1 leads away from nothing"),
        (["--label", "cat"], "knows no classes"),
        (["--negative", "cat"], "knows no classes"),
        (["--distilled-guidance", 2], "is not told a strength of guidance: leave it out"),
    ],
)
def test_what_can_not_be_told_is_refused_in_one_sentence(run, painter, here, words, says):
    code, _, err = run("sample", painter, "--out", "a.png", *SAMPLE, *words)
    assert code != 0 and says in err and err.strip().count("\n") == 0
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "says"), [("--prompt", "is told none"), ("--negative-prompt", "is not told in words")]
)
def test_a_model_that_takes_no_words_says_so(run, tiny, here, option, says):
    code, _, err = run("sample", tiny, "--out", "a.png", *SAMPLE, option, "a cat")
    assert code != 0 and says in err


def test_the_card_says_what_it_is_told(run, painter):
    code, out, _ = run("models", "--json", painter)
    assert code == 0
    (found,) = [entry for entry in json.loads(out) if "Stable Diffusion" in json.dumps(entry)]
    assert '"prompts": {"tokens": 16, "distilled": false}' in json.dumps(found)
    assert load_file(painter).card.group == "image"
