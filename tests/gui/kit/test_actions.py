"""The table of actions: what menus, tooltips, the palette and F1 say of a key."""

import sys

import pytest
from PySide6.QtGui import QKeySequence

from diffstudio.gui.kit import actions
from diffstudio.gui.kit.actions import ACTIONS, MENUS


@pytest.mark.skipif(sys.platform == "darwin", reason="⌘ there")
def test_keys_are_written_in_their_short_form():
    assert actions.shortcut_text("generate") == "Ctrl+Enter"
    assert actions.key_texts("generate") == ["Ctrl+Enter"], "both Enter keys, said once"
    assert actions.shortcut_text("redo") == "Ctrl+Shift+Z"
    assert actions.tooltip("generate") == "Run the model.  (Ctrl+Enter)"


def test_both_enter_keys_generate():
    assert set(ACTIONS["generate"].keys) == {"Ctrl+Return", "Ctrl+Enter"}


def test_an_action_without_a_key_has_no_brackets():
    assert actions.shortcut_text("about") == ""
    assert actions.tooltip("about") == "Version, licence, credits."


def test_no_key_has_two_meanings():
    keys = [QKeySequence(key).toString() for action in ACTIONS.values() for key in action.keys]
    assert "" not in keys
    assert len(keys) == len(set(keys))


def test_no_key_of_the_list_of_runs_has_two_meanings():
    keys = [QKeySequence(key).toString() for action in ACTIONS.values() for key in action.list_keys]
    assert "" not in keys and len(keys) == len(set(keys))
    assert all(not action.keys for action in ACTIONS.values() if action.list_keys), "one or the other"


def test_every_action_has_a_menu_and_a_sentence():
    for action in ACTIONS.values():
        assert action.menu in MENUS, action.id
        assert action.tip.endswith("."), action.id
