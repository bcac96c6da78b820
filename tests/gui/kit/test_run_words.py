"""What the status bar says of a run that has ended."""

from __future__ import annotations

import pytest

from diffstudio.gui.kit.run_words import ended_words

REQUEST = {"model": "digits", "steps": 10, "source": "noise"}


@pytest.mark.parametrize(
    ("records", "request_", "words"),
    [
        (22, REQUEST, "3 samples in 2.1 s"),
        (18, REQUEST, "Stopped at step 6 of 10: 3 samples at t 0.40 · 1.7 s"),
        (4, REQUEST, "Stopped at step 3 of 10 of the forward chain: 3 samples at t 0.30 · 0.3 s"),
        (18, REQUEST | {"trace_every": 3, "steps": 30}, "Stopped at step 6 of 30: 3 samples at t 0.40 · 1.7 s"),
        (18, {}, "Stopped at step 6 of 10: 3 samples at t 0.40 · 1.7 s"),  # a foreign trace
    ],
)
def test_a_run_that_was_stopped_has_no_samples_yet(make_run, records, request_, words):
    assert ended_words(make_run(records=records, request=request_).trace) == words
