"""What of a picture's settings can be had here: a path in a picture is a stranger's word."""

from pathlib import Path

from diffstudio.gui.controllers.opening import at_hand
from diffstudio.studio.request.request import Request

MASKS = Path("/runs/masks")


def test_settings_without_files_stay_as_they_are():
    request = Request(source="data", strength=0.5, label=2, guidance_model="digits@400")
    assert at_hand(request, MASKS) == (request, "")


def test_a_source_that_is_not_in_the_picture_is_noise_with_all_that_needs_it():
    request = Request(
        source="file", source_file="/secret/x.png", source_fit="crop", source_invert=True, strength=0.5,
        mask="/secret/m.png", resample=4, steps=7,
    )  # fmt: skip
    found, note = at_hand(request, MASKS)
    assert found == Request(steps=7)
    assert note == "It started from the file /secret/x.png, which is not in the picture: noise is set instead."


def test_a_mask_that_was_painted_here_is_taken(tmp_path):
    mask = tmp_path / "mask-1.png"
    mask.write_bytes(b"")
    request = Request(source="data", mask=str(mask), resample=4)
    assert at_hand(request, tmp_path) == (request, "")
    mask.unlink()
    assert at_hand(request, tmp_path)[0] == Request(source="data")


def test_a_mask_from_elsewhere_is_left_out_and_said(tmp_path):
    (tmp_path / "m.png").write_bytes(b"")
    found, note = at_hand(Request(source="data", mask=str(tmp_path / "m.png"), resample=4), MASKS)
    assert found == Request(source="data")
    assert "m.png is not in the picture: everything is repainted" in note
