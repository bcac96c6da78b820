"""Run the proofs, one line of JSON for each as it is done: what the help page listens to."""

from __future__ import annotations

import json
import sys

from diffstudio.verification.report import plain, verify

for proof in verify():
    sys.stdout.write(json.dumps(plain(proof)) + "\n")
    sys.stdout.flush()
