"""What a stranger's pickle says of itself: asked of a process of its own, and believed only within bounds.

A process serves one file after the other: a folder of hundreds is read by one. One that dies, or takes too long, is
replaced by another for the next file. Whoever finds all of them busy starts one more.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import math
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO, cast

import diffstudio
from diffstudio.checkpoints.describing import MAX_SENTENCE, receive, send
from diffstudio.checkpoints.loading import still_wanted
from diffstudio.checkpoints.names import shown
from diffstudio.checkpoints.pickled import MAX_VALUES, Pickled, StoredTensor
from diffstudio.checkpoints.tensors import ITEM_BYTES, MAX_NUMBERS, MAX_TENSORS
from diffstudio.errors import BadFile, NotFound

SECONDS = 15.0  # to start and to answer on a busy machine; the process itself counts what it computes
LOOK = 0.1  # seconds between two looks at whether the answer is still wanted
MAX_ANSWER = 64 << 20
OWN_GROUP: dict[str, Any] = (  # a Ctrl+C in the terminal is for whoever started it, and no console window opens
    {"creationflags": 0x08000200} if os.name == "nt" else {"start_new_session": True}
)


def describe(path: Path) -> Pickled:
    """The tensors and plain values of a file that torch.save has written.

    Raises:
        NotFound: no such file.  BadFile: it is refused, see `pickled.read_pickled`, or the process that read it died of
            it.  Left: nobody waits for it any more.
    """
    answer = _asked(path, {})
    try:
        tensors = {_text(name): _tensor(*rest) for name, *rest in _few(answer["tensors"], MAX_TENSORS)}
        values = {_text(name): _value(value) for name, value in _few(answer["values"], MAX_VALUES).items()}
        return Pickled(path, tensors, values, _whole(answer["size"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _nonsense(path) from error


def numbers(path: Path, name: str) -> tuple[float, ...] | None:
    """The numbers of a short list in float32 by its dotted name; None where there is none. Raises: as `describe`."""
    found = _asked(path, {"name": name}).get("numbers")
    if found is None:
        return None
    try:
        return tuple(float(number) for number in _few(found, MAX_NUMBERS))
    except (TypeError, ValueError) as error:
        raise _nonsense(path) from error


class _Process:
    """One such process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-m", "diffstudio.checkpoints.describing"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment(), **OWN_GROUP,
        )  # fmt: skip
        self._questions, self._answers = cast("BinaryIO", self._process.stdin), cast("BinaryIO", self._process.stdout)

    def ask(self, question: bytes) -> bytes | None:
        """The answer; None where the process ends without one. Raises: TimeoutError, Left."""
        answers: list[bytes | None] = []

        def read() -> None:
            with contextlib.suppress(OSError, ValueError):  # it has ended before it was asked
                send(self._questions, question)
                answers.append(receive(self._answers, MAX_ANSWER))

        # Pipes can't be waited for with an end everywhere: a thread reads, and ends at the latest with the process.
        thread, begun = threading.Thread(target=read, name="describing", daemon=True), time.monotonic()
        thread.start()
        try:
            while thread.is_alive():
                thread.join(LOOK)
                still_wanted()
                if time.monotonic() - begun > SECONDS:
                    raise TimeoutError
        except BaseException:
            self.end()
            thread.join()
            raise
        return answers[0] if answers else None

    def ended(self) -> int:
        """The exit code of one that has ended, or is about to."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        return self.end()

    def end(self) -> int:
        """Kill it if it goes; its exit code."""
        self._process.kill()
        for stream in (self._questions, self._answers):
            with contextlib.suppress(OSError):
                stream.close()
        return self._process.wait()


_idle: list[_Process] = []  # list.pop and list.append are atomic


def _asked(path: Path, more: dict[str, str]) -> dict[str, Any]:
    """What the process answers. Raises: NotFound, BadFile, Left."""
    question = json.dumps({"path": str(path.absolute()), **more}).encode()
    raw, code = _answer(path, question)
    try:
        answer = json.loads(raw) if raw else None
    except (ValueError, RecursionError) as error:
        raise _nonsense(path) from error
    if raw is None:
        raise BadFile(
            f"{shown(path, 400)} can't be looked at: the process that tried ended with {code}, most likely because it "
            "took too long or too much memory; it was not opened"
        )
    if not isinstance(answer, dict):
        raise _nonsense(path)
    for kind, error in (("missing", NotFound), ("refused", BadFile)):
        if kind in answer:
            raise error(shown(answer[kind], MAX_SENTENCE))
    return answer


def _answer(path: Path, question: bytes) -> tuple[bytes | None, int]:
    """The answer of a process that is free, or of a new one; else None and the exit code of the new one."""
    try:
        while True:
            fresh = not _idle
            with contextlib.suppress(IndexError):
                process = _Process() if fresh else _idle.pop()
                answer = process.ask(question)
                if answer is not None:
                    _idle.append(process)
                    return answer, 0
                code = process.ended()
                if fresh or code:  # an idle one may have ended by itself, with 0
                    return None, code
    except TimeoutError as error:
        raise BadFile(f"{shown(path, 400)} could not be looked at in {SECONDS:.0f} seconds: given up") from error
    except OSError as error:
        raise BadFile(f"can't read {shown(path, 400)}: {error.strerror or error}") from error


@atexit.register
def end_all() -> None:
    """End the processes that wait for questions."""
    while _idle:
        _idle.pop().end()


def environment() -> dict[str, str]:
    """This process's, with the package findable; one thread is enough to read."""
    root = str(Path(diffstudio.__file__).parent.parent)
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}


def _few(found: Any, most: int) -> Any:
    if not isinstance(found, list | dict) or len(found) > most + 1:
        raise ValueError("more than there can be")
    return found


def _text(found: Any) -> str:
    if not isinstance(found, str):
        raise TypeError("no text")
    return found


def _whole(found: Any) -> int:
    if type(found) is not int or not 0 <= found < 2**63:
        raise ValueError("no whole number")
    return found


def _value(found: Any) -> int | float | str | bool:
    if not isinstance(found, int | float | str | bool):
        raise TypeError("no value")
    return found


def _tensor(dtype: Any, shape: Any, storage: Any, offset: Any) -> StoredTensor:
    sides = tuple(_whole(side) for side in _few(shape, 8))
    if dtype not in ITEM_BYTES or math.prod(sides) >= 2**63:
        raise ValueError("no tensor")
    return StoredTensor(dtype, sides, _text(storage), _whole(offset))


def _nonsense(path: Path) -> BadFile:
    return BadFile(f"{shown(path, 400)} can't be looked at: what was read of it makes no sense; it was not opened")
