"""Both chains of a run, seen through its trace: seeds, classes, sources, and a start from a recorded step."""

import numpy as np
import pytest
from known_network import MEANS, save_known

from diffstudio import data
from diffstudio.errors import BadFile, BadInput
from diffstudio.traces.reader import Trace


def final(trace):
    return trace.array(len(trace) - 1, "xt")


@pytest.mark.parametrize("solver", ["dpmpp_2m", "ddpm", "heun"])
@pytest.mark.parametrize("forward", ["fixed", "markov"])
def test_sample_i_of_a_seed_is_the_first_of_seed_plus_i(record, solver, forward):
    several = record(solver=solver, forward=forward, label="each", samples=4, seed=20)
    for i in range(4):
        alone = record(solver=solver, forward=forward, label="each", samples=1, seed=20 + i)
        assert alone.header.labels == (several.header.labels[i],)
        for k in range(len(several)):
            for field in ("xt", "x0_hat"):
                np.testing.assert_allclose(alone.array(k, field, 0), several.array(k, field, i), atol=1e-6)


def test_the_same_request_is_the_same_run_and_another_seed_is_not(record):
    first, again, other = record(solver="ddpm"), record(solver="ddpm"), record(solver="ddpm", seed=100)
    for k in range(len(first)):
        np.testing.assert_array_equal(first.array(k, "xt"), again.array(k, "xt"))
    assert not np.isclose(final(first), final(other)).any()


def test_each_takes_the_classes_in_turn_from_the_seed_on(record):
    trace = record(label="each", samples=5, seed=3, steps=60)
    assert trace.header.labels == (1, 0, 1, 0, 1)
    near = np.abs(final(trace).mean(1)[:, None] - np.array(MEANS[:2])).argmin(1)
    assert near.tolist() == [1, 0, 1, 0, 1]
    rows, _ = data.sample("shapes-2d", [1, 0, 1, 0, 1], range(3, 8))
    np.testing.assert_array_equal(trace.array(0, "xt"), rows)


def test_guidance_leads_away_from_any(record):
    # D_any + w·(D_class − D_any); at pure noise D is the mean of the data.
    trace = record(label=0, guidance=3.0, forward="off")
    expected = MEANS[2] + 3 * (MEANS[0] - MEANS[2])
    np.testing.assert_allclose(trace.array(0, "x0_hat"), np.full((3, 2), expected), atol=1e-5)


def test_a_markov_chain_draws_fresh_noise_and_a_fixed_one_does_not(record):
    def eps(trace, k):
        a, s = trace.scalar(k, "a"), trace.scalar(k, "s")
        return (trace.array(k, "xt") - a * trace.array(k, "x0_hat")) / s

    fixed, markov = record(forward="fixed"), record(forward="markov")
    np.testing.assert_allclose(eps(fixed, 2), eps(fixed, 6), atol=1e-5)
    assert not np.isclose(eps(markov, 2), eps(markov, 6)).any()


def test_from_a_data_sample_the_reverse_chain_begins_where_the_forward_chain_ends(record):
    trace = record(source="data", forward="markov", seed=1)
    np.testing.assert_array_equal(trace.array(6, "xt"), trace.array(7, "xt"))
    assert len(trace.header.labels) == 3
    rows, drawn = data.sample("shapes-2d", [None] * 3, range(1, 4))
    assert trace.header.labels == tuple(drawn)
    np.testing.assert_array_equal(trace.array(0, "xt"), rows)


def test_from_data_without_a_recorded_forward_chain_is_the_same_reverse_chain(record):
    whole, half = record(source="data"), record(source="data", forward="off")
    assert (len(whole), len(half)) == (14, 7)
    for k in range(7):
        np.testing.assert_array_equal(half.array(k, "xt"), whole.array(k + 7, "xt"))


def test_few_points_of_a_file_are_used_in_turn_each_with_its_own_noise(record, tmp_path):
    np.save(tmp_path / "two.npy", np.array([[1, 2], [-3, 4]], np.float32))
    trace = record(source="file", source_file=str(tmp_path / "two.npy"), samples=5)
    assert trace.array(0, "xt").tolist() == [[1, 2], [-3, 4], [1, 2], [-3, 4], [1, 2]]
    assert len(np.unique(trace.array(6, "xt").round(5), axis=0)) == 5


def test_a_forward_run_has_no_reverse_chain(record):
    trace = record(kind="forward", source="data")
    assert trace.scalars("chain").tolist() == [0] * 7
    assert trace.scalars("nfe").tolist() == [0] * 7


# ── from a recorded step ────────────────────────────────────────────────────────────────────────────────────────────


def from_step(trace, k, **fields):
    return {"source": "step", "source_file": str(trace.path), "source_step": k, "seed": 99, **fields}


def test_a_run_from_a_recorded_step_goes_on_to_the_same_end(record):
    # First-order, deterministic, the remaining equal steps: exactly the rest of the first run.
    whole = record(solver="ddim", steps=8, label=1, forward="off")
    rest = record(**from_step(whole, 3, solver="ddim", steps=5, label=1))
    assert rest.scalars("chain").tolist() == [1] * 6
    for k in range(6):
        assert rest.scalar(k, "t") == pytest.approx(whole.scalar(k + 3, "t"))
        np.testing.assert_allclose(rest.array(k, "xt"), whole.array(k + 3, "xt"), atol=2e-5)


def test_a_step_of_the_forward_chain_can_be_denoised(record):
    whole = record(steps=8, label=0)
    rest = record(**from_step(whole, 6, steps=5, label=0))
    assert rest.scalar(0, "t") == pytest.approx(0.75)
    np.testing.assert_allclose(rest.array(0, "xt"), whole.array(6, "xt"), atol=1e-6)


def test_on_another_path_the_step_is_rescaled_to_the_same_signal_to_noise(record):
    whole = record(steps=8, label=0, forward="off")
    rest = record(**from_step(whole, 4, label=0, path={"name": "ve"}))
    a, s = (rest.scalar(0, name) for name in "as")
    assert (a, s) == (1, pytest.approx(1.0, rel=1e-6))  # σ = 0.5/0.5
    np.testing.assert_allclose(rest.array(0, "xt"), whole.array(4, "xt") * 2, atol=1e-5)


@pytest.mark.parametrize(
    ("step", "fields", "sentence"),
    [
        (14, {}, r"has 14 steps, found step 14$"),
        (0, {}, r"^that step is the clean end of its chain: choose an earlier one"),
        (13, {}, r"^that step is the clean end of its chain"),
        (8, {"samples": 2}, r"^that step has 3 samples, found 2: ask for 3$"),
        (8, {"model": "wide"}, r"^that step is of shape \(2,\), 'wide' needs \(3,\)$"),
    ],
)
def test_a_step_that_can_not_be_gone_on_from_is_one_sentence(record, folder, step, fields, sentence):
    save_known(folder, "wide", shape=(3,))
    whole = record()
    with pytest.raises(BadInput, match=sentence):
        record(**from_step(whole, step, **fields))


def test_a_trace_that_is_gone_or_damaged_is_one_sentence(record, tmp_path):
    gone = {"source": "step", "source_file": str(tmp_path / "gone.trace"), "source_step": 1}
    with pytest.raises(BadFile, match=r"can't open .*gone\.trace"):
        record(**gone)
    (tmp_path / "gone.trace").write_bytes(b"DSTRACE1" + bytes(200))
    with pytest.raises(BadFile, match="the file is damaged"):
        record(**gone)


def test_what_was_recorded_by_half_a_run_can_be_gone_on_from(engine, request_of, record, tmp_path):
    run = engine.run(request_of(forward="off", steps=8), tmp_path / "half.trace")
    for now in run:
        if now.records == 4:
            break
    run.close()
    with Trace.open(tmp_path / "half.trace") as half:
        rest = record(**from_step(half, 3, steps=5))
        np.testing.assert_allclose(rest.array(0, "xt"), half.array(3, "xt"), atol=1e-6)
