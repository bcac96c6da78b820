"""Bouncing digits: where they are, how they move, what they are made of."""

from __future__ import annotations

import numpy as np
import pytest

from diffstudio.data import bouncing, digits

LABELS = np.arange(20) % 10


@pytest.fixture(scope="module")
def clips() -> np.ndarray:
    return bouncing.draw(LABELS, np.random.default_rng(0), "train")


def test_a_clip_is_a_coloured_digit_on_black_paper(clips):
    assert clips.shape == (20, 10, 3, 28, 28)
    assert clips.min() == -1
    assert clips.max() <= 1
    ink = clips + 1
    assert np.all(ink.max((2, 3, 4)) > 1.5)  # bright in every frame
    assert 0.05 < np.mean(ink.max(2) > 0.5) < 0.2  # most of it is paper


def test_one_colour_a_clip_from_the_palette(clips):
    seen = set()
    for clip in clips:
        ink = (clip + 1) / 2
        colour = (ink * (ink.max(1, keepdims=True) > 0.3)).sum((0, 2, 3))
        shares = bouncing.COLOURS / np.linalg.norm(bouncing.COLOURS, axis=1, keepdims=True)
        fit = shares @ (colour / np.linalg.norm(colour))
        assert fit.max() == pytest.approx(1, abs=1e-5)
        seen.add(int(fit.argmax()))
    assert len(seen) > 3


def test_positions_follow_a_billiard_ball_stepped_in_small_steps():
    """The reflected straight line against a ball that turns round when it touches an edge, step by small step."""
    rng = np.random.default_rng(3)
    found = bouncing.positions(rng, 50)
    room = bouncing.SIDE - bouncing.INK
    assert found.shape == (50, 10, 2)
    assert found.min() >= 0
    assert found.max() <= room
    steps = np.linalg.norm(np.diff(found, axis=1), axis=2)
    assert steps.max() <= bouncing.FASTEST + 1e-9
    for track in found[:20]:
        velocity = _first_velocity(track, room)
        if velocity is None:
            continue  # it bounces within the first frame: its speed can't be read off
        at, parts = track[0].copy(), 4000
        for frame in range(1, 10):
            for _ in range(parts):
                at += velocity / parts
                velocity = np.where((at < 0) & (velocity < 0) | (at > room) & (velocity > 0), -velocity, velocity)
            np.testing.assert_allclose(at, track[frame], atol=0.03)


def _first_velocity(track: np.ndarray, room: float) -> np.ndarray | None:
    """Of a track that does not touch an edge before its third frame."""
    first, second = track[1] - track[0], track[2] - track[1]
    return first.copy() if np.allclose(first, second, atol=1e-12) else None


def test_a_whole_pixel_moves_the_picture_and_half_a_pixel_is_the_mean_of_two():
    cover, _ = bouncing.sprites("train")
    white = np.full((1, 3), 255, np.float32)
    at = (
        np.array([[[4.0, 5.0], [5.0, 5.0], [4.5, 5.0], [4.0, 6.0], [4.0, 5.5]]]) + 0.8
    )  # on whole pixels, with its margin of 1.8
    (start, down, half_down, right, half_right) = bouncing.render(cover[:1], white, at)[0]
    np.testing.assert_allclose(down[:, 1:], start[:, :-1], atol=1e-5)
    np.testing.assert_allclose(right[:, :, 1:], start[:, :, :-1], atol=1e-5)
    np.testing.assert_allclose(half_down, (start + down) / 2, atol=1e-5)
    np.testing.assert_allclose(half_right, (start + right) / 2, atol=1e-5)


def test_no_ink_is_lost_at_the_edges():
    cover, _ = bouncing.sprites("held-out")
    room = bouncing.SIDE - bouncing.INK
    corners = np.array([[[0, 0], [0, room], [room, 0], [room, room], [room / 2, room / 2]]])
    white = np.full((1, 3), 255, np.float32)
    ink = np.stack([bouncing.render(cover[i : i + 1], white, corners)[0] for i in range(40)]) + 1
    whole = ink.sum((2, 3, 4))
    assert np.all(whole[:, :4] >= 0.93 * whole[:, 4:])  # of a soft edge a little may lie outside


def test_splits_share_no_digit():
    train, labels = bouncing.sprites("train")
    held_out, held_labels = bouncing.sprites("held-out")
    assert len(train) + len(held_out) == 1797
    np.testing.assert_array_equal(labels, digits.load("train")[1])
    np.testing.assert_array_equal(held_labels, digits.load("held-out")[1])
    assert not {row.tobytes() for row in train} & {row.tobytes() for row in held_out}
