"""What else a view can draw: switches in the canvas's header, with actions of the same names."""

from __future__ import annotations

from diffstudio.gui.kit.words import tr

# Whether it is on at first.
OPTIONS = {
    "trails": True, "underlay": True, "arrows": False, "density": False, "log_p": False,
    "ghosts": True, "entropy": False, "revealed": False, "decoded": False,
}  # fmt: skip


def option_titles() -> dict[str, str]:
    """The words on the buttons."""
    return {
        "trails": tr("Trails"),
        "underlay": tr("Data"),
        "arrows": tr("Score"),
        "density": tr("Density"),
        "log_p": tr("log p"),
        "ghosts": tr("Guesses"),
        "entropy": tr("Entropy"),
        "revealed": tr("When"),
        "decoded": tr("Decode"),
    }
