"""What trainings save beside their networks: the states of optimisers, of schedules of the learning rate, of chance."""

from __future__ import annotations

import re

from diffstudio.checkpoints.adapters.look import Look
from diffstudio.errors import DiffStudioError

# As tools name such files: "opt010000.pt", "optimizer_1.bin", "random_states_0.pkl", "scheduler.pt".
_NAME = re.compile(
    r"(?:(?:opt|optim|optimi[sz]ers?|(?:lr_?)?schedulers?|(?:grad_?)?scalers?)(?:[-_]?(?:states?|dict))*|"
    r"(?:rng|random|trainer)[-_]?states?|training[-_]args|samplers?[-_]?(?:states?)?(?=[-_.]?\d)|custom_checkpoint)"
    r"(?:[-_.]?\d+)*\.(?:pt|pth|bin|pkl|ckpt)",
    re.IGNORECASE,
)
# As torch names the tensors of an optimiser's state_dict().
_MOMENT = re.compile(r"(?:\w+\.)?state\.\d+\.\w+")


def is_state_name(name: str) -> bool:
    """Whether a file is called as tools call what a training needs to go on."""
    return _NAME.fullmatch(name) is not None


def is_training_state(look: Look) -> bool:
    """Whether a file that is no checkpoint is one of these: by its name, or because it holds an optimiser alone.

    A network that can be used may be called as it likes: ask this of files that can't be.
    """
    if is_state_name(look.path.name):
        return True
    try:
        if look.kind != "torch":
            return False
        pickled = look.pickled
    except DiffStudioError:
        return False
    grouped = any("param_groups." in name for name in pickled.values)
    return grouped and all(_MOMENT.fullmatch(name) for name in pickled.tensors)
