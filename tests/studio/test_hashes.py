"""The header of every trace says which weights made it, whoever wrote them; they are read once for it."""

import hashlib
import json
import os

import pytest
import torch
from safetensors.torch import save_file

from diffstudio.checkpoints.catalog import Catalog
from diffstudio.checkpoints.hashing import Hashing
from diffstudio.checkpoints.scan_cache import ScanCache
from diffstudio.errors import BadFile
from diffstudio.networks import NETWORKS
from diffstudio.studio.engine import Engine
from diffstudio.studio.provenance import settings
from diffstudio.studio.request.request import Request
from diffstudio.traces.reader import Trace

ARGS = {"width": 16, "depth": 1, "embed": 8, "octaves": 1}


@pytest.fixture
def put(tmp_path):
    """Weights of another tool with a card beside them; the path."""

    def put(file, seed=0):
        path = tmp_path / "mine" / file
        path.parent.mkdir(exist_ok=True)
        torch.manual_seed(seed)
        save_file(NETWORKS["mlp"]((2,), 0, **ARGS).state_dict(), path)
        card = {"modality": "points", "shape": [2], "path": {}, "prediction": "flow", "network": "mlp"}
        path.with_name(f"{file}.card.json").write_text(json.dumps(card | {"network_args": ARGS}))
        return path

    return put


@pytest.fixture
def read(monkeypatch):
    """The paths whose weights were read for their hash."""
    paths = []
    read_all = Hashing.read_all
    monkeypatch.setattr(Hashing, "read_all", lambda self, stop: paths.append(self.path) or read_all(self, stop))
    return paths


def run(engine, out, model, **how):
    request = Request(model=model, samples=1, steps=2, device="cpu", forward="off")
    for _ in engine.run(request, out, **how):
        pass
    with Trace.open(out) as trace:
        return trace.header.checkpoint_sha256, settings(trace)["model"]


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_of_another_tool_s_file_it_is_read_once(put, tmp_path, read):
    path = put("cats-5.safetensors")
    engine = Engine(Catalog([("mine", path.parent)]))
    for model in ("cats", "cats@5", str(path)):
        assert run(engine, tmp_path / "a.trace", model) == (digest(path), "cats@5")
    assert read == [path]


def test_what_the_scan_s_cache_knows_is_not_read_again_by_another_process(put, tmp_path, read):
    path = put("cats.safetensors")
    for _ in range(2):
        engine = Engine(Catalog([("mine", path.parent)], ScanCache(tmp_path / "cache.jsonl")))
        assert run(engine, tmp_path / "a.trace", "cats")[0] == digest(path)
    assert read == [path]
    assert engine.catalog.scan()[0].sha256 == digest(path), "and the list knows it"


def test_weights_that_were_replaced_have_another_hash(put, tmp_path):
    path = put("cats.safetensors")
    engine = Engine(Catalog([("mine", path.parent)]))
    before = run(engine, tmp_path / "a.trace", "cats")[0]
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns - 10**9
    put("cats.safetensors", seed=1)
    os.utime(path, ns=times)
    after = run(engine, tmp_path / "a.trace", "cats")[0]
    assert after == digest(path) != before


def test_averaged_and_raw_weights_are_told_apart_in_what_is_exported(put, tmp_path):
    engine = Engine(Catalog([("mine", tmp_path / "mine")]))
    for seed, file in enumerate(("model-5.safetensors", "ema_0.99_5.safetensors")):
        put(file, seed)
    for file, spec in (("model-5.safetensors", "mine@5"), ("ema_0.99_5.safetensors", "mine@5:ema_0.99")):
        path = tmp_path / "mine" / file
        for model in (spec, str(path)):
            assert run(engine, tmp_path / "a.trace", model) == (digest(path), spec)


def test_our_own_say_it_themselves_and_are_not_read_for_it(engine, request_of, tmp_path, read):
    for _ in engine.run(request_of(), tmp_path / "a.trace"):
        pass
    with Trace.open(tmp_path / "a.trace") as trace:
        assert trace.header.checkpoint_sha256 == trace.header.card["sha256"] != ""
    assert read == []


def test_a_latent_model_in_a_folder_is_known_by_all_its_weights(latent_folder, latent_engine, tmp_path):
    found, _ = run(latent_engine, tmp_path / "a.trace", "faces")
    assert found == Hashing(latent_folder).read_all() and Hashing(latent_folder).count == 2


def test_weights_that_can_not_be_loaded_leave_nothing_behind(put, tmp_path):
    path = put("cats.safetensors")
    path.with_name(f"{path.name}.card.json").write_text(
        json.dumps({"modality": "points", "shape": [2], "path": {}, "prediction": "flow", "network": "mlp"})
    )
    with pytest.raises(BadFile, match=r"cats\.safetensors"):
        run(Engine(Catalog([("mine", path.parent)])), tmp_path / "a.trace", "cats")


def test_a_run_that_is_stopped_does_not_wait_for_the_hash(put, tmp_path, read):
    path = put("cats.safetensors")
    engine = Engine(Catalog([("mine", path.parent)]))
    request = Request(model="cats", samples=1, steps=2, device="cpu", forward="off")
    assert list(engine.run(request, tmp_path / "a.trace", stop=lambda: True)) == []
    assert engine._hashes == {}


def test_what_can_not_be_hashed_is_no_reason_not_to_run(put, tmp_path, monkeypatch):
    path = put("cats.safetensors")

    def changed(self, stop):
        raise BadFile("it has changed")

    monkeypatch.setattr(Hashing, "read_all", changed)
    assert run(Engine(Catalog([("mine", path.parent)])), tmp_path / "a.trace", "cats")[0] == ""
