"""The process that reads strangers' pickles, so that whatever one does to it, the window lives.

    python -S -m diffstudio.checkpoints.describing

It is asked on its standard input and answers on its standard output, one file after the other, until its input ends or
nobody has asked for a while. A message is its length in 4 bytes, big-endian, and a JSON table. Standard library alone.

    {"path": …}               {"tensors": [[name, dtype, shape, storage, offset], …], "values": {…}, "size": …}
    {"path": …, "name": …}    {"numbers": [0.0001, …] or null}
                              {"refused": sentence} or {"missing": sentence}
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from diffstudio.checkpoints.limits import limit_memory, used_memory
from diffstudio.checkpoints.names import shown
from diffstudio.checkpoints.pickled import Pickled, read_pickled
from diffstudio.errors import BadFile, DiffStudioError, NotFound

SECONDS = 2.0  # of computing for one file, after which the system ends the process
MEMORY = 160 << 20  # bytes more than it begins with
GROWN = 64 << 20  # bytes more than it began with, after which another process takes over
IDLE = 30.0  # seconds without a question
MAX_QUESTION = 1 << 16
MAX_SENTENCE = 4000


def main() -> int:
    """Answer until the input ends."""
    questions, answers = _channels()
    limit_memory(MEMORY)
    begun = used_memory()
    while (question := receive(questions, MAX_QUESTION)) is not None:
        with _timed():
            answer = _answered(question)
        send(answers, answer)
        if used_memory() > begun + GROWN or not _asked_again(questions):
            return 0
    return 0


def send(stream: BinaryIO, message: bytes) -> None:
    """A message, its length first. Raises: OSError."""
    stream.write(len(message).to_bytes(4, "big") + message)
    stream.flush()


def receive(stream: BinaryIO, most: int) -> bytes | None:
    """The next message; None where the stream ends, or it claims to be longer than `most`."""
    head = stream.read(4)
    length = int.from_bytes(head, "big")
    if len(head) < 4 or length > most:
        return None
    message = stream.read(length)
    return message if len(message) == length else None


def _answered(question: bytes) -> bytes:
    try:
        return json.dumps(_answer(json.loads(question))).encode()
    except NotFound as error:
        return json.dumps({"missing": shown(error, MAX_SENTENCE)}).encode()
    except DiffStudioError as error:
        return json.dumps({"refused": shown(error, MAX_SENTENCE)}).encode()


def _answer(asked: dict[str, str]) -> dict[str, Any]:
    path = Path(asked["path"])
    try:
        found = _read(path)
        if "name" in asked:
            return {"numbers": found.numbers(asked["name"])}
    except MemoryError as error:
        raise BadFile(f"{shown(path, 400)} needs too much memory to be looked at; it was not opened") from error
    tensors = [(name, t.dtype, t.shape, t.storage, t.offset) for name, t in found.tensors.items()]
    return {"tensors": tensors, "values": found.values, "size": found.size}


def _read(path: Path) -> Pickled:
    """What the file says; of the one that was asked about last it is still known."""
    try:
        stat = path.stat()
    except OSError:
        return read_pickled(path)
    return _known(path, (stat.st_ino, stat.st_mtime_ns, stat.st_size))


@functools.lru_cache(1)
def _known(path: Path, stamp: tuple[int, int, int]) -> Pickled:
    return read_pickled(path)


def _channels() -> tuple[BinaryIO, BinaryIO]:
    """Own copies of the standard streams: whatever else prints, prints to nowhere."""
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):
        os.dup2(nowhere, stream)
    return questions, answers


@contextlib.contextmanager
def _timed() -> Iterator[None]:
    """Within, the system ends this process when it has computed for too long, whatever it is doing then."""
    try:
        from signal import ITIMER_PROF, setitimer
    except ImportError:  # Windows: whoever asks stops waiting
        yield
        return
    setitimer(ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        setitimer(ITIMER_PROF, 0)


def _asked_again(questions: BinaryIO) -> bool:
    """Whether there is another question, or the end of them, before it has waited too long."""
    if os.name == "nt":
        return True  # pipes can't be waited for there: it ends with its parent
    import select

    return bool(select.select([questions], [], [], IDLE)[0])


if __name__ == "__main__":
    sys.exit(main())
