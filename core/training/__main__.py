"""``python -m core.training RUN_FOLDER``: train a run."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from core.errors import BadInput, PetSegError
from core.training.worker import work


def main() -> int:
    """Exit code 0: done, 1: failed (said in events.jsonl), 2: no run to work on."""
    if len(sys.argv) != 2:
        sys.stderr.write("usage: python -m core.training RUN_FOLDER\n")
        return 2
    try:
        return 0 if work(Path(sys.argv[1])) else 1
    except BadInput as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except PetSegError as error:
        sys.stderr.write(f"{error}\n")
        return 1


code = main()
sys.stdout.flush()
sys.stderr.flush()
# At once: taking torch down in good order would hold the processor for another second.
os._exit(code)
