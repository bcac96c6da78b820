"""The instructions of a pickle, read one by one: what torch.save describes with them, and nothing else.

No function is called and no module imported: names of classes and functions stay names, see `pickled`. Nothing that the
pickle has made up is hashed, compared or printed before its kind and size are known: a tuple 400,000 deep would end the
process, keys that collide would hold it up.
"""

from __future__ import annotations

import io
import pickletools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from diffstudio.checkpoints.names import shown
from diffstudio.errors import BadFile

MAX_INSTRUCTIONS = 1_000_000  # of 10,000 tensors a third of them; a second or two
MAX_TEXT = 1000  # characters of a key, and of the name of a class or a storage
MAX_KEY = 2**31  # numbers up to here can't be chosen so that many of them collide
MAX_BITS = 256  # of a whole number: seeds and the states of random generators are the longest

# Storage classes and dtypes, as safetensors names them.
_DTYPES = {
    "DoubleStorage": "F64",
    "FloatStorage": "F32",
    "HalfStorage": "F16",
    "BFloat16Storage": "BF16",
    "LongStorage": "I64",
    "IntStorage": "I32",
    "ShortStorage": "I16",
    "CharStorage": "I8",
    "ByteStorage": "U8",
    "BoolStorage": "BOOL",
}
_TABLES = {"collections.OrderedDict", "collections.defaultdict", "builtins.dict", "__builtin__.dict"}
_ODD = {
    "torch._utils._rebuild_sparse_tensor": "sparse",
    "torch._utils._rebuild_sparse_csr_tensor": "sparse",
    "torch._utils._rebuild_meta_tensor_no_storage": "a meta tensor, which has no values",
    "torch._utils._rebuild_qtensor": "quantised",
    "torch._utils._rebuild_wrapper_subclass": "of a class of its own",
    "torch._utils._rebuild_nested_tensor": "nested",
    "torch._tensor._rebuild_from_type_v2": "of a class of its own",
    "torch._utils._rebuild_device_tensor_from_numpy": "of another device",
    "torch._utils._rebuild_device_tensor_from_cpu_tensor": "of another device",
}


@dataclass(frozen=True)
class _Name:
    """A name that a pickle gives for a class or function; never looked up."""

    name: str


@dataclass(frozen=True)
class Storage:
    """Where numbers lie: `key` in the file, `numel` of them."""

    dtype: str
    key: str
    numel: int


@dataclass(frozen=True)
class Described:
    """A tensor as the pickle has it. problem: why it can't be used, "" if it can."""

    storage: Storage | None = None
    offset: Any = 0
    shape: Any = ()
    stride: Any = ()
    problem: str = ""


class Reading:
    """The stack machine; `storages` are those that were named, by key."""

    def __init__(self, where: str) -> None:
        self._where = where
        self.storages: dict[str, Storage] = {}
        self._instructions = 0

    def run(self, stream: io.BytesIO) -> Any:
        """What one pickle describes; the stream stands behind it then. Raises: BadFile."""
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        try:
            for code, argument, _ in pickletools.genops(stream):
                self._instructions += 1
                if self._instructions > MAX_INSTRUCTIONS:
                    raise self._refused("has far more instructions than weights need")
                if code.name == "STOP":
                    return self._stack.pop()
                self._step(code.name, argument)
        except (ValueError, IndexError, KeyError, TypeError, AttributeError, UnicodeError) as error:
            raise self._refused(f"is damaged ({shown(error) or 'ends early'})") from error
        raise self._refused("ends early")

    def _step(self, code: str, argument: Any) -> None:
        stack = self._stack
        if code in _PUSH_ARGUMENT:
            if type(argument) is int and argument.bit_length() > MAX_BITS:
                raise self._refused(f"has a number of {argument.bit_length():,} bits")
            stack.append(argument)
        elif code in _CONSTANTS:
            stack.append(_CONSTANTS[code])
        elif code in _EMPTY:
            stack.append(_EMPTY[code]())
        elif code in ("PROTO", "FRAME"):
            pass
        elif code == "MARK":
            self._marks.append(len(stack))
        elif code == "POP":
            stack.pop()
        elif code == "POP_MARK":
            self._taken()
        elif code == "TUPLE":
            stack.append(tuple(self._taken()))
        elif code in _TUPLES:
            count = _TUPLES[code]
            if len(stack) < count:
                raise IndexError("a tuple of more than there is")
            stack[len(stack) - count :] = [tuple(stack[len(stack) - count :])]
        elif code in ("LIST", "DICT"):
            items = self._taken()
            stack.append(items if code == "LIST" else self._table(zip(items[::2], items[1::2], strict=True)))
        elif code in ("APPEND", "APPENDS"):
            items = [stack.pop()] if code == "APPEND" else self._taken()
            self._top(list).extend(items)
        elif code in ("SETITEM", "SETITEMS"):
            items = self._taken() if code == "SETITEMS" else [stack.pop(-2), stack.pop()]
            self._top(dict).update(self._table(zip(items[::2], items[1::2], strict=True)))
        elif code in ("BINPUT", "LONG_BINPUT", "PUT"):
            if not 0 <= argument < 2**32:
                raise IndexError("a place in its memory that no pickle has")
            self._memo[argument] = stack[-1]
        elif code == "MEMOIZE":
            self._memo[len(self._memo)] = stack[-1]
        elif code in ("BINGET", "LONG_BINGET", "GET"):
            stack.append(self._memo[argument])
        elif code in ("GLOBAL", "STACK_GLOBAL"):
            parts = argument.split(" ", 1) if code == "GLOBAL" else [stack.pop(-2), stack.pop()]
            if not all(_short(part) for part in parts):
                raise self._refused("names a class by something else than a short text")
            stack.append(_Name(f"{parts[0]}.{parts[1]}"))
        elif code == "BINPERSID":
            stack.append(self._storage(stack.pop()))
        elif code in ("REDUCE", "NEWOBJ"):
            arguments, called = stack.pop(), stack.pop()
            stack.append(self._made(called, arguments))
        elif code == "BUILD":
            stack.pop()  # what torch.save adds to a table of weights: versions of the layers' formats
            self._top(dict)
        else:
            raise self._refused(f"has the instruction {code}, which weights have no use for")

    def _taken(self) -> list[Any]:
        """What lies above the last mark."""
        mark = self._marks.pop()
        taken = self._stack[mark:]
        del self._stack[mark:]
        return taken

    def _table(self, pairs: Iterable[Any]) -> dict[Any, Any]:
        """A table of these pairs, after a look at its keys: only what is short and plain is hashed."""
        found = {}
        for key, value in pairs:
            if not (_short(key) or (isinstance(key, int) and abs(key) < MAX_KEY)):
                raise self._refused(
                    f"has a table with the key '{shown(key, 40)}', which is neither a short text nor a small number"
                )
            found[key] = value
        return found

    def _top(self, kind: type) -> Any:
        top = self._stack[-1]
        if not isinstance(top, kind):
            raise TypeError(f"a {kind.__name__} was expected")
        return top

    def _storage(self, found: Any) -> Storage:
        kind, named, key, location, numel = found[:5]
        if not isinstance(named, _Name):
            raise TypeError("a storage of no class")
        dtype = _DTYPES.get(named.name.removeprefix("torch."))
        if kind != "storage" or dtype is None:
            raise self._refused(f"stores its numbers as '{shown(named.name)}', which is not supported")
        if not _short(key) or not isinstance(location, str) or not whole(numel):
            raise TypeError("a storage is not described as torch.save does")
        storage = Storage(dtype, key, numel)
        if self.storages.setdefault(key, storage) != storage:
            raise self._refused(f"describes storage '{shown(key)}' twice, differently")
        return storage

    def _made(self, called: Any, arguments: Any) -> Any:
        """The description of what the pickle wants to have made."""
        if not isinstance(called, _Name) or not isinstance(arguments, tuple):
            raise TypeError("something is called that is no function")
        name = called.name
        if name in _TABLES:
            pairs = arguments[0] if arguments and isinstance(arguments[0], list) else []
            return self._table(pairs)
        if name in ("torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor"):
            storage, offset, shape, stride = arguments[:4]
            if not isinstance(storage, Storage):
                raise TypeError("a tensor without its storage")
            return Described(storage, offset, shape, stride)
        if name == "torch._utils._rebuild_parameter":
            return arguments[0]
        if name in ("torch.Size", "torch.device", "torch.serialization._get_layout"):
            return arguments[0]
        if name in _ODD:
            return Described(problem=_ODD[name])
        raise self._refused(f"calls '{shown(name)}', which weights have no use for")

    def _refused(self, why: str) -> BadFile:
        return BadFile(f"{self._where}: its pickle {why}; it was not opened")


_PUSH_ARGUMENT = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES"),
}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def _short(text: Any) -> bool:
    return isinstance(text, str) and len(text) <= MAX_TEXT


def whole(n: Any) -> bool:
    """Whether it is a count or a place: no bool, nothing that no file can hold."""
    return type(n) is int and 0 <= n < 2**63
