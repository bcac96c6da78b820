"""A text-to-image model in the window: prompt and negative prompt, from the panel to the trace and back."""

from __future__ import annotations

import numpy as np
import pytest
import tiny_prompted

from diffstudio.studio.export import pictures


@pytest.fixture(scope="module")
def painter(tmp_path_factory):
    diffusers = pytest.importorskip("diffusers")
    pytest.importorskip("transformers")
    return tiny_prompted.stable_diffusion(diffusers, tmp_path_factory.mktemp("models"))[1]


def test_what_is_typed_is_drawn_seen_and_restored(studio, generate, painter, qtbot):
    p = studio.parts
    studio.commands.filing.show_entry(p.catalog.find(str(painter)))
    panel = p.sampling
    assert not panel.rows["prompt"].isHidden() and not panel.rows["negative_prompt"].isHidden()
    assert panel.guidance.value() == 7.5 and panel.samples.value() == 1
    panel.set_request(panel.request().model_copy(update={"steps": 3, "samples": 2, "device": "cpu"}))
    qtbot.keyClicks(panel.prompt.edit, "a red cat")
    qtbot.keyClicks(panel.negative_prompt, "a dog")
    asked = panel.request()
    assert (asked.prompt, asked.negative_prompt) == ("a red cat", "a dog")
    assert generate().outcome == "done"
    trace = p.runs.trace
    assert trace.header.request["prompt"] == "a red cat"
    assert pictures.tiles(trace, 1, "x0_hat").shape == (2, 8, 8, 3)
    first = trace.array(3, "xt").copy()
    panel.set_request(asked.model_copy(update={"negative_prompt": "", "prompt": "dogs"}))
    assert generate().outcome == "done"
    assert np.abs(p.runs.trace.array(3, "xt") - first).max() > 1e-6
    panel.set_request(asked)
    assert (panel.prompt.edit.text(), panel.negative_prompt.text()) == ("a red cat", "a dog")


def test_a_prompt_that_is_too_long_is_told_and_the_window_lives(studio, generate, painter, qtbot):
    p = studio.parts
    studio.commands.filing.show_entry(p.catalog.find(str(painter)))
    changed = {"prompt": "c " * 40, "steps": 2, "device": "cpu"}
    p.sampling.set_request(p.sampling.request().model_copy(update=changed))
    ended = generate()
    assert ended.outcome == "failed" and "has 42 tokens" in ended.error
    p.sampling.set_request(p.sampling.request().model_copy(update={"prompt": "a cat"}))
    assert generate().outcome == "done"
