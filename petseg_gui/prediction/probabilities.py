"""What the chosen model says of the open image, for the tools that work with it."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING
from weakref import ReferenceType, ref

from core.editing.box import Box
from core.errors import BadInput
from petseg_gui.document import Document
from petseg_gui.heavy import HEAVY
from petseg_gui.prediction.models import ModelChoice
from petseg_gui.prediction.segmenter import PredictorShelf
from petseg_gui.session import Session

if TYPE_CHECKING:
    from core.editing.probability import ProbabilityMap
    from core.inference.predictor import Prediction

_Key = tuple[ReferenceType[Document], Path]


class Probabilities:
    """Keeps what was said last of an image and of a box in it, so that a model is asked once."""

    def __init__(self, session: Session, models: ModelChoice, shelf: PredictorShelf) -> None:
        self._session = session
        self._models = models
        self._shelf = shelf
        self._lock = Lock()
        self._whole: tuple[_Key, Prediction] | None = None
        self._closer: tuple[_Key, Box, int, ProbabilityMap | None] | None = None

    def of(self, document: Document, value: int, box: Box | None = None) -> ProbabilityMap | None:
        """P(class) over the document's whole image, or in a box from a closer look at it.

        None where the model's classes are not the project's, and of void. Takes as long as a
        prediction the first time: not for the window's thread. Raises ModelFileError.
        """
        # Imports ONNX Runtime: not before the first photo.
        with HEAVY:
            from core.editing.probability import ProbabilityMap
            from core.inference.closeup import look_closer
            from core.inference.predictor import mask_rule

        project, path = self._session.project, self._models.path
        if project is None or value >= len(document.scheme.classes):
            return None
        scheme, rule, key = document.scheme, project.settings.border_rule, (ref(document), path)
        with self._lock:
            predictor = self._shelf.take(path)
            try:
                mask_rule(predictor.description.scheme, scheme, rule)
            except BadInput:
                return None
            if box is not None:
                if self._closer is None or self._closer[:3] != (key, box, value):
                    said = look_closer(predictor, document.pixels, box, value, scheme, rule)
                    self._closer = key, box, value, said
                return self._closer[3]
            if self._whole is None or self._whole[0] != key:
                self._whole = key, predictor.predict(document.pixels)
            plane = self._whole[1].probability_of(value, scheme, rule)
        return ProbabilityMap((0, 0, document.width, document.height), plane)
