"""A request as a command: what the terminal makes of it is the same request."""

import shlex

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diffstudio import options
from diffstudio.checkpoints.catalog import default_catalog
from diffstudio.cli.commands import cli
from diffstudio.errors import BadInput
from diffstudio.specs import PathSpec
from diffstudio.studio.request.command_line import command_line
from diffstudio.studio.request.defaults import default_request
from diffstudio.studio.request.parse import parse_request
from diffstudio.studio.request.request import Request

CATALOG = default_catalog()


def back(line):
    """The request that the command line makes of it."""
    program, command, *words = shlex.split(line)
    assert (program, command) == ("diffstudio", "sample")
    given = cli.commands["sample"].make_context("sample", words).params
    return parse_request(CATALOG.find(given["model"]), {**given, "kind": "sample"})


def test_the_usual_request_needs_no_options():
    card = CATALOG.find("digits@400").card
    assert command_line(default_request(card, "digits@400"), card) == (
        "diffstudio sample digits@400 --out digits@400_dpmpp-2m_30steps_class-each_seed0.png"
    )


def test_what_differs_is_said_and_quoted():
    card = CATALOG.find("digits").card
    request = default_request(card, "digits", label=3, seed=7, source="file", source_file="/my files/it's.png")
    assert command_line(request, card) == (
        "diffstudio sample digits --out digits@3500_dpmpp-2m_30steps_class-3_seed7.png --label 3 "
        "--source '/my files/it'\"'\"'s.png' --seed 7"
    )
    assert back(command_line(request, card)) == request


def test_models_are_named_as_the_terminal_finds_them():
    card = CATALOG.find("digits").card
    request = default_request(card, "mine@7", guidance_model="weak")
    line = command_line(request, card, lambda model: f"/my models/{model}")
    assert line == (
        "diffstudio sample '/my models/mine@7' --out digits@3500_dpmpp-2m_30steps_class-each_seed0.png "
        "--guidance-model '/my models/weak'"
    )


@pytest.mark.parametrize(
    ("model", "out"), [("spoken-digits", ".wav"), ("bouncing-digits", ".gif"), ("shapes-2d", ".csv"), ("words", ".txt")]
)
def test_the_file_suits_the_modality(model, out):
    card = CATALOG.find(model).card
    words = shlex.split(command_line(default_request(card, model), card))
    name = words[words.index("--out") + 1]
    assert name.startswith(card.spec) and name.endswith(f"_seed0{out}")


def test_two_commands_of_different_runs_write_different_files():
    card = CATALOG.find("digits").card
    requests = [default_request(card, "digits", **change) for change in ({}, {"label": 3}, {"seed": 1}, {"steps": 9})]
    outs = {shlex.split(command_line(request, card))[4] for request in requests}
    assert len(outs) == len(requests)


def test_labels_that_look_like_something_else_are_numbers():
    card = CATALOG.find("digits").card.model_copy(update={"labels": ("1", "0", "any", "each", "", "--out", "cat")})
    asked = [shlex.split(command_line(Request(label=i), card))[5:7] for i in range(7)]
    assert asked[:5] == [["--label", "1"], ["--label", "0"], ["--label", "2"], ["--label", "3"], ["--label", "4"]]
    assert asked[5][0] == "--label=--out" and asked[6] == ["--label", "cat"]


def test_a_step_of_a_recording_is_no_command():
    card = CATALOG.find("digits").card
    with pytest.raises(BadInput, match="recorded step"):
        command_line(Request(source="step", source_file="a.trace", source_step=3), card)
    with pytest.raises(BadInput, match="table of betas"):
        command_line(Request(path=PathSpec(name="vp_table", betas=(0.1, 0.2))), card)


def numbers_of(row):
    """Some of the parameters of a row of options, each within its bounds."""

    def value(param):
        if param.integer:
            return st.integers(int(param.low), int(min(param.high, param.low + 50))).map(float)
        return st.floats(param.low, min(param.high, 100.0), allow_nan=False)

    return st.fixed_dictionaries({}, optional={param.name: value(param) for param in row.params})


@st.composite
def requests(draw):
    """Any request for the digits that a window could make, valid or not."""
    solver, grid, clip = (draw(st.sampled_from(list(t))) for t in (options.SOLVERS, options.GRIDS, options.CLIPS))
    fields = {
        "solver": solver, "solver_params": draw(numbers_of(options.SOLVERS[solver])),
        "grid": grid, "grid_params": draw(numbers_of(options.GRIDS[grid])),
        "clip": clip, "clip_params": draw(numbers_of(options.CLIPS[clip])),
        "times": draw(st.lists(st.floats(0, 1), min_size=2, max_size=4)) if grid == "custom" else None,
    }  # fmt: skip
    more = {
        "label": st.none() | st.just("each") | st.integers(0, 9),
        "seed": st.integers(0, 2**63 - 1), "samples": st.integers(1, 99), "steps": st.integers(1, 99),
        "guidance": st.floats(0, 100), "guidance_rescale": st.floats(0, 1), "negative": st.none() | st.integers(0, 9),
        "guidance_interval": st.none() | st.just((0.25, 3.5)), "guidance_model": st.none() | st.just("digits@400"),
        "record_split": st.booleans(), "strength": st.floats(0.01, 1), "resample": st.integers(1, 100),
        "source": st.sampled_from(["noise", "data"]), "source_fit": st.sampled_from([None, "crop", "keep"]),
        "source_range": st.none() | st.just((0.0, 255.0)) | st.just((-1.5, 1e-3)),
        "source_part": st.none() | st.text("ab. 1'-", min_size=1), "keep_pixels": st.booleans(),
        "mask_region": st.none() | st.sampled_from(["x 0..13, y -1..4; frame 2", "not inside (0 0) (4 0) (4 4)"]),
        "source_invert": st.booleans(), "mask": st.none() | st.text("ab c'\"-é.", min_size=1),
        "noise": st.sampled_from([None, "fresh", "brownian"]), "forward": st.sampled_from(list(options.FORWARD_MODES)),
        "variation": st.floats(0, 1), "variation_seed": st.integers(0, 99), "interpolate": st.none() | st.just(5),
        "prompt": st.text("ab_- '", max_size=6), "negative_prompt": st.text("ab_- '", max_size=6),
        "distilled_guidance": st.floats(0, 100), "source_sample": st.none() | st.integers(0, 2000),
        "device": st.sampled_from(["auto", "cpu", "cuda:0"]), "trace_every": st.integers(1, 9),
        "trace_dtype": st.sampled_from(["float32", "float16"]), "precision": st.sampled_from(["float32", "half"]),
        "path": st.none() | st.just(PathSpec(name="vp_linear", params={"n": 100.0})),
    }  # fmt: skip
    return fields | draw(st.fixed_dictionaries({}, optional=more))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(requests())
def test_any_request_comes_back_as_it_was(fields):
    card = CATALOG.find("digits").card
    try:
        request = default_request(card, "digits", **fields)
    except ValueError:
        return  # not one that can run
    assert back(command_line(request, card)) == request


def test_no_field_is_forgotten():
    """A new field of a request needs a row in `command_line`, and a word here."""
    drawn = {
        "model",
        "kind",
        "source_file",
        "source_step",
        "source_sample",
        "times",
        "solver",
        "grid",
        "clip",
        "label",
        "seed",
        "samples",
    }
    drawn |= {
        "solver_params",
        "grid_params",
        "clip_params",
        "steps",
        "guidance",
        "guidance_rescale",
        "negative",
        "path",
    }
    drawn |= {"guidance_interval", "guidance_model", "record_split", "strength", "resample", "source", "source_fit"}
    drawn |= {"source_invert", "mask", "noise", "forward", "variation", "variation_seed", "interpolate", "prompt"}
    drawn |= {"source_range", "source_part", "mask_region", "keep_pixels"}
    drawn |= {"device", "precision", "trace_every", "trace_dtype", "negative_prompt", "distilled_guidance"}
    assert set(Request.model_fields) == drawn


def test_the_file_that_is_proposed_has_a_name_that_every_shell_and_disk_takes():
    card = CATALOG.find("digits").card.model_copy(update={"name": "cats (a/b) ✓"})
    words = shlex.split(command_line(Request(model="cats"), card))
    assert words[words.index("--out") + 1] == "cats-a-b@3500_dpmpp-2m_30steps_seed0.png"
