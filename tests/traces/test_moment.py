"""The same moment in another run, by every clock."""

import math

import numpy as np
import pytest

from diffstudio.traces.format import SCALARS, ChainSpec, FieldSpec, TraceHeader
from diffstudio.traces.moment import CLOCKS, Moment, moment_of, nearest
from diffstudio.traces.reader import Trace
from diffstudio.traces.writer import TraceWriter


@pytest.fixture
def make(tmp_path):
    """make(reverse steps, forward steps, …): a flow run, t falling evenly, one network call a step."""
    opened = []

    def make(steps, forward=0, start=1.0, every=1, planned=None, power=1.0):
        chains = [("forward", forward), ("reverse", steps)] if forward else [("reverse", steps)]
        header = TraceHeader(
            created="", request={}, card={"modality": "points"}, fields=(FieldSpec(name="xt", shape=(1, 2)),),
            scalars=SCALARS,
            chains=tuple(ChainSpec(name=n, records=len(range(0, c, every)) + 1) for n, c in chains),
        )  # fmt: skip
        path = tmp_path / f"{len(opened)}.trace"
        with TraceWriter(path, header) as writer:
            for name, count in chains:
                shown = [*range(0, count, every), count]
                for k in shown if planned is None else shown[:planned]:
                    share = (k / count) ** power
                    t = share if name == "forward" else start * (1 - share)
                    with np.errstate(divide="ignore"):
                        snr = float(np.log((1 - t) / np.float64(t))) if t < 1 else -math.inf
                    numbers = {
                        "chain": name == "reverse", "step": k, "t": t, "a": 1 - t, "s": t, "log_snr": snr,
                        "nfe": k if name == "reverse" else 0,
                    }  # fmt: skip
                    writer.append(numbers, {"xt": np.zeros((1, 2), np.float32)})
        opened.append(Trace.open(path))
        return opened[-1]

    yield make
    for trace in opened:
        trace.close()


def test_twenty_of_forty_steps_stands_beside_ten_of_twenty(make):
    long, short = make(40), make(20)
    assert nearest(short, moment_of(long, 20)) == 10
    assert nearest(long, moment_of(short, 10)) == 20
    assert nearest(short, moment_of(long, 40)) == 20
    assert nearest(short, moment_of(long, 0)) == 0


@pytest.mark.parametrize("clock", CLOCKS)
def test_every_record_is_nearest_to_itself(make, clock):
    for trace in (make(30, 30), make(7, 3, every=2), make(5, power=3.0)):
        found = [nearest(trace, moment_of(trace, k), clock) for k in range(len(trace))]
        assert found == list(range(len(trace)))


def test_the_clock_decides_what_the_same_moment_is(make):
    even, late = make(10), make(10, power=2.0)  # t of the second: 1 − (k/10)²
    at = moment_of(even, 5)  # t 0.5
    assert nearest(late, at, "step") == 5
    assert nearest(late, at, "t") == 7
    assert nearest(late, at, "log_snr") == 7
    assert nearest(late, at, "sigma") == 7
    assert nearest(make(40), at, "nfe") == 5


def test_a_run_from_noised_data_begins_later(make):
    whole, half = make(10), make(10, start=0.5)
    assert nearest(half, moment_of(whole, 2), "t") == 0
    assert nearest(half, moment_of(whole, 8), "t") == 6
    assert nearest(half, moment_of(whole, 2), "step") == 2


def test_a_chain_that_is_not_there_has_no_record(make):
    assert nearest(make(10), moment_of(make(10, 10), 3)) is None
    assert nearest(make(10, 5), moment_of(make(10, 10), 4)) == 2


def test_network_calls_say_nothing_of_the_forward_chain(make):
    assert nearest(make(5, 20), moment_of(make(5, 10), 5), "nfe") == 10


def test_the_ends_of_a_chain_are_the_ends_by_every_clock(make):
    for clock in CLOCKS[:-1]:
        assert nearest(make(40, 40), moment_of(make(20, 20), 20), clock) == 40
        assert nearest(make(40, 40), moment_of(make(20, 20), 41), clock) == 81


def test_a_run_that_goes_knows_where_it_will_end(make):
    going = make(20, planned=5)  # four steps of twenty are done
    assert nearest(going, moment_of(make(40), 8)) == 4
    assert nearest(going, moment_of(make(40), 40)) == 4  # what it has
    assert moment_of(going, 4).share == pytest.approx(0.2)


def test_a_moment_without_numbers_is_still_one(make):
    assert nearest(make(4), Moment(1, 0.5, math.nan, math.nan, math.nan, math.nan), "t") == 2
