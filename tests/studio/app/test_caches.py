"""The folders of what can be made again."""

import os

from diffstudio.studio.app.caches import colours_folder, runs_folder


def test_they_lie_in_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for folder, name in ((runs_folder(), "runs"), (colours_folder(), "latents")):
        assert folder.name == name
        if os.name == "posix":
            assert folder.is_relative_to(tmp_path)
