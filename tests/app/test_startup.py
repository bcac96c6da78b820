"""The process: Ctrl+C, and a place without a screen."""

import json
import os
import signal
import subprocess
import sys

import pytest

# A window that says when it is shown, and with "run" when its first step is there.
WINDOW = """
import sys
from PySide6.QtCore import QTimer
from diffstudio.gui import startup

class Loud(startup.Studio):
    def __init__(self):
        super().__init__()
        if sys.argv[1] == "run":
            self.parts.sampling.steps.set_value(5000)
            self.parts.runs.grew.connect(self.say)
            QTimer.singleShot(0, lambda: self.commands.run("generate"))
        else:
            QTimer.singleShot(0, self.say)

    def say(self):
        print("ready", flush=True)

startup.Studio = Loud
sys.exit(startup.run_app())
"""

posix = pytest.mark.skipif(os.name != "posix", reason="signals of a terminal")


@pytest.fixture
def home(tmp_path):
    """Environment with an empty home and Qt's offscreen platform."""
    places = {name: str(tmp_path / name.lower()) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
    places |= {name: str(tmp_path / name.lower()) for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME")}
    return {**os.environ, **places, "QT_QPA_PLATFORM": "offscreen"}


def complaints(text):
    """What stands on stderr, without what the offscreen platform says of itself."""
    return [line for line in text.splitlines() if not line.startswith("This plugin does not support")]


@posix
@pytest.mark.parametrize(
    ("state", "number", "code"),
    [("idle", signal.SIGINT, 130), ("run", signal.SIGINT, 130), ("idle", signal.SIGTERM, 143)],
)
def test_ctrl_c_ends_the_window_cleanly(home, tmp_path, state, number, code):
    command = [sys.executable, "-c", WINDOW, state]
    with subprocess.Popen(command, env=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "ready\n", process.stderr.read()
            process.send_signal(number)
            _, errors = process.communicate(timeout=120)
        finally:
            process.kill()
    assert complaints(errors) == []
    assert process.returncode == code
    settings = json.loads((tmp_path / "xdg_config_home" / "diffstudio" / "settings.json").read_text())
    assert settings["last_model"] and settings["window"]["layout"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="where Qt aborts without a server")
@pytest.mark.parametrize("display", [None, ":4321"])
def test_without_a_display_the_command_says_so_and_what_works(home, display):
    environ = {k: v for k, v in home.items() if k not in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY")}
    environ |= {"DISPLAY": display} if display else {}
    command = [sys.executable, "-c", "from diffstudio.cli import main; main()"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2 and done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("diffstudio: there is no display: ")
    assert line.endswith(
        "`diffstudio tour --out DIR` takes pictures of the window without one, the commands work without a screen"
    )
