"""``petseg explain``."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from core.cli.models import model_path
from core.cli.output import DONE, progress, say
from core.editing.box import Box, intersection
from core.editing.region import Region
from core.errors import BadInput
from core.explanation.answer import Explanation
from core.explanation.look import Detail, Look, Question, look_at
from core.files import write_bytes
from core.images import read_image
from core.inference.predictor import Predictor
from core.labels import BorderRule, LabelScheme, listed, scheme_under
from core.modelfile import read_description

_OPACITY = 0.6


def explain_command(
    image: Path,
    out: Path,
    model: str,
    class_name: str,
    box: str,
    method: str,
    detail: str | None,
    border: BorderRule,
) -> int:
    """Write a heat map of what spoke for a class over the photo, as a PNG.

    method: gradcam or occlusion; detail: a Detail, the method's usual one where None.
    """
    if out.suffix.lower() != ".png":
        raise BadInput(f"--out {out}: the heat map is a PNG, so its name ends in .png.")
    if out.exists() and image.exists() and out.samefile(image):
        raise BadInput(f"{out} is the photo and would be overwritten: choose another --out.")
    path = model_path(model)
    description = read_description(path)
    question = Question(*_wanted(scheme_under(description.scheme, border), class_name), border)
    pixels = read_image(image).pixels
    look = look_at(pixels, description, _region(box, pixels.shape[1], pixels.shape[0]))
    if method == "gradcam":
        from core.explanation.gradcam import explain_by_gradients

        found = explain_by_gradients(path, look, question, Detail(detail or Detail.COARSE))
        peak = "its lightest places spoke the most"
    else:
        found = _cover(path, look, question, Detail(detail or Detail.MEDIUM))
        peak = f"covering its lightest place costs {100 * found.peak:.1f} points of probability"
    write_bytes(out, _picture(pixels, found))
    say(
        f"Why {question.name}, asked about {found.about}: {out} ({peak}; one spot is some "
        f"{found.grain:.0f} px wide). A hint, not a proof: see the guide for what it cannot show."
    )
    return DONE


def _cover(path: Path, look: Look, question: Question, detail: Detail) -> Explanation:
    from core.explanation.occlusion import explain_by_occlusion

    steps = explain_by_occlusion(Predictor(path).predict, look, question, detail)
    first = next(steps)
    found = first.explanation
    for step in progress(steps, first.total - 1, "covering"):
        found = step.explanation
    return found


def _wanted(scheme: LabelScheme, name: str) -> tuple[int, LabelScheme]:
    """The class of this name; the first that is no background where none is given."""
    wanted = name or scheme.names[1]
    if wanted not in scheme.names:
        raise BadInput(f"--class {name}: this model knows {listed(scheme.names)}.")
    return scheme.names.index(wanted), scheme


def _region(text: str, width: int, height: int) -> Region | None:
    if not text:
        return None
    try:
        x0, y0, x1, y1 = (int(side) for side in text.split(","))
    except ValueError:
        raise BadInput(f"--box {text}: write it as LEFT,TOP,RIGHT,BOTTOM in pixels.") from None
    box: Box | None = intersection((x0, y0, x1, y1), (0, 0, width, height))
    if box is None:
        raise BadInput(f"--box {text} lies outside the photo of {width} x {height} pixels.")
    return Region(box, np.ones((box[3] - box[1], box[2] - box[0]), bool))


def _picture(pixels: np.ndarray, found: Explanation) -> bytes:
    """The heat map over the photo (uint8 RGB), as a PNG."""
    height, width = pixels.shape[:2]
    values = cv2.resize(found.over_image((width, height)), (width, height))
    heat = cv2.applyColorMap(values, cv2.COLORMAP_INFERNO)
    photo = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(".png", cv2.addWeighted(heat, _OPACITY, photo, 1 - _OPACITY, 0))
    if not done:
        raise BadInput(f"A picture of {width} x {height} pixels cannot be written as a PNG.")
    return data.tobytes()
