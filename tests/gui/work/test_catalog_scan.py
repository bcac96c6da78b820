"""Scans beside the window, and folders that are watched: what a training saves appears by itself."""

import os

import pytest
from checkpoint_files import put
from PySide6.QtCore import QEventLoop, QTimer

from diffstudio.checkpoints.catalog import Catalog
from diffstudio.gui.work.catalog_scan import Scanning
from diffstudio.gui.work.folder_watch import Watching


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


@pytest.fixture
def scanning(qtbot, folder):
    made = Scanning(Catalog([("added", folder)]))
    yield made
    made.shut_down()


@pytest.fixture
def watching(scanning):
    made = Watching(scanning)
    yield made
    made.shut_down()


def specs(scanning):
    return [entry.spec for entry in scanning.catalog.entries]


def scan(qtbot, scanning):
    with qtbot.waitSignal(scanning.scanned):
        scanning.scan(scanning.catalog.folders)


def test_what_is_found_is_told_beside_the_window(scanning, qtbot, folder):
    put(folder, step=1)
    told = []
    scanning.listed.connect(lambda listing: told.append(len(listing.entries)))
    scan(qtbot, scanning)
    assert told[-1] == 1 and specs(scanning) == ["spots@1"] and not scanning.going


def test_folders_are_looked_at_one_after_the_other(scanning, qtbot, folder, tmp_path):
    second = ("added", tmp_path / "second")
    put(folder)
    put(second[1], "dots")
    scanning.catalog.add(second)
    done = []
    scanning.scanned.connect(lambda found, unsettled: done.append(found))
    scanning.scan(scanning.catalog.folders)
    scanning.scan([second])  # wanted twice, and not begun yet
    qtbot.waitUntil(lambda: not scanning.going)
    assert done == scanning.catalog.folders and specs(scanning) == ["spots@1", "dots@1"]


def test_a_folder_that_is_wanted_while_it_is_looked_at_is_looked_at_again(scanning, qtbot, folder):
    put(folder)
    done = []
    scanning.scanned.connect(lambda found, unsettled: done.append(found))
    scanning.scan(scanning.catalog.folders)
    put(folder, step=2)
    scanning.scan(scanning.catalog.folders)
    qtbot.waitUntil(lambda: not scanning.going)
    assert len(done) == 2 and specs(scanning) == ["spots@1", "spots@2"]


def test_a_folder_that_was_taken_off_is_not_listed_by_a_scan_that_goes_on(scanning, qtbot, folder):
    put(folder)
    (added,) = scanning.catalog.folders
    scanning.scan([added])
    scanning.catalog.remove(added)
    scanning.scan([added])
    qtbot.waitUntil(lambda: not scanning.going)
    assert specs(scanning) == []


def test_a_new_checkpoint_appears_and_one_that_is_deleted_goes(scanning, watching, qtbot, folder):
    first = put(folder, step=1)
    scan(qtbot, scanning)
    qtbot.waitUntil(lambda: str(folder) in watching.watched)
    put(folder, step=2)
    qtbot.waitUntil(lambda: specs(scanning) == ["spots@1", "spots@2"])
    first.unlink()
    qtbot.waitUntil(lambda: specs(scanning) == ["spots@2"])


def test_a_folder_that_is_made_later_is_watched_too(scanning, watching, qtbot, folder):
    scan(qtbot, scanning)
    qtbot.waitUntil(lambda: str(folder) in watching.watched)
    (folder / "run" / "deep").mkdir(parents=True)
    qtbot.waitUntil(lambda: str(folder / "run" / "deep") in watching.watched)
    put(folder / "run" / "deep", "later")
    qtbot.waitUntil(lambda: specs(scanning) == ["later@1"])


def test_a_file_that_is_written_slowly_is_listed_when_it_is_whole(
    scanning, watching, qtbot, folder, tmp_path, monkeypatch
):
    monkeypatch.setattr("diffstudio.checkpoints.catalog.SETTLED", 1e9)  # however slow this machine is
    whole = put(tmp_path / "elsewhere").read_bytes()
    scan(qtbot, scanning)
    qtbot.waitUntil(lambda: str(folder) in watching.watched)
    seen = []
    scanning.listed.connect(lambda listing: seen.extend(entry.problem for entry in listing.entries))
    path = folder / "slow.safetensors"
    with qtbot.waitSignal(scanning.scanned, check_params_cb=lambda found, unsettled: unsettled):
        path.write_bytes(whole[:-2])
    path.write_bytes(whole)
    qtbot.waitUntil(lambda: specs(scanning) == ["spots@1"])
    assert set(seen) == {None}


def test_a_broken_file_that_is_written_anew_is_looked_at_again(scanning, watching, qtbot, folder, tmp_path):
    whole = put(tmp_path / "elsewhere").read_bytes()
    path = folder / "copied.safetensors"
    path.write_bytes(whole[:-2])
    os.utime(path, (1, 1))  # nobody has written it for long
    scan(qtbot, scanning)
    qtbot.waitUntil(lambda: str(path) in watching.watched)
    assert scanning.catalog.entries[0].problem
    path.write_bytes(whole)
    qtbot.waitUntil(lambda: specs(scanning) == ["spots@1"])


def test_bundled_checkpoints_and_the_cache_of_the_hub_are_not_watched(qtbot, folder, tmp_path):
    scanning = Scanning(Catalog([("bundled", folder), ("Hugging Face", tmp_path)]))
    watching = Watching(scanning)
    scanning.scan(scanning.catalog.folders)
    qtbot.waitUntil(lambda: not scanning.going)
    loop = QEventLoop()
    QTimer.singleShot(50, loop.quit)
    loop.exec()
    assert watching.watched == set()
    watching.shut_down()
    scanning.shut_down()
