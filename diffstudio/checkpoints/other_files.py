"""What a file is that holds no table of weights: other tools' formats, archives, programs, whole modules.

Each is told by its first bytes or by the names in its archive, and said with the way out. Nothing is unpacked or run.
"""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from diffstudio.archives import check_directory
from diffstudio.checkpoints.names import shown
from diffstudio.errors import BadFile

# What a person types once, where the class of the network is, to get weights alone.
SAVE = "`torch.save(model.state_dict(), 'weights.pt')`"
LOAD = "`model = torch.load('{}', weights_only=False)`"
MAX_MEMBERS = 40_000
MAX_PEEK = 1 << 20  # bytes of a pickle in which the name of a class is looked for

# What zipfile raises for damaged archives, beside our own sentence.
_UNREADABLE = (
    *(OSError, ValueError, EOFError, RuntimeError, NotImplementedError),
    *(zipfile.BadZipFile, struct.error, BadFile),
)


@dataclass(frozen=True)
class OtherFile:
    """label, recognised: the row of the table in the docs. why: what it is and the way out, after the file's name."""

    label: str
    recognised: str
    why: str
    starts: tuple[bytes, ...] = ()
    endings: tuple[str, ...] = ()  # of its name, where its bytes say nothing


_UNPACK = "is a compressed archive: unpack it, and open what is in it"
_TENSORFLOW = "networks of TensorFlow and Keras do not run here: only networks of the registry do, from PyTorch's files"
STARTS: tuple[OtherFile, ...] = (
    OtherFile(
        "GGUF",
        "`GGUF` at the start",
        "is a GGUF file, of weights that are mostly quantised, for llama.cpp and ComfyUI's GGUF nodes: get the same "
        "model as .safetensors in 16 bits or fp8",
        (b"GGUF",),
    ),
    OtherFile(
        "GGML, `.bin`",
        "`ggml`, `ggjt` or `ggla` at the start, either way round",
        "is a GGML file: weights quantised for llama.cpp and its kin: get the same model as .safetensors in 16 bits or "
        "fp8",
        (b"lmgg", b"tjgg", b"algg", b"ggml", b"ggjt", b"ggla"),
    ),
    OtherFile(
        "Keras `.h5`, `.weights.h5`",
        "HDF5's first bytes",
        f"is an HDF5 file, as Keras saves its weights: {_TENSORFLOW}",
        (b"\x89HDF\r\n\x1a\n",),
    ),
    OtherFile(
        "TensorFlow Lite",
        "`TFL3` at byte 4",
        f"is a program of TensorFlow Lite: {_TENSORFLOW}",
    ),
    OtherFile(
        "NumPy `.npy`",
        "NumPy's first bytes",
        "is an array of NumPy, data and no network: it can be a source (`--source`), not a model",
        (b"\x93NUMPY",),
    ),
    OtherFile(
        "web page, XML",
        "`<` at the start",
        "is a web page or XML, what a download gives that needs a login or has failed: download the file again",
        (b"<",),
    ),
    OtherFile(
        "Git LFS pointer",
        "`version https://git-lfs` at the start",
        "is a Git LFS pointer: fetch the file itself (`git lfs pull` in its folder)",
        (b"version https://git-lfs",),
    ),
    OtherFile(
        "`.gz`, `.xz`, `.bz2`, `.zst`, `.7z`, `.rar`",
        "their first bytes",
        _UNPACK,
        (b"\x1f\x8b", b"\xfd7zXZ", b"BZh", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf\x27\x1c", b"Rar!"),
    ),
    OtherFile(
        "`.tar`",
        "`ustar` at byte 257",
        "is a tar archive: unpack it, and open what is in it (what torch.save writes as .pth.tar is none, and opens)",
    ),
    OtherFile(
        "PNG",
        "PNG's first bytes",
        "is a PNG picture, not a safetensors checkpoint: it can be a source (`--source`)",
        (b"\x89PNG",),
    ),
    OtherFile(
        "JPEG",
        "JPEG's first bytes",
        "is a JPEG picture, not a checkpoint: it can be a source (`--source`)",
        (b"\xff\xd8\xff",),
    ),
    OtherFile(
        "trace",
        "DiffStudio's first bytes",
        "is a trace, the record of a run: open it, or export it, instead of sampling from it",
        (b"DSTRACE",),
    ),
    OtherFile(
        "ONNX",
        "the first fields of its message, or `.onnx`",
        "is an ONNX program, which does not run here: open the checkpoint that it was exported from",
        endings=(".onnx",),
    ),
    OtherFile(
        "Flax, JAX `.msgpack`",
        "the ending `.msgpack`",
        "holds weights of Flax: save them as .safetensors of PyTorch with the tool that made them, which opens",
        endings=(".msgpack",),
    ),
    OtherFile(
        "TensorFlow checkpoint, TensorFlow.js",
        "the endings `.index`, `.pb`, `.data-00000-of-…`, `.tflite`; `.weights.bin` or shards beside a `model.json`",
        f"holds weights of TensorFlow: {_TENSORFLOW}",
        endings=(".pb", ".tflite"),
    ),
    OtherFile(
        "TensorRT `.engine`, `.plan`, `.trt`",
        "these endings",
        "is an engine of TensorRT, compiled for one graphics card: open the checkpoint that it was built from",
        endings=(".engine", ".plan", ".trt"),
    ),
)
_BY_LABEL = {row.label: row for row in STARTS}
SCRIPT = OtherFile(
    "TorchScript",
    "a zip archive with `code/`",
    "is a TorchScript program, which is not run: where its network is a class of the registry, save its weights with "
    f"`model = torch.jit.load('FILE')` and {SAVE}, which opens",
)
EXPORTED = OtherFile(
    "torch.export `.pt2`",
    "a zip archive with `archive_format`, or `serialized_exported_program.json`",
    "is a program of torch.export, which is not run: where its network is a class of the registry, save its weights "
    "with `model = torch.export.load('FILE')` and `torch.save(model.state_dict, 'weights.pt')`, which opens",
)
MODULE = OtherFile(
    "a whole module, `torch.save(model, …)`",
    "a pickle of a class with `_modules` and `_parameters`",
    "holds a whole module of the class CLASS, with code of its own: where that class is, and if you trust the file, "
    f"{LOAD.format('FILE')} and {SAVE} make weights of it",
)
KERAS = OtherFile("Keras `.keras`", "a zip archive with `model.weights.h5`", f"is a model of Keras: {_TENSORFLOW}")
ARRAYS = OtherFile(
    "NumPy `.npz`",
    "a zip archive of `.npy` files",
    "holds arrays of NumPy (NAMES), and no network that is known here: data can be a source (`--source`); weights save "
    "as .safetensors of PyTorch with the tool that made them",
)
STATES = OtherFile(
    "random states of a training",
    "a pickle that names `torch_manual_seed`",
    "holds the random states of a training, and no network: the weights lie beside it",
)
ARGUMENTS = OtherFile(
    "arguments of a training",
    "a pickle that names `TrainingArguments`",
    "holds the arguments of a training, and no network: the weights lie beside it",
)
PICKLE = OtherFile(
    "pickle.dump",
    "a pickle's first bytes",
    "is a pickle, not a safetensors checkpoint and not one of torch.save: where its objects come from, save the "
    "state_dict() of the network with torch.save, which opens",
)
ARCHIVE = OtherFile(
    "other zip archives",
    "a zip archive",
    "is a zip archive, but not one of torch.save: unpack it, and open what is in it",
)
ROWS: tuple[OtherFile, ...] = (*STARTS, SCRIPT, EXPORTED, MODULE, KERAS, ARRAYS, STATES, ARGUMENTS, PICKLE, ARCHIVE)
# The endings under which a folder is searched for such files, so that each is listed with what it is.
ENDINGS = (
    *(".gguf", ".onnx", ".pt2", ".h5", ".hdf5", ".keras", ".msgpack", ".npz", ".tflite"),
    *(".engine", ".trt", ".tar", ".tar.gz", ".tgz"),
)


def other_file(path: Path, start: bytes) -> str:
    """What a file is by its first bytes, else by its name, and the way out, after its name; "" where neither says."""
    row = next((row for row in STARTS if row.starts and start.startswith(row.starts)), None)
    if start[:4] == b"GGUF":
        return _gguf(start)
    if start[4:8] == b"TFL3":
        row = _BY_LABEL["TensorFlow Lite"]
    elif start[257:262] == b"ustar":
        row = _BY_LABEL["`.tar`"]
    elif _is_onnx(start):
        row = _BY_LABEL["ONNX"]
    elif start[:1] == b"\x80":
        row = _of_pickle(start) or PICKLE
    elif row is None and _is_tensorflow(path):
        row = _BY_LABEL["TensorFlow checkpoint, TensorFlow.js"]
    row = row or next((row for row in STARTS if row.endings and path.name.lower().endswith(row.endings)), None)
    return "" if row is None else row.why


def no_table(path: Path) -> str:
    """What a zip archive or pickle is that was refused as a file of torch.save, "" where it is only a damaged one."""
    try:
        with path.open("rb") as stream:
            zipped = stream.read(4) == b"PK\x03\x04"
            stream.seek(0)
            pickle = b"" if zipped else stream.read(MAX_PEEK)
        names = _members(path) if zipped else []
        member = next((name for name in names if name.endswith("/data.pkl") and name.count("/") == 1), None)
        row = _of_archive(names) if zipped else None
        if row is None and member is not None:
            with zipfile.ZipFile(path) as archive, archive.open(member) as stream:
                pickle = stream.read(MAX_PEEK)
    except _UNREADABLE:
        return ""
    file = shown(path.name)
    if row is not None:
        arrays = ", ".join(shown(name.removesuffix(".npy"), 30) for name in names[:4]) + (
            ", …" if len(names) > 4 else ""
        )
        return row.why.replace("FILE", file).replace("NAMES", arrays)
    found = _of_pickle(pickle)
    if found is not None:
        return found.why
    name = _module(pickle)
    return MODULE.why.replace("FILE", file).replace("CLASS", name) if name else ""


def _members(path: Path) -> list[str]:
    """The names in a zip archive. Raises: OSError, BadZipFile, BadFile: its directory is too large or cut off."""
    with path.open("rb") as stream:
        check_directory(shown(path, 400), stream, stream.seek(0, 2), MAX_MEMBERS)
        with zipfile.ZipFile(stream) as archive:
            return archive.namelist()


def _of_archive(names: Collection[str]) -> OtherFile | None:
    """What the names in an archive say; None where it is one of torch.save."""
    if any("/code/" in name or name.endswith("/constants.pkl") for name in names):
        return SCRIPT
    ends = {name.rpartition("/")[2] for name in names}
    if ends & {"archive_format", "serialized_exported_program.json", "serialized_state_dict.json"}:
        return EXPORTED
    if "model.weights.h5" in ends:
        return KERAS
    if names and all(name.endswith(".npy") for name in names):
        return ARRAYS
    return ARCHIVE if names and "data.pkl" not in ends else None


def _of_pickle(data: bytes) -> OtherFile | None:
    """What lies beside the weights of a training."""
    if b"torch_manual_seed" in data or b"numpy_random_seed" in data:
        return STATES
    return ARGUMENTS if b"TrainingArguments" in data else None


def _module(pickle: bytes) -> str:
    """The class of the module that a pickle holds, "" where it holds none."""
    if b"_modules" not in pickle or b"_parameters" not in pickle:
        return ""
    for found in re.finditer(rb"c([A-Za-z_][\w.]{0,200})\n([A-Za-z_]\w{0,100})\n", pickle):
        module = found[1].decode()
        if module.startswith("torch.nn.") or not re.match(r"(torch|collections)(\.|$)", module):
            return found[2].decode()
    return ""


def _gguf(start: bytes) -> str:
    """With the architecture, which its metadata mostly name first."""
    row = _BY_LABEL["GGUF"].why
    key = b"general.architecture"
    at = start.find(key) + len(key)
    kind, length = start[at : at + 4], start[at + 4 : at + 12]
    if at < len(key) or kind != struct.pack("<I", 8) or len(length) < 8:
        return row
    (count,) = struct.unpack("<Q", length)
    name = start[at + 12 : at + 12 + min(count, 40)]
    return row.replace("a GGUF file,", f"a GGUF file ({shown(name.decode('utf-8', 'replace'))}),")


def _is_onnx(start: bytes) -> bool:
    """A message whose first fields are its version and who made it, or its graph."""
    return start[:1] == b"\x08" and 1 <= (start[1] if len(start) > 2 else 0) <= 20 and start[2:3] in (b"\x12", b"\x3a")


def _is_tensorflow(path: Path) -> bool:
    """Whether its name is that of a part of a checkpoint, or a description of TensorFlow.js lies beside it."""
    if re.search(r"\.data-\d{5}-of-\d{5}$|\.ckpt-?\d*\.(index|meta)$", path.name):
        return True
    if path.suffix != ".bin":
        return False
    try:
        with (path.parent / "model.json").open("rb") as stream:
            return b"weightsManifest" in stream.read(MAX_PEEK)
    except OSError:
        return False
