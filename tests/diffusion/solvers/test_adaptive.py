"""The adaptive reference: as exact as it is told to be for each sample by itself, with calls that it counts."""

from __future__ import annotations

import pytest
import torch
from exact import Mixture

from diffstudio.diffusion.chain import invert, reverse
from diffstudio.diffusion.noise import SampleNoise
from diffstudio.diffusion.paths import make_path
from diffstudio.diffusion.times import level, levels
from diffstudio.specs import PathSpec

DENOISE = Mixture().denoise
X = torch.linspace(-2, 2, 9, dtype=torch.float64)[:, None]


def path_of(name):
    return make_path(PathSpec(name=name, params={"sigma_max": 10} if name == "ve" else {}))


def run(path, grid, rtol, denoise=DENOISE):
    *_, last = reverse(denoise, path, grid, X, SampleNoise(0, 9, (1,)), solver="rk45", params={"rtol": rtol})
    return last


@pytest.mark.parametrize("name", ["flow", "vp_cosine", "vp_linear", "ve"])
def test_its_error_follows_the_tolerance(name):
    path = path_of(name)
    grid = [level(path, path.t_at_log_snr(log_snr)) for log_snr in (-4, -1, 3, 4)]
    exact = Mixture().flow(X, grid[0], grid[-1])
    ends = {rtol: run(path, grid, rtol) for rtol in (1e-4, 1e-6, 1e-8)}
    for rtol, last in ends.items():
        assert (last.xt - exact).abs().max().item() < 50 * rtol
    assert ends[1e-4].nfe < ends[1e-6].nfe < ends[1e-8].nfe


@pytest.mark.parametrize("name", ["flow", "vp_cosine", "ve"])
def test_it_reaches_the_data(name):
    """From t = 1 (a = 0 on the first two) to s = 0, against a fine grid of itself."""
    path = path_of(name)
    fine = run(path, levels(path, 40, "karras"), 1e-7).xt
    coarse = run(path, levels(path, 3), 1e-6).xt
    torch.testing.assert_close(coarse, fine, rtol=1e-4, atol=1e-4)


def test_it_counts_its_calls():
    path, calls = path_of("flow"), []

    def denoise(x, at, cond):
        calls.append(at)
        return DENOISE(x, at)

    assert run(path, levels(path, 4), 1e-4, denoise).nfe == len(calls) > 4 * 6


def test_float32_with_a_tolerance_below_rounding_ends():
    path = path_of("flow")
    *_, last = reverse(
        Mixture().denoise,
        path,
        levels(path, 2),
        X.float(),
        SampleNoise(0, 9, (1,)),
        solver="rk45",
        params={"rtol": 1e-10},
    )
    torch.testing.assert_close(last.xt.double(), run(path, levels(path, 2), 1e-8).xt, rtol=1e-4, atol=1e-4)
    assert last.nfe < 500  # what rounding hides is not chased: it would be 7,000


def test_a_step_is_as_long_as_the_one_before_let_it_be():
    """Between levels too: to begin anew at each, or never to lengthen a step, would cost a quarter more and twice."""
    asked = [0]

    def denoise(x, at, cond):
        asked[0] += len(x)
        return DENOISE(x, at)

    steps_of(denoise, X, steps=8, rtol=1e-8, name="vp_cosine")
    assert asked[0] / len(X) < 165


def steps_of(denoise, x, cond=None, steps=4, rtol=1e-4, name="flow"):
    path = path_of(name)
    noise = SampleNoise(0, len(x), x.shape[1:])
    return list(reverse(denoise, path, levels(path, steps), x, noise, solver="rk45", cond=cond, params={"rtol": rtol}))


def test_a_sample_takes_its_own_steps_whatever_its_batch():
    """The worst sample decided for all. One number is hard here, the others are easy."""
    whole = steps_of(DENOISE, X, steps=2, rtol=1e-6)
    for i in range(len(X)):
        alone = steps_of(DENOISE, X[i : i + 1], steps=2, rtol=1e-6)
        for one, all_ in zip(alone, whole, strict=True):
            assert torch.equal(one.xt[0], all_.xt[i])


def test_only_the_samples_that_still_need_it_are_asked_for():
    asked, alone = [0], []

    def denoise(x, at, cond):
        asked[0] += len(x)
        return DENOISE(x, at)

    steps_of(denoise, X, steps=2, rtol=1e-6)
    together = asked[0]
    for i in range(len(X)):
        asked[0] = 0
        steps_of(denoise, X[i : i + 1], steps=2, rtol=1e-6)
        alone.append(asked[0])
    assert together == sum(alone)
    assert len(set(alone)) > 1


def test_each_sample_is_asked_for_under_its_own_label():
    cond = torch.arange(9)

    def denoise(x, at, labels):
        centre = (labels.double() / 4 - 1)[:, None]
        return centre + Mixture(0.2).denoise(x - at.a * centre, at)

    whole = steps_of(denoise, X, cond, steps=1)
    for i in range(9):
        assert torch.equal(steps_of(denoise, X[i : i + 1], cond[i : i + 1], steps=1)[-1].xt[0], whole[-1].xt[i])


def broken(x, at, first, below):
    """The mixture, not a number for samples that began at `first` or above, from a level on."""
    found = DENOISE(x, at)
    return torch.where((x > first) & (at.s < below), torch.nan, found)


def test_a_sample_that_is_no_number_is_given_up_and_the_others_go_on():
    """It took a step of a thousandth six thousand times a level."""
    calls = []

    def denoise(x, at, cond):
        calls.append(len(x))
        return broken(x, at, 0.0, 0.4)

    chain = steps_of(denoise, X, steps=4)
    whole = steps_of(lambda x, at, cond: DENOISE(x, at), X, steps=4)
    lost = torch.isnan(chain[-1].xt[:, 0])
    assert 0 < lost.sum() < 9
    assert torch.equal(chain[-1].xt[~lost], whole[-1].xt[~lost])
    assert not torch.isnan(chain[1].xt).any()  # at the levels before it was there
    assert len(calls) < 200


def test_what_begins_as_no_number_costs_no_call():
    x = X.clone()
    x[3] = torch.nan
    calls = []

    def denoise(x, at, cond):
        calls.append(torch.isnan(x).any().item())
        return DENOISE(x, at)

    last = steps_of(denoise, x)[-1]
    assert torch.isnan(last.xt[:, 0]).tolist() == [i == 3 for i in range(9)]
    assert sum(calls) == 4  # what the chain itself asks at its levels
    all_lost = steps_of(lambda x, at, cond: x * torch.nan, X)
    assert all_lost[-1].nfe == 4


def test_a_tolerance_out_of_reach_ends_and_says_so():
    """A denoiser that jumps at every step of its state: no step is short enough."""

    def rough(x, at, cond):
        return torch.where(x > 1, torch.sin(1e9 * x), DENOISE(x, at))

    chain = steps_of(rough, X, steps=2, rtol=1e-8)
    remarks = [step.remark for step in chain if step.remark]
    assert remarks == [
        "the adaptive solver misses its tolerance between t = 1 and 0.5, in samples 7 and 8: choose a larger "
        "tolerance, or more steps"
    ]
    assert torch.isfinite(chain[-1].xt).all()
    assert chain[-1].nfe < 2 * 6 * 1300
    assert not any(step.remark for step in steps_of(DENOISE, X, steps=2, rtol=1e-8))


def test_inversion_by_it_ends_where_no_signal_is_left():
    path = path_of("vp_cosine")
    grid = [level(path, t) for t in (0.05, 0.4, 1.0)]
    *_, end = invert(DENOISE, path, [level(path, 0.0), *grid], X, solver="rk45", params={"rtol": 1e-6})
    assert grid[-1].a == 0
    torch.testing.assert_close(end.xt, Mixture().flow(grid[0].a * X, grid[0], grid[-1]), rtol=1e-4, atol=1e-4)
