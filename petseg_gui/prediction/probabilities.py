"""What the chosen model says of the open image, for the tools that work with it."""

from __future__ import annotations

from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING
from weakref import ReferenceType, ref

import numpy as np

from core.editing.box import Box
from core.errors import BadInput
from core.inference.options import PredictOptions
from petseg_gui.document import Document
from petseg_gui.heavy import HEAVY
from petseg_gui.prediction.inference import Inference
from petseg_gui.prediction.models import ModelChoice
from petseg_gui.session import Session

if TYPE_CHECKING:
    from core.editing.probability import ProbabilityMap
    from core.inference.prediction import Prediction

_Key = tuple[ReferenceType[Document], Path]


class Probabilities:
    """Keeps what was said last of a box in the image, so that a model is asked once.

    Takes as long as a prediction the first time: not for the window's thread.
    """

    def __init__(self, session: Session, models: ModelChoice, inference: Inference) -> None:
        self._session = session
        self._models = models
        self._inference = inference
        self._lock = Lock()
        self._closer: tuple[_Key, Box, int, ProbabilityMap | None] | None = None
        self._boxed: tuple[_Key, Box, Prediction] | None = None  # of the tools' one thread

    def of(self, document: Document, value: int, box: Box | None = None) -> ProbabilityMap | None:
        """P(class) over the document's whole image, or in a box from a closer look at it.

        None where the model's classes are not the project's, and of void. Raises ModelFileError.
        """
        # Imports ONNX Runtime: not before the first photo.
        with HEAVY:
            from core.editing.probability import ProbabilityMap
            from core.inference.closeup import look_closer
            from core.inference.prediction import mask_rule

        project, path = self._session.project, self._models.path
        if project is None or value >= len(document.scheme.classes):
            return None
        scheme, settings, key = document.scheme, project.settings, (ref(document), path)
        rule = settings.border_rule
        with self._lock:
            predictor = self._inference.shelf.take(path)
            try:
                mask_rule(predictor.description.scheme, scheme, rule)
            except BadInput:
                return None
            if box is not None:
                if self._closer is None or self._closer[:3] != (key, box, value):
                    said = look_closer(predictor, document.pixels, box, value, scheme, rule)
                    self._closer = key, box, value, said
                return self._closer[3]
        whole = self._inference.of_document(project, document, path, settings.prediction, Event())
        plane = whole.probability_of(value, scheme, rule)
        return ProbabilityMap((0, 0, document.width, document.height), plane)

    def mask_in(self, document: Document, box: Box) -> np.ndarray | None:
        """The mask of a box of the image, from the box alone: uint8, box height x box width.

        By the folder's options. None without a folder. Raises ModelFileError, BadInput (the
        model's classes are not the project's).
        """
        project = self._session.project
        if project is None:
            return None
        settings, key = project.settings, (ref(document), self._models.path)
        if self._boxed is None or self._boxed[:2] != (key, box):
            x0, y0, x1, y1 = box
            # Twice as long as one look, and better: a box is small, and asked for by hand.
            said = self._inference.shelf.predict(
                key[1], document.pixels[y0:y1, x0:x1], PredictOptions(flip=True), Event()
            )
            self._boxed = key, box, said
        return self._boxed[2].mask(document.scheme, settings.border_rule, settings.prediction)
