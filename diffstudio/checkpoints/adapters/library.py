"""diffusers and transformers, imported when a model needs them, and never going to the network."""

from __future__ import annotations

import importlib
import os
from typing import Any

from diffstudio.errors import BadInput

WITHOUT_DIFFUSERS = (
    "this model needs the diffusers library, which is not installed: pip install 'diffstudio[diffusers]'"
)
WITHOUT_TRANSFORMERS = (
    "prompts need the transformers library, which is not installed: pip install 'diffstudio[diffusers]'"
)


def offline() -> None:
    """Before either is first imported: neither goes to the network, nor tells what it lacks."""
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"):
        os.environ[name] = "1"
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")


def library(module: str) -> Any:
    """A module of diffusers.

    Raises:
        BadInput: diffusers is not installed.
    """
    return _module(f"diffusers.{module}", WITHOUT_DIFFUSERS)


def transformers_library(module: str) -> Any:
    """A module of transformers.

    Raises:
        BadInput: transformers is not installed.
    """
    return _module(f"transformers.{module}", WITHOUT_TRANSFORMERS)


def _module(name: str, without: str) -> Any:
    offline()
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise BadInput(without) from error
