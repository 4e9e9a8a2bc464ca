"""``python -m core.models``: examines and imports models for the window, see core/child.py.

Requests: {"do": "examine", "file", "scheme"} -> {"found"}; {"do": "import", "file", "folder",
"answers", "scheme"} -> {"model"}. scheme: the project's, as JSON.
"""

from __future__ import annotations

import sys
from typing import Any

from core.child import Tell, run_child


def work(request: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """Do what a request asks for. Raises BadInput, WriteError."""
    tell(0, 0, "Loading PyTorch")
    from pathlib import Path

    import torch
    from pydantic import TypeAdapter

    from core.labels import LabelScheme
    from core.models.answers import answers_from_json
    from core.models.importing import examine, import_model

    torch.set_num_threads(1)
    path = Path(request["file"])
    scheme = TypeAdapter(LabelScheme).validate_python(request["scheme"])
    if request["do"] == "examine":
        tell(0, 0, f"Examining {path.name}")
        return {"found": examine(path, scheme).to_json()}
    tell(0, 0, f"Importing {path.name}")
    answers = answers_from_json(request["answers"])
    return {"model": str(import_model(path, Path(request["folder"]), answers, scheme))}


if __name__ == "__main__":
    sys.exit(run_child(work))
