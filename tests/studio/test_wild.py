"""A run that became not finite, or as large as numbers get: whatever looks at it or writes it copes, without a word.

Warnings are errors here, those of numpy too.
"""

from __future__ import annotations

import pytest
from wild_trace import CASES, write_wild

from diffstudio.analysis import fields, health, letters, neighbours, projection, summary
from diffstudio.analysis.rate import steps_per_second
from diffstudio.analysis.round_trip import round_trip_error
from diffstudio.errors import BadInput
from diffstudio.studio.export import pictures
from diffstudio.studio.export.options import CLIPS
from diffstudio.studio.export.write import SUFFIXES, ExportOptions, export, kinds_for
from diffstudio.traces.reader import Trace


@pytest.fixture(params=CASES, ids="-".join)
def trace(request, tmp_path):
    with Trace.open(write_wild(tmp_path / "wild.trace", *request.param)) as found:
        yield found


def test_everything_that_is_measured_of_it_copes(trace):
    for k in range(len(trace)):
        for name in fields.available(trace):
            summary.summarize(fields.tensor(trace, k, name))
        summary.distance_to_final(trace, k)
        letters.letters(trace, k, "xt")
        neighbours.nearest(
            neighbours.known(neighbours.FiniteSet("digits")), trace.array(k, "xt", 0)
        ) if trace.modality == "image" else None
    summary.curves(trace)
    projection.trajectories(trace)
    round_trip_error(trace)
    steps_per_second(trace)
    health.out_of_range(trace)
    assert health.first_not_finite(trace).record == 1
    if trace.meaning.kind.cloud:
        pictures.bounds(trace)


def test_every_picture_of_it_is_drawn(trace):
    for k in range(len(trace)):
        for name in fields.available(trace):
            if not trace.meaning.kind.cloud:
                pictures.tiles(trace, k, name)
                pictures.glance(trace, k, name, 0, 64)
            pictures.picture(trace, k, name)
            pictures.thumbnail(trace, k, name, 0, 48)


def test_every_file_of_it_is_written(trace, tmp_path):
    own = trace.meaning.kind.exports
    written = 0
    for suffix in (set(SUFFIXES) | set(own) | (set(CLIPS) if trace.meaning.kind.play else set())) - {".trace"}:
        for kind in kinds_for(suffix, trace.modality):
            out = tmp_path / (f"{kind}{suffix}" if suffix else f"folder-{kind}")
            try:
                written += len(export(trace, out, ExportOptions(kind)))
            except BadInput as error:  # a text has no sound, and other things that have nothing to do with NaN
                assert "finite" not in str(error)
    assert written > 10
