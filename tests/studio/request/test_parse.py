"""What people type becomes parts of a request."""

from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from diffstudio.checkpoints.card import Card, TrainingData
from diffstudio.checkpoints.listing import Entry
from diffstudio.errors import BadFile, BadInput
from diffstudio.specs import PathSpec
from diffstudio.studio.request.parse import (
    MAX_TABLE,
    parse_label,
    parse_numbers,
    parse_params,
    parse_path,
    parse_request,
    parse_size,
    parse_source,
    plain_reason,
)
from diffstudio.studio.request.request import Request


def card(labels=(), **fields):
    plain = {"name": "rings", "modality": "points", "shape": (2,), "path": PathSpec(), "prediction": "flow"}
    plain |= {"network": "mlp", "labels": labels, "data": TrainingData(dataset="shapes-2d"), "step": 3}
    return Card.model_validate(plain | fields)


def entry(**fields):
    return Entry(Path("rings.safetensors"), card(("square", "two moons"), **fields), 1, "file")


@pytest.mark.parametrize(
    ("text", "label"),
    [("any", None), ("each", "each"), ("Two Moons", 1), ("0", 0), ("1", 1), (" square ", 0), ("ANY", None)],
)
def test_a_class_by_name_or_number(text, label):
    assert parse_label(text, card(("square", "two moons"))) == label


def test_a_name_that_looks_like_a_number_wins():
    assert parse_label("2", card(("2", "1", "0"))) == 0


@pytest.mark.parametrize("text", ["2", "-1", "", "moon", "1.0", "²"])
def test_an_unknown_class_names_the_known_ones(text):
    with pytest.raises(BadInput, match=r"'rings' has no label '.*': choose one of square, two moons, any or each"):
        parse_label(text, card(("square", "two moons")))


def test_a_model_without_classes_says_so():
    assert parse_label("any", card()) is None
    for text in ("0", "each"):
        with pytest.raises(BadInput, match="'rings' knows no classes"):
            parse_label(text, card())


def test_many_classes_are_not_all_listed():
    with pytest.raises(BadInput, match=r"19, …, any or each$"):
        parse_label("x", card(tuple(map(str, range(1000)))))


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4GiB", 4 << 30), ("500MB", 500_000_000), ("1.5 g", 1_500_000_000), ("12", 12), ("12B", 12), ("1kib", 1024),
        ("2T", 2 * 10**12), ("0.5GiB", 1 << 29),
    ],
)  # fmt: skip
def test_an_amount_of_memory(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "lots", "-1GB", "4 elephants", "1e9", "GB", "nan", "4GiBs"])
def test_what_is_no_amount(text):
    with pytest.raises(BadInput, match="is not an amount of memory"):
        parse_size(text)


def test_a_path_with_its_numbers():
    assert parse_path("flow") == PathSpec()
    found = parse_path("vp_linear:n=100, beta_end=0.05")
    assert (found.name, found.params) == ("vp_linear", {"n": 100, "beta_end": 0.05})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("vq", "--path: unknown path 'vq': choose one of flow, "),
        ("flow:n=3", "--path: path 'flow' has no parameter 'n'"),
        ("vp_linear:n=1", "n is 1, expected 2 to 100000"),
        ("vp_linear:n", "--path: 'n' is not of the form name=number"),
        ("vp_linear:n=many", "'n=many' is not of the form"),
        ("vp_linear:n=nan", "--path: .*finite number"),
    ],
)
def test_a_path_that_won_t_do(text, message):
    with pytest.raises(BadInput, match=message):
        parse_path(text)


def test_parameters_and_sources():
    assert parse_params(["eta=0.5", "x = -1"], "--p") == {"eta": 0.5, "x": -1}
    for word in ("eta", "=1", "eta="):
        with pytest.raises(BadInput, match="--p: "):
            parse_params([word], "--p")
    assert parse_source("data") == {"source": "data"}
    assert parse_source("noise.png") == {"source": "file", "source_file": "noise.png"}


def test_the_card_recommends_what_was_not_given():
    recommends = {"steps": 12, "solver": "heun", "guidance": 2.5, "samples": 5, "label": 1}
    found = parse_request(entry(defaults=recommends), {"model": "rings", "samples": 3, "label": None})
    assert found == Request(model="rings", steps=12, solver="heun", guidance=2.5, samples=3, label=1)


def test_what_is_given_counts_also_where_it_is_any():
    given = {
        "model": "rings", "label": "any", "fit": "pad", "invert": True, "every": 3, "half": True, "path": "vp_cosine",
        "source": "cat.png", "seed": 0, "grid": "karras", "forward": "off", "device": "cpu", "kind": "sample",
        "solver": "ddim", "solver_params": ("eta=1",),
    }  # fmt: skip
    found = parse_request(entry(defaults={"label": 1}), given)
    assert found == Request(
        model="rings", label=None, source_fit="pad", source_invert=True, trace_every=3, trace_dtype="float16",
        path=PathSpec(name="vp_cosine"), source="file", source_file="cat.png", seed=0, grid="karras", forward="off",
        device="cpu", solver="ddim", solver_params={"eta": 1.0},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"steps": 0}, "^--steps: input should be greater than or equal to 1, found 0$"),
        ({"every": 0}, "^--every: .* found 0$"),
        ({"seed": -1}, "^--seed: "),
        ({"solver": "magic"}, "^unknown solver 'magic': choose one of dpmpp_2m"),
        ({"solver_params": ("eta=2",), "solver": "ddim"}, "^solver 'ddim': eta is 2, expected 0 to 1$"),
        ({"solver_params": ("eta=nan",), "solver": "ddim"}, "^--solver-param: .* found nan$"),
    ],
)
def test_an_option_out_of_its_bounds_is_named(given, message):
    with pytest.raises(BadInput, match=message):
        parse_request(entry(), {"model": "rings", **given})


def test_numbers_between_commas():
    assert parse_numbers("1, 0.5,1e-3", "--times") == (1, 0.5, 0.001)
    for text in ("", "1,,2", "1;2", "one"):
        with pytest.raises(BadInput, match=r"--times: .* is not a list of numbers like 1,0.5,0.1"):
            parse_numbers(text, "--times")


@pytest.mark.parametrize("text", ["0.1 0.2 0.9", "0.1,0.2,0.9", "0,1\n0,2\n0,9", "0.1;0.2\n0.9\n", "1e-1\t2e-1, 0.9"])
def test_a_table_of_betas_is_a_text_of_numbers(tmp_path, text):
    (tmp_path / "betas.txt").write_text(text)
    assert parse_path(f"vp_table:{tmp_path / 'betas.txt'}") == PathSpec(name="vp_table", betas=(0.1, 0.2, 0.9))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0.1 nan 0.2", r"--path: path 'vp_table': beta 2 of the table is nan, expected 1e-12 to 1"),
        ("0.1 inf", r"beta 2 of the table is inf"),
        ("0.1 1 0.2", r"beta 2 of the table is 1, expected less: only the last may take all signal"),
        ("0.1", "the number of betas in the table is 1, expected 2 to 100,000"),
        ("", "the number of betas in the table is 0"),
        ("beta\n0.1", "is not a text of betas: expected numbers between 0 and 1"),
        ("\x00\xff", "is not a text of betas"),
        ("0.1 " * (MAX_TABLE // 4 + 1), "bytes, expected at most 4,194,304"),
    ],
)
def test_a_table_that_won_t_do_is_one_sentence(tmp_path, text, message):
    (tmp_path / "betas.txt").write_bytes(text.encode("latin-1"))
    with pytest.raises(BadInput, match=message):
        parse_path(f"vp_table:{tmp_path / 'betas.txt'}")


def test_a_table_that_is_gone_or_a_folder_says_so(tmp_path):
    with pytest.raises(BadInput, match=r"can't read the betas in .*none.txt: No such file"):
        parse_path(f"vp_table:{tmp_path / 'none.txt'}")
    with pytest.raises(BadInput, match=r"can't read the betas in .*: it is a folder"):
        parse_path(f"vp_table:{tmp_path}")


def test_the_options_of_edits_and_guidance():
    given = {
        "model": "rings", "times": "1,0.5,0", "guidance_interval": "0.2, 5", "negative": "two moons", "label": "square",
        "solver": "unipc", "solver_params": ("order=3", "variant=1"), "clip": "static", "clip_params": ("limit=2",),
        "guidance": 2.0, "guidance_rescale": 0.5, "record_split": True, "strength": 0.5, "source": "data",
        "mask": "m.png", "resample": 4, "variation": None, "interpolate": None,
    }  # fmt: skip
    assert parse_request(entry(), given) == Request(
        model="rings", times=(1, 0.5, 0), grid="custom", guidance_interval=(0.2, 5), negative=1, label=0,
        solver="unipc", solver_params={"order": 3, "variant": 1}, clip="static", clip_params={"limit": 2},
        guidance=2, guidance_rescale=0.5, record_split=True, strength=0.5, source="data", mask="m.png", resample=4,
    )  # fmt: skip


def test_eta_is_a_solver_parameter_beside_the_others():
    given = {"model": "rings", "solver": "dpmpp_2m_sde", "eta": 0.5, "solver_params": ("variant=2",)}
    assert parse_request(entry(), given).solver_params == {"eta": 0.5, "variant": 2}
    given = {"model": "rings", "grid": "karras", "grid_params": ("rho=5", "sigma_max=40")}
    assert parse_request(entry(), given).grid_params == {"rho": 5, "sigma_max": 40}


def test_a_flag_that_was_not_given_is_not_in_the_request():
    given = {"model": "rings", "record_split": False, "half": False, "solver_params": (), "grid_params": ()}
    assert parse_request(entry(), given) == Request(model="rings")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"guidance_interval": "1"}, "^--guidance-interval: '1' is not two numbers like 0.2,5$"),
        ({"guidance_interval": "1,2,3"}, "^--guidance-interval: '1,2,3' is not two numbers"),
        ({"guidance_interval": "1,x"}, "^--guidance-interval: '1,x' is not a list of numbers"),
        ({"guidance_interval": "3,1"}, "^the guidance interval is 3 to 1, expected 0 ≤ low < high in σ$"),
        ({"negative": "each"}, "^--negative: 'each' is not one class: choose one of square, two moons$"),
        ({"negative": "any"}, "^--negative: 'any' is not one class"),
        ({"negative": "circle"}, "^'rings' has no label 'circle'"),
        ({"times": "1,0", "grid": "uniform"}, "^a list of times and grid 'custom' go together: give both or neither$"),
        ({"grid_params": ("rho=1",)}, "^grid 'uniform' has no parameter 'rho': it takes none$"),
        ({"grid": "karras", "grid_params": ("rho",)}, "^--grid-param: 'rho' is not of the form name=number$"),
        ({"clip_params": ("limit=1",)}, "^clip 'none' has no parameter 'limit'"),
        ({"strength": 0.0}, "^--strength: .* found 0.0$"),
        ({"resample": 0}, "^--resample: .* found 0$"),
        ({"variation": 2.0}, "^--variation: .* found 2.0$"),
        ({"steps": 10**9}, "^--steps: input should be less than or equal to 100000, found 1000000000$"),
    ],
)
def test_an_option_that_won_t_do_is_one_sentence(given, message):
    with pytest.raises(BadInput, match=message):
        parse_request(entry(), {"model": "rings", **given})


def test_a_broken_checkpoint_is_no_request():
    with pytest.raises(BadFile, match="torn apart"):
        parse_request(Entry(Path("x"), None, 1, "file", "torn apart"), {"model": "x"})


def test_reasons_are_short_and_in_one_line():
    class Model(BaseModel):
        name: int

    with pytest.raises(ValidationError) as caught:
        Model.model_validate({"name": "x" * 10_000})
    assert len(plain_reason(caught.value.errors()[0])) < 200
