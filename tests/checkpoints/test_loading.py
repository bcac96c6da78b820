"""Weights that are read tell how far they are, and are left when nobody waits for them."""

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from tensor_bytes import card

from diffstudio.checkpoints import loading
from diffstudio.checkpoints.adapters.look import Look
from diffstudio.checkpoints.adapters.parts import stored_weights
from diffstudio.checkpoints.loading import Left, read_bytes, told, watched
from diffstudio.checkpoints.sandbox import pickled_weights
from diffstudio.checkpoints.store import load_weights, save


class Watcher:
    """Hears the shares; stops after so many."""

    def __init__(self, after=10**9):
        self.shares, self.after = [], after

    def stop(self):
        return len(self.shares) >= self.after


def own(folder):
    path = folder / "own.safetensors"
    save(path, card(), {"w": np.arange(1000.0)})
    return path, lambda: load_weights(path)


def tensors(folder):
    path = folder / "tensors.safetensors"
    save_file({str(i): np.zeros(100, np.float32) for i in range(20)}, path)
    return path, lambda: stored_weights(Look(path))


def pickled(folder):
    path = folder / "pickled.pt"
    torch.save({"w": torch.zeros(1000)}, path)
    return path, lambda: pickled_weights(path)


@pytest.mark.parametrize("make", [own, tensors])
def test_the_share_that_is_read_rises_to_the_whole(tmp_path, monkeypatch, make):
    monkeypatch.setattr(loading, "BLOCK", 256)
    _, load = make(tmp_path)
    watcher = Watcher()
    with watched(watcher.shares.append, watcher.stop):
        load()
    assert len(watcher.shares) > 5 and watcher.shares == sorted(watcher.shares) and watcher.shares[-1] == 1.0


@pytest.mark.parametrize("make", [own, tensors, pickled])
def test_who_is_not_waited_for_stops(tmp_path, monkeypatch, make):
    monkeypatch.setattr(loading, "BLOCK", 256)
    monkeypatch.setattr("diffstudio.checkpoints.sandbox.LOOK", 0.001)
    path, load = make(tmp_path)
    watcher = Watcher(after=2)
    with pytest.raises(Left), watched(watcher.shares.append, watcher.stop):
        load()
    assert len(watcher.shares) == 2
    assert load(), "unwatched it is read to its end"
    assert list(tmp_path.iterdir()) == [path]


def test_nobody_needs_to_watch(tmp_path):
    told(1, 0)
    (tmp_path / "a").write_bytes(b"abc")
    assert read_bytes(tmp_path / "a") == b"abc"
    watcher = Watcher()
    with watched(watcher.shares.append, watcher.stop):
        assert read_bytes(tmp_path / "a") == b"abc"
        told(5, 3)  # a file that grew
    assert watcher.shares == [1.0, 1.0]
