"""Where a run starts, driven: files that fit and files that do not, and what a trace offers."""

import numpy as np
import pytest
from PIL import Image

from diffstudio.errors import DiffStudioError
from diffstudio.gui.panels.sampling.source import SourceField
from diffstudio.modalities import Meaning
from diffstudio.studio.request.request import Request

SHAPE = (1, 28, 28)


@pytest.fixture
def source(shown):
    return shown(SourceField(), 220, 160)


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "a <b> picture.png"
    Image.fromarray(np.zeros((28, 28), np.uint8)).save(path)
    return path


@pytest.fixture
def paper(tmp_path):
    """White paper of another size."""
    path = tmp_path / "paper.png"
    Image.new("L", (100, 60), 255).save(path)
    return path


def test_noise_is_the_beginning(source):
    assert source.fields() == {"source": "noise"} and not source.choose.isVisible()


def test_a_file_is_asked_for(source, choose, click, qtbot):
    choose(source.combo, "My file")
    assert source.needs_file and source.choose.isVisible()
    assert source.name.text() == "No file yet"
    assert not source.invert.isVisible() and not source.fit.isVisible()
    with qtbot.waitSignal(source.browse):
        click(source.choose)


def test_a_file_that_fits_needs_no_fitting(source, picture):
    source.set_file(picture, Meaning("image", SHAPE))
    assert source.name.text() == picture.name and not source.needs_file
    assert not source.fit.isVisible() and source.invert.isVisible()
    assert source.fields() == {
        "source": "file", "source_file": str(picture), "source_fit": None, "source_invert": False,
    }  # fmt: skip
    assert "&lt;b>" in source.name.toolTip()


def test_a_file_of_another_size_is_fitted_as_chosen(source, paper, choose, click):
    source.set_file(paper, Meaning("image", SHAPE))
    assert source.fit.isVisible() and source.problem.isVisible()
    assert (source.fields()["source_fit"], source.fields()["source_invert"]) == ("crop", True)
    choose(source.fit, "Fit: pad")
    source.invert.click()
    assert (source.fields()["source_fit"], source.fields()["source_invert"]) == ("pad", False)


def test_a_file_that_can_not_be_used_changes_nothing(source, tmp_path):
    (tmp_path / "no.png").write_bytes(b"no picture")
    with pytest.raises(DiffStudioError):
        source.set_file(tmp_path / "no.png", Meaning("image", SHAPE))
    assert source.fields() == {"source": "noise"}


def test_a_trace_offers_its_last_sample_and_this_step(source, choose, tmp_path):
    model = source.combo.model()
    assert not model.item(source.combo.findData("last")).isEnabled()
    assert model.item(source.combo.findData("last")).toolTip() == "Generate something first."
    source.set_trace(tmp_path / "run.trace", complete=True)
    choose(source.combo, "Last sample")
    assert source.fields() == {"source": "file", "source_file": str(tmp_path / "run.trace")}
    source.set_step(7)
    choose(source.combo, "This step")
    assert source.fields() == {"source": "step", "source_file": str(tmp_path / "run.trace"), "source_step": 7}
    source.set_trace(None, complete=False)
    assert source.value() == "noise"


def test_a_run_that_is_not_complete_has_no_last_sample(source, tmp_path):
    source.set_trace(tmp_path / "run.trace", complete=False)
    model = source.combo.model()
    assert not model.item(source.combo.findData("last")).isEnabled()
    assert model.item(source.combo.findData("step")).isEnabled()


def test_data_needs_a_data_set(source):
    source.set_value("data")
    source.set_has_data(False)
    assert source.value() == "noise"
    item = source.combo.model().item(source.combo.findData("data"))
    assert not item.isEnabled() and "no data set" in item.toolTip()


def test_a_request_is_shown_as_far_as_it_can_be_used_again(source, picture, paper, tmp_path):
    source.set_file(paper, Meaning("image", SHAPE))
    source.set_trace(tmp_path / "run.trace", complete=True)
    file = Request(source="file", source_file=str(paper), source_fit="stretch", source_invert=False)
    for request, expected in (
        (Request(source="data"), "data"),
        (file, "file"),
        (file.model_copy(update={"source_file": str(tmp_path / "run.trace")}), "last"),
        (Request(source="step", source_file=str(tmp_path / "run.trace"), source_step=3), "step"),
        (file.model_copy(update={"source_file": str(picture)}), "file"),
        (Request(), "noise"),
    ):
        source.set_fields(request)
        assert source.value() == expected
    source.set_fields(file)
    assert (source.fields()["source_fit"], source.fields()["source_invert"]) == ("stretch", False)


def test_another_model_forgets_a_file_that_does_not_suit_it(source, picture):
    source.set_file(picture, Meaning("image", SHAPE))
    source.check_file(Meaning("points", (2,)))
    assert source.fields() == {"source": "noise"}
