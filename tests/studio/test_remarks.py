"""What is said of where a run starts, and of samples that leave their range; of what is not finite: test_not_finite."""

from __future__ import annotations

import pytest

from diffstudio.checkpoints.card import Card
from diffstudio.specs import PathSpec
from diffstudio.studio.remarks import out_of_range_sentence, start_remark
from diffstudio.studio.request.request import Request

FILE = {"source": "file", "source_file": "a.png"}


def card(**fields):
    plain = {"name": "x", "modality": "image", "shape": (1, 8, 8), "prediction": "eps", "network": "unet",
             "data": {"dataset": ""}, "step": 1}  # fmt: skip
    return Card.model_validate(plain | {"path": PathSpec(name="vp_linear"), "time": "timestep"} | fields)


@pytest.mark.parametrize(
    ("given", "request_", "said"),
    [
        ({}, FILE | {"strength": 0.0004}, True),
        ({}, FILE | {"strength": 0.001}, False),
        ({}, FILE | {"strength": 0.0004, "path": {"name": "flow"}}, False),  # it is asked at the level of that noise
        ({"time": "t"}, FILE | {"strength": 0.0004}, False),  # trained at every t
        ({}, {"strength": 1.0}, False),
    ],
)
def test_a_start_below_the_first_training_step_is_told(given, request_, said):
    expected = "the strength 0.0004 lies below t = 0.001, the network's first training step: it is asked for that one"
    assert start_remark(card(**given), Request.model_validate(request_)) == (expected if said else "")


def test_samples_out_of_range_are_told_what_keeps_them_in_it():
    assert out_of_range_sentence((0, 2), 16, Request()) == ("2 of 16 samples leave [−1, 1]: clip x̂0 (--clip static)")
    assert "clip x̂0 to less" in out_of_range_sentence((0, 2), 16, Request(clip="static", clip_params={"limit": 4}))
