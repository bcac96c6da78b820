"""The words that a text encoder knows, from the files of its tokenizer: plain JSON and text, nothing that runs.

Only the tables are taken. How a prompt is split is the family's own, and is known here (`networks.words`): regular
expressions and programs in a tokenizer.json are left aside.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from diffstudio.checkpoints.adapters.look import Look, inside, read_json
from diffstudio.checkpoints.names import shown
from diffstudio.errors import BadFile

TABLE, CONFIG, SPECIAL = "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"
VOCAB, MERGES, SENTENCEPIECE = "vocab.json", "merges.txt", "spiece.model"
MAX_TABLE = 4 << 20
MAX_WORD = 256
MAX_MERGES = 1 << 17
Merge = tuple[str, str]


@dataclass(frozen=True)
class Vocabulary:
    """What a tokenizer's files say.

    kind: "clip", pairs of bytes that are merged; "t5", pieces with a score each. pieces: word → number, and for "t5"
    its score. end, pad: these tokens; begin: "" where a prompt has none. where: names the tokenizer in messages.
    """

    where: str
    kind: Literal["clip", "t5"]
    pieces: dict[str, int]
    scores: tuple[float, ...]
    merges: tuple[Merge, ...]
    begin: str
    end: str
    pad: str
    unknown: str


def read_vocabulary(folder: Path, kind: Literal["clip", "t5"], size: int) -> Vocabulary:
    """The vocabulary in a tokenizer's folder; size: of the encoder's table, which has a row for each number.

    Raises:
        BadFile: a file is missing, too large, leads out of the folder, or says something else, in one sentence.
    """
    if Look(folder).kind != "folder":
        raise BadFile(f"{shown(folder, 400)} is not the folder of a tokenizer")
    found = _clip(folder, size) if kind == "clip" else _t5(folder, size)
    for name in filter(None, (found.begin, found.end, found.pad, found.unknown)):
        if name not in found.pieces:
            raise BadFile(f"{shown(folder, 400)}: its special token '{shown(name, 60)}' is not in its vocabulary")
    return found


def prompt_length(folder: Path, most: int) -> int:
    """How many tokens a prompt has: what the tokenizer says, at most what the encoder can read. Raises: BadFile."""
    said = read_json(folder, CONFIG).get("model_max_length") if CONFIG in Look(folder).names else None
    return most if isinstance(said, bool) or not isinstance(said, int | float) or not 4 <= said <= most else int(said)


def _clip(folder: Path, size: int) -> Vocabulary:
    names = Look(folder).names
    if VOCAB in names and MERGES in names:
        table: Any = read_json(folder, VOCAB, MAX_TABLE)
        merges: Any = [line.split(" ") for line in _lines(folder, MERGES) if line and not line.startswith("#version")]
    else:
        model = _model(folder, "BPE")
        table, merges = model.get("vocab"), model.get("merges")
        if isinstance(merges, list):
            merges = [pair.split(" ") if isinstance(pair, str) else pair for pair in merges]
    special = _special(folder)
    end = special.get("eos_token", "<|endoftext|>")
    begin, pad = special.get("bos_token", "<|startoftext|>"), special.get("pad_token", end)
    pieces, unknown = _numbered(folder, table, size), special.get("unk_token", end)
    return Vocabulary(shown(folder, 400), "clip", pieces, (), _pairs(folder, merges), begin, end, pad, unknown)


def _t5(folder: Path, size: int) -> Vocabulary:
    model = _model(folder, "Unigram")
    rows, unknown = model.get("vocab"), model.get("unk_id")
    where = f"{shown(folder, 400)}: {TABLE}"
    if not isinstance(rows, list) or not all(isinstance(row, list) and len(row) == 2 for row in rows):
        raise BadFile(f"{where}: its vocab is no list of words with their scores")
    pieces = _numbered(folder, {row[0] if isinstance(row[0], str) else "": i for i, row in enumerate(rows)}, size)
    scores = tuple(float(score) if isinstance(score, int | float) else math.nan for _, score in rows)
    if len(pieces) != len(rows) or not all(map(math.isfinite, scores)):
        raise BadFile(f"{where}: a word is there twice, or its score is no number")
    if isinstance(unknown, bool) or not isinstance(unknown, int) or not 0 <= unknown < len(rows):
        raise BadFile(f"{where}: unk_id is '{shown(unknown, 40)}', expected the number of a word")
    special = _special(folder)
    end, pad = special.get("eos_token", "</s>"), special.get("pad_token", "<pad>")
    return Vocabulary(shown(folder, 400), "t5", pieces, scores, (), "", end, pad, rows[unknown][0])


def _model(folder: Path, kind: str) -> dict[str, Any]:
    """The tables in a tokenizer.json."""
    where = shown(folder, 400)
    names = Look(folder).names
    if TABLE not in names:
        wanted = TABLE if kind == "Unigram" else f"{VOCAB} with {MERGES}, or {TABLE}"
        way = f"; from its {SENTENCEPIECE} the transformers library makes one" if SENTENCEPIECE in names else ""
        raise BadFile(f"{where}: the tokenizer's {wanted} is missing: copy the folder again{way}")
    model = read_json(folder, TABLE, MAX_TABLE).get("model")
    if not isinstance(model, dict) or model.get("type", kind) != kind:
        found = shown(model.get("type") if isinstance(model, dict) else model, 40)
        raise BadFile(f"{where}: {TABLE} is of a tokenizer of the type '{found}', expected {kind}")
    return model


def _numbered(folder: Path, table: Any, size: int) -> dict[str, int]:
    """A table of words, checked: each with a number of its own, of which the encoder has a row."""
    where = shown(folder, 400)
    if not isinstance(table, dict) or not 2 <= len(table) <= size:
        raise BadFile(f"{where}: its vocabulary is no table of 2 to {size:,} words, as its encoder has")
    for word, number in table.items():
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < size:
            raise BadFile(
                f"{where}: the word '{shown(word, 40)}' has the number '{shown(number, 40)}', expected less than "
                f"{size:,}"
            )
        if not 1 <= len(word) <= MAX_WORD:
            raise BadFile(f"{where}: a word of its vocabulary has {len(word):,} characters, expected 1 to {MAX_WORD}")
    if len(set(table.values())) != len(table):
        raise BadFile(f"{where}: two words of its vocabulary have the same number")
    return table


def _pairs(folder: Path, merges: Any) -> tuple[Merge, ...]:
    """Pairs of words, checked; one of a word that is not known is found when they are used."""
    where = shown(folder, 400)
    if not isinstance(merges, list) or len(merges) > MAX_MERGES:
        raise BadFile(f"{where}: its merges are no list of at most {MAX_MERGES:,} pairs of words")
    for pair in merges:
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(w, str) and w for w in pair):
            raise BadFile(f"{where}: its merges have '{shown(pair, 60)}', expected two words")
    return tuple((first, second) for first, second in merges)


def _special(folder: Path) -> dict[str, str]:
    """The names of the special tokens, as transformers reads them: a map of its own counts where the config is old."""
    names = Look(folder).names
    config = read_json(folder, CONFIG) if CONFIG in names else {}
    table = dict(config)
    if SPECIAL in names and "added_tokens_decoder" not in config:
        table |= read_json(folder, SPECIAL)
    out = {}
    for name in ("bos_token", "eos_token", "pad_token", "unk_token"):
        token = table.get(name)
        token = token.get("content") if isinstance(token, dict) else token
        if isinstance(token, str) and token:
            out[name] = token
    return out


def _lines(folder: Path, name: str) -> list[str]:
    path = inside(folder, name)
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_TABLE + 1)
        text = raw.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(f"can't read {shown(path, 400)}: {shown(getattr(error, 'strerror', None) or error)}") from error
    if len(raw) > MAX_TABLE:
        raise BadFile(f"{shown(path, 400)} has more than {MAX_TABLE:,} bytes, too many for merges; it was not opened")
    return text.split("\n")
