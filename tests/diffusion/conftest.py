"""Makes `exact` importable for the tests of this folder, and float64 CPU work predictable."""

import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))
torch.set_num_threads(1)
