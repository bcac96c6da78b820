"""Judge the text models: bits for each letter of held-out text, real words, new words.

python tests/benchmarks/judge_text.py [sentences words words-uniform words-gaussian | FILE …] [--texts 64]
"""

from __future__ import annotations

import argparse
import math
import re
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import torch

from diffstudio.checkpoints.catalog import default_catalog
from diffstudio.data import dataset, prose
from diffstudio.diffusion.times import level
from diffstudio.modalities.text import spec_of, strings
from diffstudio.networks.model import Model, load_model
from diffstudio.studio.engine import Engine
from diffstudio.studio.request.defaults import default_request
from diffstudio.traces.reader import Trace

TIMES = 8  # of each window, one from each eighth of (0, 1]
LONG = 4  # letters of a word that counts


def bound(model: Model, windows: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
    """Bits for each letter, an upper bound of −log₂ p, and its standard error: E_t[1/t·Σ over masked cells −log p].

    Sahoo et al. 2024, eq. 10, on the linear schedule; t stratified.
    """
    text = model.card.text
    assert text is not None and text.process == "masked"
    x0, found = torch.from_numpy(windows), []
    for k in range(TIMES):
        t = max(1e-3, (k + float(rng.uniform())) / TIMES)
        lost = torch.from_numpy(rng.uniform(size=windows.shape)) < t
        xt = torch.where(lost, torch.tensor(float(text.mask)), x0)
        chances = model.denoiser(xt, level(model.path, t), None).extras["probabilities"]  # pyright: ignore
        own = chances.gather(1, x0.long()).clamp_min(1e-12).log2()
        found.append((torch.where(lost, -own, 0.0).sum((1, 2)) / t / windows.shape[2]).numpy())
    each = np.mean(found, 0)
    return float(each.mean()), float(each.std() / math.sqrt(len(each)))


def n_grams(windows: np.ndarray) -> tuple[float, float]:
    """Bits for each letter of the same windows by letters alone, and by each letter's one before it."""
    tape = prose.encode(" ".join(prose.lines("train"))).astype(int)
    size = len(prose.LETTERS)
    ones = np.bincount(tape, minlength=size) + 1.0
    pairs = np.zeros((size, size)) + 0.1
    np.add.at(pairs, (tape[:-1], tape[1:]), 1)
    rows = windows[:, 0].astype(int)
    single = -np.log2(ones / ones.sum())
    after = -np.log2(pairs / pairs.sum(1, keepdims=True))
    first = single[rows[:, 0]].sum()
    return float(single[rows].mean()), float((first + after[rows[:, :-1], rows[:, 1:]].sum()) / rows.size)


def written(engine: Engine, name: str, count: int, **given) -> list[str]:
    """Texts of the model, with its own defaults but for what is given."""
    card = engine.catalog.find(name).card
    assert card is not None
    request = default_request(card, name, samples=count, forward="off", **given)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.trace"
        for _ in engine.run(request.model_copy(update={"trace_every": request.steps}), path):
            pass
        with Trace.open(path) as trace:
            return strings(trace.array(len(trace) - 1, "xt"), spec_of(trace.meaning))


def real_share(texts: list[str], known: set[str]) -> float:
    """Of the words of LONG letters or more, the share that occurs in the corpus; cut words at the ends are left out."""
    found = [word for text in texts for word in re.findall("[a-z]+", text[text.find(" ") : text.rfind(" ")])]
    found = [word for word in found if len(word) >= LONG]
    return sum(word in known for word in found) / max(1, len(found))


def judge_sentences(engine: Engine, name: str, count: int, windows: int) -> None:
    rng = np.random.default_rng(0)
    rows = dataset("sentences").draw(np.zeros(windows, int), rng, "held-out")
    bits, error = bound(load_model(name), rows, rng)
    single, pair = n_grams(rows)
    print(f"{name}: {bits:.3f} ± {error:.3f} bits for each held-out letter (unigram {single:.3f}, bigram {pair:.3f})")
    words = Counter(
        word for split in ("train", "held-out") for line in prose.lines(split) for word in re.findall("[a-z]+", line)
    )
    known = {word for word, times in words.items() if times >= prose.RARE}
    real = strings(rows, spec_of(load_model(name).card.meaning))
    ways = (
        {},
        {"solver": "tokens_ancestral"},
        {"solver": "tokens_ancestral", "solver_params": {"temperature": 0.8}},
        {"solver": "tokens_surest"},
    )
    print(f"  held-out text: {real_share(real, known):.3f} real words, {distinct(real[:count]):.3f} of them different")
    for given in ways:
        texts = written(engine, name, count, **given)
        print(
            f"  {given or 'as the card recommends'}: {real_share(texts, known):.3f} of the words of {LONG} letters or "
            f"more are real, {distinct(texts):.3f} different, in {count} texts"
        )
        for text in texts[:4]:
            print("    ", text)


def distinct(texts: list[str]) -> float:
    """Of the words of LONG letters or more, the share that would be left if each were counted once."""
    found = [word for text in texts for word in re.findall("[a-z]+", text) if len(word) >= LONG]
    return len(set(found)) / max(1, len(found))


def judge_words(engine: Engine, name: str, count: int, **given) -> None:
    train, held_out = set(prose.words("train")), set(prose.words("held-out"))
    texts = [text.strip() for text in written(engine, name, count, **given)]
    whole = [text for text in texts if re.fullmatch("[a-z]+", text)]
    new, held = (sum(one in some for one in whole) / len(whole) for some in (set(whole) - train, held_out))
    print(
        f"{name}: {len(whole) / count:.3f} of {count} are one word; of these {new:.3f} are not in the training words, "
        f"{len(set(whole)) / len(whole):.3f} differ, {held:.3f} are held-out words"
    )
    letters = _pairs(whole)
    print(f"  pairs of letters that occur in real words: {letters:.3f} (held-out words {_pairs(sorted(held_out)):.3f})")
    print("    ", ", ".join(texts[:16]))


def _pairs(words: list[str]) -> float:
    """The share of trigrams of the words that occur in the training words."""
    known = {w[i : i + 3] for word in prose.words("train") for w in [f" {word} "] for i in range(len(w) - 2)}
    own = [w[i : i + 3] for word in words for w in [f" {word} "] for i in range(len(w) - 2)]
    return sum(gram in known for gram in own) / max(1, len(own))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=["sentences", "words", "words-uniform", "words-gaussian"])
    parser.add_argument("--texts", type=int, default=64)
    parser.add_argument("--windows", type=int, default=512)
    given = parser.parse_args()
    engine = Engine(default_catalog())
    for name in given.models:
        card = engine.catalog.find(name).card
        assert card is not None
        if card.shape[1] == prose.SENTENCE:
            judge_sentences(engine, name, given.texts, given.windows)
        else:
            judge_words(engine, name, max(given.texts, 500))


if __name__ == "__main__":
    main()
