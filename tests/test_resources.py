"""Bundled files are found in a checkout and in a wheel."""

from __future__ import annotations

from diffstudio import resources
from diffstudio.resources import resource


def test_what_the_package_needs_is_where_it_looks():
    assert resource("data", "digits.npz").is_file()
    assert resource("checkpoints").is_dir()
    assert resource().name == "resources"
    assert list(resource("recipes").glob("*.toml"))
    assert list(resource("icons").glob("*.svg"))


def test_a_wheel_carries_them_inside_the_package_and_those_win(tmp_path, monkeypatch):
    package = tmp_path / "site-packages" / "diffstudio"
    (package / "resources").mkdir(parents=True)
    (package.parent / "resources").mkdir()  # somebody else's
    monkeypatch.setattr(resources, "_PACKAGE", package)
    assert resource("data", "x.npz") == package / "resources" / "data" / "x.npz"


def test_an_editable_install_has_them_beside_the_package(tmp_path, monkeypatch):
    (tmp_path / "resources").mkdir()
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "diffstudio")
    assert resource("icons", "play.svg") == tmp_path / "resources" / "icons" / "play.svg"


def test_the_working_folder_does_not_matter(tmp_path, monkeypatch):
    before = resource("data", "digits.npz")
    monkeypatch.chdir(tmp_path)
    assert resource("data", "digits.npz") == before
    assert before.is_absolute()
