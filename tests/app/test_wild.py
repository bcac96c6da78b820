"""A run that became not finite in the real window: everything draws it, and it is said where it began.

Warnings are errors here, those of numpy too.
"""

from __future__ import annotations

import pytest
import torch
from wild_trace import KINDS_OF_WILD, MODELS, write_wild

from diffstudio.analysis import fields
from diffstudio.diffusion.denoiser import estimate
from diffstudio.gui.kit.words import size
from diffstudio.gui.stage.views.options import OPTIONS
from diffstudio.studio.compute import chains, scoring
from diffstudio.traces.reader import Trace


@pytest.fixture
def opened(studio, tmp_path, qtbot):
    def opened(name, kind):
        studio.parts.window.show()
        studio.parts.runs.show_trace(Trace.open(write_wild(tmp_path / f"{name}.trace", name, kind)))
        qtbot.waitUntil(lambda: studio.parts.inspect.isVisible())
        return studio.parts.runs.trace

    return opened


@pytest.mark.parametrize("kind", KINDS_OF_WILD)
@pytest.mark.parametrize("name", MODELS)
def test_every_part_of_the_window_draws_it(studio, opened, qtbot, name, kind):
    trace, p = opened(name, kind), studio.parts
    p.inspect.load_pages()
    for option in set(OPTIONS) - {"arrows", "density", "log_p", "decoded"}:  # these ask the model, not the trace
        p.canvas.set_option(option, True)
    for page in p.inspect.pages:
        p.inspect._tabs.button(list(p.inspect.pages).index(page)).click()
        for k in (0, 1, len(trace) - 1):
            p.playhead.move_to(k)
            for tensor in fields.available(trace):
                p.canvas.set_tensor(tensor)
                p.canvas.toggle_single()
                p.window.grab()


def said(studio, qtbot, words):
    """The status bar, once it says that."""
    qtbot.waitUntil(lambda: words in studio.parts.window.message.text(), timeout=20_000)
    return studio.parts.window.message.text()


def test_a_trace_that_is_opened_says_where_it_began(studio, opened, qtbot):
    opened("digits", "not finite")
    text = said(studio, qtbot, "not finite")
    assert "3 of 4 samples are not finite from step 1 of the forward chain on" in text


@pytest.fixture
def small(studio):
    """Points of a network, few and quick."""
    assert studio.parts.models.choose("shapes-2d")
    sampling = studio.parts.sampling
    sampling.set_request(sampling.request().model_copy(update={"samples": 5, "steps": 4, "forward": "off"}))
    return sampling


def test_a_run_says_it_as_it_goes_and_at_its_end(studio, small, generate, qtbot, monkeypatch):
    whole = chains.denoiser

    def breaking(plan, networks, path):
        ask = whole(plan, networks, path)

        def denoise(x, at, cond):
            found = estimate(ask(x, at, cond))
            if at.t < 0.6:
                found.x0_hat[2:4] = torch.nan
            return found

        return denoise

    monkeypatch.setattr(chains, "denoiser", breaking)
    told = []
    monkeypatch.setattr(
        studio.parts.window, "say", lambda text, say=studio.parts.window.say: (told.append(text), say(text))
    )
    assert generate().outcome == "done"
    words = "2 of 5 samples are not finite from step 2 on"
    assert said(studio, qtbot, words).startswith("5 samples in ")
    assert words in told


def test_what_a_broken_model_says_of_the_plane_is_drawn_too(studio, small, generate, qtbot, monkeypatch):
    """Score arrows and density of a network that answers with NaN."""
    whole = chains.denoiser

    def broken(plan, networks, path):
        ask = whole(plan, networks, path)
        return lambda x, at, cond: estimate(ask(x, at, cond)).x0_hat * torch.nan

    monkeypatch.setattr(chains, "denoiser", broken)
    monkeypatch.setattr(scoring, "denoiser", broken)
    assert generate().outcome == "done"
    p = studio.parts
    p.window.show()
    p.playhead.move_to(2)
    for option in ("arrows", "log_p", "density"):
        p.canvas.set_option(option, True)
    answers = []
    p.runs.inquiries.found.connect(lambda *found: answers.append(found[0]))
    qtbot.waitUntil(lambda: {"score", "density"} <= set(answers), timeout=60_000)
    p.window.grab()


def test_samples_that_leave_the_range_are_counted_in_the_status(studio, generate, qtbot):
    assert studio.parts.models.choose("digits")
    sampling = studio.parts.sampling
    sampling.set_request(
        sampling.request().model_copy(update={"samples": 3, "steps": 2, "label": 3, "guidance": 80.0, "forward": "off"})
    )
    assert generate().outcome == "done"
    assert said(studio, qtbot, "leave").endswith("3 of 3 samples leave [−1, 1]: clip x̂0")


def test_the_size_that_is_told_is_that_of_the_file(studio, small, generate):
    assert generate().outcome == "done"
    trace = studio.parts.runs.trace
    assert trace.stored_bytes == trace.path.stat().st_size
    assert studio.parts.window.right.text() == f"trace {size(trace.stored_bytes)}"
