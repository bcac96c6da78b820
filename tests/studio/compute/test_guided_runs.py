"""Guidance through the engine: autoguidance, a negative class, its interval and rescaling, its halves, and clipping."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from known_network import MEANS, STD, Known, save_known

from diffstudio.errors import BadInput
from diffstudio.studio.export.write import ExportOptions, export
from diffstudio.traces.reader import Trace


def denoised(x, a, s, mean, std=STD):
    """E[x_0 | x_t] of N(mean, std²)."""
    return mean + a * std**2 / (a**2 * std**2 + s**2) * (x - a * mean)


def reverse_records(trace):
    """(k, x_t, x̂0, a, s) of every noisy state of the reverse chain."""
    for k in np.flatnonzero((trace.scalars("chain") == 1) & (trace.scalars("s") > 0)):
        yield k, trace.array(k, "xt"), trace.array(k, "x0_hat"), trace.scalar(k, "a"), trace.scalar(k, "s")


def test_a_negative_class_is_led_away_from(record):
    trace = record(label=0, negative=1, guidance=2.5)
    for _, x, x0_hat, a, s in reverse_records(trace):
        good, poor = (denoised(x, a, s, MEANS[c]) for c in (0, 1))
        np.testing.assert_allclose(x0_hat, poor + 2.5 * (good - poor), atol=2e-5)


def test_a_weaker_checkpoint_is_asked_for_the_same_class(record, folder):
    save_known(folder, "weak", means=(-2.0, 3.0, 0.0))
    trace = record(label=1, guidance_model="weak", guidance=2.0)
    for _, x, x0_hat, a, s in reverse_records(trace):
        good, poor = denoised(x, a, s, MEANS[1]), denoised(x, a, s, 3.0)
        np.testing.assert_allclose(x0_hat, 2 * good - poor, atol=2e-5)


class OnVariancePreserving(Known):
    """The network of the same data, trained with a² + s² = 1: t is that of VP cosine."""

    def forward(self, x, t, labels):
        shape = (-1, *[1] * (x.ndim - 1))
        mean = self.means[labels].reshape(shape)
        a, s = torch.cos(t * torch.pi / 2).reshape(shape), torch.sin(t * torch.pi / 2).reshape(shape)
        return denoised(x, a, s, mean)


def test_a_weaker_checkpoint_of_another_path_is_asked_at_the_same_signal_to_noise(record, folder, monkeypatch):
    from diffstudio import networks, options

    monkeypatch.setitem(networks.NETWORKS, "known_vp", OnVariancePreserving)
    monkeypatch.setitem(options.NETWORKS, "known_vp", options.NETWORKS["mlp"])
    save_known(folder, "weak", means=(-2.0, 3.0, 0.0), network="known_vp", path={"name": "vp_cosine"})
    trace = record(label=1, guidance_model="weak", guidance=2.0)
    for _, x, x0_hat, a, s in reverse_records(trace):
        good, poor = denoised(x, a, s, MEANS[1]), denoised(x, a, s, 3.0)
        np.testing.assert_allclose(x0_hat, 2 * good - poor, atol=5e-5)


def test_autoguidance_works_without_a_class(record, folder):
    save_known(folder, "weak", means=(-2.0, 3.0, 0.0))
    trace = record(guidance_model="weak", guidance=2.0)
    _, x, x0_hat, a, s = next(iter(reverse_records(trace)))
    np.testing.assert_allclose(x0_hat, 2 * denoised(x, a, s, MEANS[2]) - denoised(x, a, s, 0.0), atol=2e-5)


@pytest.mark.parametrize(
    "card", [{"shape": (3,)}, {"labels": ("low", "middle", "high"), "means": (0.0, 0.0, 0.0, 0.0)}]
)
def test_a_checkpoint_of_other_data_can_not_guide(engine, request_of, folder, card):
    save_known(folder, "weak", **card)
    with pytest.raises(BadInput, match=r"^'weak' can't guide 'known': both need the same shape and the same classes"):
        engine.plan(request_of(guidance_model="weak", guidance=2.0, label=0))


def test_outside_of_its_interval_guidance_is_none(record):
    trace = record(label=0, guidance=3.0, guidance_interval=(0.3, 2.5), steps=10)
    inside = []
    for _, x, x0_hat, a, s in reverse_records(trace):
        sigma = s / a if a > 0 else np.inf
        w = 3.0 if 0.3 < sigma <= 2.5 else 1.0
        good, free = denoised(x, a, s, MEANS[0]), denoised(x, a, s, MEANS[2])
        np.testing.assert_allclose(x0_hat, free + w * (good - free), atol=2e-5)
        inside.append(w > 1)
    assert 0 < sum(inside) < len(inside)


def test_rescaled_guidance_has_the_spread_of_the_class_alone(record, folder):
    save_known(folder, "wide", shape=(64,), data={"dataset": ""})
    save_known(folder, "weak", shape=(64,), data={"dataset": ""}, network_args={"std": 0.2})
    fields = {"model": "wide", "guidance_model": "weak", "label": 0, "guidance": 3.0}
    plain, rescaled = record(**fields), record(**fields, guidance_rescale=1.0)
    spread = []
    for trace in (plain, rescaled):
        _, x, x0_hat, a, s = list(reverse_records(trace))[3]
        spread.append(x0_hat.std(1) / denoised(x, a, s, MEANS[0]).std(1))
    np.testing.assert_allclose(spread[1], 1, rtol=1e-4)
    assert (np.abs(spread[0] - 1) > 0.05).all()


def test_both_halves_are_recorded_and_exported(record, tmp_path):
    trace = record(label=0, guidance=2.0, record_split=True)
    assert [field.name for field in trace.header.fields] == ["xt", "x0_hat", "x0_cond", "x0_free"]
    for k, x, x0_hat, a, s in reverse_records(trace):
        good, free = trace.array(k, "x0_cond"), trace.array(k, "x0_free")
        np.testing.assert_allclose(good, denoised(x, a, s, MEANS[0]), atol=2e-5)
        np.testing.assert_allclose(free, denoised(x, a, s, MEANS[2]), atol=2e-5)
        np.testing.assert_allclose(x0_hat, free + 2 * (good - free), atol=2e-5)
    for k in (0, 6, 13):  # no halves in the forward chain and at the data
        np.testing.assert_array_equal(trace.array(k, "x0_cond"), trace.array(k, "x0_free"))
    export(trace, tmp_path / "a.npz", ExportOptions("arrays"))
    with np.load(tmp_path / "a.npz") as found:
        for name in ("x0_hat", "x0_cond", "x0_free"):
            np.testing.assert_array_equal(found[name], [trace.array(k, name) for k in range(7, 14)])


def test_to_record_the_halves_changes_nothing_else_and_its_size_is_known(record, engine, request_of):
    fields = {"label": 0, "guidance": 2.0}
    plain, split = record(**fields), record(**fields, record_split=True)
    for k in range(14):
        np.testing.assert_array_equal(plain.array(k, "xt"), split.array(k, "xt"))
    header = 16 + int.from_bytes(split.path.read_bytes()[8:12], "little")
    assert split.path.stat().st_size - header == engine.plan(request_of(**fields, record_split=True)).total_bytes


def test_guidance_without_a_class_is_none(record):
    plain, guided = record(label=None), record(label=None, guidance=4.0)
    np.testing.assert_array_equal(plain.array(13, "xt"), guided.array(13, "xt"))


@pytest.mark.parametrize(("clip", "params", "bound"), [("static", {"limit": 0.75}, 0.75), ("dynamic", {}, 1.0)])
def test_clipping_keeps_what_is_predicted_in_its_range(record, folder, clip, params, bound):
    save_known(folder, "pictures", modality="image", shape=(1, 4, 4), data={"dataset": ""})
    fields = {"model": "pictures", "label": 1, "guidance": 2.0, "forward": "off"}
    free, clipped = record(**fields), record(**fields, clip=clip, clip_params=params)
    assert max(np.abs(x0_hat).max() for _, _, x0_hat, _, _ in reverse_records(free)) > 1.5
    assert max(np.abs(x0_hat).max() for _, _, x0_hat, _, _ in reverse_records(clipped)) <= bound + 1e-6
    with Trace.open(clipped.path) as trace:
        assert np.abs(trace.array(6, "xt")).max() <= bound + 1e-6
