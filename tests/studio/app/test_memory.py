"""How much room there is."""

from pathlib import Path

import pytest

from diffstudio.errors import NoRoom
from diffstudio.studio.app import memory as room


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"), (999, "999 B"), (1000, "1 kB"), (1234, "1.23 kB"), (4_500_000, "4.5 MB"), (4 << 30, "4.29 GB"),
        (7.5e12, "7.5 TB"),
    ],
)  # fmt: skip
def test_bytes_for_people(count, text):
    assert room.size(count) == text


def test_the_disk_of_a_folder_that_is_not_there_yet_is_that_of_its_parent(tmp_path):
    assert room.free_disk(tmp_path / "a" / "b") == pytest.approx(room.free_disk(tmp_path), rel=0.1)


def test_free_memory_is_what_the_system_says(monkeypatch):
    monkeypatch.setattr(Path, "read_text", lambda _: "MemTotal: 9 kB\nMemFree: 1 kB\nMemAvailable:  2048 kB\n")
    assert room.free_memory() == 2 << 20


def test_without_proc_the_free_pages_are_counted_and_without_those_nothing_is_known(monkeypatch):
    def nothing(*_):
        raise OSError

    monkeypatch.setattr(Path, "read_text", nothing)
    monkeypatch.setattr(room.os, "sysconf", {"SC_AVPHYS_PAGES": 3, "SC_PAGE_SIZE": 4096}.__getitem__)
    assert room.free_memory() == 3 * 4096
    monkeypatch.setattr(room.os, "sysconf", nothing)
    assert room.free_memory() is None
    room.check_room(10, 10**18, Path("/"), 10)  # what is not known can't be refused


@pytest.fixture
def _a_small_machine(monkeypatch):
    monkeypatch.setattr(room, "free_disk", lambda _: 200 << 20)
    monkeypatch.setattr(room, "free_memory", lambda: 100 << 20)


@pytest.mark.usefixtures("_a_small_machine")
def test_what_just_fits_is_let_through(tmp_path):
    room.check_room(136 << 20, 100 << 20, tmp_path, 136 << 20)


@pytest.mark.usefixtures("_a_small_machine")
def test_half_precision_is_named_where_it_would_fit(tmp_path):
    with pytest.raises(
        NoRoom, match=r"105 MB is free: run it in half precision, which needs about 52\.4 MB$"
    ) as caught:
        room.check_room(1, (100 << 20) + 1, tmp_path, 1 << 40, 50 << 20)
    assert caught.value.half
    with pytest.raises(NoRoom, match=r"105 MB is free$") as caught:
        room.check_room(1, (100 << 20) + 1, tmp_path, 1 << 40, 101 << 20)
    assert not caught.value.half


@pytest.mark.usefixtures("_a_small_machine")
@pytest.mark.parametrize(
    ("trace", "memory", "budget", "sentence"),
    [
        (
            (136 << 20) + 1,
            1,
            1 << 40,
            r"^the trace would take 143 MB, but .* has only 210 MB free, and 67.1 MB must stay free there: ",
        ),
        (1, (100 << 20) + 1, 1 << 40, r"^the run needs about 105 MB of memory, but only 105 MB is free$"),
        (2, 1, 1, r"^the trace would take 2 B, the budget is 1 B: .* or raise the budget$"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, trace, memory, budget, sentence):
    with pytest.raises(NoRoom, match=sentence):
        room.check_room(trace, memory, tmp_path, budget)
