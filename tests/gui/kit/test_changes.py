"""Settings that are taken back are told in the words of the panel."""

import pytest

from diffstudio.checkpoints.catalog import default_catalog
from diffstudio.gui.kit.changes import differences
from diffstudio.gui.kit.titles import titles
from diffstudio.specs import PathSpec
from diffstudio.studio.request.request import Request


@pytest.fixture(scope="module")
def cards():
    catalog = default_catalog()
    return {name: catalog.find(name).card for name in ("digits", "shapes-2d", "sentences")}


def test_every_field_of_a_request_has_a_name():
    assert set(titles()) == set(Request.model_fields)
    assert len(set(titles().values())) == len(titles()), "each its own"


@pytest.mark.parametrize(
    ("then", "told"),
    [
        ({"label": 2}, ("Class", "any", "2")),
        ({"label": "each"}, ("Class", "any", "each")),
        ({"negative": 3}, ("Negative class", "no class", "3")),
        ({"interpolate": 7}, ("Interpolate to seed", "off", "7")),
        ({"record_split": True}, ("Record both halves", "off", "on")),
        ({"source_invert": True}, ("Invert colours", "off", "on")),
        ({"solver": "heun"}, ("Solver", "DPM-Solver++ 2M", "Heun")),
        ({"noise": "brownian", "solver": "ddpm"}, ("Noise", "The solver's own way", "Brownian path")),
        ({"grid": "karras", "grid_params": {"rho": 3.5}}, ("Numbers of the spacing", "its own", "ρ 3.5")),
        ({"path": PathSpec(name="vp_linear", params={"n": 250})}, ("Path", "As trained", "VP linear (Length 250)")),
        ({"grid": "custom", "times": (1.0, 0.5, 0.0)}, ("Times", "none", "1, 0.5, 0")),
        ({"guidance_interval": (0.2, 5.0)}, ("Guidance interval", "off", "0.2, 5")),
        ({"guidance": 2.25}, ("Guidance", "1", "2.25")),
        ({"source": "file", "source_file": "/a/b/mine.png"}, ("File", "none", "mine.png")),
        ({"prompt": "th_ng"}, ("Prompt", "nothing", "th_ng")),
    ],
)
def test_a_change_is_told_as_the_panel_would_show_it(cards, then, told):
    now = Request.model_validate({})
    found = differences(now, Request.model_validate(then), cards["digits"], cards["digits"])
    assert told in found


def test_a_class_is_called_by_the_model_that_it_is_of(cards):
    now, then = Request(label=7), Request(model="shapes-2d", label=2)
    found = {name: (a, b) for name, a, b in differences(now, then, cards["digits"], cards["shapes-2d"])}
    assert found["Class"] == ("7", cards["shapes-2d"].labels[2])


def test_how_a_run_is_recorded_is_no_part_of_it():
    then = Request(device="cpu", trace_every=3, trace_dtype="float16")
    assert differences(Request.model_validate({}), then) == []
