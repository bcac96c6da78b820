"""The colours of latents: the least squares map of an autoencoder, kept, and read from the trace by all who draw."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from diffstudio.networks.model import load_file
from diffstudio.studio.compute import colours as latent_colours
from diffstudio.studio.compute.colours import colours_of, fit_colours
from diffstudio.studio.export import pictures
from diffstudio.studio.request.defaults import default_request
from diffstudio.traces.reader import Trace


def linear(rows, channels, side=4, factor=2):
    """A model whose pictures are a linear map of its latents, each place grown to factor×factor."""
    rows = torch.tensor(rows)

    def decode(latents):
        colours = torch.einsum("rc,bchw->brhw", rows[:, :-1], latents) + rows[:, -1].view(-1, 1, 1)
        return colours.repeat_interleave(factor, 2).repeat_interleave(factor, 3)

    card = SimpleNamespace(shape=(channels, side, side), decoded=(len(rows), side * factor, side * factor))
    return SimpleNamespace(card=card, decode=decode, network=None, device=torch.device("cpu"))


@pytest.fixture
def run(latent_engine, tmp_path):
    """A recorded run of the tiny latent model."""
    card = latent_engine.catalog.find("faces").card
    request = default_request(card, "faces", steps=3, samples=2, device="cpu")

    def record(name="run"):
        for _ in latent_engine.run(request, tmp_path / f"{name}.trace"):
            pass
        return Trace.open(tmp_path / f"{name}.trace")

    return record


def test_a_linear_autoencoder_is_found_exactly():
    rows = [[0.1, -0.05, 0.02, 0.0, 0.2], [0.0, 0.08, 0.03, -0.1, -0.1], [-0.02, 0.0, 0.1, 0.05, 0.0]]
    np.testing.assert_allclose(fit_colours(linear(rows, 4)), rows, atol=1e-5)
    np.testing.assert_allclose(fit_colours(linear([[0.1, 0.3]], 1)), [[0.1, 0.3]], atol=1e-5)


def test_no_other_map_is_nearer_to_what_is_decoded(latent_folder, monkeypatch):
    model = load_file(latent_folder)
    seen, rows = [], latent_colours._rows
    monkeypatch.setattr(latent_colours, "_rows", lambda values: seen.append(rows(values)) or seen[-1])
    found = np.array(fit_colours(model))
    x, y = seen
    x = np.concatenate([x, np.ones((len(x), 1))], 1)

    def error(map_):
        return ((x @ map_.T - y) ** 2).mean()

    assert error(found) <= y.var(0).mean()
    for change in np.random.default_rng(0).normal(size=(20, *found.shape)):
        assert error(found + 0.05 * change) > error(found)


def test_every_picture_of_a_run_is_drawn_through_the_map(run, latent_folder):
    with run() as trace:
        colours = np.array(trace.header.card["colours"], np.float32)
        np.testing.assert_array_equal(colours, np.float32(fit_colours(load_file(latent_folder))))
        x = pictures.displayed(trace, 2, "x0_hat")
        expected = np.einsum("rc,bchw->bhwr", colours[:, :-1], x) + colours[:, -1]
        found = pictures.tiles(trace, 2, "x0_hat")
        assert found.shape == (2, 4, 4, 3)
        assert np.abs(found - np.clip(expected * 127.5 + 127.5, 0, 255)).max() <= 1


def test_the_map_is_fitted_once(run, latent_folder, tmp_path, monkeypatch):
    with run("first") as trace:
        colours = trace.header.card["colours"]
    (kept,) = (tmp_path / "colours").iterdir()
    monkeypatch.setattr(latent_colours, "fit_colours", lambda _: pytest.fail("fitted again"))
    with run("second") as trace:
        assert trace.header.card["colours"] == colours
    monkeypatch.undo()
    for broken in (b"", b"[[1, 2]]", b'[["a"]]', json.dumps([[float("nan")] * 4] * 3).encode()):
        kept.write_bytes(broken)
        again = colours_of(load_file(latent_folder), latent_folder, tmp_path / "colours")
        assert [list(row) for row in again] == colours
        assert json.loads(kept.read_bytes()) == colours


def test_an_autoencoder_without_numbers_has_no_map(latent_folder, tmp_path, caplog):
    model = load_file(latent_folder)
    for weight in model.network.vae.parameters():
        weight.data.fill_(torch.nan)
    assert colours_of(model, latent_folder, tmp_path / "colours") == ()
    assert "not finite" in caplog.text
    assert not (tmp_path / "colours").exists()
