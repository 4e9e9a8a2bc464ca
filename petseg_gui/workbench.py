"""The Workbench that the window gives its tools."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from petseg_gui.canvas.canvas import Canvas
from petseg_gui.prediction.probabilities import Probabilities
from petseg_gui.tasks import Lane, Tasks
from petseg_gui.tools.tool import Workbench


def make_workbench(
    tasks: Tasks, canvas: Canvas, probabilities: Probabilities, tell: Callable[[str], None]
) -> Workbench:
    """Tools work in a lane of their own, so that nothing they do waits for a file."""

    def run(work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        def failed(reason: str) -> None:
            done(None)
            tell(reason)  # last: it matters more than what came of it

        tasks.run(Lane.EDIT, lambda job: work(), done, failed)

    return Workbench(
        run=run,
        wait=lambda: tasks.wait(Lane.EDIT),
        repaint=canvas.repaint_overlay,
        tell=tell,
        probability=probabilities.of,
        segment=probabilities.mask_in,
    )
