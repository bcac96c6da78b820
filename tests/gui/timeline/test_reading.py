"""What the timeline calls the chains."""

import pytest

from diffstudio.gui.timeline.reading import chain_title


@pytest.mark.parametrize(
    ("forward", "title"),
    [
        ("fixed", "forward: noising"),
        (None, "forward: noising"),
        ("invert", "forward: inversion (DDIM)"),
        ("invert_heun", "forward: inversion (Heun)"),
    ],
)
def test_an_inversion_is_called_one(make_run, forward, title):
    trace = make_run(request={"forward": forward}).trace
    assert chain_title(trace, 0) == title
    assert chain_title(trace, 1) == "reverse: denoising"


def test_a_fork_says_that_it_is_one(make_run):
    assert chain_title(make_run(request={"source": "step"}).trace, 1) == "reverse: denoising, from a fork"
