"""What is kept of a scan: a new process reads nothing again that has not changed, and a broken cache is no loss."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from tensor_bytes import card, good

from diffstudio.checkpoints import scan_cache
from diffstudio.checkpoints.catalog import Catalog
from diffstudio.checkpoints.scan_cache import ScanCache
from diffstudio.checkpoints.store import save


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


@pytest.fixture
def file(tmp_path):
    return tmp_path / "cache" / "checkpoints.jsonl"


@pytest.fixture
def nothing_read(monkeypatch):
    """From now on no checkpoint can be read."""
    return lambda: monkeypatch.setattr("diffstudio.checkpoints.catalog.card_at", None)


def put(folder, step=300):
    path = folder / f"rings@{step}.safetensors"
    save(path, card(name="rings", step=step), {"w": np.zeros(2)})
    return path


def scan(folder, file):
    """As a new process does it."""
    return Catalog([("user", folder)], ScanCache(file)).scan()


def test_a_new_process_lists_the_same_without_reading(folder, file, nothing_read):
    for step in range(20):
        put(folder, step)
    (folder / "broken.safetensors").write_bytes(good()[:-1])
    before = scan(folder, file)
    nothing_read()
    assert scan(folder, file) == before
    assert sum(entry.card is None for entry in before) == 1


def test_what_changed_is_read_again(folder, file):
    path = put(folder)
    scan(folder, file)
    path.write_bytes(good()[:-1])
    (entry,) = scan(folder, file)
    assert "is truncated" in entry.problem
    path = put(folder)
    (entry,) = scan(folder, file)
    assert entry.card is not None and entry.problem is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"\xff\xfe\x00",
        lambda data: data[: len(data) // 2],
        lambda data: data + b"\n{}",
        lambda data: data.replace(b'"changed":', b'"changed":"soon", "was":'),
        lambda data: b"[" * 100_000,
        lambda data: b"\n".join(reversed(data.split(b"\n"))),
    ],
)
def test_a_damaged_cache_is_made_again(folder, file, damage, nothing_read):
    put(folder)
    before = scan(folder, file)
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    assert scan(folder, file) == before
    assert file.read_bytes() == whole
    nothing_read()
    assert scan(folder, file) == before


def test_a_card_in_the_cache_that_is_none_is_read_from_the_file(folder, file):
    put(folder)
    before = scan(folder, file)
    head, line = file.read_bytes().split(b"\n")
    file.write_bytes(head + b"\n" + json.dumps(json.loads(line) | {"card": '{"name": "x"}'}).encode())
    assert scan(folder, file) == before


def test_another_version_reads_the_cards_again_and_keeps_hash_and_picture(folder, file, monkeypatch):
    path = put(folder)
    scan(folder, file)
    cache, (changed, size) = ScanCache(file), (path.stat().st_mtime_ns, path.stat().st_size)
    cache.put(path, changed, size, sha256="a" * 64, picture="UE5H")
    cache.save()
    monkeypatch.setattr(scan_cache, "writer", lambda: "a later version")
    kept = ScanCache(file).find(path, changed, size)
    assert (kept.card, kept.sha256, kept.picture, kept.known) == ("", "a" * 64, "UE5H", False)
    (entry,) = scan(folder, file)
    assert entry.card.name == "rings" and entry.picture == "UE5H"
    assert ScanCache(file).find(path, changed, size).known


def test_nothing_is_written_where_nothing_is_new(folder, file):
    put(folder)
    scan(folder, file)
    os.utime(file, ns=(1, 1))
    scan(folder, file)
    assert file.stat().st_mtime_ns == 1


def test_a_cache_that_can_not_be_written_is_no_failure(folder, tmp_path):
    put(folder)
    (tmp_path / "file").write_bytes(b"")
    assert len(scan(folder, tmp_path / "file" / "checkpoints.jsonl")) == 1


def test_the_oldest_make_room(folder, file, monkeypatch):
    monkeypatch.setattr(scan_cache, "MAX_ENTRIES", 3)
    cache = ScanCache(file)
    for step in range(5):
        cache.put(folder / str(step), step, 1, problem="no model")
    cache.find(folder / "1", 1, 1)
    cache.save()
    kept = ScanCache(file)
    assert [step for step in range(5) if kept.find(folder / str(step), step, 1)] == [1, 3, 4]
    monkeypatch.setattr(scan_cache, "MAX_BYTES", 250)
    cache.put(folder / "9", 9, 1, problem="x" * 20)
    cache.save()
    assert file.stat().st_size <= 250
    assert ScanCache(file).find(folder / "9", 9, 1).problem == "x" * 20


def test_a_file_that_is_too_large_is_not_read(folder, file, monkeypatch):
    put(folder)
    before = scan(folder, file)
    monkeypatch.setattr(scan_cache, "MAX_BYTES", 10)
    assert scan(folder, file) == before
    assert file.stat().st_size < 100  # the line of the head alone is over the bound: the rest is left out


def test_what_can_not_be_kept_is_left_out(folder, file):
    cache = ScanCache(file)
    cache.put(folder / "a", 1, 1, picture="x" * 40_001)
    cache.put(folder / "a", 1, 1, sha256="nonsense")
    assert cache.find(folder / "a", 1, 1) is None and not cache.dirty


def test_bundled_checkpoints_are_not_kept(folder, file):
    put(folder)
    Catalog([("bundled", folder)], ScanCache(file)).scan()
    assert not file.exists()


def test_a_relative_path_is_that_of_its_own_folder(tmp_path, file, monkeypatch):
    cache = ScanCache(file)
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
    monkeypatch.chdir(tmp_path / "a")
    cache.put(Path("cats.pt"), 1, 1, problem="no model")
    assert cache.find(tmp_path / "a" / "cats.pt", 1, 1)
    monkeypatch.chdir(tmp_path / "b")
    assert cache.find(Path("cats.pt"), 1, 1) is None
