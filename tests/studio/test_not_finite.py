"""A run that becomes not finite says so at the record where it appears, and in which samples."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from known_network import Known

from diffstudio.analysis.health import NotFinite, first_not_finite
from diffstudio.checkpoints.catalog import default_catalog
from diffstudio.studio.engine import Engine
from diffstudio.studio.remarks import not_finite_sentence
from diffstudio.studio.request.request import Request
from diffstudio.traces.format import SCALARS
from diffstudio.traces.reader import Trace
from diffstudio.traces.writer import TraceWriter


@pytest.fixture
def broken(monkeypatch):
    """broken(value, below, rows): from the level below t on the network says that of the rows of a call."""

    def broken(value=np.nan, below=0.6, rows=slice(1, None)):
        forward = Known.forward

        def answer(self, x, t, labels):
            found = forward(self, x, t, labels)
            if t[0] < below:
                found[rows] = value
            return found

        monkeypatch.setattr(Known, "forward", answer)

    return broken


def last_of(engine, request, path):
    """What the run said at its end, and when it said it first: (progress, the record)."""
    found = list(engine.run(request, path))
    assert [p.not_finite for p in found if p.not_finite] == [found[-1].not_finite] * sum(
        p.not_finite is not None for p in found
    )
    return found[-1].not_finite, next((p.records - 1 for p in found if p.not_finite), None)


@pytest.mark.parametrize("solver", ["dpmpp_2m", "heun", "ddpm", "unipc", "rk45"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_it_is_said_at_the_record_where_the_network_breaks(engine, request_of, tmp_path, broken, solver, value):
    broken(value)
    path = tmp_path / "a.trace"
    told, when = last_of(engine, request_of(solver=solver, forward="off", samples=4), path)
    # Of six steps from 1 the fourth state, at t = 0.5, is the first that the network is asked about below 0.6.
    assert (told.chain, told.step, told.record, told.samples) == ("reverse", 3, 3, (1, 2, 3))
    assert when == told.record
    assert told.t == pytest.approx(0.5)
    with Trace.open(path) as trace:
        assert trace.complete
        assert trace.scalars("not_finite").tolist() == [0] * 3 + [3] * 4
        assert first_not_finite(trace) == told


def test_a_run_that_is_well_says_nothing(record):
    for fields in (
        {},
        {"trace_dtype": "float16"},
        {"source": "data", "forward": "invert"},
        {"kind": "forward", "source": "data"},
    ):
        trace = record(**fields)
        assert not trace.scalars("not_finite").any()
        assert first_not_finite(trace) is None


def test_an_inversion_says_it_of_the_forward_chain(engine, request_of, tmp_path, broken):
    broken(below=0.4, rows=slice(0, 1))
    told, _ = last_of(engine, request_of(source="data", forward="invert"), tmp_path / "a.trace")
    assert (told.chain, told.step, told.samples) == ("forward", 1, (0,))


def test_guidance_may_overflow_where_the_network_does_not(engine, request_of, tmp_path, monkeypatch):
    def far(self, x, t, labels):
        return torch.where(labels[:, None] == 1, 2e38, -2e38).expand_as(x)

    monkeypatch.setattr(Known, "forward", far)
    told, _ = last_of(engine, request_of(label=1, guidance=9.0, forward="off"), tmp_path / "a.trace")
    assert (told.step, told.samples) == (0, (0, 1, 2))


def test_numbers_that_are_large_and_finite_are_no_trouble(engine, request_of, tmp_path, broken):
    """Their norms overflow; they are looked at, and let go."""
    broken(1e25)
    assert last_of(engine, request_of(forward="off"), tmp_path / "a.trace") == (None, None)


def test_what_half_precision_can_not_hold_is_not_finite_and_said_to_be_the_recording(
    engine, request_of, tmp_path, broken
):
    broken(1e5, rows=slice(2, 3))
    request = request_of(forward="off", trace_dtype="float16")
    told, _ = last_of(engine, request, tmp_path / "a.trace")
    assert (told.step, told.samples, told.stored) == (3, (2,), True)
    assert not_finite_sentence(told, request) == (
        "from step 3 of 6 of the reverse chain on (t = 0.5) 1 of 3 samples (sample 2) do not fit the half precision of "
        "the recording: leave --half out"
    )
    with Trace.open(tmp_path / "a.trace") as trace:
        assert first_not_finite(trace) == told


def test_a_network_in_half_precision_is_told_to_use_single(request_of):
    found = NotFinite(3, "reverse", 3, 0.5, (0, 2), 16)
    half, single = (not_finite_sentence(found, request_of(precision=name)) for name in ("half", "float32"))
    assert half == single + ": use --precision float32"
    assert single == (
        "from step 3 of 6 of the reverse chain on (t = 0.5) 2 of 16 samples (samples 0 and 2) have values that are not "
        "finite (NaN or ∞)"
    )


def test_with_every_kth_step_recorded_it_is_said_of_the_next_record(engine, request_of, tmp_path, broken):
    broken(rows=slice(None))
    request = request_of(forward="off", trace_every=4)
    told, _ = last_of(engine, request, tmp_path / "a.trace")
    assert (told.record, told.step) == (1, 4)
    assert not_finite_sentence(told, request).startswith("by step 4 of 6 of the reverse chain on (t = 0.333) 3 of 3 ")


def test_of_a_text_it_is_its_chances_that_are_not_finite(tmp_path):
    """The states are numbers of tokens, finite whatever the network says."""
    engine = Engine(default_catalog())
    request = Request(model="words", samples=2, steps=4, device="cpu", solver="tokens_ancestral", forward="off")
    list(engine.run(request, tmp_path / "well.trace"))
    (model,) = engine._models.values()
    for weights in model.network.parameters():
        weights.fill_(torch.nan)
    told, when = last_of(engine, request, tmp_path / "a.trace")
    assert (told.chain, told.step, told.samples, when) == ("reverse", 0, (0, 1), 0)


def test_a_trace_of_before_that_counts_nothing_is_looked_through_by_its_norms(engine, request_of, tmp_path, broken):
    broken(rows=slice(0, 2))
    list(engine.run(request_of(forward="off"), tmp_path / "new.trace"))
    with Trace.open(tmp_path / "new.trace") as new:
        header = new.header.model_copy(update={"scalars": SCALARS})
        with TraceWriter(tmp_path / "old.trace", header) as writer:
            for k in range(len(new)):
                arrays = {spec.name: new.array(k, spec.name) for spec in new.header.fields}
                writer.append({name: new.scalar(k, name) for name in SCALARS}, arrays)
        with Trace.open(tmp_path / "old.trace") as old:
            assert not old.has_scalar("not_finite")
            assert first_not_finite(old) == first_not_finite(new)
