"""``python -m core.label_check``: a check in a process of its own, for the window.

The request: {"folder", "store", "encoding": of masks that can be read in two ways, "check": a check
that goes on, or "" for a new one of "folds" networks that begin at "start"}. The result:
{"check": its folder}.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from core.child import Tell, run_child
from core.label_check.plan import check_config, make_check, plan_check
from core.masks import MaskEncoding
from core.project.project import open_project


def check(request: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """Plan where it is a new one, then do it. Raises PetSegError."""
    encoding = MaskEncoding(request["encoding"])
    project = open_project(Path(request["folder"]), Path(request["store"]), encoding)
    folder = str(request["check"])
    if not folder:
        config = check_config(project, {"start": request["start"]})
        tell(0, 0, "Comparing photos")
        folder = str(make_check(project, plan_check(project, config, int(request["folds"]))))
    from core.label_check.work import run_check  # torch: a request that is refused needs none

    run_check(project, Path(folder), tell)
    return {"check": folder}


if __name__ == "__main__":
    sys.exit(run_child(check))
