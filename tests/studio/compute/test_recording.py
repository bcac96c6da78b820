"""From Steps to records: the scalars against sums that are written out."""

import math

import numpy as np
import pytest
import torch

from diffstudio.diffusion.chain import Step
from diffstudio.diffusion.times import Level
from diffstudio.studio.compute.recording import Recorder


class Kept:
    """A writer that keeps what is appended."""

    def __init__(self):
        self.scalars, self.arrays = [], []

    def append(self, scalars, arrays):
        self.scalars.append(dict(scalars))
        self.arrays.append({name: array.copy() for name, array in arrays.items()})
        return len(self.scalars) - 1


def steps(chain, count=4, shape=(3, 2, 4, 5), channels_last=False):
    """Steps with random states, from s = 1 to s = 0 for the reverse chain."""
    draw = torch.Generator().manual_seed(len(chain))
    for k in range(count):
        s = k / (count - 1) if chain == "forward" else 1 - k / (count - 1)
        xt, x0_hat = (torch.randn(shape, generator=draw) for _ in range(2))
        if channels_last:
            xt, x0_hat = (x.contiguous(memory_format=torch.channels_last) for x in (xt, x0_hat))
        yield Step(chain, k, Level(s, 1 - s, s), xt, x0_hat, 2 * k)


def rms(batch):
    """√ of the mean over the samples of the sum of squares, one number after the other."""
    total = 0.0
    for sample in batch.tolist():
        total += math.fsum(v * v for v in np.array(sample).ravel())
    return math.sqrt(total / len(batch))


@pytest.fixture(params=[False, True], ids=["rows", "channels last"])
def recorded(request):
    """Both chains, recorded, with their steps."""
    kept, found = Kept(), []
    recorder = Recorder(kept, 1, 3)
    for chain in ("forward", "reverse"):
        for step in steps(chain, channels_last=request.param):
            assert recorder.add(step)
            found.append(step)
    assert recorder.records == 8
    return kept, found


def test_norms_are_the_sums_written_out(recorded):
    kept, found = recorded
    for k, (scalars, step) in enumerate(zip(kept.scalars, found, strict=True)):
        first = step.index == 0
        dx = 0.0 if first else rms(step.xt - found[k - 1].xt)
        change = 0.0 if first else rms(step.x0_hat - found[k - 1].x0_hat)
        eps = rms((step.xt - step.level.a * step.x0_hat) / step.level.s) if step.level.s else 0.0
        assert scalars["dx_norm"] == pytest.approx(dx, rel=1e-5)
        assert scalars["x0_change"] == pytest.approx(change, rel=1e-5)
        assert scalars["eps_norm"] == pytest.approx(eps, rel=1e-5)


def test_levels_counts_and_arrays_are_those_of_the_step(recorded):
    kept, found = recorded
    seconds = [scalars["seconds"] for scalars in kept.scalars]
    assert seconds == sorted(seconds)
    assert seconds[0] >= 0
    for scalars, arrays, step in zip(kept.scalars, kept.arrays, found, strict=True):
        assert (scalars["chain"], scalars["step"]) == (["forward", "reverse"].index(step.chain), step.index)
        assert (scalars["t"], scalars["a"], scalars["s"]) == step.level
        assert (scalars["log_snr"], scalars["nfe"]) == (step.level.log_snr, step.nfe)
        np.testing.assert_array_equal(arrays["xt"], step.xt.numpy())
        np.testing.assert_array_equal(arrays["x0_hat"], step.x0_hat.numpy())


def test_an_x0_that_stays_has_not_changed():
    kept = Kept()
    recorder = Recorder(kept, 1, 3)
    x0 = torch.ones(2, 3)
    for k in range(3):
        recorder.add(Step("forward", k, Level(k / 3, 1 - k / 3, k / 3), torch.full((2, 3), float(k)), x0, 0))
    assert [scalars["x0_change"] for scalars in kept.scalars] == [0, 0, 0]
    assert [scalars["dx_norm"] for scalars in kept.scalars] == pytest.approx([0, math.sqrt(3), math.sqrt(3)])


def test_with_every_kth_step_differences_are_between_recorded_states():
    kept, found = Kept(), list(steps("reverse", count=6))
    recorder = Recorder(kept, 2, 5)
    assert [recorder.add(step) for step in found] == [True, False, True, False, True, True]
    assert [scalars["step"] for scalars in kept.scalars] == [0, 2, 4, 5]
    assert kept.scalars[1]["dx_norm"] == pytest.approx(rms(found[2].xt - found[0].xt), rel=1e-5)
    assert kept.scalars[3]["dx_norm"] == pytest.approx(rms(found[5].xt - found[4].xt), rel=1e-5)


def test_a_state_that_is_changed_in_place_afterwards_stays_as_it_was_recorded():
    kept, recorder = Kept(), Recorder(Kept(), 1, 1)
    recorder._writer = kept
    x = torch.ones(1, 2)
    recorder.add(Step("reverse", 0, Level(1.0, 0.0, 1.0), x, x * 3, 1))
    x += 5
    assert kept.arrays[0]["xt"].tolist() == [[1, 1]]
