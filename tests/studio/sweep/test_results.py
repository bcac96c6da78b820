"""The grid of a latent model shows what its states are decoded to."""

from PIL import Image

from diffstudio.studio.sweep.axes import Axis
from diffstudio.studio.sweep.folder import SweepFolder
from diffstudio.studio.sweep.results import write_grid, write_table
from diffstudio.studio.sweep.running import Running
from diffstudio.studio.sweep.sweep import make_cells, make_sweep


def test_latents_are_decoded_for_the_grid(latent_engine, latent_folder, tmp_path):
    base = {"model": str(latent_folder), "samples": 1, "steps": 2, "device": "cpu", "forward": "off"}
    sweep = make_sweep(base, (Axis(field="seed", values=(0, 1)),))
    running = Running(latent_engine, sweep, make_cells(latent_engine, sweep), SweepFolder(tmp_path / "s"))
    running.begin(1 << 30)
    for _ in running.run(1 << 30, lambda: False):
        pass
    assert [state.state for state in running.states] == ["done", "done"]
    write_table(running)
    with Image.open(write_grid(running, scale=20)) as board:
        assert board.width >= 2 * 8 * 20  # pictures of 8×8, not latents of 4×4
        assert len(board.crop((0, board.height // 2, *board.size)).getcolors(1 << 20)) > 20
    assert [path.suffix for path in (tmp_path / "s" / "cells").iterdir()] == [".trace"] * 2
