"""Prompts as the numbers of tokens: how CLIP and T5 split a text, over the tables of words that a checkpoint brings."""

from __future__ import annotations

import os
from typing import Any

from diffstudio.checkpoints.adapters import Vocabulary
from diffstudio.checkpoints.adapters.library import WITHOUT_TRANSFORMERS
from diffstudio.checkpoints.names import shown
from diffstudio.errors import BadFile, BadInput

# As OpenAI's CLIP has it: special tokens, English endings, words, digits one by one, the rest.
_CLIP_WORDS = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
_SPACE = "▁"  # what T5 has for a space


class Words:
    """The tokens of prompts, by one tokenizer."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Raises: BadInput, where the library is not installed; BadFile, of tables that don't fit each other."""
        self._vocabulary = vocabulary
        library = _library()
        try:
            self._tokenizer = _clip(library, vocabulary) if vocabulary.kind == "clip" else _t5(library, vocabulary)
            special = dict.fromkeys(
                filter(None, (vocabulary.begin, vocabulary.end, vocabulary.pad, vocabulary.unknown))
            )
            self._tokenizer.add_special_tokens(
                [library.AddedToken(word, normalized=False, special=True) for word in special]
            )
        except BaseException as error:
            _check_known(error)
            reason = shown(" ".join(str(error).split()), 200)
            raise BadFile(
                f"{vocabulary.where}: its vocabulary and its merges don't fit each other: {reason}"
            ) from error

    def numbers(self, prompt: str, length: int) -> tuple[list[int], int]:
        """`length` numbers, cut or padded, with begin and end; and how many the whole prompt needs. Raises: BadFile."""
        table = self._vocabulary.pieces
        begin = [table[self._vocabulary.begin]] if self._vocabulary.begin else []
        try:
            plain = self._tokenizer.encode(prompt, add_special_tokens=False).ids
        except BaseException as error:
            _check_known(error)
            raise BadFile(f"{self._vocabulary.where}: it can't read the prompt: {shown(error, 200)}") from error
        kept = [*begin, *plain[: length - len(begin) - 1], table[self._vocabulary.end]]
        return kept + [table[self._vocabulary.pad]] * (length - len(kept)), len(begin) + len(plain) + 1


def _check_known(error: BaseException) -> None:
    """The library raises plain Exception, and where its Rust panics something that is none; others go on."""
    if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
        raise error


def _library() -> Any:
    """The library of fast tokenizers, which comes with transformers.

    Raises:
        BadInput: it is not installed.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        import tokenizers
    except ImportError as error:
        raise BadInput(WITHOUT_TRANSFORMERS) from error
    return tokenizers


def _clip(library: Any, vocabulary: Vocabulary) -> Any:
    """Byte pairs in lower case, a word's last with "</w>"."""
    tokenizer = library.Tokenizer(
        library.models.BPE(
            vocab=vocabulary.pieces,
            merges=list(vocabulary.merges),
            continuing_subword_prefix="",
            end_of_word_suffix="</w>",
            unk_token=vocabulary.unknown,
        )
    )
    normal, split = library.normalizers, library.pre_tokenizers
    tokenizer.normalizer = normal.Sequence(
        [normal.NFC(), normal.Replace(library.Regex(r"\s+"), " "), normal.Lowercase()]
    )
    words = split.Split(library.Regex(_CLIP_WORDS), behavior="removed", invert=True)
    tokenizer.pre_tokenizer = split.Sequence([words, split.ByteLevel(add_prefix_space=False)])
    return tokenizer


def _t5(library: Any, vocabulary: Vocabulary) -> Any:
    """The likeliest pieces of each word, which begins with a space."""
    pieces = list(zip(vocabulary.pieces, vocabulary.scores, strict=True))
    model = library.models.Unigram(pieces, unk_id=vocabulary.pieces[vocabulary.unknown], byte_fallback=False)
    tokenizer = library.Tokenizer(model)
    tokenizer.normalizer = library.normalizers.NFKC()
    split = library.pre_tokenizers
    spaces = split.Metaspace(replacement=_SPACE, prepend_scheme="always", split=True)
    tokenizer.pre_tokenizer = split.Sequence([split.WhitespaceSplit(), spaces])
    return tokenizer
