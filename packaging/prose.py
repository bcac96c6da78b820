"""Collect the prose of this Python's own documentation into one text file, the corpus of the text models.

    python3 packaging/prose.py resources/data/prose.txt

It takes `pydoc_data.topics` and the docstrings of the standard library, keeps the paragraphs that read as prose, and
writes them in small letters, one paragraph a line, each once, in an order of its own. Another Python has other prose:
the file that the bundled models were trained on is carried, made with Python 3.11.
"""

from __future__ import annotations

import ast
import re
import sys
import sysconfig
import warnings
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from pydoc_data.topics import topics

LETTERS = " abcdefghijklmnopqrstuvwxyz.,'-"
SHORTEST = 40  # characters of a paragraph; below it there is hardly a sentence
CODE = re.compile(r"[=\[\]{}<>|\\/@#$%^&*+~_]|\d|>>>|::|\(\)|\.\w")  # marks of what is no prose
ALLOWED_CODE = 0.012  # such marks for each character of a paragraph
MARKUP = re.compile(r'["`*]|:\w+:')
ODD = re.compile(r"[^ a-z.,'-]")


def main(out: Path) -> None:
    kept = {}
    for raw in (*topics.values(), *docstrings(Path(sysconfig.get_path("stdlib")))):
        for paragraph in re.split(r"\n\s*\n", raw):
            line = prose(paragraph)
            if line:
                kept.setdefault(sha256(line.encode()).hexdigest(), line)
    text = "".join(kept[key] + "\n" for key in sorted(kept))  # what stood together lies apart: fair held-out lines
    out.write_text(text, encoding="ascii")
    print(f"{out}: {len(kept):,} paragraphs, {len(text):,} characters")


def docstrings(folder: Path) -> Iterator[str]:
    """Every docstring of the modules below a folder, tests and installed packages left out."""
    for file in sorted(folder.rglob("*.py")):
        parts = file.relative_to(folder).parts
        if {"test", "tests", "idle_test", "site-packages", "dist-packages"} & set(parts):
            continue
        try:
            with warnings.catch_warnings(action="ignore"):
                tree = ast.parse(file.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield ast.get_docstring(node) or ""


def prose(paragraph: str) -> str:
    """A paragraph in the letters of the corpus, or "" where it is code, a table or too short."""
    text = " ".join(MARKUP.sub(" ", paragraph).split())
    if len(text) < SHORTEST or len(CODE.findall(text)) > ALLOWED_CODE * len(text):
        return ""
    small = text.lower().replace(";", ",").replace(":", ",").replace("(", ",").replace(")", ",")
    small = small.replace("?", ".").replace("!", ".")
    small = ODD.sub(" ", small)
    small = re.sub(r"\s*([.,])[\s.,]*", r"\1 ", small)  # one mark, and a space after it
    small = " ".join(small.split()).strip(" ,-'")
    words = re.findall(r"[a-z]+", small)
    if len(small) < SHORTEST or len(words) < 8 or sum(map(len, words)) < 0.75 * len(small):
        return ""
    return small


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "resources/data/prose.txt"))
