"""Runs of the bundled text models, from the request to the trace."""

from __future__ import annotations

import numpy as np
import pytest

from diffstudio.checkpoints.catalog import default_catalog
from diffstudio.errors import BadInput
from diffstudio.modalities.text import spec_of, strings, tokens_of
from diffstudio.studio.engine import Engine
from diffstudio.studio.request.checks import unavailable, usable
from diffstudio.studio.request.defaults import default_request
from diffstudio.studio.request.request import Request
from diffstudio.traces.reader import Trace

MODELS = ("words", "words-uniform", "words-gaussian")


@pytest.fixture
def engine():
    """With the bundled checkpoints."""
    return Engine(default_catalog())


@pytest.fixture
def text_run(engine, tmp_path):
    """Runs a text model with its own defaults but for what is given; the trace is open."""
    opened = []

    def run(name, **given):
        card = engine.catalog.find(name).card
        path = tmp_path / f"{len(opened)}.trace"
        for _ in engine.run(default_request(card, name, **{"samples": 4, **given}), path):
            pass
        opened.append(Trace.open(path))
        return opened[-1]

    yield run
    for trace in opened:
        trace.close()


@pytest.mark.parametrize("name", MODELS)
def test_both_chains_of_a_text_are_recorded(text_run, name):
    trace = text_run(name, steps=8)
    assert trace.complete and len(trace) == 18
    spec = spec_of(trace.meaning)
    first, last = (strings(trace.array(k, "xt"), spec) for k in (0, 17))
    assert all(text.strip().isalpha() and text.isascii() for text in first)  # words of the data
    assert all(set(text) <= set(spec.vocabulary) for text in last)
    if name == "words":
        assert strings(trace.array(8, "xt"), spec) == strings(trace.array(9, "xt"), spec) == ["░" * 10] * 4
    odds = trace.array(12, "odds")
    assert odds.shape == (4, 5, 10) and (np.diff(odds, axis=1) <= 0).all() and (odds.sum(1) <= 1 + 1e-5).all()
    assert (trace.array(12, "guesses")[:, 0] == tokens_of(trace.array(12, "x0_hat"), spec)).all() or name != "words"
    assert (trace.array(17, "odds")[:, 0] == 1).all() and not trace.array(17, "entropy").any()


def test_the_lanes_of_a_masked_text_count_cells(text_run):
    trace = text_run("words", steps=8, forward="off")
    masked = trace.scalars("masked")
    assert masked[0] == 10 and masked[-1] == 0 and (np.diff(masked) <= 0).all()
    assert trace.scalars("dx_norm")[1:].sum() == pytest.approx(10)
    assert trace.scalars("entropy")[0] > 20 > trace.scalars("entropy")[-1] == 0


@pytest.mark.parametrize("name", MODELS)
def test_a_prompt_stays_in_the_result(text_run, name):
    trace = text_run(name, steps=12, prompt="con_____ly", forward="off")
    spec = spec_of(trace.meaning)
    for text in strings(trace.array(12, "xt"), spec):
        assert text.startswith("con") and text.endswith("ly")
    if name != "words-gaussian":
        for k in range(13):
            assert all(text.startswith("con") for text in strings(trace.array(k, "xt"), spec))


@pytest.mark.parametrize("name", MODELS)
def test_a_sample_is_the_same_alone_and_in_a_batch(text_run, name):
    several, alone = text_run(name, steps=6, seed=5), text_run(name, steps=6, seed=7, samples=1)
    for k in range(len(alone)):
        np.testing.assert_allclose(alone.array(k, "xt", 0), several.array(k, "xt", 2), atol=1e-4)


def test_a_text_goes_on_from_a_recorded_step(text_run):
    trace = text_run("words", steps=10, forward="off")
    again = text_run("words", steps=10, source="step", source_file=str(trace.path), source_step=4, seed=99)
    before = trace.array(4, "xt")
    assert (again.array(0, "xt") == before).all()
    known = before < 31
    assert (again.array(10, "xt")[known] == before[known]).all()


def test_a_text_of_ones_own_is_noised_and_mended(text_run, tmp_path):
    file = tmp_path / "own.txt"
    file.write_text("window\nprinter\n")
    trace = text_run("words", steps=10, source="file", source_file=str(file), strength=0.5)
    spec = spec_of(trace.meaning)
    assert [text.strip() for text in strings(trace.array(0, "xt"), spec)] == ["window", "printer"] * 2
    halfway = trace.array(5, "xt")
    assert (halfway == spec.mask).any() and (halfway != spec.mask).any()


@pytest.mark.parametrize(
    ("name", "given", "sentence"),
    [
        ("words", {"solver": "ddim"}, "DDIM steps through numbers, and the states of 'words' are tokens"),
        ("words-gaussian", {"solver": "tokens_ancestral"}, "steps through tokens, and the states of .* are numbers"),
        ("words-uniform", {"solver": "tokens_surest"}, "reveals masked letters, and 'words-uniform' has none"),
        ("words", {"variation": 0.5}, "'words' draws tokens, between which there is nothing"),
        ("words", {"path": {"name": "ve"}}, "'words' loses its tokens by its own process"),
        ("words", {"forward": "invert", "source": "data"}, "inversion runs an equation of numbers backwards"),
        ("words", {"prompt": "much too long a prompt"}, "the prompt has 22 characters, expected at most 10"),
        ("words", {"prompt": "caf3"}, "the prompt has characters that the model does not know: 3"),
        (
            "digits",
            {"prompt": "abc"},
            "a prompt says what to draw, or fixes letters of a text, and 'digits' is told none",
        ),
    ],
)
def test_what_does_not_go_with_a_text_is_refused_before_the_run(engine, name, given, sentence):
    card = engine.catalog.find(name).card
    with pytest.raises(BadInput, match=sentence):
        engine.plan(default_request(card, name, **given))


def test_a_request_of_another_model_becomes_one_for_a_text(engine):
    card = engine.catalog.find("words").card
    request = usable(card, Request(solver="heun", forward="invert", variation=0.3, path={"name": "ve"}))
    assert (request.solver, request.forward, request.variation, request.path) == ("tokens_ancestral", "fixed", 0, None)
    assert "prompt" not in unavailable(card, request)


def test_the_plan_knows_the_size_of_the_trace(engine, text_run):
    card = engine.catalog.find("words").card
    plan = engine.plan(default_request(card, "words", samples=4, steps=8))
    size = text_run("words", steps=8).path.stat().st_size
    assert plan.total_bytes < size < plan.total_bytes + 40_000  # and the header
