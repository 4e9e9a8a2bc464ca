"""Work in a process of its own, for a window that must not wait, or hold torch.

``python -m MODULE`` reads one request, a line of JSON, from its standard input and writes lines
of JSON to its standard output: progress, then the result or the problem. It ends as soon as its
standard input is closed, so that it never outlives the window that asked.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from threading import Thread
from typing import Any

from core.errors import BadInput, PetSegError

_NICE = 10

Tell = Callable[[int, int, str], None]
"""(done, total, what is being done); a total of 0: nobody knows."""


def run_child(work: Callable[[dict[str, Any], Tell], dict[str, Any]]) -> int:
    """Do what the request says; the module's ``main``. Returns the exit code.

    work: gets the request, returns the result (JSON); what it raises of PetSegError is told.
    """
    if hasattr(os, "nice"):
        os.nice(_NICE)
    # Other code's prints must not get between the lines.
    answers, sys.stdout = sys.stdout, sys.stderr

    def say(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    try:
        request = json.loads(sys.stdin.readline())
        if not isinstance(request, dict):
            raise BadInput("This process is started by PetSeg itself: it waits for a request.")
        Thread(target=_end_with_parent, daemon=True).start()
        result = work(request, lambda *progress: say({"progress": progress}))
    except (PetSegError, ValueError) as error:
        say({"problem": str(error)})
        return 1
    except MemoryError:
        say({"problem": "The memory is too small for it. Close other programs and try again."})
        return 1
    say({"result": result})
    return 0


def _end_with_parent() -> None:
    # A raw read: closing a buffered stream waits for its reader.
    while os.read(0, 4096):
        pass
    os._exit(0)
