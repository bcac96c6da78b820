"""Whether there is a screen for a window. Qt aborts the process where there is none, so we look first, without Qt."""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

SECONDS = 3.0
WITH_SCREEN = ("", "xcb", "wayland")  # Qt's platforms that need a server; "" is Qt's own choice


def missing_display(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> str | None:
    """Why no window can be opened, as the end of a sentence; None where one can.

    Only Linux and the BSDs have servers to look for. A platform of Qt's that was chosen by hand is left to Qt.
    """
    if not platform.startswith(("linux", "freebsd", "openbsd", "netbsd", "dragonfly")):
        return None
    chosen = environ.get("QT_QPA_PLATFORM", "").partition(":")[0].partition("-")[0]
    if chosen not in WITH_SCREEN:
        return None
    x11, wayland = environ.get("DISPLAY", ""), environ.get("WAYLAND_DISPLAY", "")
    if not x11 and not wayland:
        return "neither DISPLAY nor WAYLAND_DISPLAY is set"
    if (wayland and _answers(_wayland_socket(wayland, environ))) or (x11 and _x_server_answers(x11)):
        return None
    name, value = ("DISPLAY", x11) if x11 else ("WAYLAND_DISPLAY", wayland)
    return f"nothing answers at {name}={value}"


def _wayland_socket(name: str, environ: Mapping[str, str]) -> str:
    return str(Path(environ.get("XDG_RUNTIME_DIR", "/")) / name)


def _x_server_answers(name: str) -> bool:
    """name: [protocol/][host]:number[.screen]; one that looks otherwise is left to Qt."""
    found = re.fullmatch(r"(?:\w+/)?([^:/]*):(\d+)(?:\.\d+)?", name)
    if found is None:
        return True
    host, number = found[1], int(found[2])
    path = f"/tmp/.X11-unix/X{number}"
    if host in ("", "unix") and (_answers(path) or _answers(f"\0{path}")):
        return True
    return number < 59_536 and _answers((host if host != "unix" else "", 6000 + number))


def _answers(address: str | tuple[str, int]) -> bool:
    """Whether somebody listens at the path of a socket, or at a host's port."""
    try:
        if isinstance(address, tuple):
            socket.create_connection((address[0] or "localhost", address[1]), SECONDS).close()
        else:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as end:
                end.settimeout(SECONDS)
                end.connect(address)
    except OSError:
        return False
    return True
