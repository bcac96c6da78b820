"""Every command prints on every code page, and JSON reads back as it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

PAGES = ["cp1252", "cp437", "latin-1", "cp932", "utf-8"]


def run(*words, page):
    command, environment = [sys.executable, "-m", "diffstudio", *words], os.environ | {"PYTHONIOENCODING": page}
    return subprocess.run(command, capture_output=True, env=environment)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("words", [("sample", "--help"), ("--help",), ("models",), ("likelihood", "--help")])
def test_help_and_lists_are_printed_on_every_code_page(page, words):
    """x̂0, σ and φ stand in the help; what a page lacks is a question mark."""
    done = run(*words, page=page)
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(done.stdout.decode(page)) > 200
    if words[0] == "sample":
        assert ("x̂0" in done.stdout.decode(page)) == (page == "utf-8")


@pytest.mark.parametrize("page", ["cp1252", "ascii", "utf-8"])
def test_json_is_the_same_on_every_code_page(page):
    assert json.loads(run("models", "--json", page=page).stdout.decode(page)) == json.loads(
        run("models", "--json", page="utf-8").stdout
    )


@pytest.mark.parametrize("page", ["cp1252", "ascii"])
def test_a_refusal_with_letters_that_the_page_lacks_is_a_sentence(page, tmp_path):
    done = run("sample", "digits", "--source", str(tmp_path / "猫.png"), "--out", str(tmp_path / "a.png"), page=page)
    assert done.returncode == 2 and b"there is no file" in done.stderr and b"Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are bytes on Linux alone")
def test_a_name_that_is_no_text_is_printed(tmp_path):
    folder = os.fsencode(tmp_path) + b"/\xff\xfe"
    os.mkdir(folder)  # noqa: PTH102 - a name that is no text
    with open(folder + b"/a.gguf", "wb") as stream:  # noqa: PTH123 - a name that is no text
        stream.write(b"GGUF" + bytes(60))
    done = run("models", os.fsdecode(folder), page="utf-8")
    assert done.returncode == 0 and b"Traceback" not in done.stderr
