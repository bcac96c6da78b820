"""Qt's first import, after which every other import costs what it costs without Qt."""

from __future__ import annotations

import builtins


def load_qt() -> None:
    """Import Qt and give Python its own `import` back. Does nothing where somebody has imported Qt before.

    PySide replaces `import` by one that reads the source of every module that is imported from then on, looking for
    its optional spellings (`from __feature__ import snake_case`), which we don't use. It makes the start of the window
    a tenth slower and the import of torch, with its thousand modules, by a quarter.
    """
    own = builtins.__import__
    import PySide6.QtCore  # noqa: F401

    builtins.__import__ = own
