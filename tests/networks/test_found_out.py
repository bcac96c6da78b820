"""What a network predicts is found out at its first loading, where nothing says it, and remembered."""

from __future__ import annotations

import json

import ldm_files
import pytest
import torch

from diffstudio.checkpoints.adapters import card_at
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.catalog import Catalog
from diffstudio.checkpoints.found_out import cache_file, remember_prediction, shown_prediction
from diffstudio.checkpoints.scan_cache import ScanCache
from diffstudio.diffusion.paths import make_path
from diffstudio.diffusion.times import level
from diffstudio.networks.foreign import diffusers as foreign
from diffstudio.networks.foreign import prompted
from diffstudio.networks.found_out import shown_by
from diffstudio.networks.model import load_file
from diffstudio.studio.engine import Engine
from diffstudio.studio.request.defaults import default_request
from diffstudio.traces.reader import Trace

PATHS = [
    {"name": "vp_scaled_linear"},
    {"name": "vp_scaled_linear", "params": {"zero_snr": 1}},
]


@pytest.fixture(autouse=True)
def _own_answers(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def card(path=PATHS[0]):
    return Card.model_validate(
        {
            "name": "painter", "modality": "image", "shape": (4, 64, 64), "path": path, "prediction": "v",
            "time": "timestep", "network": "unet", "data": {"dataset": ""}, "step": 0, "untold": ("prediction",),
        }
    )  # fmt: skip


def known(prediction, size, offset=0.0):
    """The output of a perfect network for data N(offset, size²), each number for itself."""

    def output(x, at, cond):
        # E[x_0 | x_t] of one Gaussian
        gain = at.a * size**2 / (at.a**2 * size**2 + at.s**2)
        x0_hat = offset + gain * (x - at.a * offset)
        eps = (x - at.a * x0_hat) / at.s
        return {"eps": eps, "v": at.a * eps - at.s * x0_hat, "x0": x0_hat}[prediction]

    return output


@pytest.mark.parametrize("path", PATHS, ids=["", "zero snr"])
@pytest.mark.parametrize("size", [0.2, 0.5])
@pytest.mark.parametrize("offset", [0.0, 0.3])
def test_perfect_networks_are_told_apart(path, size, offset):
    for prediction, found in (("eps", "epsilon"), ("v", "v_prediction")):
        assert shown_by(card(path), known(prediction, size, offset)) == found


def test_a_network_that_gives_back_nothing_of_the_noise_leaves_it_open():
    assert shown_by(card(), lambda x, at, cond: torch.zeros_like(x)) == "unclear"
    other = torch.randn(1, 4, 32, 32, generator=torch.Generator().manual_seed(9))
    assert shown_by(card(), lambda x, at, cond: other) == "unclear"
    assert shown_by(card(), lambda x, at, cond: -x) == "unclear"


def test_it_is_asked_on_small_states_at_a_training_step():
    seen = []
    shown_by(card(), lambda x, at, cond: seen.append((tuple(x.shape), 1000 * at.t)) or torch.zeros_like(x))
    assert [shape for shape, _ in seen] == [(1, 4, 32, 32)] * 2
    assert [t for _, t in seen] == pytest.approx([round(t) for _, t in seen])
    assert seen[0][1] == 1000


# ── what is remembered ──────────────────────────────────────────────────────────────────────────────────────────────


def test_answers_are_kept_for_the_very_file(tmp_path):
    file = tmp_path / "a.safetensors"
    assert shown_prediction(file) is None
    file.write_bytes(b"weights")
    assert shown_prediction(file) is None
    remember_prediction(file, "epsilon")
    assert shown_prediction(file) == "epsilon"
    file.write_bytes(b"other weights")
    assert shown_prediction(file) is None


@pytest.mark.parametrize("text", [b"", b"[]", b"\xff", b'{"a": "epsilon"}', b'{"%s": "x"}' % (b"0" * 40)])
def test_a_cache_that_can_not_be_read_is_written_anew(tmp_path, text):
    file = tmp_path / "a.safetensors"
    file.write_bytes(b"weights")
    cache_file().parent.mkdir(parents=True, exist_ok=True)
    cache_file().write_bytes(text)
    assert shown_prediction(file) is None
    remember_prediction(file, "v_prediction")
    assert list(json.loads(cache_file().read_text("utf-8")).values()) == ["v_prediction"]


def test_a_cache_that_can_not_be_written_is_no_reason_to_stop(tmp_path, caplog):
    file = tmp_path / "a.safetensors"
    file.write_bytes(b"weights")
    (tmp_path / "cache").write_bytes(b"a file where the folder would be")
    remember_prediction(file, "epsilon")
    assert "is not kept" in caplog.text
    assert shown_prediction(file) is None


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def painter(tmp_path):
    """A tiny Stable Diffusion 2 in one file, of which nothing says what it predicts."""
    pytest.importorskip("transformers")
    diffusers = pytest.importorskip("diffusers")
    path, _ = ldm_files.first(diffusers, tmp_path, second=True)
    return path


def answering(monkeypatch, prediction):
    """Let every prompted U-Net be a perfect network of that prediction, told the training step; its calls."""
    calls, path = [], make_path(card().path)

    def forward(self, x, t, told):
        if x.is_meta:
            return x  # whether its arguments fit is tried without numbers
        calls.append((tuple(x.shape), float(t[0])))
        at = level(path, path.t_at_timestep(round(float(t[0]))))
        return known(prediction, 0.3)(x, at, None)

    monkeypatch.setattr(prompted.PromptedUNet, "forward", forward)
    return calls


@pytest.mark.parametrize(("prediction", "side"), [("eps", 512), ("v", 768)])
def test_stable_diffusion_2_is_tried_once_and_known_from_then_on(painter, monkeypatch, prediction, side):
    assert (card_at(painter).prediction, card_at(painter).untold) == ("v", ("prediction",))
    calls = answering(monkeypatch, prediction)
    model = load_file(painter)
    assert (model.card.prediction, model.card.untold, model.card.decoded[1]) == (prediction, (), side)
    assert 1 <= len(calls) <= 2 and calls[0] == ((1, 4, 32, 32), 999)
    assert card_at(painter) == model.card
    assert "a call of its network has shown that it predicts" in model.card.description
    x = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(3))
    at = level(model.path, 0.6)
    expected = known("x0", 0.3)(x, at, None)
    found = model.prompted("a cat").denoiser(x, at, model.labels(None, 1))
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)
    before = len(calls)
    load_file(painter)
    assert len(calls) == before, "nobody is asked twice"


def test_what_stays_open_is_taken_as_published_and_told(painter):
    """The weights are random."""
    model = load_file(painter)
    assert (model.card.prediction, model.card.untold) == ("v", ())
    assert "a call of its network has not shown it either" in model.card.description
    assert shown_prediction(painter) == "unclear"


def test_what_is_told_is_not_tried(painter, monkeypatch):
    painter.with_suffix(".yaml").write_text("parameterization: v", "utf-8")
    calls = answering(monkeypatch, "eps")
    assert load_file(painter).card.prediction == "v"
    assert calls == []


def test_an_answer_counts_also_where_it_can_not_be_kept(painter, monkeypatch, tmp_path):
    (tmp_path / "cache").write_bytes(b"")
    answering(monkeypatch, "eps")
    model = load_file(painter)
    assert (model.card.prediction, model.card.untold) == ("eps", ())
    assert model.card.shape == card_at(painter).shape, "the plan of the run that goes on has this one"


def test_a_run_goes_on_with_what_its_first_loading_has_found_out(painter, monkeypatch, tmp_path):
    answering(monkeypatch, "eps")
    engine = Engine(Catalog([("test", painter.parent)], ScanCache(tmp_path / "scan.jsonl")))
    entry = engine.catalog.find("painter")
    assert entry.card.untold == ("prediction",)
    request = default_request(entry.card, "painter", steps=2, prompt="a cat", forward="off")
    for _ in engine.run(request, tmp_path / "run.trace"):
        pass
    with Trace.open(tmp_path / "run.trace") as trace:
        assert (trace.header.card["prediction"], trace.sample_shape) == ("eps", (4, 256, 256))
    assert engine.catalog.find("painter").card.prediction == "eps"
    assert [e.card.prediction for e in engine.catalog.scan()] == ["eps"]
    again = Catalog([("test", painter.parent)], ScanCache(tmp_path / "scan.jsonl"))
    assert again.find("painter").card.untold == ()


@pytest.mark.parametrize("prediction", ["eps", "v"])
def test_a_network_of_diffusers_without_a_scheduler_is_tried_too(tmp_path, monkeypatch, prediction):
    diffusers = pytest.importorskip("diffusers")
    diffusers.UNet2DModel(
        sample_size=16, block_out_channels=(8,), norm_num_groups=4, layers_per_block=1,
        down_block_types=("DownBlock2D",), up_block_types=("UpBlock2D",),
    ).save_pretrained(tmp_path / "bare")  # fmt: skip
    card = card_at(tmp_path / "bare")
    assert (card.prediction, card.untold) == ("eps", ("prediction",))
    path = make_path(card.path)

    def forward(self, x, t, labels=None):
        if x.is_meta:
            return x
        return known(prediction, 0.3)(x, level(path, path.t_at_timestep(round(float(t[0])))), None)

    monkeypatch.setattr(foreign.DiffusersUNet, "forward", forward)
    found = load_file(tmp_path / "bare").card
    assert (found.prediction, found.untold) == (prediction, ())
    assert f"has shown that it predicts {'ε' if prediction == 'eps' else 'v'}" in card_at(tmp_path / "bare").description
