"""`sample` with every option of a chain, and each refusal before anything is computed."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diffstudio.checkpoints.card import Card, TrainingData
from diffstudio.checkpoints.store import save
from diffstudio.networks import NETWORKS
from diffstudio.specs import PathSpec
from diffstudio.studio.engine import Engine

SAMPLE = ["--steps", "3", "--samples", "2", "--seed", "5", "--device", "cpu"]


@pytest.fixture
def asked(run):
    """Run `sample` to its end: the request that it says it ran, and the arrays."""

    def asked(model, *words):
        code, out, err = run("sample", model, "--out", "a.npz", *SAMPLE, *words, "--json")
        assert code == 0, err
        with np.load("a.npz") as found:
            return json.loads(out)["request"], {name: found[name] for name in found.files}

    return asked


@pytest.mark.parametrize(
    ("words", "fields"),
    [
        (["--times", "1,0.6,0.2"], {"times": [1, 0.6, 0.2], "grid": "custom"}),
        (["--grid", "karras", "--grid-param", "rho=3"], {"grid": "karras", "grid_params": {"rho": 3}}),
        (["--clip", "dynamic", "--clip-param", "percentile=0.9"],
         {"clip": "dynamic", "clip_params": {"percentile": 0.9}}),
        (["--solver", "unipc", "--solver-param", "order=3", "--solver-param", "variant=1"],
         {"solver": "unipc", "solver_params": {"order": 3, "variant": 1}}),
        (["--solver", "ddpm", "--noise", "brownian"], {"noise": "brownian"}),
        (["--label", "1", "--guidance", "2", "--guidance-interval", "0.2,5", "--guidance-rescale", "0.7"],
         {"guidance": 2, "guidance_interval": [0.2, 5], "guidance_rescale": 0.7}),
        (["--label", "1", "--guidance", "2", "--negative", "3"], {"label": 1, "negative": 3}),
        (["--source", "data", "--strength", "0.5"], {"source": "data", "strength": 0.5}),
        (["--source", "data", "--mask", "hole.png", "--resample", "2"], {"mask": "hole.png", "resample": 2}),
        (["--source", "data", "--mask-region", "x 3..9; y 2"], {"mask_region": "x 3..9; y 2", "mask": None}),
        (["--source", "hole.png", "--range", "0,128", "--part", "1"], {"source_range": [0, 128], "source_part": "1"}),
        (["--source", "hole.png", "--range=-1,1", "--fit", "pad"], {"source_range": [-1, 1], "source_fit": "pad"}),
        (["--interpolate", "9"], {"interpolate": 9}),
        (["--variation", "0.3", "--variation-seed", "4"], {"variation": 0.3, "variation_seed": 4}),
        (["--forward", "invert", "--source", "data"], {"forward": "invert"}),
        (["--path", "vp_table:betas.txt"], {"path": {"name": "vp_table", "params": {}, "betas": [0.1, 0.2, 0.5, 0.9]}}),
    ],
)  # fmt: skip
def test_an_option_reaches_the_run(asked, tiny, words, fields):
    hole = np.zeros((28, 28), np.uint8)
    hole[:, 14:] = 255
    Image.fromarray(hole).save("hole.png")
    Path("betas.txt").write_text("0.1, 0.2\n0.5; 0.9\n")
    request, arrays = asked(tiny, *words)
    assert {name: request[name] for name in fields} == fields
    assert np.isfinite(arrays["xt"]).all()


def test_own_times_are_the_steps(asked, tiny):
    _, arrays = asked(tiny, "--times", "1,0.6,0.2")
    assert arrays["t"].tolist() == [1, 0.6, 0.2]


@pytest.mark.parametrize(("words", "steps"), [([], 3), (["--times", "1,0.5"], 1), (["--strength", "0.7"], 2)])
def test_the_steps_that_are_told_are_those_that_were_made(run, tiny, words, steps):
    code, out, _ = run("sample", tiny, "--out", "a.trace", *SAMPLE, "--source", "data", *words)
    assert code == 0
    assert out.startswith(f"a.trace: 2 × {steps} steps in ")


def test_the_split_is_in_the_arrays(asked, tiny):
    _, arrays = asked(tiny, "--label", "1", "--guidance", "2", "--split")
    good, free = arrays["x0_cond"][:-1], arrays["x0_free"][:-1]
    np.testing.assert_allclose(arrays["x0_hat"][:-1], 2 * good - free, atol=1e-4)
    assert np.abs(good - free).max() > 0


def test_a_weaker_checkpoint_guides(asked, tiny, checkpoints):
    plain = asked(tiny, "--label", "1", "--guidance", "2")[1]
    same = asked(tiny, "--label", "1", "--guidance", "2", "--guidance-model", tiny)[1]
    alone = asked(tiny, "--label", "1", "--guidance", "1")[1]
    # Away from itself is nowhere.
    np.testing.assert_allclose(same["xt"], alone["xt"], atol=1e-4)
    assert np.abs(plain["xt"][-1] - same["xt"][-1]).max() > 1e-3


def test_the_ends_of_an_interpolation_are_the_two_seeds(asked, tiny):
    _, between = asked(tiny, "--interpolate", "9", "--samples", "3")
    for i, seed in ((0, 5), (2, 9)):
        alone = asked(tiny, "--seed", seed, "--samples", "1")[1]
        np.testing.assert_allclose(between["xt"][:, i], alone["xt"][:, 0], atol=1e-4)


# ── refusals ────────────────────────────────────────────────────────────────────────────────────────────────────────

BAD = [
    (["--steps", "0"], "--steps: input should be greater than or equal to 1, found 0"),
    (["--steps", "-1"], "--steps: input should be greater than or equal to 1, found -1"),
    (["--steps", "1000000000"], "--steps: input should be less than or equal to 100000, found 1000000000"),
    (["--times", "1,0.5,0.5"], r"time 3 of the list is 0\.5, expected less than 0\.5, the one before it"),
    (["--times", "0,0.5,1"], r"time 2 of the list is 0\.5, expected less than 0, the one before it"),
    (["--times", "2,1"], r"time 1 of the list is 2, expected 0 to 1"),
    (["--times", "1,nan"], "--times: .*finite number"),
    (["--times", "1,x"], "--times: '1,x' is not a list of numbers like 1,0.5,0.1"),
    (["--times", "1"], "the number of times in the list is 1, expected 2"),
    (["--times", "1,0", "--grid", "karras"], "a list of times and grid 'custom' go together"),
    (["--grid", "custom"], "a list of times and grid 'custom' go together"),
    (["--grid", "trailing"], "'trailing' counts integer training steps, and 'flow' has none"),
    (["--grid-param", "rho=7"], "grid 'uniform' has no parameter 'rho'"),
    (["--grid", "karras", "--grid-param", "rho=0"], "grid 'karras': rho is 0, expected 1 to 100"),
    (["--grid", "karras", "--grid-param", "rho"], "--grid-param: 'rho' is not of the form name=number"),
    (["--path", "vp_table:nan.txt"], r"--path: path 'vp_table': beta 2 of the table is nan, expected 1e-12 to 1"),
    (["--path", "vp_table:none.txt"], "can't read the betas in none.txt: No such file"),
    (["--path", "vp_table:words.txt"], "words.txt is not a text of betas"),
    (["--path", "vp_table"], "--path: path 'vp_table' needs its table of betas"),
    (["--solver", "euler", "--eta", "0.5"], "solver 'euler' has no parameter 'eta': it takes none"),
    (["--solver", "heun", "--eta", "0.5"], "solver 'heun' has no parameter 'eta': it takes s_churn"),
    (["--solver", "ddpm_learned"], "has learned its variance; 'tiny' has not: choose another solver"),
    (["--noise", "brownian"], "solver 'euler' draws no noise: leave the noise out"),
    (["--source", "data", "--mask", "small.png"], "small.png is a mask of 9×7 pixels, the model needs 28×28"),
    (["--source", "data", "--mask", "none.png"], "there is no file none.png"),
    (["--source", "data", "--mask-region", "frame 2"], "there is no axis 'frame' here: a region speaks of x, y"),
    (["--source", "data", "--mask-region", "the hat"], "--mask-region: 'the hat' is no region: write it like"),
    (["--source", "small.png", "--fit", "crop", "--range", "5"], "--range: '5' is not two numbers like 0,255"),
    (["--source", "small.png", "--fit", "crop", "--range", "5,5"], "the range of the source is 5 alone"),
    (["--source", "small.png", "--fit", "crop", "--part", "4"], "small.png has one page alone, found '4'"),
    (["--source", "small.png", "--fit", "keep"], "Images can be fitted by crop, pad, stretch, found 'keep'"),
    (["--range", "0,1"], "only a file of your own is fitted, inverted, or taken in part"),
    (["--mask", "small.png"], "a mask keeps a part of the data: start from a data sample or a file"),
    (["--strength", "0.5"], "the strength says how far data are noised"),
    (["--source", "data", "--strength", "0"], "--strength: input should be greater than 0, found 0"),
    (["--resample", "2"], "give a mask first"),
    (["--guidance-interval", "5,1", "--label", "1"], "the guidance interval is 5 to 1, expected 0 ≤ low < high"),
    (["--guidance-interval", "5"], "--guidance-interval: '5' is not two numbers like 0.2,5"),
    (["--guidance", "-1"], "--guidance: input should be greater than or equal to 0, found -1"),
    (["--negative", "any"], "--negative: 'any' is not one class: choose one of 0, 1"),
    (["--negative", "1"], "a negative class is what guidance leads away from: choose a class"),
    (["--guidance-model", "none"], "there is no model 'none'"),
    (["--interpolate", "-1"], "--interpolate: "),
    (["--interpolate", "3", "--variation", "0.5"], "interpolation and variation are two ways"),
    (["--interpolate", "3", "--samples", "1"], "interpolation needs at least two samples"),
    (["--variation", "1.5"], "--variation: input should be less than or equal to 1, found 1.5"),
    (["--clip-param", "limit=2"], "clip 'none' has no parameter 'limit'"),
    (["--forward", "invert", "--solver", "nothing"], "'nothing' is not one of"),
]  # fmt: skip


def refused(run, model, words, message, monkeypatch):
    monkeypatch.setattr(Engine, "_load", lambda *_: pytest.fail("computing began"))
    code, out, err = run("sample", model, "--out", "a.png", *words)
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert re.match(f"diffstudio: .*{message}", err), err
    assert not Path("a.png").exists()


@pytest.mark.parametrize(("words", "message"), BAD)
def test_what_can_not_be_is_refused_before_the_run(run, tiny, words, message, monkeypatch):
    Image.new("L", (9, 7), 255).save("small.png")
    Path("nan.txt").write_text("0.1 nan 0.2")
    Path("words.txt").write_text("many betas")
    refused(run, tiny, words, message, monkeypatch)


@pytest.fixture
def other(here):
    """other(**card): a checkpoint of points, with other fields in its card."""

    def other(**fields):
        args = {"width": 16, "depth": 1, "embed": 8, "octaves": 1}
        plain = {
            "name": "other", "modality": "points", "shape": (2,), "path": PathSpec(), "prediction": "flow",
            "network": "mlp", "network_args": args, "labels": (), "data": TrainingData(dataset=""), "step": 1,
        }  # fmt: skip
        card = Card.model_validate(plain | fields)
        net = NETWORKS["mlp"](card.shape, len(card.labels), **args)
        save(here / "other.safetensors", card, {k: v.numpy() for k, v in net.state_dict().items()})
        return "./other.safetensors"

    return other


@pytest.mark.parametrize(
    "words",
    [["--guidance", "2"], ["--guidance-interval", "1,2"], ["--guidance-rescale", "0.5"], ["--split"]],
)
def test_guidance_of_a_model_without_classes_is_refused(run, other, words, monkeypatch):
    message = "'other' knows no classes, so there is nothing that guidance could lead to: leave it out"
    refused(run, other(), words, message, monkeypatch)


def test_a_class_of_a_model_without_classes_is_refused(run, other, monkeypatch):
    refused(run, other(), ["--negative", "0"], "'other' knows no classes", monkeypatch)
    refused(run, other(), ["--label", "0"], "'other' knows no classes", monkeypatch)


ZERO_SNR = {"name": "vp_linear", "params": {"zero_snr": 1}}


@pytest.mark.parametrize("prediction", ["eps", "edm"])
@pytest.mark.parametrize("grid", ["uniform", "trailing", "linspace"])
def test_a_start_without_signal_is_refused_where_nothing_can_be_predicted(run, other, prediction, grid, monkeypatch):
    model = other(path=ZERO_SNR, prediction=prediction)
    refused(
        run, model, ["--grid", grid], "prediction has no x̂0 where the signal is gone .*predicts v or x0", monkeypatch
    )


@pytest.mark.parametrize(("prediction", "grid"), [("v", "trailing"), ("x0", "uniform"), ("eps", "leading")])
def test_a_start_without_signal_is_fine_where_it_can_be(run, other, prediction, grid):
    model = other(path=ZERO_SNR, prediction=prediction)
    assert run("sample", model, "--out", "a.npz", *SAMPLE, "--grid", grid)[0] == 0
    with np.load("a.npz") as found:
        assert np.isfinite(found["xt"]).all()


def test_points_have_no_mask_and_are_not_clipped(run, dots, monkeypatch):
    refused(run, dots, ["--clip", "static"], "clipping is for data in", monkeypatch)
    Image.new("L", (9, 7), 255).save("small.png")
    refused(
        run,
        dots,
        ["--source", "data", "--mask", "small.png"],
        "a mask of points is no file, it is told in words: give a region as the mask, like 'y' or 'x -1..0'",
        monkeypatch,
    )
