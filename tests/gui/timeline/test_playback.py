"""Playback, driven tick by tick."""

import pytest

from diffstudio.gui.timeline import playback
from diffstudio.gui.timeline.playback import REST_MS, SPEEDS, Player


@pytest.fixture
def player(playhead, qtbot):
    playhead.reset(5)
    made = Player(playhead)
    made.set_planned(5)
    yield made
    made.pause()


def visited(player, ticks):
    seen = []
    for _ in range(ticks):
        player.tick()
        seen.append(player._playhead.position)
    return seen


def test_once_plays_every_record_and_stops_at_the_end(player, playhead, qtbot):
    playhead.move_to(1)
    changes = []
    player.playingChanged.connect(changes.append)
    player.play(1)
    assert visited(player, 3) == [2, 3, 4]
    assert player.playing
    player.tick()
    assert not player.playing
    assert changes == [True, False]


def test_play_at_the_end_begins_anew(player, playhead):
    playhead.move_to(4)
    player.play(1)
    assert playhead.position == 0
    player.pause()
    player.play(-1)
    assert playhead.position == 4


def test_loop_rests_on_the_final_frame(player, playhead):
    player.set_loop("loop")
    playhead.move_to(3)
    player.play(1)
    assert visited(player, 1) == [4]
    assert player._timer.interval() == 100
    assert visited(player, 1) == [4]
    assert player._timer.interval() == REST_MS - 100
    assert visited(player, 2) == [0, 1]
    assert player._timer.interval() == 100


def test_ping_pong_turns_round_after_a_rest(player, playhead):
    player.set_loop("ping-pong")
    playhead.move_to(2)
    player.play(1)
    assert visited(player, 12) == [3, 4, 4, 3, 2, 1, 0, 0, 1, 2, 3, 4]


def test_backwards(player, playhead):
    player.set_loop("loop")
    playhead.move_to(1)
    player.play(-1)
    assert visited(player, 4) == [0, 0, 4, 3]


def test_playback_stays_in_the_range(player, playhead):
    playhead.set_range(1, 3)
    playhead.move_to(0)
    player.set_loop("loop")
    player.play(1)
    assert playhead.position == 1
    assert visited(player, 5) == [2, 3, 3, 1, 2]


def test_the_same_direction_again_doubles_the_speed(player, playhead):
    playhead.move_to(0)
    for expected in (1, 2, 4, 8, 8):
        player.play(1)
        assert player.speed == expected
    assert player._timer.interval() == round(1000 / 80)
    player.play(-1)
    assert (player.direction, player.speed) == (-1, 1), "the other way it begins as slowly as at first"
    player.play(-1)
    player.pause()
    assert player.speed == 1


def test_a_chosen_speed_stands_when_playing_ends(player, playhead):
    player.set_speed(0.5)
    playhead.move_to(0)
    player.play(1)
    player.play(1)
    assert player.speed == 1
    player.faster()
    assert player.speed == 2
    player.pause()
    assert player.speed == 2, "faster chooses; again in the same direction does not"


def test_speeds_stay_within_their_bounds(player):
    for _ in range(10):
        player.slower()
    assert player.speed == SPEEDS[0] == 0.25
    player.faster()
    assert player.speed == 0.5


def test_somebody_else_moving_the_playhead_pauses(player, playhead):
    playhead.move_to(0)
    player.play(1)
    player.tick()
    assert player.playing
    playhead.move_by(1)
    assert not player.playing


def test_playing_leaves_follow(player, playhead):
    assert playhead.follow
    player.play(1)
    assert not playhead.follow


def test_at_the_live_end_it_waits_for_more(player, playhead):
    player.set_planned(8)
    player.set_loop("loop")
    playhead.move_to(4)
    player.play(1)
    assert visited(player, 3) == [4, 4, 4]
    playhead.grow(7)
    player.note_growth()
    assert visited(player, 3) == [5, 6, 6]
    assert player.playing


def test_a_run_that_brings_nothing_new_is_not_waited_for(player, playhead, monkeypatch):
    monkeypatch.setattr(playback, "LIVE_SECONDS", 0.0)
    player.set_planned(8)
    playhead.move_to(3)
    player.play(1)
    player.tick()
    player.tick()
    assert playhead.position == 4
    assert not player.playing


def test_nothing_to_play(playhead, qtbot):
    player = Player(playhead)
    player.play(1)
    player.toggle()
    assert not player.playing


def test_a_single_record_does_not_play_for_ever(playhead, qtbot):
    playhead.reset(1)
    player = Player(playhead)
    player.set_loop("ping-pong")
    player.play(1)
    player.tick()
    assert not player.playing


def test_another_trace_pauses(player):
    player.play(1)
    player.set_planned(3)
    assert not player.playing


@pytest.mark.parametrize(("setter", "value"), [("set_loop", "twice"), ("set_speed", 3.0)])
def test_bad_values_are_refused(player, setter, value):
    with pytest.raises(ValueError, match="is one of"):
        getattr(player, setter)(value)


def test_it_really_plays(player, playhead, qtbot):
    player.set_speed(8.0)
    playhead.move_to(0)
    seen = []
    playhead.moved.connect(seen.append)
    player.play(1)
    qtbot.waitUntil(lambda: not player.playing)
    assert seen == [1, 2, 3, 4]
