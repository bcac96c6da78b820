"""Queries, as they are typed: what they find, and what is refused."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from diffstudio.errors import BadInput
from diffstudio.studio.library.query import parse_query


@pytest.fixture
def ids(library, record):
    """The names of the runs that a query finds; four runs are there, named a to d."""
    rows = {
        "a": {"request": {"solver": "ddim", "steps": 10, "seed": 1}},
        "b": {"request": {"solver": "heun", "steps": 40, "seed": 2, "label": 2}},
        "c": {"request": {"model": "fox", "prompt": "a red fox in the snow", "label": None}, "card": {"name": "fox"}},
        "d": {"request": {"solver": "heun", "steps": 20, "seed": 2, "label": 0}, "state": "stopped"},
    }
    for name, row in rows.items():
        record(name=name, **row)
    library.star([run.id for run in library.find() if run.name == "b"], True)
    return lambda text: sorted(run.name for run in library.find(parse_query(text)))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "abcd"), ("digits", "abd"), ("dig", "abd"), ("snow fo", "c"), ('"red fox"', "c"), ('"fox red"', ""),
        ("-fox", "abd"), ("one", "a"), ("class:two", "b"), ("solver:heun", "bd"), ("-solver:heun", "ac"),
        ("steps>=20 digits", "bd"), ("steps<20", "a"), ("steps:20", "cd"), ("seed:2 steps>20", "b"), ("star:yes", "b"),
        ("star:no heun", "d"), ("state:stopped", "d"), ("model:digits", "abd"), ("prompt:snow", "c"),
        ("prompt:", "abd"),
        ("model:dig steps>15 star:no", "d"), ("date:today", "abcd"), ("date<2020", ""), ("modality:image", "abcd"),
        ("%", "abcd"), ("prompt:%", ""), ("' OR x --", ""), ("NEAR(", ""), ("guidance:1,5", "abcd"),
    ],
)  # fmt: skip
def test_a_query_finds(ids, text, found):
    assert "".join(ids(text)) == found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sovler:ddim", "did you mean solver"), ("steps>many", "not a number"), ("state:finished", "expected one of"),
        ("star:perhaps", "yes or no"), ("date:2026-13", "not a date"), ("date:2026-02-30", "not a date"),
        ("model>digits", "can't be compared"), ("sort:colour", "expected one of newest"),
        ("date:99999999", "not a date"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_said(text, words):
    with pytest.raises(BadInput, match=words):
        parse_query(text)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("date:2026-11-30", datetime(2026, 11, 30), datetime(2026, 12, 1)),
        ("date:2026-12", datetime(2026, 12, 1), datetime(2027, 1, 1)),
        ("date:2026", datetime(2026, 1, 1), datetime(2027, 1, 1)),
        ("date:today", datetime(2026, 3, 1), datetime(2026, 3, 2)),
        ("date:yesterday", datetime(2026, 2, 28), datetime(2026, 3, 1)),
        ("date:week", datetime(2026, 2, 23), datetime(2026, 3, 2)),
    ],
)
def test_a_date_is_a_span_of_local_time(text, first, last):
    ((_, values),) = parse_query(text, lambda: datetime(2026, 3, 1, 15, 30)).where
    assert values == (first.timestamp(), last.timestamp())


def test_the_orders(library, record):
    for name, steps in (("a", 30), ("b", 10), ("c", 20)):
        record(name=name, request={"steps": steps})
    named = {text: "".join(run.name for run in library.find(parse_query(text))) for text in ("", "sort:oldest")}
    assert named == {"": "cba", "sort:oldest": "abc"}
    assert [run.name for run in library.find(parse_query("sort:steps"))] == ["b", "c", "a"]


def test_runs_that_differ_by_seed_alone_are_one_row(library, record):
    for seed in (1, 2, 3):
        record(name=f"s{seed}", request={"seed": seed})
    record(name="other", request={"seed": 1, "steps": 7})
    grouped = replace(parse_query("digits"), grouped=True)
    assert [(run.name, run.alike) for run in library.find(grouped)] == [("other", 1), ("s3", 3)]
    assert library.count(grouped) == 2
    assert [(run.name, run.alike) for run in library.find(grouped, 1, 1)] == [("s3", 3)]


def test_a_page_is_a_part_of_the_whole(library, record):
    names = [record(name=str(k)).name for k in range(7)][::-1]
    assert [run.name for run in library.find(parse_query(""), 2, 3)] == names[2:5]
    assert library.count(parse_query("")) == 7


def test_a_filter_by_time_is_exact_at_its_edge(library, record):
    run = record()
    midnight = datetime.fromtimestamp(run.created).replace(hour=0, minute=0, second=0, microsecond=0)
    library.update(run.id, created=midnight.timestamp())
    assert library.count(parse_query(f"date:{midnight:%Y-%m-%d}")) == 1
    assert library.count(parse_query(f"date:{midnight - timedelta(days=1):%Y-%m-%d}")) == 0
