"""Where a run computes. What needs torch imports it when it is asked."""

from __future__ import annotations

from diffstudio.errors import BadInput
from diffstudio.studio.compute.torch_loading import wait_briefly


def pick_device(name: str) -> str:
    """ "auto" is the GPU where there is one.

    Raises:
        BadInput: a device that torch does not have.
    """
    wait_briefly()
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        raise BadInput(f"device '{name}' can't be used here: {str(error).splitlines()[0]}") from error
    return name


def free_on(place: str) -> int | None:
    """Bytes of memory that are free on an accelerator; None for the CPU, and where torch does not know."""
    import torch

    if not place.startswith("cuda"):
        return None
    torch.cuda.empty_cache()  # what models that were dropped have left
    return torch.cuda.mem_get_info(place)[0]
