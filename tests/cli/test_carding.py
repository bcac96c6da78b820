"""`card`: bare weights open once it has written what they are."""

import json

import pytest
import torch

from diffstudio.networks import NETWORKS

TOLD = ("--prediction", "eps", "--path", "vp_linear", "--time", "timestep")


@pytest.fixture
def bare(here):
    """The weights of a U-Net, without a word about them."""
    torch.manual_seed(0)
    torch.save(NETWORKS["unet"]((1, 8, 8), 3, channels=(8, 8), embed=8, patch=2).state_dict(), here / "bare.pt")
    return here / "bare.pt"


def test_a_card_is_written_and_the_model_can_be_sampled(run, bare, here):
    code, out, err = run("card", bare, "--shape", "1x8x8", *TOLD, "--labels", "a, b, c")
    assert (code, out.strip()) == (0, str(bare) + ".card.json")
    assert "U-Net" in err and "4 heads" in err
    code, out, _ = run("models", here, "--json")
    [row] = [row for row in json.loads(out) if row["name"] == "bare"]
    assert (row["shape"], row["labels"], row["card"]["time"]) == ([1, 8, 8], ["a", "b", "c"], "timestep")
    code, _, err = run("sample", bare, "--steps", 2, "--samples", 1, "--device", "cpu", "--out", "one.png")
    assert (code, (here / "one.png").is_file()) == (0, True), err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (TOLD, "--shape is not told by the weights: give it, as 1x?x?"),
        (("--shape", "1x8x8"), "--prediction is not told"),
        (("--shape", "1x8", *TOLD), "expected 3 numbers as in 1x?x?"),
        (("--shape", "3x8x8", *TOLD), "tensor 'enter.weight' is (8, 4, 3, 3)"),
        (("--shape", "1x9x9", *TOLD), "sides divisible by 4"),
        (("--shape", "1x8x8", *TOLD, "--labels", "a,b"), "2 names, the weights have 3 classes"),
        (("--shape", "1x8x8", *TOLD, "--args", "[1]"), "not a table"),
        (("--shape", "1x8x8", *TOLD, "--args", "{"), "not JSON"),
    ],
)
def test_what_does_not_fit_is_one_sentence_and_writes_nothing(run, bare, here, words, sentence):
    code, out, err = run("card", bare, *words)
    assert (code, out) == (2, "") and sentence in err
    assert [path.name for path in here.iterdir()] == ["bare.pt"]


def test_print_says_what_the_weights_tell(run, bare, here):
    code, out, _ = run("card", bare, "--print")
    assert code == 0
    assert json.loads(out)["network_args"]["channels"] == [8, 8]
    assert [path.name for path in here.iterdir()] == ["bare.pt"]


def test_a_card_that_is_there_stays(run, bare, tiny):
    assert run("card", bare, "--shape", "1x8x8", *TOLD)[0] == 0
    code, _, err = run("card", bare, "--shape", "1x8x8", *TOLD)
    assert code == 2 and "has a card beside it" in err
    assert run("card", bare, "--shape", "1x8x8", *TOLD, "--labels", "a,b,c", "--overwrite")[0] == 0
    assert json.loads(bare.with_name("bare.pt.card.json").read_text("utf-8"))["labels"] == ["a", "b", "c"]
    code, _, err = run("card", tiny)
    assert code == 2 and "opens as it is" in err


def test_a_published_model_is_a_preset(run, here):
    args = {"width": 32, "widths": (32, 32), "blocks": 1, "attention": (False,) * 2, "attention_up": (False,) * 4}
    torch.save(NETWORKS["adm"]((3, 32, 32), 0, **args).state_dict(), here / "model.pt")
    code, _, err = run("card", here / "model.pt", "--preset", "imagenet")
    assert code == 2 and "'ImageNet 64×64 (cosine)'" in err
    code, out, err = run("card", here / "model.pt", "--preset", "CIFAR-10")
    assert (code, out.strip()) == (0, str(here / "model.pt.card.json")), err
    written = json.loads((here / "model.pt.card.json").read_text("utf-8"))
    assert (written["shape"], written["path"]["name"]) == ([3, 32, 32], "vp_cosine_table")
    assert (written["prediction"], written["time"]) == ("eps", "timestep")
