"""The preview is what the export writes: the same pictures, fewer and smaller."""

import numpy as np
import pytest
from PIL import Image

from diffstudio.errors import BadInput
from diffstudio.studio.export.options import ExportOptions
from diffstudio.studio.export.preview import MOST_FRAMES, preview
from diffstudio.studio.export.write import export


@pytest.mark.parametrize(
    "options",
    [
        ExportOptions(scale=3),
        ExportOptions(scale=3, sample=2),
        ExportOptions(tensor="delta", record=7),
        ExportOptions("strip", chain="both"),
    ],
)
def test_a_picture_is_the_one_that_is_written(both, tmp_path, options):
    export(both, tmp_path / "a.png", options)
    (frame,) = preview(both, options).frames
    assert np.array_equal(frame, np.asarray(Image.open(tmp_path / "a.png").convert("RGB")))


@pytest.mark.parametrize("kind", ["animation", "frames"])
def test_a_chain_plays_from_its_first_to_its_last_step(both, tmp_path, kind):
    options = ExportOptions(kind, scale=2, chain="both")
    export(both, tmp_path / "out", ExportOptions("frames", scale=2, chain="both"))
    found = preview(both, options)
    written = [np.asarray(Image.open(file).convert("RGB")) for file in sorted((tmp_path / "out").iterdir())]
    assert len(found.frames) == len(written) == 10
    assert all(np.array_equal(a, b) for a, b in zip(found.frames, written, strict=True))


def test_a_long_chain_keeps_its_ends_and_its_length_in_seconds(make_trace):
    states = np.random.default_rng(0).uniform(-1, 1, (200, 1, 1, 4, 4)).astype(np.float32)
    trace = make_trace(states)
    found = preview(trace, ExportOptions("animation", scale=1, fps=20))
    assert len(found.frames) == MOST_FRAMES
    assert len(found.frames) / found.fps == pytest.approx(200 / 20)
    first, last = (preview(trace, ExportOptions(scale=1, record=k)).frames[0] for k in (0, 199))
    assert np.array_equal(found.frames[0], first) and np.array_equal(found.frames[-1], last)


def test_what_has_no_picture_is_named(both):
    assert preview(both, ExportOptions("arrays")).text.splitlines()[0] == "xt  5×6×1×5×4"
    assert preview(both, ExportOptions("trace")).text.splitlines() == ["forward: 5", "reverse: 5"]


def test_samples_show_one_of_them(both, cloud):
    (frame,) = preview(both, ExportOptions("samples", scale=2)).frames
    assert frame.shape == (10, 8, 3)
    assert len(preview(cloud, ExportOptions("samples", scale=1)).frames) == 1


def test_nobody_waits_for_a_preview_that_is_stopped(both):
    assert preview(both, ExportOptions("animation"), lambda: True).frames == ()


def test_a_record_that_is_not_there_is_refused(both):
    with pytest.raises(BadInput, match="record is 99"):
        preview(both, ExportOptions(record=99))
