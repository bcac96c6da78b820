"""The library as a window has it: where its folder can't be used, and what becomes of a run that is recorded."""

import pytest

from diffstudio.studio.library.shelf import Recording, Shelf


@pytest.fixture
def shelf(tmp_path):
    made = Shelf(tmp_path / "library", tmp_path / "cache")
    yield made
    made.close()


def test_a_folder_that_can_not_be_used_is_replaced_until_it_can(shelf, tmp_path, write):
    (tmp_path / "library").write_text("a file")
    library = shelf.library
    assert library.folder == tmp_path / "cache" and str(tmp_path / "library") in library.notice
    recording = Recording(library, {"model": "digits"}, {"name": "digits"})
    write(recording.run.file)
    recording.end()
    shelf.close()
    (tmp_path / "library").unlink()
    again = Shelf(tmp_path / "library", tmp_path / "cache")
    assert again.take_in_others() == 1
    (found,) = again.library.find()
    assert found.state == "done" and found.file.is_relative_to(tmp_path / "library") and found.file.exists()
    again.close()


def test_traces_of_the_time_before_are_taken_over_once(shelf, tmp_path, write):
    old = write(tmp_path / "cache" / "20260102-030405-1-0001-digits.trace")
    assert shelf.take_in_others() == 1 and not old.exists()
    assert shelf.take_in_others() == 0
    assert [run.model for run in shelf.library.find()] == ["digits"]


@pytest.mark.parametrize(
    ("records", "problem", "state"), [(3, "", "done"), (2, "", "stopped"), (2, "no room", "failed")]
)
def test_what_became_of_a_run(shelf, write, records, problem, state):
    recording = Recording(shelf.library, {"model": "digits"}, {"name": "digits"})
    write(recording.run.file, records=records)
    recording.end(problem)
    found = shelf.library.get(recording.run.id)
    assert (found.state, found.problem, found.records, found.label) == (state, problem, records, "one")


@pytest.mark.parametrize(("problem", "listed"), [("", 0), ("the weights are gone", 1)])
def test_of_a_run_without_a_record_only_its_failure_is_kept(shelf, write, problem, listed):
    recording = Recording(shelf.library, {"model": "digits"}, {"name": "digits"})
    write(recording.run.file, records=0)
    recording.end(problem)
    assert len(shelf.library.find()) == listed and not recording.run.file.exists()
