"""How long a run takes: measured before, kept between starts, else guessed from the size; never invented."""

from dataclasses import replace

import pytest

from diffstudio.checkpoints.catalog import default_catalog
from diffstudio.studio.app.speeds import MOST, Speeds
from diffstudio.studio.engine import Engine
from diffstudio.studio.request.defaults import default_request


@pytest.fixture(scope="module")
def catalog():
    return default_catalog()


@pytest.fixture
def plan_of(catalog):
    def plan(model="digits", **given):
        entry = catalog.find(model)
        return Engine(catalog).plan(default_request(entry.card, entry.spec, **given))

    return plan


def test_what_was_measured_is_known_at_the_next_start(plan_of, tmp_path):
    file = tmp_path / "cache" / "speeds.json"
    speeds = Speeds(file)
    assert speeds.call_seconds(plan_of(), guessing=True) is None
    speeds.learn(plan_of(), 0.004)
    speeds.keep()
    assert Speeds(file).call_seconds(plan_of(steps=7), guessing=False) == 0.004
    assert Speeds(file).call_seconds(plan_of(precision="half"), guessing=False) is None, "another precision"
    assert Speeds(file).call_seconds(plan_of("shapes-2d"), guessing=False) is None, "another model"


def test_before_a_first_run_it_is_guessed_from_the_size(plan_of):
    speeds = Speeds()
    speeds.calibrate(1e-3)
    digits = speeds.call_seconds(plan_of(label=None, guidance=1.0), guessing=True)
    assert digits == pytest.approx(1.6e-6 * 1e-3 * 1_101_284)
    assert speeds.call_seconds(plan_of(label=3, guidance=2.0), guessing=True) == pytest.approx(2 * digits)
    assert speeds.call_seconds(plan_of("shapes-2d", guidance=1.0), guessing=True) < digits / 20, "an MLP is quick"
    assert speeds.call_seconds(plan_of(), guessing=False) is None, "another device than the processor may compute"
    assert speeds.call_seconds(plan_of("exact-ring"), guessing=True) is None, "there is no network"


def test_a_slower_machine_is_guessed_slower(plan_of):
    found = []
    for reference in (1e-3, 3e-3):
        speeds = Speeds()
        speeds.calibrate(reference)
        found.append(speeds.call_seconds(plan_of(), guessing=True))
    assert found[1] == pytest.approx(3 * found[0])


@pytest.mark.parametrize("text", ["", "{", "[]", '{"reference": -1}', '{"calls": {"a": "fast"}}', '{"calls": 3}'])
def test_a_damaged_file_is_as_none(plan_of, tmp_path, text):
    (tmp_path / "speeds.json").write_text(text)
    speeds = Speeds(tmp_path / "speeds.json")
    assert not speeds.calibrated and speeds.call_seconds(plan_of(), guessing=True) is None
    speeds.calibrate(1e-3)
    assert Speeds(tmp_path / "speeds.json").calibrated


def test_a_place_that_can_not_be_written_costs_nothing_else(plan_of, tmp_path):
    (tmp_path / "file").write_text("")
    speeds = Speeds(tmp_path / "file" / "speeds.json")
    speeds.learn(plan_of(), 0.5)
    speeds.keep()
    assert speeds.call_seconds(plan_of(), guessing=False) == 0.5


def test_it_is_written_for_news_alone(plan_of, tmp_path):
    file = tmp_path / "speeds.json"
    speeds = Speeds(file)
    for seconds, written in ((1.0, True), (1.05, False), (2.0, True)):
        file.unlink(missing_ok=True)
        speeds.learn(plan_of(), seconds)
        speeds.keep()
        assert file.exists() == written


def test_the_oldest_are_forgotten(plan_of):
    speeds, plan = Speeds(), plan_of()
    plans = [replace(plan, entry=replace(plan.entry, size=i)) for i in range(MOST + 1)]
    for one in plans:
        speeds.learn(one, 1.0)
    known = [speeds.call_seconds(one, guessing=False) is not None for one in plans]
    assert known == [False] + [True] * MOST


def test_a_first_run_is_estimated_once_the_processor_is_known_and_then_from_what_it_took(catalog, tmp_path):
    engine = Engine(catalog, speeds=Speeds(tmp_path / "speeds.json"))
    entry = catalog.find("digits")
    request = default_request(entry.card, entry.spec, samples=2, steps=4, device="cpu", forward="off")
    assert engine.estimate_seconds(request) is None
    engine.calibrate()
    guessed = engine.estimate_seconds(request)
    assert guessed is not None and guessed > 0
    assert engine.estimate_seconds(request.model_copy(update={"steps": 1000})) == pytest.approx(250 * guessed)
    list(engine.run(request, tmp_path / "a.trace"))
    measured = engine.estimate_seconds(request)
    assert measured != guessed
    assert Engine(catalog, speeds=Speeds(tmp_path / "speeds.json")).estimate_seconds(request) == measured
