"""``python -m core.explanation``: Seg-Grad-CAM of an image, for a window that does not hold torch.

Request: image, model (paths), value, classes (names of the project's), rule, region (see
``packed``, or null), detail. Result: an Explanation (see ``unpacked``).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from core.child import Tell, run_child


def explain(request: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """Do what the request says. Raises BadInput, ImageError, ModelFileError."""
    # Torch takes seconds to import: say first that something is being done.
    tell(0, 0, "Loading the model")
    from core.explanation.gradcam import explain_by_gradients
    from core.explanation.look import Detail, Question, look_at
    from core.explanation.parcel import packed, unpacked_region
    from core.images import read_image
    from core.labels import BorderRule, scheme_of
    from core.modelfile import read_description

    model = Path(request["model"])
    question = Question(
        int(request["value"]),
        scheme_of("project", [str(name) for name in request["classes"]]),
        BorderRule(request["rule"]),
    )
    pixels = read_image(Path(request["image"])).pixels
    region = unpacked_region(request["region"])
    look = look_at(pixels, read_description(model), region)
    tell(0, 0, "Asking the model")
    return packed(explain_by_gradients(model, look, question, Detail(request["detail"])))


if __name__ == "__main__":
    sys.exit(run_child(explain))
