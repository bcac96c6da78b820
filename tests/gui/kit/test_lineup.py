"""Who is compared, and which record of each run is the playhead's moment."""

import pytest

from diffstudio.errors import BadInput
from diffstudio.gui.kit.lineup import MOST, Lineup
from diffstudio.gui.kit.playhead import Playhead
from diffstudio.traces.reader import Trace


@pytest.fixture
def lined(qapp, make_run):
    def line(*chains):
        head = Playhead()
        lineup = Lineup(head)
        lead = make_run(*chains[0]).trace
        lineup.lead(lead)
        for other in chains[1:]:
            lineup.add(Trace.open(make_run(*other).trace.path))
        head.reset(len(lead))
        return head, lineup

    return line


def test_half_of_the_steps_is_the_same_moment_in_runs_of_other_lengths(lined):
    head, lineup = lined((0, 41), (0, 21), (5, 11))
    head.move_to(20)
    assert [lineup.record_of(member) for member in lineup.members] == [20, 10, 10]


def test_a_run_without_that_chain_has_no_record(lined):
    head, lineup = lined((5, 11), (0, 21))
    head.move_to(2)
    assert [lineup.record_of(member) for member in lineup.members] == [2, None]


def test_the_clock_decides(lined, qtbot):
    head, lineup = lined((0, 41), (0, 21))
    head.move_to(40)
    with qtbot.waitSignal(lineup.clockChanged):
        lineup.set_clock("nfe")  # a call a step: the 20 calls of the other are reached at the leading one's half
    assert lineup.record_of(lineup.others[0]) == 20
    head.move_to(7)
    assert lineup.record_of(lineup.others[0]) == 7
    with pytest.raises(ValueError, match="clock is one of step"):
        lineup.set_clock("hour")


def test_marks_stay_with_runs_and_free_ones_are_given_again(lined, make_run):
    _, lineup = lined((0, 5), (0, 5), (0, 5))
    second, third = lineup.others
    lineup.remove(second)
    assert [member.mark for member in lineup.members] == [0, 2]
    assert lineup.others == (third,)
    with pytest.raises(Exception, match="closed"):
        second.trace.array(0, "xt")
    assert lineup.add(make_run(0, 5).trace).mark == 1


def test_one_that_begins_to_lead_keeps_its_mark_and_stands_beside_no_longer(lined):
    _, lineup = lined((0, 5), (0, 5))
    mark, again = lineup.others[0].mark, Trace.open(lineup.others[0].trace.path)
    lineup.lead(again)
    assert lineup.leading is not None and (lineup.leading.mark, lineup.leading.trace) == (mark, again)
    assert not lineup.comparing


def test_another_run_takes_the_place_of_the_leading_one(lined, make_run):
    _, lineup = lined((0, 5), (0, 5))
    lineup.lead(make_run(0, 9).trace)
    assert [member.mark for member in lineup.members] == [0, 1]


def test_one_run_twice_and_too_many_are_refused(lined, make_run):
    _, lineup = lined((0, 2), (0, 2))
    with pytest.raises(BadInput, match="compared already"):
        lineup.add(Trace.open(lineup.others[0].trace.path))
    for _ in range(MOST - 2):
        lineup.add(make_run(0, 2).trace)
    with pytest.raises(BadInput, match="9 runs are compared"):
        lineup.add(make_run(0, 2).trace)
    lineup.clear()
    assert not lineup.comparing
