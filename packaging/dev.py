"""Set DiffStudio up on this machine, and start or test it. Only Python 3.11, 3.12 or 3.13 is needed beforehand.

    python3 packaging/dev.py run [arguments]          open DiffStudio; the arguments go to `diffstudio`
    python3 packaging/dev.py test [pytest arguments]  ruff, pyright, lint-imports and pytest, one after the other

The first start makes `.venv` in the checkout, installs everything there and takes some minutes. Later starts find the
stamp in `.venv` and begin at once. When pyproject.toml or constraints.txt changes, the next start installs again.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST, NEWEST = (3, 11), (3, 13)
PYTHON = (sys.version_info[0], sys.version_info[1])
UNFINISHED = "unfinished"

# What Qt opens at run time: Debian's package, and the file it must find.
LIBRARIES = {
    "libdbus-1-3": "libdbus-1.so.3",
    "libegl1": "libEGL.so.1",
    "libfontconfig1": "libfontconfig.so.1",
    "libgl1": "libGL.so.1",
    "libxcb-cursor0": "libxcb-cursor.so.0",
    "libxcb-icccm4": "libxcb-icccm.so.4",
    "libxcb-image0": "libxcb-image.so.0",
    "libxcb-keysyms1": "libxcb-keysyms.so.1",
    "libxcb-randr0": "libxcb-randr.so.0",
    "libxcb-render-util0": "libxcb-render-util.so.0",
    "libxcb-shape0": "libxcb-shape.so.0",
    "libxcb-xinerama0": "libxcb-xinerama.so.0",
    "libxkbcommon-x11-0": "libxkbcommon-x11.so.0",
}
FOR_RUN = [*LIBRARIES, "fonts-dejavu-core"]
FOR_TEST = [*FOR_RUN, "xvfb", "xdotool"]


class Problem(Exception):
    """Something that the user can mend, said in one sentence."""


def python_problem(version: tuple[int, int]) -> str | None:
    """What is wrong with this version of Python, or None."""
    if OLDEST <= version <= NEWEST:
        return None
    return (
        f"DiffStudio needs Python {dotted(OLDEST)} to {dotted(NEWEST)} and this is {dotted(version)}: "
        f"start it with another one, for example `python{dotted(NEWEST)} packaging/dev.py run`."
    )


def dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


# ── The system's packages ────────────────────────────────────────────────────────────────────────────────────────────


def on_debian() -> bool:
    return bool(shutil.which("apt-get") and shutil.which("dpkg-query"))


def is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def install_line(packages: Iterable[str]) -> str:
    return "sudo apt-get install -y " + " ".join(packages)


def missing_packages(wanted: Iterable[str], listing: str) -> list[str]:
    """The wanted packages that dpkg-query's lines of `name status` do not call installed."""
    installed = {line.split()[0] for line in listing.splitlines() if line.endswith(" installed")}
    return [package for package in wanted if package not in installed]


def loadable(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def apt_install(packages: Sequence[str]) -> bool:
    """Install Debian packages as root, and read the package lists again only if the first try fails."""
    say(f"Installing with apt-get: {' '.join(packages)}")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120"]
    install = [*apt, "install", "-y", "--no-install-recommends", *packages]
    for command in (install, [*apt, "update"], install):
        result = subprocess.run(command, env=quiet, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if command is install and result.returncode == 0:
            return True
    print(result.stderr, file=sys.stderr)
    return False


def ensure_packages(wanted: Sequence[str]) -> None:
    """Have what Qt needs: installed by root on Debian, told to anyone else there, left alone on other systems."""
    if not on_debian():
        return
    query = ["dpkg-query", "-W", "-f=${Package} ${db:Status-Status}\\n", *wanted]
    missing = missing_packages(wanted, subprocess.run(query, capture_output=True, text=True).stdout)
    if not missing or (is_root() and apt_install(missing)):
        return
    if all(loadable(LIBRARIES[package]) for package in missing if package in LIBRARIES):
        say(f"Going on without some system packages. To install them: {install_line(missing)}")
    else:
        raise Problem(f"Qt needs system libraries that are missing here, please install them: {install_line(missing)}")


# ── The virtual environment ──────────────────────────────────────────────────────────────────────────────────────────


def program(root: Path, name: str) -> Path:
    """A program of the virtual environment, such as python or diffstudio."""
    return root / ".venv" / ("Scripts" if os.name == "nt" else "bin") / (f"{name}.exe" if os.name == "nt" else name)


def stamp(root: Path, version: tuple[int, int]) -> list[str]:
    """What an installation depends on: the place, Python's version, and the two files that say what to install."""
    files = (root / "pyproject.toml", root / "packaging" / "constraints.txt")
    return [str(root), dotted(version), *(hashlib.sha256(file.read_bytes()).hexdigest() for file in files)]


def stamp_file(root: Path) -> Path:
    return root / ".venv" / "diffstudio-setup.txt"


def work_to_do(root: Path, version: tuple[int, int]) -> str:
    """`nothing`; `install` into the environment that is there; or `rebuild` one that is missing, broken or moved."""
    if not program(root, "python").exists():
        return "rebuild"
    if not stamp_file(root).exists():  # made by hand
        made_by = (root / ".venv" / "pyvenv.cfg").read_text(encoding="utf-8")
        usable = f"version = {dotted(version)}." in made_by and program(root, "pip").exists()
        return "install" if usable else "rebuild"
    found, wanted = stamp_file(root).read_text(encoding="utf-8").splitlines(), stamp(root, version)
    if found == wanted:
        return "nothing"
    return "install" if found[:2] == wanted[:2] else "rebuild"


def ensure_venv_module() -> None:
    """Debian packs the module that makes virtual environments separately."""
    if importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip"):
        return
    package = f"python{dotted(PYTHON)}-venv"
    if not on_debian():
        raise Problem("This Python cannot make virtual environments: please install its `venv` and `ensurepip`.")
    if not (is_root() and apt_install([package])):
        raise Problem(f"This Python cannot make virtual environments, please install: {install_line([package])}")


def ensure_environment(root: Path) -> None:
    """Bring .venv to what pyproject.toml and constraints.txt ask for. Interrupted, it is rebuilt the next time."""
    work = work_to_do(root, PYTHON)
    if work == "nothing":
        return
    say("Setting DiffStudio up in .venv. This happens once and takes some minutes.")
    if work == "rebuild":
        ensure_venv_module()
        shutil.rmtree(root / ".venv", ignore_errors=True)
        (root / ".venv").mkdir()
    stamp_file(root).write_text(UNFINISHED, encoding="utf-8")
    if work == "rebuild":
        attempt([sys._base_executable, "-m", "venv", ".venv"], root, "The virtual environment could not be made")
    pip = [str(program(root, "python")), "-m", "pip", "--disable-pip-version-check", "--no-input"]
    arguments = ["install", "-c", "packaging/constraints.txt", "-e", ".[dev]"]
    attempt([*pip, *arguments], root, "The installation failed")
    stamp_file(root).write_text("\n".join(stamp(root, PYTHON)), encoding="utf-8")


def attempt(command: Sequence[str], root: Path, failure: str) -> None:
    if subprocess.run(command, cwd=root).returncode:
        raise Problem(f"{failure}: see the message above, check the network and the disk, and start this again.")


# ── The commands ─────────────────────────────────────────────────────────────────────────────────────────────────────


def set_up(packages: Sequence[str]) -> None:
    if problem := python_problem(PYTHON):
        raise Problem(problem)
    ensure_environment(ROOT)
    ensure_packages(packages)


def has_display(platform: str, environment: Mapping[str, str]) -> bool:
    return not platform.startswith("linux") or any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def opens_window(arguments: Sequence[str]) -> bool:
    """Whether `diffstudio` with these arguments is the window, and not a command that needs no screen."""
    return all(a.startswith("-") for a in arguments) and not {"-h", "--help", "--version"} & set(arguments)


def run(arguments: list[str]) -> int:
    set_up(FOR_RUN)
    if opens_window(arguments) and not has_display(sys.platform, os.environ):
        folder = Path.cwd() / "diffstudio-tour"
        say(f"There is no display here, so DiffStudio takes pictures of its window instead, in {folder}")
        arguments = ["tour", "--out", str(folder)]
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    command = [str(program(ROOT, "diffstudio")), *arguments]
    if os.name == "nt":  # exec would leave the console at once
        return subprocess.run(command).returncode
    os.execv(command[0], command)


def test(arguments: list[str]) -> int:
    set_up(FOR_TEST)
    steps = [["ruff", "check"], ["ruff", "format", "--check"], ["pyright"], ["lint-imports"], ["pytest", *arguments]]
    with tempfile.TemporaryDirectory(prefix="diffstudio-test-", ignore_cleanup_errors=True) as home:
        results = [run_step(step, test_environment(Path(home))) for step in steps]
    say("\n" + "\n".join(f"{name:<22}{'ok' if code == 0 else 'FAILED':<8}{s:7.1f} s" for name, code, s in results))
    return int(any(code for _, code, _ in results))


def test_environment(home: Path) -> dict[str, str]:
    """An empty home and no screen, so that nothing of the user's is read or written."""
    folders = ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "LOCALAPPDATA")
    for name in folders:
        (home / name).mkdir(mode=0o700, exist_ok=True)
    own = {name: str(home / name) for name in folders} | {n: str(home) for n in ("HOME", "USERPROFILE", "APPDATA")}
    return {**os.environ, **own, "QT_QPA_PLATFORM": "offscreen", "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}


def run_step(step: Sequence[str], environment: Mapping[str, str]) -> tuple[str, int, float]:
    """Run one check; its name, exit code and seconds."""
    name = " ".join(step) if step[0] != "pytest" else "pytest"
    say(f"\n== {name}")
    start = time.monotonic()
    code = subprocess.run([str(program(ROOT, step[0])), *step[1:]], cwd=ROOT, env=environment).returncode
    return name, code, time.monotonic() - start


def say(text: str) -> None:
    print(text, flush=True)


def main(arguments: list[str]) -> int:
    commands: dict[str, Callable[[list[str]], int]] = {"run": run, "test": test}
    if not arguments or arguments[0] not in commands:
        say(__doc__ or "")
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    try:
        return commands[arguments[0]](arguments[1:])
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
