"""Edits through the engine: inpainting with its resampling, and inversion, on pictures that the test knows."""

from __future__ import annotations

import numpy as np
import pytest
from known_network import STD, Known, save_known
from PIL import Image

from diffstudio.errors import BadInput
from diffstudio.studio.export.write import ExportOptions, export

SIDE = 8


@pytest.fixture
def picture_model(folder):
    """Pictures whose every value is N(mean of its class, STD²)."""
    save_known(
        folder, "pictures", modality="image", shape=(1, SIDE, SIDE), labels=("low", "high"), data={"dataset": ""}
    )


@pytest.fixture
def inpaint(record, picture_model, tmp_path):
    """Repaint the right half of a picture of noise."""
    x0 = np.random.default_rng(3).uniform(-1, 1, (1, 1, SIDE, SIDE)).astype(np.float32)
    np.save(tmp_path / "source.npy", x0)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[:, SIDE // 2 :] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")

    def inpaint(**fields):
        plain = {"model": "pictures", "source": "file", "source_file": str(tmp_path / "source.npy"), "label": 0}
        return record(**(plain | {"mask": str(tmp_path / "mask.png"), "forward": "off"} | fields)), x0[0]

    return inpaint


@pytest.mark.parametrize("solver", ["ddpm", "dpmpp_2m", "unipc", "heun", "dpmpp_2m_sde"])
@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_the_known_half_is_the_source_exactly_and_the_other_is_not(inpaint, solver, strength):
    trace, x0 = inpaint(solver=solver, strength=strength)
    final = trace.array(len(trace) - 1, "xt")
    np.testing.assert_array_equal(final[..., : SIDE // 2], np.broadcast_to(x0, final.shape)[..., : SIDE // 2])
    assert np.abs(final - x0)[..., SIDE // 2 :].min() > 1e-6
    assert np.isfinite(final).all()


def test_at_every_step_the_known_half_is_the_source_noised_to_it(inpaint):
    trace, x0 = inpaint(samples=64, steps=5, solver="ddim")
    values = []
    for k in range(len(trace) - 1):
        a, s = trace.scalar(k, "a"), trace.scalar(k, "s")
        eps = (trace.array(k, "xt") - a * x0)[..., : SIDE // 2] / s
        values.append(eps)
        count = eps.size  # 2,048 numbers: five standard errors
        assert abs(eps.mean()) < 5 / np.sqrt(count)
        assert abs(eps.std() - 1) < 5 / np.sqrt(2 * count)
    assert abs(np.corrcoef(values[1].ravel(), values[2].ravel())[0, 1]) < 0.1  # new noise at every level


def test_what_is_repainted_is_of_the_class(inpaint):
    # Every value is a Gaussian of its own here, so that the known half must not change the other's mean.
    trace, _ = inpaint(samples=64, steps=30, solver="ddpm", label=1)
    painted = trace.array(len(trace) - 1, "xt")[..., SIDE // 2 :]
    assert painted.mean() == pytest.approx(2.0, abs=0.1)
    assert painted.std() == pytest.approx(STD, abs=0.05)


def test_resampling_repeats_the_steps(inpaint, engine):
    once, _ = inpaint(solver="ddpm")
    Known.calls = 0
    trace, x0 = inpaint(solver="ddpm", resample=3)
    # Three passes of six steps; the last step, to the data, is made once.
    assert Known.calls == int(trace.scalar(len(trace) - 1, "nfe")) == 3 * 5 + 1
    assert len(trace) == len(once) == 7
    final = trace.array(len(trace) - 1, "xt")
    np.testing.assert_array_equal(final[..., : SIDE // 2], np.broadcast_to(x0, final.shape)[..., : SIDE // 2])
    assert not np.isclose(final, once.array(6, "xt"))[..., SIDE // 2 :].all()


def test_an_edit_of_sample_i_is_that_of_its_seed(inpaint):
    several, _ = inpaint(samples=3, seed=4, solver="ddpm")
    alone, _ = inpaint(samples=1, seed=6, solver="ddpm")
    for k in range(7):
        np.testing.assert_allclose(several.array(k, "xt", 2), alone.array(k, "xt", 0), atol=1e-5)


def test_a_mask_of_another_size_is_refused_before_the_run(inpaint, tmp_path):
    Image.new("L", (SIDE + 1, SIDE), 255).save(tmp_path / "wide.png")
    with pytest.raises(BadInput, match=r"^wide\.png is a mask of 9×8 pixels, the model needs 8×8: draw it there$"):
        inpaint(mask=str(tmp_path / "wide.png"))
    assert Known.calls == 0


# ── inversion ───────────────────────────────────────────────────────────────────────────────────────────────────────


def lost(record, forward, solver, steps):
    """How much of x_0 is lost from the data to the noise and back, relative."""
    trace = record(source="data", forward=forward, solver=solver, steps=steps, label=0, samples=16, trace_every=steps)
    x0, back = trace.array(0, "xt"), trace.array(len(trace) - 1, "xt")
    return np.linalg.norm(x0 - back) / np.linalg.norm(x0)


@pytest.mark.parametrize(("forward", "solver", "order"), [("invert", "ddim", 1), ("invert_heun", "heun", 1)])
def test_more_steps_bring_the_data_back_better(record, forward, solver, order):
    few, more = (lost(record, forward, solver, steps) for steps in (40, 240))
    assert more < few / 6**order * 1.5
    assert more < 0.05


def test_heun_loses_less_than_ddim(record):
    assert lost(record, "invert_heun", "heun", 80) < lost(record, "invert", "ddim", 80)


def test_an_inversion_is_a_forward_chain_that_the_network_makes(record):
    trace = record(source="data", forward="invert", solver="ddim", label=1)
    assert trace.scalars("chain").tolist() == [0] * 7 + [1] * 7
    assert trace.scalar(6, "nfe") == 6  # at the data themselves there is nothing to ask
    np.testing.assert_array_equal(trace.array(6, "xt"), trace.array(7, "xt"))


@pytest.mark.parametrize("steps", [40, 400])
def test_the_noise_of_an_inversion_is_that_of_the_flow(record, steps):
    # Between Gaussians the flow is x_1 = (x_0 − m)/c, to first order in the step.
    trace = record(source="data", forward="invert", solver="ddim", label=0, steps=steps, trace_every=steps)
    exact = (trace.array(0, "xt") + 1) / STD
    assert np.abs(trace.array(1, "xt") - exact).max() < 12 / steps * np.abs(exact).max()


def test_a_forward_run_can_be_an_inversion_and_its_guesses_are_exported(record, tmp_path):
    trace = record(kind="forward", source="data", forward="invert_heun", label=0)
    assert trace.scalars("chain").tolist() == [0] * 7
    assert trace.complete
    export(trace, tmp_path / "a.npz", ExportOptions("arrays", chain="forward"))
    with np.load(tmp_path / "a.npz") as found:
        for name in ("xt", "x0_hat"):
            np.testing.assert_array_equal(found[f"forward_{name}"], [trace.array(k, name) for k in range(7)])
    assert np.abs(trace.array(3, "x0_hat") - trace.array(0, "xt")).max() > 1e-3
