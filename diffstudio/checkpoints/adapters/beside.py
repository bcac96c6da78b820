"""Parts of a model that lie beside its file, as they are published: text encoders and autoencoder, one file each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from diffstudio.checkpoints.adapters.look import inside
from diffstudio.errors import BadFile

# The names under which each part is looked for, the most exact first.
PUBLISHED: dict[str, tuple[str, ...]] = {
    "vae": ("ae.safetensors",),  # of Flux
    "clip_l": ("clip_l.safetensors",),
    "clip_g": ("clip_g.safetensors",),
    "t5": (
        "t5xxl_fp16.safetensors",
        "t5xxl.safetensors",
        "t5xxl_fp8_e4m3fn_scaled.safetensors",
        "t5xxl_fp8_e4m3fn.safetensors",
    ),
}
# Beside the file, below it as Stability AI has its encoders, or in the folders that ComfyUI has for them.
_FOLDERS = ((".",), ("text_encoders",), ("..", "text_encoders"), ("..", "clip"), ("..", "vae"))


def beside(file: Path, part: str) -> Iterator[Path]:
    """The files that may be that part of a model, the nearest first; links that leave their folder are left out."""
    for folder in _FOLDERS:
        at = file.parent.joinpath(*folder)
        for name in PUBLISHED[part]:
            if (at / name).is_file():
                try:
                    yield inside(at, name)
                except BadFile:
                    continue


def newest(file: Path) -> int:
    """When the latest of all these files, or a folder `vae`, came to its place, in ns, 0 without any."""
    folder = file.parent / "vae"
    found = [path for part in PUBLISHED for path in beside(file, part)] + [folder] * folder.is_dir()
    return max((path.stat().st_ctime_ns for path in found), default=0)
