"""The wheel that `pip install .` builds: what it holds, and that it works far from the checkout with an empty home."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from diffstudio.studio.provenance import read_settings

CHECKOUT = Path(__file__).parents[2]


def run(*words, **options):
    """Run this Python; it must succeed."""
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built with the build system that is installed here."""
    out = tmp_path_factory.mktemp("wheel")
    run("-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(CHECKOUT))
    (path,) = out.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The folder that it is installed in, without its dependencies: those of the virtual environment serve."""
    target = tmp_path_factory.mktemp("installed")
    run("-m", "pip", "--disable-pip-version-check", "install", "-q", "--no-deps", "--target", str(target), str(wheel))
    return target


@pytest.fixture
def away(installed, tmp_path):
    """away(*words): run the installed `diffstudio` in an empty folder with an empty home."""
    home, folder = tmp_path / "home", tmp_path / "folder"
    home.mkdir()
    folder.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "PYTHON"))}
    homes = dict.fromkeys(("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA"), str(home))
    environment = {**kept, **homes, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}
    return lambda *words: run("-m", "diffstudio", *words, cwd=folder, env=environment), folder


def files(folder):
    """Relative names of the files of a folder that belong to the project."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {path.as_posix() for path in found if "__pycache__" not in path.parts}


def test_the_wheel_holds_every_module_and_every_resource(wheel):
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
    modules = {f"diffstudio/{name}" for name in files(CHECKOUT / "diffstudio")}
    resources = {f"diffstudio/resources/{name}" for name in files(CHECKOUT / "resources")}
    assert {name for name in names if ".dist-info/" not in name} == modules | resources
    for kind in ("checkpoints/digits.safetensors", "icons/play.svg", "recipes/digits.toml", "data/digits.npz"):
        assert f"diffstudio/resources/{kind}" in names


def test_the_wheel_is_small_and_says_its_licence_and_command(wheel):
    assert wheel.stat().st_size < 26e6
    with zipfile.ZipFile(wheel) as file:
        about = next(name.partition("/")[0] for name in file.namelist() if ".dist-info/" in name)
        metadata = file.read(f"{about}/METADATA").decode()
        assert "License-Expression: Apache-2.0" in metadata
        assert "Requires-Dist: torch>=" in metadata
        assert f"{about}/licenses/LICENSE" in file.namelist()
        assert "diffstudio = diffstudio.cli:main" in file.read(f"{about}/entry_points.txt").decode()


def test_installed_it_lists_its_own_checkpoints(away, installed):
    diffstudio, folder = away
    listed = json.loads(diffstudio("models", "--json").stdout)
    assert {row["name"] for row in listed} >= {"digits", "digits@400", "digits-ddpm", "shapes-2d"}
    for row in listed:
        assert Path(row["path"]).is_relative_to(installed / "diffstudio" / "resources")
    assert list(folder.iterdir()) == []


def test_installed_it_samples(away):
    diffstudio, folder = away
    done = diffstudio("sample", "digits", "--steps", "2", "--samples", "4", "--out", "digits.png", "--json")
    assert json.loads(done.stdout)["out"] == ["digits.png"]
    with Image.open(folder / "digits.png") as picture:
        assert min(picture.size) >= 56
    assert read_settings(folder / "digits.png")["request"]["steps"] == 2
    assert [path.name for path in folder.iterdir()] == ["digits.png"]
