"""Every benchmark of speed, one after the other, as one table in Markdown.

python tests/benchmarks [startup recording playhead gap cancel listing library]

Each runs in a process of its own. They want a quiet machine. (`judge.py`, of the checkpoints' quality, runs alone.)
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from table import HEADINGS, machine, markdown

NAMES = ("startup", "recording", "playhead", "gap", "cancel", "listing", "library")


def main() -> int:
    """Print the table; 1 if a benchmark failed."""
    names, failed = sys.argv[1:] or NAMES, 0
    print(f"Measured with `python tests/benchmarks` on {machine()}:\n")
    print(markdown([HEADINGS, ("---",) * len(HEADINGS)]), flush=True)
    for name in names:
        script = Path(__file__).with_name(f"{name}.py")
        failed += subprocess.run([sys.executable, str(script), "--rows"]).returncode != 0
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
