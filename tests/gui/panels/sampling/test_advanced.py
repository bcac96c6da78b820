"""The folded fields, driven in the sampling panel."""

import pytest


@pytest.fixture
def advanced(sampling, click, qtbot):
    sampling.folds.set_open("advanced")
    qtbot.waitUntil(sampling.advanced.isVisible)
    return sampling.advanced


def test_it_is_folded_at_first(sampling):
    assert not sampling.advanced.isVisible()


@pytest.mark.parametrize(
    ("row", "title", "field", "value"),
    [
        ("grid", "Karras", "grid", "karras"),
        ("forward", "Markov chain", "forward", "markov"),
        ("device", "cpu", "device", "cpu"),
    ],
)
def test_a_choice_is_in_the_request_and_can_be_taken_back(sampling, advanced, choose, click, row, title, field, value):
    before = sampling.request()
    choose(advanced.rows[row].field, title)
    assert getattr(sampling.request(), field) == value
    reset = advanced.rows[row].reset
    assert reset.isVisible()
    click(reset)
    assert sampling.request() == before and not reset.isVisible()


def test_another_path_is_a_spec(sampling, advanced, choose, click):
    choose(advanced.path, "VP cosine")
    assert sampling.request().path.name == "vp_cosine"
    click(advanced.rows["path"].reset)
    assert sampling.request().path is None


def test_how_it_is_recorded(sampling, advanced, type_into):
    type_into(advanced.every, "5")
    advanced.half.click()
    request = sampling.request()
    assert (request.trace_every, request.trace_dtype) == (5, "float16")
    sampling.undo()
    assert sampling.request().trace_dtype == "float32"


def test_a_step_has_no_forward_chain_and_says_so(sampling, advanced, tmp_path):
    assert advanced.forward.isEnabled()
    sampling.source.set_trace(tmp_path / "run.trace", complete=True)
    sampling.source.set_value("step")
    assert not advanced.forward.isEnabled() and "recorded step" in advanced.forward.toolTip()
    sampling.source.set_value("noise")
    assert advanced.forward.isEnabled()


def test_the_device_of_the_settings_is_the_default(sampling, advanced):
    sampling.set_device("cuda:1")
    assert sampling.request().device == "cuda:1" and not advanced.rows["device"].reset.isVisible()
    sampling.advanced.device.set_value("cpu")
    sampling.set_device("auto")
    assert sampling.request().device == "cpu", "what was chosen by hand stays"
    assert advanced.rows["device"].reset.isVisible()


def test_a_request_with_another_device_can_be_shown(sampling, advanced):
    sampling.set_request(sampling.request().model_copy(update={"device": "mps"}))
    assert sampling.request().device == "mps"
