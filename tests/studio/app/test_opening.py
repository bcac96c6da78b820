"""What a file is, whoever opens it; and what of a picture's settings can be had here."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import save_file

from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.listing import Entry, Listing
from diffstudio.errors import BadInput, NotFound
from diffstudio.studio.app.opening import at_hand, check_role, look_at
from diffstudio.studio.app.recalled import Note, checkpoint_of, other_weights
from diffstudio.studio.request.request import Request
from diffstudio.traces.format import MAGIC

MASKS = Path("/runs/masks")


# ── what a file is ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def files(tmp_path):
    """One file of each kind, each under a suffix of its own; by what it is."""
    torch.save({"w": torch.zeros(2)}, tmp_path / "a.pt")
    torch.save({"w": torch.zeros(2)}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    save_file({"w": np.zeros(2, np.float32)}, tmp_path / "b.safetensors")
    np.savez(tmp_path / "c.npz", x=np.zeros(2))
    np.save(tmp_path / "d.npy", np.zeros(2))
    Image.new("L", (4, 4)).save(tmp_path / "e.png")
    (tmp_path / "f.trace").write_bytes(MAGIC + bytes(20))
    (tmp_path / "g.csv").write_text("1,2\n")
    (tmp_path / "h.gguf").write_bytes(b"GGUF" + bytes(20))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.pt", "checkpoint"), ("old.pt", "checkpoint"), ("b.safetensors", "checkpoint"), ("h.gguf", "checkpoint"),
        ("c.npz", "source"), ("d.npy", "source"), ("e.png", "source"), ("g.csv", "source"), ("f.trace", "trace"),
    ],
)  # fmt: skip
def test_a_file_is_what_it_is(files, name, kind):
    assert look_at(files / name).kind == kind


@pytest.mark.parametrize("name", ["a.pt", "old.pt", "b.safetensors", "f.trace"])
@pytest.mark.parametrize("renamed", ["cats", "cats.weights", "cats.v2", "cats.png", "cats.txt"])
def test_weights_and_traces_are_told_by_their_content_whatever_they_are_called(files, name, renamed):
    kind = look_at(files / name).kind
    assert look_at((files / name).rename(files / renamed)).kind == kind


def test_a_pickle_that_is_no_file_of_torch_is_what_it_is_called(tmp_path):
    for name, kind in (("a.npy", "source"), ("a.png", "source"), ("a.pkl", "checkpoint"), ("a", "checkpoint")):
        (tmp_path / name).write_bytes(pickle.dumps({"w": 1}))
        assert look_at(tmp_path / name).kind == kind


@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".pth", ".ckpt", ".pkl", ".bin"])
def test_what_is_called_like_weights_is_opened_as_such_and_says_why_it_is_none(tmp_path, suffix):
    path = tmp_path / f"cats{suffix}"
    path.write_bytes(b"no weights")
    assert look_at(path).kind == "checkpoint"


def test_a_file_of_no_known_kind_is_one_sentence(tmp_path):
    (tmp_path / "notes").write_text("{} words")
    with pytest.raises(BadInput, match=r"notes: files of the kind '' can't be opened: expected a checkpoint \(\.safet"):
        look_at(tmp_path / "notes")
    with pytest.raises(BadInput, match=r"there is no file .*gone$"):
        look_at(tmp_path / "gone")


def test_what_may_be_weights_is_looked_at_as_such_whatever_tool_wrote_it(tmp_path):
    """So that the catalog says what it is, with the way out, instead of "can't be opened"."""
    for name in ("a.gguf", "b.onnx", "c.PT", "best.pth.tar", "d.keras", "e.sft", "f.pt2"):
        (tmp_path / name).write_bytes(b"GGUF" + bytes(60))
        assert look_at(tmp_path / name).kind == "checkpoint", name
    (tmp_path / "samples.npz").write_bytes(b"PK\x03\x04")
    assert look_at(tmp_path / "samples.npz").kind == "source"


def test_a_folder_is_a_model_a_clip_or_may_hold_checkpoints(tmp_path):
    model, clip, both = tmp_path / "model", tmp_path / "clip", tmp_path / "both"
    (model / "unet").mkdir(parents=True)
    (model / "unet" / "config.json").write_text('{"_class_name": "UNet2DModel"}')
    for folder in (clip, both):
        folder.mkdir()
        Image.new("L", (4, 4)).save(folder / "0.png")
    (both / "model-1.pt").write_bytes(b"")
    kinds = [look_at(folder).kind for folder in (model, clip, both, tmp_path)]
    assert kinds == ["checkpoint", "source", "folder", "folder"]


@pytest.mark.parametrize(
    ("name", "role", "sentence"),
    [
        ("f.trace", "checkpoint", "is the recording of a run, not a checkpoint: open it in the window, or start from"),
        ("e.png", "checkpoint", "is data, not a checkpoint"),
        ("a.pt", "source", "is a checkpoint, nothing to start from: it can be the model"),
        ("b.safetensors", "mask", "is a checkpoint: a mask is a picture"),
        ("f.trace", "mask", "is the recording of a run: a mask is a picture"),
    ],
)
def test_a_file_in_the_wrong_place_is_told_where_it_belongs(files, name, role, sentence):
    with pytest.raises(BadInput, match=sentence):
        check_role(files / name, role)


@pytest.mark.parametrize(
    ("name", "role"), [("a.pt", "checkpoint"), ("f.trace", "source"), ("e.png", "mask"), ("gone", "mask")]
)
def test_what_is_in_its_place_or_not_there_is_for_its_reader_to_say(files, name, role):
    check_role(files / name, role)


# ── settings that are taken back ────────────────────────────────────────────────────────────────────────────────────


def test_settings_without_files_stay_as_they_are():
    request = Request(source="data", strength=0.5, label=2, guidance_model="digits@400")
    assert at_hand(request, MASKS) == (request, ())


def test_a_source_that_is_not_in_the_picture_is_noise_with_all_that_needs_it():
    request = Request(
        source="file", source_file="/secret/x.png", source_fit="crop", source_invert=True, strength=0.5,
        mask="/secret/m.png", resample=4, steps=7, source_range=(0, 1), source_part="3", mask_region="x 2",
        keep_pixels=False,
    )  # fmt: skip
    assert at_hand(request, MASKS) == (Request(steps=7), (Note("source", "/secret/x.png"),))


def test_a_mask_that_was_painted_here_is_taken(tmp_path):
    mask = tmp_path / "mask-1.png"
    mask.write_bytes(b"")
    request = Request(source="data", mask=str(mask), resample=4)
    assert at_hand(request, tmp_path) == (request, ())
    assert at_hand(request.model_copy(update={"mask": mask.name}), tmp_path) == (request, ())  # as pictures have it
    mask.unlink()
    assert at_hand(request, tmp_path)[0] == Request(source="data")


def test_a_region_in_words_is_in_the_picture():
    request = Request(source="data", mask_region="x 2..5", resample=4)
    assert at_hand(request, MASKS) == (request, ())
    assert at_hand(request.model_copy(update={"mask": "gone.png"}), MASKS)[0] == request


def test_a_mask_from_elsewhere_is_left_out_and_said(tmp_path):
    mask = tmp_path / "m.png"
    mask.write_bytes(b"")
    found, notes = at_hand(Request(source="data", mask=str(mask), resample=4), MASKS)
    assert (found, notes) == (Request(source="data"), (Note("mask", str(mask)),))


def entry(name, sha256="", hashed=""):
    card = Card.model_validate(
        {"name": name, "step": 5, "modality": "points", "shape": [2], "path": {}, "prediction": "flow",
         "sha256": sha256, "network": "mlp", "data": {"dataset": ""}, "format": "" if sha256 else "bare"}
    )  # fmt: skip
    return Entry(Path(f"/{name}.pt"), card, 1, "user", identity=name, hashed=hashed)


HERE, THERE = "a" * 64, "b" * 64


def test_a_picture_is_of_the_checkpoint_with_its_weights_whatever_it_is_called():
    cats, lions = entry("cats", HERE), entry("lions", hashed=THERE)
    listing = Listing([cats, lions])
    for name, sha256, found, notes in (
        ("cats@5", HERE, cats, ()),
        ("cats@5", "", cats, ()),
        ("cats@5", THERE, lions, (Note("renamed", "cats@5", "lions@5"),)),
        ("gone@5", THERE, lions, (Note("renamed", "gone@5", "lions@5"),)),
        ("lions@5", THERE, lions, ()),
        ("cats@5", "c" * 64, cats, (Note("weights", "cats@5", "cccccccc, aaaaaaaa"),)),
    ):
        assert checkpoint_of(Request(model=name), sha256, listing) == (found, notes)
    with pytest.raises(NotFound, match="there is no model 'gone@5'"):
        checkpoint_of(Request(model="gone@5"), "c" * 64, listing)


def test_weights_that_are_not_known_yet_are_not_said_to_be_others():
    cats = entry("cats")
    assert checkpoint_of(Request(model="cats"), THERE, Listing([cats])) == (cats, ())
    assert other_weights(cats, THERE, HERE) == (Note("weights", "cats@5", "bbbbbbbb, aaaaaaaa"),)
    assert other_weights(cats, THERE, THERE) == other_weights(cats, "", HERE) == ()
