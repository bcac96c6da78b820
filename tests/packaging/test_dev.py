"""The set-up script: what it decides, from given versions, files and listings. It installs nothing here."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
SCRIPT = CHECKOUT / "packaging" / "dev.py"


def load_script():
    spec = importlib.util.spec_from_file_location("diffstudio_dev_script", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


dev = load_script()
posix = pytest.mark.skipif(dev.os.name == "nt", reason="Windows has no exec, no apt-get, and always a display")


@pytest.fixture
def checkout(tmp_path):
    """A checkout with a finished .venv of Python 3.12."""
    (tmp_path / "packaging").mkdir()
    (tmp_path / "packaging" / "constraints.txt").write_text("numpy==2.4.6\n", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "diffstudio"\n', encoding="utf-8")
    for name in ("python", "pip"):
        dev.program(tmp_path, name).parent.mkdir(parents=True, exist_ok=True)
        dev.program(tmp_path, name).touch()
    (tmp_path / ".venv" / "pyvenv.cfg").write_text("version = 3.12.1\n", encoding="utf-8")
    write_stamp(tmp_path, dev.stamp(tmp_path, (3, 12)))
    return tmp_path


def write_stamp(checkout, lines):
    (checkout / dev.STAMP).write_text("\n".join(lines), encoding="utf-8")


def test_a_finished_environment_is_left_alone(checkout):
    assert dev.work_to_do(checkout, (3, 12)) == "nothing"


@pytest.mark.parametrize("file", ["pyproject.toml", "packaging/constraints.txt"])
def test_a_changed_requirement_is_installed(checkout, file):
    with (checkout / file).open("a", encoding="utf-8") as text:
        text.write("# changed\n")
    assert dev.work_to_do(checkout, (3, 12)) == "install"


def test_another_python_rebuilds(checkout):
    assert dev.work_to_do(checkout, (3, 13)) == "rebuild"


def test_a_moved_checkout_rebuilds(checkout):
    moved = checkout.rename(checkout.with_name("moved"))
    assert dev.work_to_do(moved, (3, 12)) == "rebuild"


def test_an_environment_without_its_python_is_rebuilt(checkout):
    dev.program(checkout, "python").unlink()
    assert dev.work_to_do(checkout, (3, 12)) == "rebuild"


def test_an_interrupted_first_installation_is_rebuilt(checkout):
    write_stamp(checkout, ["unfinished"])
    assert dev.work_to_do(checkout, (3, 12)) == "rebuild"


def test_an_environment_without_a_stamp_is_installed_into_if_its_python_fits(checkout):
    (checkout / dev.STAMP).unlink()
    assert dev.work_to_do(checkout, (3, 12)) == "install"
    assert dev.work_to_do(checkout, (3, 11)) == "rebuild"
    dev.program(checkout, "pip").unlink()
    assert dev.work_to_do(checkout, (3, 12)) == "rebuild"


def fake_installation(monkeypatch, failing=""):
    """Replace every program by one that does nothing, or fails where its command contains the given word."""
    commands = []

    def call(command, **_):
        commands.append(command)
        return dev.subprocess.CompletedProcess(command, int(failing in command), "", "")

    monkeypatch.setattr(dev.subprocess, "run", call)
    monkeypatch.setattr("venv.create", lambda folder, **_: commands.append(["venv", folder]))
    monkeypatch.setattr(dev, "PYTHON", (3, 12))
    return commands


def test_a_new_checkout_is_installed_once(checkout, monkeypatch):
    dev.program(checkout, "python").unlink()
    commands = fake_installation(monkeypatch)
    dev.ensure_environment(checkout)
    assert commands[0] == ["venv", checkout / ".venv"]
    assert commands[1][1:3] == ["-m", "pip"]
    assert commands[1][-4:] == ["-c", "packaging/constraints.txt", "-e", ".[dev]"]
    assert (checkout / dev.STAMP).read_text(encoding="utf-8").splitlines() == dev.stamp(checkout, (3, 12))


@pytest.mark.parametrize("change", ["a new checkout", "a changed requirement"])
def test_a_failed_pip_is_one_sentence_and_tried_again(checkout, monkeypatch, capsys, change):
    if change == "a new checkout":
        dev.program(checkout, "python").unlink()
    else:
        (checkout / "pyproject.toml").write_text("", encoding="utf-8")
    fake_installation(monkeypatch, failing="pip")
    monkeypatch.setattr(dev, "run", lambda _: dev.ensure_environment(checkout))
    assert dev.main(["run"]) == 1
    assert capsys.readouterr().err.startswith("The installation failed: ")
    assert dev.work_to_do(checkout, (3, 12)) != "nothing"


def test_control_c_ends_without_a_traceback(monkeypatch, capsys):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(dev, "run", interrupted)
    assert dev.main(["run"]) == 130
    assert capsys.readouterr().err == "\nStopped.\n"


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13)])
def test_the_supported_pythons_are_taken(version):
    dev.check_python(version)


@pytest.mark.parametrize("version", [(3, 10), (3, 14), (2, 7)])
def test_another_python_is_refused_with_a_way_out(version):
    with pytest.raises(dev.Problem) as problem:
        dev.check_python(version)
    assert f"needs Python 3.11 to 3.13, not {version[0]}.{version[1]}: " in str(problem.value)
    assert "`python3.13 packaging/dev.py run`" in str(problem.value)


def test_the_supported_pythons_are_those_of_pyproject():
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    first_refused = (dev.NEWEST[0], dev.NEWEST[1] + 1)
    assert project["requires-python"] == f">={dev.dotted(dev.OLDEST)},<{dev.dotted(first_refused)}"


def test_missing_packages_are_those_that_dpkg_does_not_call_installed():
    listing = "libegl1 installed\nlibgl1 config-files\nlibgl1-other installed\nxvfb not-installed\n"
    wanted = ["libegl1", "libgl1", "libxcb-cursor0", "xvfb"]
    assert dev.missing_packages(wanted, listing) == ["libgl1", "libxcb-cursor0", "xvfb"]


@pytest.fixture
def debian_user(monkeypatch):
    """A Debian where nothing is installed and apt-get may not be used."""
    monkeypatch.setattr(dev, "on_debian", lambda: True)
    monkeypatch.setattr(dev, "apt_install", lambda _: False)
    fake_installation(monkeypatch)


@pytest.mark.usefixtures("debian_user")
def test_a_user_without_root_is_told_the_line_to_type(monkeypatch):
    monkeypatch.setattr(dev, "loadable", lambda _: False)
    with pytest.raises(dev.Problem, match=r": sudo apt-get install -y libegl1 fonts-dejavu-core$"):
        dev.ensure_packages(["libegl1", "fonts-dejavu-core"])


@pytest.mark.usefixtures("debian_user")
def test_libraries_that_load_are_not_missing(monkeypatch, capsys):
    monkeypatch.setattr(dev, "loadable", lambda library: library == "libEGL.so.1")
    dev.ensure_packages(["libegl1", "xvfb"])
    assert capsys.readouterr().out.endswith(": sudo apt-get install -y xvfb\n")


def test_a_library_is_loadable_if_the_system_finds_it():
    assert not dev.loadable("libno-such-thing.so.7")
    assert not dev.loadable("")


def test_systems_without_debians_tools_are_not_asked(monkeypatch):
    monkeypatch.setattr(dev, "on_debian", lambda: False)
    commands = fake_installation(monkeypatch)
    dev.ensure_packages(dev.FOR_TEST)
    assert commands == []


@posix
@pytest.mark.parametrize(
    ("complaints", "commands"),
    [([None], ["install"]), (["no list", None, None], ["install", "update", "install"])],
)
def test_the_lists_of_packages_are_read_only_when_needed(monkeypatch, complaints, commands):
    asked, answers = [], iter(complaints)
    monkeypatch.setattr(dev.os, "geteuid", lambda: 0, raising=False)
    monkeypatch.setattr(dev, "apt_get", lambda arguments: asked.append(arguments[0]) or next(answers))
    assert dev.apt_install(["xvfb"])
    assert asked == commands


@pytest.mark.parametrize(
    ("platform", "environment", "display"),
    [
        ("linux", {}, False),
        ("linux", {"DISPLAY": ""}, False),
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("darwin", {}, True),
        ("win32", {}, True),
    ],
)
def test_only_linux_can_lack_a_display(platform, environment, display):
    assert dev.has_display(platform, environment) is display


@pytest.mark.parametrize(
    ("arguments", "window"),
    [([], True), (["--safe"], True), (["--help"], False), (["--version"], False), (["tour", "--out", "x"], False)],
)
def test_commands_without_a_window_need_no_display(arguments, window):
    assert dev.opens_window(arguments) is window


def started_program(monkeypatch, tmp_path, arguments):
    """What `run` replaces itself with on a machine without a display."""
    started = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(dev, "set_up", lambda _: None)
    monkeypatch.setattr(dev, "has_display", lambda *_: False)
    monkeypatch.setattr(dev.os, "execv", lambda _, command: started.extend(command))
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    dev.run(arguments)
    return started[1:]


@posix
def test_without_a_display_the_window_becomes_a_tour(monkeypatch, tmp_path, capsys):
    folder = str(tmp_path / "diffstudio-tour")
    assert started_program(monkeypatch, tmp_path, []) == ["tour", "--out", folder]
    assert folder in capsys.readouterr().out
    assert started_program(monkeypatch, tmp_path, ["verify", "all"]) == ["verify", "all"]


def test_the_checks_see_nothing_of_the_user():
    user = {"HOME": "/home/ada", "XDG_CONFIG_HOME": "/home/ada/.config", "XDG_RUNTIME_DIR": "/run/ada", "LANG": "C"}
    clean = dev.clean_environment("/tmp/empty", user)
    assert not [name for name, value in clean.items() if "ada" in value]
    assert (clean["HOME"], clean["LANG"], clean["QT_QPA_PLATFORM"]) == ("/tmp/empty", "C", "offscreen")


def test_tests_share_the_cores_unless_some_are_singled_out():
    both = ["-n", "2", "--dist", "loadfile"]
    assert dev.parallel([], 2) == dev.parallel(["-q", "--durations=5"], 2) == both
    assert dev.parallel([], 64)[:2] == ["-n", str(dev.MOST_WORKERS)]
    assert dev.parallel([], 1) == []
    for words in (["tests/cli"], ["-k", "seed"], ["-n", "0"], ["--pdb"], ["-x"]):
        assert dev.parallel(words, 8) == [], words


def test_every_check_runs_though_one_fails(monkeypatch, capsys):
    codes = {"pyright": 1}
    monkeypatch.setattr(dev, "set_up", lambda _: None)
    monkeypatch.setattr(dev, "run_step", lambda step, _: (step[0], codes.get(step[0], 0), 2.0))
    assert dev.test(["-q"]) == 1
    summary = capsys.readouterr().out.split()
    assert summary[::4] == ["ruff", "ruff", "pyright", "lint-imports", "pytest"]
    assert summary[1::4] == ["ok", "ok", "FAILED", "ok", "ok"]


def test_the_constraints_are_sorted_exact_pins_of_public_versions():
    lines = (CHECKOUT / "packaging" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+==[0-9.]+(\.post[0-9]+)?", pin) for pin in pins)
    names = [re.sub("[-_]+", "-", pin.split("==")[0]).lower() for pin in pins]
    assert names == sorted(names)
    assert {"torch", "pyside6-essentials", "pytest", "ruff", "pyright"} <= set(names)
    assert not {"diffstudio", "pip"} & set(names)
