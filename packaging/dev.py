"""Set DiffStudio up on this machine, and start or test it. Only Python 3.11, 3.12 or 3.13 is needed beforehand.

    python3 packaging/dev.py run [arguments]          open DiffStudio; the arguments go to `diffstudio`
    python3 packaging/dev.py test [pytest arguments]  ruff, pyright, lint-imports and pytest, one after the other

The first start makes `.venv` in the checkout, installs everything there and takes some minutes. Later starts find the
stamp in `.venv` and begin at once. When pyproject.toml or constraints.txt changes, the next start installs again.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST, NEWEST, PYTHON = (3, 11), (3, 13), sys.version_info[:2]
APT_INSTALL = "sudo apt-get install -y"
STAMP = ".venv/diffstudio-setup.txt"

# What Qt opens at run time: Debian's package, and the file it must find.
LIBRARIES = {
    "libdbus-1-3": "libdbus-1.so.3",
    "libegl1": "libEGL.so.1",
    "libfontconfig1": "libfontconfig.so.1",
    "libgl1": "libGL.so.1",
    "libglib2.0-0": "libglib-2.0.so.0",
    "libxcb-cursor0": "libxcb-cursor.so.0",
    "libxcb-icccm4": "libxcb-icccm.so.4",
    "libxcb-image0": "libxcb-image.so.0",
    "libxcb-keysyms1": "libxcb-keysyms.so.1",
    "libxcb-randr0": "libxcb-randr.so.0",
    "libxcb-render-util0": "libxcb-render-util.so.0",
    "libxcb-shape0": "libxcb-shape.so.0",
    "libxkbcommon-x11-0": "libxkbcommon-x11.so.0",
}
FOR_RUN = [*LIBRARIES, "fonts-dejavu-core"]
FOR_TEST = [*FOR_RUN, "xvfb", "xauth", "xdotool"]
MOST_WORKERS = 4  # processes of tests, each with Qt and torch in its memory


class Problem(Exception):
    """Something that the user can mend, said in one sentence."""


def dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def check_python(version: tuple[int, int]) -> None:
    if not OLDEST <= version <= NEWEST:
        way_out = f"start it with another one, for example `python{dotted(NEWEST)} packaging/dev.py run`"
        raise Problem(
            f"DiffStudio needs Python {dotted(OLDEST)} to {dotted(NEWEST)}, not {dotted(version)}: {way_out}."
        )


def on_debian() -> bool:
    return bool(shutil.which("apt-get") and shutil.which("dpkg-query"))


def missing_packages(wanted: Iterable[str], listing: str) -> list[str]:
    """The wanted packages that dpkg-query's lines of `name status` do not call installed."""
    installed = {line.split()[0] for line in listing.splitlines() if line.endswith(" installed")}
    return [package for package in wanted if package not in installed]


def loadable(library: str) -> bool:
    """Whether the system finds it, from whatever package: some are called otherwise in other releases of Debian."""
    try:
        return bool(library and ctypes.CDLL(library))
    except OSError:
        return False


def apt_install(packages: Sequence[str]) -> bool:
    """Install Debian packages if this is root; the lists of packages are read again only if the first try fails."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return False
    say(f"Installing with apt-get: {' '.join(packages)}")
    install = ["install", "-y", "--no-install-recommends", *packages]
    complaint = apt_get(install) and (apt_get(["update"]) or apt_get(install))
    say(complaint or "Installed.")
    return not complaint


def apt_get(arguments: Sequence[str]) -> str | None:
    """Run apt-get without a question; what it complained of, or None when all went well."""
    command = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120", *arguments]
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    result = subprocess.run(command, env=quiet, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return (result.stderr or "apt-get failed") if result.returncode else None


def ensure_packages(wanted: Sequence[str]) -> None:
    """Have what Qt needs: installed by root on Debian, told to anyone else there, left alone on other systems."""
    if not on_debian():
        return
    query = ["dpkg-query", "-W", "-f=${Package} ${db:Status-Status}\\n", *wanted]
    unlisted = missing_packages(wanted, subprocess.run(query, capture_output=True, text=True).stdout)
    missing = [package for package in unlisted if not loadable(LIBRARIES.get(package, ""))]
    if not missing or apt_install(missing):
        return
    message = f"Some system packages are missing here, please install them: {APT_INSTALL} {' '.join(missing)}"
    if LIBRARIES.keys() & set(missing):
        raise Problem(message)
    say(message)


def program(root: Path, name: str) -> Path:
    """A program of the virtual environment, such as python or diffstudio."""
    return root / ".venv" / ("Scripts" if os.name == "nt" else "bin") / (f"{name}.exe" if os.name == "nt" else name)


def stamp(root: Path, version: tuple[int, int]) -> list[str]:
    """What an installation depends on: the place, Python's version, and the two files that say what to install."""
    files = (root / "pyproject.toml", root / "packaging" / "constraints.txt")
    return [str(root), dotted(version), *(hashlib.sha256(file.read_bytes()).hexdigest() for file in files)]


def work_to_do(root: Path, version: tuple[int, int]) -> str:
    """`nothing`; `install` into the environment that is there; or `rebuild` one that is missing, broken or moved."""
    if not program(root, "python").exists():
        return "rebuild"
    if not (root / STAMP).exists():  # made by hand, or its last update was interrupted
        origin = root / ".venv" / "pyvenv.cfg"
        same_python = origin.exists() and f"version = {dotted(version)}." in origin.read_text(encoding="utf-8")
        return "install" if same_python and program(root, "pip").exists() else "rebuild"
    found, wanted = (root / STAMP).read_text(encoding="utf-8").splitlines(), stamp(root, version)
    if found[:2] != wanted[:2]:
        return "rebuild"
    return "nothing" if found == wanted else "install"


def make_environment(root: Path) -> None:
    """An empty virtual environment; Debian packs what it takes separately."""
    package = f"python{dotted(PYTHON)}-venv"
    if not (find_spec("venv") and find_spec("ensurepip")) and not (on_debian() and apt_install([package])):
        remedy = f"{APT_INSTALL} {package}" if on_debian() else "your system's package with Python's venv and ensurepip"
        raise Problem(f"This Python cannot make virtual environments, please install: {remedy}")
    import venv

    shutil.rmtree(root / ".venv", ignore_errors=True)
    (root / ".venv").mkdir()
    (root / STAMP).write_text("unfinished", encoding="utf-8")
    venv.create(root / ".venv", with_pip=True, symlinks=os.name != "nt")


def ensure_environment(root: Path) -> None:
    """Bring .venv to what pyproject.toml and constraints.txt ask for; the stamp comes last, when all is there."""
    work = work_to_do(root, PYTHON)
    if work == "nothing":
        return
    say("Setting DiffStudio up in .venv. This happens once and takes some minutes.")
    (root / STAMP).unlink(missing_ok=True)
    if work == "rebuild":
        make_environment(root)
    pip = [str(program(root, "python")), "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
    if subprocess.run([*pip, "-c", "packaging/constraints.txt", "-e", ".[dev]"], cwd=root).returncode:
        raise Problem("The installation failed: see pip's message above, check the network, and start this again.")
    (root / STAMP).write_text("\n".join(stamp(root, PYTHON)), encoding="utf-8")


def set_up(packages: Sequence[str]) -> None:
    check_python(PYTHON)
    ensure_packages(packages)
    ensure_environment(ROOT)


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
    if os.name == "nt":  # exec would give the console back at once
        return subprocess.run(command).returncode
    return os.execv(command[0], command)


def test(arguments: list[str]) -> int:
    set_up(FOR_TEST)
    pytest = ["pytest", *parallel(arguments, os.cpu_count() or 1), *arguments]
    steps = [["ruff", "check"], ["ruff", "format", "--check"], ["pyright"], ["lint-imports"], pytest]
    with tempfile.TemporaryDirectory(prefix="diffstudio-test-", ignore_cleanup_errors=True) as home:
        results = [run_step(step, clean_environment(home, os.environ)) for step in steps]
    say("\n" + "\n".join(f"{name:<22}{'ok' if code == 0 else 'FAILED':<8}{s:7.1f} s" for name, code, s in results))
    return int(any(code for _, code, _ in results))


def parallel(arguments: Sequence[str], cores: int) -> list[str]:
    """How pytest shares the tests among processes; not where the arguments say so themselves, or single some out."""
    chosen = [a for a in arguments if not a.startswith("-") or a.startswith(("-n", "-p", "--pdb", "-x", "-k"))]
    return [] if chosen or cores < 2 else ["-n", str(min(cores, MOST_WORKERS)), "--dist", "loadfile"]


def clean_environment(home: str, environment: Mapping[str, str]) -> dict[str, str]:
    """An empty home and no screen, so that nothing of the user's is read or written."""
    kept = {name: value for name, value in environment.items() if not name.startswith("XDG_")}
    homes = dict.fromkeys(("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "XDG_RUNTIME_DIR"), home)
    path = os.pathsep.join([str(program(ROOT, "python").parent), environment.get("PATH", os.defpath)])
    # Each process of the tests computes by itself: more threads than cores would wait for each other.
    threads = {"OMP_NUM_THREADS": environment.get("OMP_NUM_THREADS", "1")}
    quiet = {"QT_QPA_PLATFORM": "offscreen", "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    return {**kept, **homes, **threads, **quiet, "PATH": path}


def run_step(step: Sequence[str], environment: Mapping[str, str]) -> tuple[str, int, float]:
    """Run one check; its name, exit code and seconds."""
    name = "pytest" if step[0] == "pytest" else " ".join(step)
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
    except (Problem, OSError, subprocess.CalledProcessError) as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
