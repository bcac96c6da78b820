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


@pytest.fixture
def points(here):
    """A training's file of a network that opens as it is, with raw and averaged weights."""
    torch.manual_seed(0)
    state = NETWORKS["smalldiffusion_mlp"]((2,), 0, hidden=(8, 8)).state_dict()
    averages = {name: tensor + 1 for name, tensor in state.items()}
    torch.save({"model": state, "ema": averages, "step": 7}, here / "points.pt")
    return here / "points.pt"


def test_the_raw_weights_are_asked_for_beside_a_file_that_opens_as_it_is(run, points, here):
    code, _, err = run("models", here)
    assert code == 0 and "points@0: its averaged weights are taken; --weights raw" in err
    code, out, err = run("card", points, "--weights", "raw")
    assert (code, out.strip()) == (0, f"{points}.card.json"), err
    assert json.loads((here / "points.pt.card.json").read_text("utf-8")) == {"weights": "raw"}
    code, out, _ = run("models", here, "--json")
    assert [row["card"]["weights"] for row in json.loads(out) if row["name"] == "points"] == ["raw"]
    code, _, err = run("card", points, "--weights", "averaged")
    assert code == 2 and "is there already; it was not replaced" in err
    assert run("card", points, "--prediction", "x0", "--overwrite")[0] == 0  # what the card says already stays
    written = json.loads((here / "points.pt.card.json").read_text("utf-8"))
    assert written == {"weights": "raw", "prediction": "x0"}


def test_weights_of_ours_are_taken_averaged_unless_the_raw_ones_are_asked_for(run, here):
    torch.manual_seed(0)
    state = NETWORKS["unet"]((1, 8, 8), 0, channels=(8, 8), embed=8, patch=2).state_dict()
    torch.save({"model_state_dict": state, "ema": {k: v + 1 for k, v in state.items()}}, here / "both.pt")
    code, _, err = run("card", here / "both.pt", "--shape", "1x8x8", *TOLD, "--weights", "raw")
    assert code == 0, err
    assert json.loads((here / "both.pt.card.json").read_text("utf-8"))["weights"] == "raw"
    code, _, err = run("sample", here / "both.pt", "--steps", 2, "--samples", 1, "--device", "cpu", "--out", "one.png")
    assert (code, (here / "one.png").is_file()) == (0, True), err


@pytest.fixture
def folder(here):
    """A folder of diffusers."""
    diffusers = pytest.importorskip("diffusers")
    diffusers.UNet2DModel(
        sample_size=8, block_out_channels=(8, 16), norm_num_groups=4, layers_per_block=1,
        down_block_types=("DownBlock2D",) * 2, up_block_types=("UpBlock2D",) * 2,
    ).save_pretrained(here / "cats" / "unet")  # fmt: skip
    return here / "cats"


def test_a_card_beside_a_folder_says_another_size(run, folder, here):
    code, out, err = run("card", folder, "--shape", "3x16x12")
    assert (code, out.strip()) == (0, f"{folder}.card.json"), err
    assert json.loads((here / "cats.card.json").read_text("utf-8")) == {"shape": [3, 16, 12]}
    code, out, _ = run("models", here, "--json")
    assert [row["shape"] for row in json.loads(out) if row["name"] == "cats"] == [[3, 16, 12]]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "opens as it is: nothing is to be written"),
        (("--shape", "3x9x8"), "expected sides divisible by 2"),
        (("--shape", "8x8"), "expected 3 numbers as in 3x8x8"),
        (("--labels", "a,b"), "2 names, the model has 0 classes"),
        (("--preset", "ImageNet"), "--preset is for files that say neither"),
        (("--weights", "raw"), "asks for raw weights, the folder has one set of weights alone"),
        (("--prediction", "x0", "--args", "{"), "not JSON"),
        (
            ("--path", "vp_linear", "--args", '{"layers_per_block": 99}'),
            "layers_per_block is '99', expected at most 16",
        ),
    ],
)
def test_what_a_folder_can_not_be_is_one_sentence_and_writes_nothing(run, folder, here, words, sentence):
    code, out, err = run("card", folder, *words)
    assert (code, out) == (2, "") and sentence in err
    assert [path.name for path in here.iterdir()] == ["cats"]


def test_a_bare_unet2d_is_asked_what_it_does_not_say(run, folder, here):
    from safetensors.torch import load_file, save_file

    state = load_file(folder / "unet" / "diffusion_pytorch_model.safetensors")
    save_file(state, here / "bare.safetensors")
    code, out, err = run("card", here / "bare.safetensors", "--shape", "3x8x8", "--path", "vp_cosine_table",
                         "--args", '{"norm_num_groups": 4}')  # fmt: skip
    assert (code, out.strip()) == (0, f"{here / 'bare.safetensors'}.card.json"), err
    assert "pictures of 32×32" in err and "norm num groups 8" in err
    code, _, err = run(
        "sample", here / "bare.safetensors", "--steps", 2, "--samples", 1, "--device", "cpu", "--out", "x.png"
    )
    assert (code, (here / "x.png").is_file()) == (0, True), err


def test_arguments_alone_are_written_or_printed_too(run, points, here):
    code, out, err = run("card", points, "--args", '{"hidden": [8, 8]}', "--print")
    assert (code, json.loads(out)) == (0, {"network_args": {"hidden": [8, 8]}}), err
    assert [path.name for path in here.iterdir()] == ["points.pt"]
