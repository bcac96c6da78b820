"""Torch's libraries are there before torch, which is imported as ever."""

import subprocess
import sys

import pytest

CHILD = """
import sys
from pathlib import Path
from diffstudio.studio.compute.torch_loading import load_libraries

def loaded():
    return "libtorch_cpu.so" in Path("/proc/self/maps").read_text()

before = loaded()
load_libraries()
assert (before, loaded(), "torch" in sys.modules) == (False, True, False)
import torch
load_libraries()
print(float(torch.ones(3, 3).mm(torch.ones(3, 3)).sum()))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the libraries are loaded beforehand on Linux alone")
def test_the_libraries_come_first_and_torch_works_with_them():
    done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, timeout=300)
    assert (done.stdout.strip(), done.stderr) == ("27.0", "")
