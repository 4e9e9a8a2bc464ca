"""What is compared: the way that was chosen, and what it needs of the open image."""

from __future__ import annotations

from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from core.errors import BadInput
from core.masks import MaskError
from core.project.reviews import Status
from petseg_gui.comparing.heat_maps import HeatMap
from petseg_gui.comparing.pictures import Material
from petseg_gui.prediction.desk import chosen_model
from petseg_gui.prediction.inference import Inference
from petseg_gui.prediction.models import ModelChoice
from petseg_gui.session import Session
from petseg_gui.tasks import Job, Lane, Task, Tasks

if TYPE_CHECKING:
    from core.project.predictions import PredictionRecord
    from petseg_gui.comparing.agreement import Agreement

OFF = "compare_off"
SIDE = "compare_side"
SLIDER = "compare_slider"
DIFFERENCE = "compare_difference"
PROBABILITY = "heat_probability"
UNCERTAINTY = "heat_uncertainty"
EXPLANATION = "explanation"
"""A heat map that somebody else made: it has no command of its own."""

_HEATS = (PROBABILITY, UNCERTAINTY)
_TWO_MASKS = (SIDE, SLIDER, DIFFERENCE)
_COUNT_AFTER_MS = 150


class CompareDesk(QObject):
    """Reads, counts and asks in the background, and only while there is something to compare."""

    mode_changed = Signal()
    material_changed = Signal()
    """There are other pictures to show, or none."""
    counted = Signal()
    heat_changed = Signal()

    def __init__(
        self,
        tasks: Tasks,
        session: Session,
        models: ModelChoice,
        inference: Inference,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._session = session
        self._models = models
        self._inference = inference
        self.mode = OFF
        self.material: Material | None = None
        self.record: PredictionRecord | None = None
        """Of the prediction in ``material``; ``previous_record`` of the one before it."""
        self.previous_record: PredictionRecord | None = None
        self.agreement: Agreement | None = None
        self.heat: HeatMap | None = None
        self.problem = ""
        """Why there is nothing to show."""
        self.value: int | None = None
        """The class whose difference is looked at; None: all."""
        self.heat_value = 1
        """The class whose probability is looked at: the one in hand."""
        self._latest: np.ndarray | None = None  # said of the open image since it was opened
        self._reading: Task | None = None
        self._counting: Task | None = None
        self._asking: Task | None = None
        self._stop = Event()
        self._model = models.path
        self._looked = (False, 1)  # how the model looked for the heat map: flip, tiles
        self._count_soon = QTimer(self, singleShot=True, interval=_COUNT_AFTER_MS)
        self._count_soon.timeout.connect(self._count)
        session.predicted.connect(self._predicted)
        session.project_changed.connect(self._project_changed)
        models.changed.connect(self._model_changed)

    @property
    def busy(self) -> bool:
        """Whether what is to be shown is still being read or worked out."""
        return self._reading is not None or self._asking is not None

    @property
    def is_the_prediction(self) -> bool:
        """Whether the mask is nothing but the prediction: nobody has drawn or judged it."""
        session = self._session
        return session.status(session.name) is Status.PREDICTED and not session.dirty

    @property
    def other_model(self) -> bool:
        """Whether the prediction is by another model than the one that is chosen."""
        chosen = chosen_model(self._models)
        return self.record is not None and chosen not in ("", self.record.model)

    def set_mode(self, mode: str) -> None:
        """Compare in another way from now on, or no more."""
        if mode == self.mode:
            return
        self.mode = mode
        if mode != EXPLANATION:
            self._drop_heat()
        self.mode_changed.emit()
        self._refresh()

    def set_value(self, value: int | None) -> None:
        """Look at the difference of one class, or of all."""
        if value != self.value:
            self.value = value
            if self.material is not None:
                self.material = replace(self.material, value=value)
                self.material_changed.emit()
                self._count()

    def set_heat_value(self, value: int) -> None:
        """Another class is in hand."""
        if value != self.heat_value:
            self.heat_value = value
            if self.mode == PROBABILITY:
                self._ask()

    def follow_options(self) -> None:
        """The folder is segmented in another way now."""
        project = self._session.project
        if project is None or self.mode not in _HEATS:
            return
        options = project.settings.prediction
        if (options.flip, options.tiles) != self._looked:  # the others count for masks only
            self._ask()

    def show_explanation(self, heat: HeatMap) -> None:
        """Show a heat map that was made elsewhere, until something else is looked at."""
        self._drop_heat()
        self.heat = heat
        if self.mode == EXPLANATION:
            self.heat_changed.emit()
        else:
            self.set_mode(EXPLANATION)

    def stop(self) -> None:
        """Leave everything that is under way."""
        self._count_soon.stop()
        for task in (self._reading, self._counting):
            if task is not None:
                task.cancel()
        self._reading = self._counting = None
        self._stop_asking()

    def take_document(self) -> None:
        """Another image is shown, also by the canvas: compare what there is of it."""
        document = self._session.document
        self.stop()
        self.material = self.record = self.previous_record = self.agreement = None
        self.heat = self._latest = None
        if document is not None:
            document.changed.connect(lambda _: self._count_later())
            document.edited.connect(self._count_later)
        if self.mode == EXPLANATION:
            self.set_mode(OFF)  # it was of the image before
        else:
            self._refresh()

    def _project_changed(self) -> None:
        """The classes are other ones."""
        self.heat_value = 1
        self.set_value(None)

    def _predicted(self, mask: np.ndarray) -> None:
        """A model has spoken of the open image; while a threshold is set, often."""
        self._latest = mask
        if self.mode not in _TWO_MASKS:
            return
        if self.material is None or self.material.prediction is None:
            self._read()
        else:
            self.material = replace(self.material, prediction=mask)
            self.material_changed.emit()
            self._count_later()

    def take_stored(self, name: str) -> None:
        """A prediction of this image is stored: of another model, there are two of them now."""
        project = self._session.project
        if project is None or name != self._session.name or self.mode not in _TWO_MASKS:
            return
        if _model(project.prediction(name)) != _model(self.record):
            self._read()

    def _model_changed(self) -> None:
        """Another model is chosen, or there are others to choose from."""
        before, self._model = self._model, self._models.path
        if self.mode in _TWO_MASKS:
            self.counted.emit()  # whether it is the prediction's matters
        elif before != self._model and self.mode in _HEATS:
            self._ask()
        elif before != self._model and self.mode == EXPLANATION:
            self.set_mode(OFF)

    def _refresh(self) -> None:
        """Fetch what the mode needs."""
        if self.mode in _TWO_MASKS:
            self._read()
        elif self.mode in _HEATS:
            self._ask()
        else:
            self.stop()
            self.material = self.agreement = None
            self.material_changed.emit()
            self.heat_changed.emit()

    # Two masks

    def _read(self) -> None:
        """Read the stored predictions of the open image."""
        project, document = self._session.project, self._session.document
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        self.problem = ""
        if project is None or document is None:
            self.material = None
            self.material_changed.emit()
            return
        name, size = document.name, (document.width, document.height)

        def work(job: Job) -> tuple[np.ndarray | None, np.ndarray | None]:
            said = project.read_prediction(name, size)
            try:
                return said, project.read_previous_prediction(name, size)
            except MaskError:
                return said, None  # of the photo that was here before, maybe

        def landed(found: tuple[np.ndarray | None, np.ndarray | None]) -> None:
            self._reading = None
            self.record = project.prediction(name)
            self.previous_record = project.previous_prediction(name)
            stored, previous = found
            said = stored if self._latest is None else self._latest
            rule = project.settings.border_rule
            self.material = Material(document, rule, said, previous, self.value)
            self.material_changed.emit()
            self._count()

        def failed(reason: str) -> None:
            self._reading = None
            self.problem = reason
            self.material = Material(document, project.settings.border_rule)
            self.material_changed.emit()

        self._reading = self._tasks.run(Lane.COMPARE, work, landed, failed)
        self.material_changed.emit()

    def _count_later(self) -> None:
        """The mask has changed. While it is being painted, it is counted now and then."""
        if self.mode in _TWO_MASKS and not self._count_soon.isActive():
            self._count_soon.start()

    def _count(self) -> None:
        material = self.material
        if self._counting is not None:
            self._counting.cancel()
        if material is None or material.prediction is None:
            self.agreement = None
            self.counted.emit()
            return
        said, mask = material.prediction, material.document.snapshot()
        scheme, rule, value = material.document.scheme, material.rule, material.value

        def work(job: Job) -> Agreement:
            from petseg_gui.comparing.agreement import agreement

            return agreement(mask.pixels(), said, scheme, rule, value, lambda: job.cancelled)

        def landed(found: Agreement) -> None:
            self.agreement = found
            self.counted.emit()

        self._counting = self._tasks.run(Lane.COMPARE, work, landed)

    # Heat maps

    def _ask(self) -> None:
        """Have the model's probabilities made into a heat map."""
        project, document = self._session.project, self._session.document
        self._stop_asking()
        self.problem = ""
        if project is None or document is None:
            self.heat = None
            self.heat_changed.emit()
            return
        inference, model, stop = self._inference, self._models.path, Event()
        options, rule = project.settings.prediction, project.settings.border_rule
        scheme, value, mode = document.scheme, self.heat_value, self.mode
        self._looked = options.flip, options.tiles

        def work(job: Job) -> HeatMap:
            said = inference.of_document(project, document, model, options, stop)
            from core.inference.prediction import to_bytes  # imports OpenCV, as that has by now

            if mode == UNCERTAINTY:
                return HeatMap(
                    to_bytes(said.uncertainty_map),
                    "Uncertainty",
                    "0 % (sure)",
                    "100 % (undecided)",
                    f"How undecided the model is: {100 * said.uncertainty:.0f} % on average.",
                )
            if value >= len(scheme.classes):
                raise BadInput("Void is no class that a model knows: choose another class.")
            name, plane = scheme.classes[value].name, said.probability_of(value, scheme, rule)
            if value >= len(said.scheme.classes):
                raise BadInput(f"This model does not know {name}: choose another class.")
            return HeatMap(
                to_bytes(plane),
                f"Probability of {name}",
                note="How sure the model is. Sure is not the same as right.",
            )

        def landed(heat: HeatMap) -> None:
            self._asking = None
            self.heat = heat
            self.heat_changed.emit()

        def failed(reason: str) -> None:
            self._asking = None
            self.heat = None
            self.problem = reason
            self.heat_changed.emit()

        self._stop = stop
        self._asking = self._tasks.run(Lane.PREDICT, work, landed, failed)
        self.heat_changed.emit()

    def _stop_asking(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            self._inference.shelf.stop_it(self._stop)
            self._asking = None

    def _drop_heat(self) -> None:
        self._stop_asking()
        self.heat = None


def _model(record: PredictionRecord | None) -> str:
    return record.model if record is not None else ""
