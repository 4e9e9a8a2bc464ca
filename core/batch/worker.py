"""``python -m core.batch.worker``: one of the processes of ``core.batch.pool.in_processes``.

It reads pickles from the process that started it: how to make the work and the number of threads,
then (number, item) again and again; and writes (number, result, problem) as they are done. It ends
when there is nothing more to read: also when that process was killed.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

from core.batch.pool import Work
from core.errors import BadInput, PetSegError


def main() -> None:
    """Work until the end of the input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # other code's prints must not get between the answers
    one = Lock()

    def answer(number: int, result: Any, problem: tuple[bool, str] | None) -> None:
        with one:
            pickle.dump((number, result, problem), answers)
            answers.flush()

    def do(work: Work[Any, Any], number: int, item: Any) -> None:
        try:
            result = work(item)
        except PetSegError as error:
            answer(number, None, (isinstance(error, BadInput), str(error)))
        except Exception:  # noqa: BLE001 - the other process raises it
            answer(number, None, (False, traceback.format_exc()))
        else:
            answer(number, result, None)

    try:
        make, threads = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own process
        work: Work[Any, Any] = make()
    except PetSegError as error:
        answer(0, None, (isinstance(error, BadInput), str(error)))
        return
    with ThreadPoolExecutor(threads) as pool:
        try:
            while True:
                number, item = pickle.load(sys.stdin.buffer)  # noqa: S301
                pool.submit(do, work, number, item)
        except (EOFError, pickle.UnpicklingError):
            pool.shutdown(wait=False, cancel_futures=True)
            work.stop()


if __name__ == "__main__":
    main()
