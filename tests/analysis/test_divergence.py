"""Where two runs part: known steps, rounding of both recorded types, runs that can't be subtracted."""

import math

import numpy as np
import pytest

from diffstudio.analysis.divergence import Divergence, difference, differences, partners, why_not
from diffstudio.traces.format import SCALARS, ChainSpec, FieldSpec, TraceHeader
from diffstudio.traces.reader import Trace
from diffstudio.traces.writer import TraceWriter


@pytest.fixture
def record(tmp_path):
    """Writes a reverse chain of given states, (steps + 1, batch, …); forward: the same number of noising records."""
    opened = []

    def write(states, dtype="float32", modality="image", forward=0, times=None, **request):
        file = tmp_path / f"{len(opened)}.trace"
        chains = [ChainSpec(name="forward", records=forward)] if forward else []
        fields = (FieldSpec.model_validate({"name": "xt", "shape": states.shape[1:], "dtype": dtype}),)
        header = TraceHeader(
            created="2026-01-02", request=request, card={"modality": modality}, fields=fields,
            chains=(*chains, ChainSpec(name="reverse", records=len(states) - forward)),
        )  # fmt: skip
        writer = TraceWriter(file, header)
        for k, state in enumerate(states):
            step = k if k < forward else k - forward
            t = (1 - step / (len(states) - forward - 1)) if times is None else times[k]
            row = dict.fromkeys(SCALARS, 0.0) | {
                "chain": float(k >= forward), "step": step, "t": t, "a": 1 - t, "s": t, "nfe": step,
                "log_snr": math.inf if t == 0 else 2 * math.log((1 - t) / t) if t < 1 else -math.inf,
            }  # fmt: skip
            writer.append(row, {"xt": state.astype(np.float32)})
        writer.close()
        opened.append(Trace.open(file))
        return opened[-1]

    yield write
    for trace in opened:
        trace.close()


def noise(steps=8, batch=3, shape=(1, 4, 4), seed=0):
    return np.random.default_rng(seed).normal(size=(steps + 1, batch, *shape))


def first_of(one, other):
    return Divergence(tuple(differences(one, other))).first(one, 1)


@pytest.mark.parametrize(("dtype", "unit"), [("float32", 2.0**-24), ("float16", 2.0**-11)])
def test_the_first_step_beyond_rounding_is_found_and_rounding_is_not(record, dtype, unit):
    """One number of sample 1 differs from step 5 on; before that all differ by what rounding may do."""
    states = noise()
    other = states * (1 + 0.9 * unit) if dtype == "float16" else states + 30 * unit
    other[5:, 1, 0, 2, 2] += 0.02 if dtype == "float16" else 4e-5
    found = first_of(record(states, dtype), record(other, dtype))
    assert found is not None
    assert (found.first, found.second, found.sample) == (5, 5, 1)


def test_the_same_numbers_are_equal_and_together(record):
    one, other = record(noise()), record(noise())
    found = Divergence(tuple(differences(one, other)))
    assert found.equal and found.together and found.first(one, 1) is None
    rounded = Divergence(tuple(differences(one, record(noise() + 1e-7))))
    assert rounded.together and not rounded.equal
    assert not Divergence().equal and not Divergence().together  # nothing was looked at


def test_half_precision_of_the_network_allows_more(record):
    other = noise() + 2.0**-7
    assert first_of(record(noise()), record(other)) is not None
    assert first_of(record(noise(), precision="half"), record(other)) is None


def test_the_distance_is_the_root_mean_square_of_the_norms(record):
    states = np.zeros((3, 2, 1, 2, 2))
    other = states.copy()
    other[1, 0] = 1.0  # norm 2
    other[1, 1] = 3.0  # norm 6
    found = difference(record(states), 1, record(other), 1)
    assert found.distance == pytest.approx(math.sqrt((4 + 36) / 2))
    assert found.most == 3.0 and found.sample == 0 and found.same_time


def test_of_twice_as_many_steps_every_second_record_has_a_partner(record):
    one, other = record(noise(8)), record(noise(4))
    assert partners(one, other) == [(0, 0), (2, 1), (4, 2), (6, 3), (8, 4)]
    assert partners(other, one) == [(0, 0), (1, 2), (2, 4), (3, 6), (4, 8)]


def test_chains_stand_beside_chains_of_their_kind(record):
    one, other = record(noise(9), forward=5), record(noise(4))
    assert partners(one, other) == [(5, 0), (6, 1), (7, 2), (8, 3), (9, 4)]


def test_other_times_at_the_same_step_are_said(record):
    times = (1, 0.9, 0.8, 0.2, 0)
    found = list(differences(record(noise(4)), record(noise(4), times=times)))
    assert [d.same_time for d in found] == [True, False, False, False, True]


def test_only_samples_that_both_have_are_compared(record):
    states = noise(batch=4)
    assert first_of(record(states), record(states[:, :2])) is None


def test_a_number_that_only_one_has_parts_them(record):
    states = noise()
    states[4:, 2] = np.nan
    one, other = record(noise()), record(states)
    found = first_of(one, other)
    assert found is not None and (found.first, found.sample, found.most) == (4, 2, math.inf)
    assert first_of(other, record(states)) is None  # both have none


@pytest.mark.parametrize(
    ("shape", "modality", "words"),
    [
        ((1, 4, 5), "image", "the shapes of their samples differ: 1×4×4 and 1×4×5"),
        ((2,), "points", "one run is of image"),
    ],
)
def test_why_not(record, shape, modality, words):
    assert words in why_not(record(noise()), record(noise(shape=shape), modality=modality))
    assert why_not(record(noise()), record(noise(4))) == ""
