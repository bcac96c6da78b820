"""The sha256 of weights of every format: of a file its own, of a folder that of all its files of weights."""

import hashlib
import os
import shutil
import subprocess
import sys
import threading

import pytest
from small_files import pipeline, put_bare

from diffstudio.checkpoints import hashing
from diffstudio.checkpoints.catalog import Catalog
from diffstudio.checkpoints.finding import stamp
from diffstudio.checkpoints.hashing import Hashing, known_hash, read_meanwhile
from diffstudio.checkpoints.scan_cache import ScanCache
from diffstudio.errors import BadFile


@pytest.fixture
def cats(tmp_path):
    """A folder with two components, a step of its training, and what is not its weights."""
    folder = pipeline(tmp_path / "cats")
    (folder / "vae").mkdir()
    (folder / "vae" / "model.bin").write_bytes(b"decoder")
    for name in ("optimizer.bin", ".hidden.bin", "sample.png", "scheduler.pt"):
        (folder / name).write_bytes(b"not weights")
    pipeline(folder / "checkpoint-5")
    return folder


def test_of_a_file_it_is_that_of_the_file(tmp_path):
    path = put_bare(tmp_path, "cats.safetensors")
    assert Hashing(path).read_all() == hashlib.sha256(path.read_bytes()).hexdigest()


def test_of_a_folder_it_is_that_of_its_files_of_weights_in_their_order(cats):
    found = Hashing(cats)
    lines = "".join(
        f"{hashlib.sha256((cats / name).read_bytes()).hexdigest()}  {name}\n"
        for name in ("unet/diffusion_pytorch_model.safetensors", "vae/model.bin")
    )
    assert found.read_all() == hashlib.sha256(lines.encode()).hexdigest() and found.count == 2


@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("sha256sum"), reason="needs coreutils")
def test_the_shell_prints_the_same(cats):
    for name in ("optimizer.bin", ".hidden.bin", "scheduler.pt", "checkpoint-5"):
        place = cats / name
        shutil.rmtree(place) if place.is_dir() else place.unlink()
    line = hashing.__doc__.split("\n\n")[2].replace("cd FOLDER && ", "")
    done = subprocess.run(["bash", "-c", line], cwd=cats, capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == Hashing(cats).read_all()


def test_another_name_keeps_it_and_another_file_changes_it(cats, tmp_path):
    before = Hashing(cats).read_all()
    moved = cats.rename(tmp_path / "lions")
    assert Hashing(moved).read_all() == before
    (moved / "vae" / "model.bin").write_bytes(b"Decoder")
    assert Hashing(moved).read_all() != before


def test_it_is_read_in_parts_and_can_be_left(cats, monkeypatch):
    whole = Hashing(cats).read_all()
    monkeypatch.setattr(hashing, "PART", 32)
    monkeypatch.setattr(hashing, "BLOCK", 16)
    found = Hashing(cats)
    done = []
    while not found.digest:
        found.read()
        done.append(found.done)
    assert found.digest == whole and len(done) > 2 and done == sorted(done) and done[-1] == found.size
    left = Hashing(cats)
    left.read(lambda: left.done >= 32)
    assert left.done == 32 and left.digest == ""
    assert left.read_all() == whole


def test_it_is_kept_in_the_cache_until_the_file_changes(cats, tmp_path):
    cache = ScanCache(tmp_path / "cache.jsonl")
    digest = Hashing(cats, cache).read_all()
    again = Hashing(cats, ScanCache(cache.file))
    assert (again.digest, again.done) == (digest, 0)
    assert cache.find(cats, *stamp(cats)).sha256 == known_hash(cats, cache) == digest
    (cats / "vae" / "model.bin").write_bytes(b"another decoder")
    assert Hashing(cats, ScanCache(cache.file)).digest == ""


def test_a_card_beside_a_file_does_not_change_its_hash_and_older_weights_do(tmp_path):
    path = put_bare(tmp_path, "cats.safetensors")
    beside = tmp_path / "cats.safetensors.card.json"
    cache = ScanCache(tmp_path / "cache.jsonl")
    digest = Hashing(path, cache).read_all()
    os.utime(beside, ns=(1, path.stat().st_mtime_ns + 10**9))
    (entry,) = Catalog([("added", tmp_path)], cache).scan()
    assert entry.sha256 == digest
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(1, 1))  # as when an older file is copied over it: what lies beside it is newer
    (entry,) = Catalog([("added", tmp_path)], cache).scan()
    assert entry.sha256 == "" and Hashing(path, cache).read_all() == hashlib.sha256(data).hexdigest()


def test_what_changes_while_it_is_read_has_no_hash(tmp_path, monkeypatch):
    path = put_bare(tmp_path, "cats.safetensors")
    monkeypatch.setattr(hashing, "PART", 16)
    monkeypatch.setattr(hashing, "BLOCK", 16)
    found = Hashing(path)
    found.read()
    with path.open("ab") as stream:
        stream.write(b"more")
    with pytest.raises(BadFile, match="has changed while it was read: try again"):
        found.read_all()


def test_nothing_to_read_is_one_sentence(tmp_path):
    (tmp_path / "empty").mkdir()
    for path, sentence in (("gone.pt", "can't read .*No such file"), ("empty", "has no file of weights")):
        with pytest.raises(BadFile, match=sentence):
            Hashing(tmp_path / path)


def test_it_is_read_while_something_else_is_done(cats):
    with read_meanwhile(Hashing(cats), lambda: False) as digest:
        assert digest() == Hashing(cats).read_all()
    begun, may_end = threading.Event(), threading.Event()

    def stop():
        begun.set()
        may_end.wait()
        return False

    with read_meanwhile(Hashing(cats), stop):
        begun.wait()  # and nobody asks for the result: the end of the block ends the reading
        may_end.set()
    with read_meanwhile(Hashing(cats), lambda: True) as digest:
        assert digest() == ""


def test_what_fails_meanwhile_is_told_to_who_asks(cats):
    found = Hashing(cats)
    (cats / "vae" / "model.bin").unlink()
    with read_meanwhile(found, lambda: False) as digest, pytest.raises(BadFile, match="can't read"):
        digest()
