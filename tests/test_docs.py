"""The developers' pages say what is there: files, functions and links that they name exist, and their examples run."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "resources" / "docs"
GUIDES = [*sorted((DOCS / "guides").glob("*.md")), DOCS / "modalities.md"]
PAGES = [ROOT / "CONTRIBUTING.md", DOCS / "architecture.md", DOCS / "glossary.md", DOCS / "decisions.md", *GUIDES]
LINKED = [*PAGES, ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WORD = r"[A-Za-z_]\w*"
DOTTED = re.compile(rf"{WORD}(\.{WORD})+")
CLASS = re.compile(r"[A-Z][a-z]\w*[A-Z]\w*|[A-Z][A-Z_]{3,}")  # TraceWriter, ADAPTERS; not a word of prose, not "JSON"
# What other libraries call so, and endings that are files of the user's, not modules.
FOREIGN = ("torch.", "np.", "numpy.", "QtCore.", "safetensors.", "click.", "sys.", "os.", "diffusers.")
ENDINGS = re.compile(r".*\.(toml|json|jsonl|db|trace|md|safetensors|log|damaged|png|txt|pt|yaml|weight)")
# What the guides call a value of these classes.
VARIABLES = {"step": "StepContext", "look": "Look", "trace": "Trace", "header": "TraceHeader"}
NOT_OURS = {"CHANGELOG", "CONTRIBUTING", "README", "LICENSE", "NAME", "QThread", "QObject", "QWidget", "SQLITE"}


def without_blocks(text):
    return FENCE.sub("", text)


def code_words(text):
    """What stands in backticks beside the blocks of code, without a call's brackets."""
    return [word.split("(")[0].strip() for word in re.findall(r"`([^`\n]+)`", without_blocks(text))]


@functools.cache
def modules():
    """Dotted name → what the module defines, and what each of its classes has."""
    found = {}
    for file in sorted((ROOT / "diffstudio").rglob("*.py")):
        parts = file.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        tree = ast.parse(file.read_text("utf-8"))
        brought = file.name == "__init__.py"  # elsewhere what is imported is not at home
        nodes = [node for node in tree.body if brought or not isinstance(node, ast.ImportFrom)]
        found[name] = {key: members(node) for node in nodes for key in names_of(node)}
    return found


def names_of(node):
    """What a statement of a module or class defines or brings."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        return [node.name]
    if isinstance(node, ast.AnnAssign):
        return [node.target.id] if isinstance(node.target, ast.Name) else []
    if isinstance(node, ast.Assign):
        return [name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)]
    if isinstance(node, ast.ImportFrom):
        return [alias.asname or alias.name for alias in node.names]
    return []


def members(node):
    if not isinstance(node, ast.ClassDef):
        return frozenset()
    own = {name for statement in node.body for name in names_of(statement)}
    given = {
        at.attr for at in ast.walk(node)
        if isinstance(at, ast.Attribute) and isinstance(at.ctx, ast.Store) and getattr(at.value, "id", "") == "self"
    }  # fmt: skip
    return frozenset(own | given)


@functools.cache
def classes():
    """Name → everything that classes of that name have."""
    found = {}
    for defined in modules().values():
        for name, has in defined.items():
            found[name] = found.get(name, frozenset()) | has
    return found


def is_path(word):
    return re.fullmatch(r"[\w./*@-]+", word) is not None and (word.endswith((".py", "/")) or "/" in word)


def path_problem(word):
    """A path is that of the checkout or of the package; NAME in it stands for anything."""
    pattern = word.rstrip("/").replace("NAME", "*")
    there = any(next(iter(base.glob(pattern)), None) is not None for base in (ROOT, ROOT / "diffstudio"))
    return "" if there else f"there is no {word}"


def name_problem(word):
    """`module.function`, `Class.method`, `module.Class.method` or a module: by the end of the module's own name."""
    parts = word.split(".")
    if classes().get(parts[0]):
        return "" if parts[1] in classes()[parts[0]] else f"{parts[0]} has no {parts[1]}"
    for cut in range(len(parts), 0, -1):
        start = ".".join(parts[:cut])
        for name, defined in modules().items():
            if name != start and not name.endswith(f".{start}"):
                continue
            rest = parts[cut:]
            if not rest or (rest[0] in defined and (len(rest) == 1 or rest[1] in (defined[rest[0]] or rest))):
                return ""
    known = parts[0] in VARIABLES and parts[1] in classes()[VARIABLES[parts[0]]]
    return "" if known else f"nothing is called {word}"


def problems(text):
    """What a page names that is not there."""
    found = []
    for word in code_words(text):
        if " " in word or word.startswith((*FOREIGN, ".", "-", "~", "python")) or word in NOT_OURS:
            continue
        if is_path(word):
            found.append(path_problem(word))
        elif DOTTED.fullmatch(word) and not ENDINGS.fullmatch(word):
            found.append(name_problem(word))
        elif CLASS.fullmatch(word) and word not in classes():
            found.append(f"nothing is called {word}")
    return [problem for problem in found if problem]


def anchors(page):
    """As GitHub makes them of headings."""
    heads = re.findall(r"^#+ (.+)$", without_blocks(page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.replace("`", "").lower()).replace(" ", "-") for head in heads}


def broken_links(page):
    found = []
    for target in re.findall(r"\]\(([^)\s]+)\)", without_blocks(page.read_text("utf-8"))):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            found.append(target)
    return found


def page_name(page):
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_what_a_page_names_is_there(page):
    assert problems(page.read_text("utf-8")) == []


@pytest.mark.parametrize("page", dict.fromkeys(LINKED), ids=page_name)
def test_every_link_leads_somewhere(page):
    assert broken_links(page) == []


@pytest.mark.parametrize(
    "word",
    ["gui/nowhere.py", "diffstudio/gui/nowhere.py", "studio/request/nowhere/", "checks.nowhere", "Engine.nowhere",
     "nowhere.resolve", "studio.engine.Engine.nowhere", "NowhereWriter", "NOWHERE_TABLE"],
)  # fmt: skip
def test_what_is_not_there_is_found(word):
    assert problems(f"Look into `{word}`.") != []


@pytest.mark.parametrize(
    "word",
    ["gui/app.py", "diffstudio/gui/app.py", "tests/", "checkpoints/adapters/NAME.py", "checks.resolve", "Engine.run",
     "engine.Engine.run", "analysis.health", "TraceWriter", "ADAPTERS", "Playhead.moved", "settings.json"],
)  # fmt: skip
def test_what_is_there_is_not_complained_of(word):
    assert problems(f"Look into `{word}`.") == []


@pytest.mark.parametrize("page", GUIDES, ids=page_name)
def test_the_examples_of_a_guide_run(page, tmp_path, monkeypatch, qapp):
    """All blocks of a page one after the other, as a reader would type them; what they assert holds."""
    monkeypatch.chdir(tmp_path)
    known = {"__name__": "example"}
    for language, code in FENCE.findall(page.read_text("utf-8")):
        if language == "python":
            exec(compile(code, page_name(page), "exec"), known)


def test_every_guide_that_the_way_in_promises_is_there_and_has_an_example():
    promised = {"solver", "path", "network", "format", "panel", "measure"}
    assert {page.stem for page in (DOCS / "guides").glob("*.md")} >= promised
    assert all("```python" in (DOCS / "guides" / f"{name}.md").read_text("utf-8") for name in promised)
    way_in = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert all(f"guides/{name}.md" in way_in for name in promised)
