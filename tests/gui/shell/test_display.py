"""Is there a screen? Against servers that listen and servers that do not."""

import socket

import pytest

from diffstudio.gui.shell.display import missing_display


@pytest.fixture
def port():
    """A TCP port of this machine on which somebody listens."""
    with socket.create_server(("localhost", 0)) as server:
        yield server.getsockname()[1]


def free_port():
    with socket.create_server(("localhost", 0)) as server:
        return server.getsockname()[1]


def test_no_variable_is_no_display():
    assert missing_display({}, "linux") == "neither DISPLAY nor WAYLAND_DISPLAY is set"
    assert missing_display({}, "freebsd14") is not None


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_other_systems_have_a_screen(platform):
    assert missing_display({}, platform) is None


@pytest.mark.parametrize("chosen", ["offscreen", "minimal", "vnc", "eglfs", "linuxfb", "offscreen:size=800x600"])
def test_a_platform_without_a_server_is_left_to_qt(chosen):
    assert missing_display({"QT_QPA_PLATFORM": chosen}, "linux") is None


@pytest.mark.parametrize("chosen", ["", "xcb", "wayland", "wayland-egl"])
def test_a_platform_with_a_server_needs_one(chosen):
    assert missing_display({"QT_QPA_PLATFORM": chosen}, "linux") is not None


def test_a_forwarded_display_is_asked(port):
    assert missing_display({"DISPLAY": f"localhost:{port - 6000}.0"}, "linux") is None


def test_a_display_that_is_gone_is_named():
    name = f"localhost:{free_port() - 6000}"
    assert missing_display({"DISPLAY": name}, "linux") == f"nothing answers at DISPLAY={name}"


def test_a_wayland_socket_is_asked(tmp_path):
    environ = {"XDG_RUNTIME_DIR": str(tmp_path), "WAYLAND_DISPLAY": "wayland-7"}
    assert missing_display(environ, "linux") == "nothing answers at WAYLAND_DISPLAY=wayland-7"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(tmp_path / "wayland-7"))
        server.listen()
        assert missing_display(environ, "linux") is None
    assert missing_display({**environ, "WAYLAND_DISPLAY": str(tmp_path / "gone")}, "linux") is not None


def test_a_name_that_we_do_not_understand_is_left_to_qt():
    assert missing_display({"DISPLAY": "/private/tmp/launch/org.x:0"}, "linux") is None


def test_a_number_beyond_all_ports_is_no_display():
    assert missing_display({"DISPLAY": "localhost:99999999"}, "linux") is not None
