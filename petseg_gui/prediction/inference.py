"""What models say of a folder's images: as it was stored, else by asking them."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING

from core.files import file_stamp
from core.project.project import Project
from petseg_gui.document import Document
from petseg_gui.heavy import HEAVY
from petseg_gui.prediction.shelf import PredictorShelf

if TYPE_CHECKING:
    import numpy as np

    from core.inference.cache import ProbabilityCache
    from core.inference.options import PredictOptions
    from core.inference.prediction import Prediction

_RECENT = 4
_RECENT_BYTES = 128 * 2**20


class Inference:
    """Keeps the probabilities of the last images in memory, of many in the folder's store.

    For any thread but the window's.
    """

    def __init__(self, shelf: PredictorShelf) -> None:
        self.shelf = shelf
        self._caches: dict[Path, ProbabilityCache] = {}
        self._recent: OrderedDict[str, Prediction] = OrderedDict()
        self._lock = Lock()

    def of_image(
        self, project: Project, name: str, model: Path, options: PredictOptions, stop: Event
    ) -> Prediction:
        """What a model says of an image of a folder, by ``options.flip`` and ``options.tiles``.

        Raises ModelFileError, ImageError, and PredictionStopped once the shelf is told to
        ``stop_it``.
        """
        path = project.image_path(name)
        # Before the photo is read: where it is replaced in between, nothing wrong is kept.
        key = self._key(path, model, options)
        known = self._known(project, key)
        if known is not None:
            return known
        pixels = project.read_image(name).pixels
        said = self._ask(model, pixels, options, stop)
        self._keep(project, key, said)
        return said

    def of_document(
        self,
        project: Project,
        document: Document,
        model: Path,
        options: PredictOptions,
        stop: Event,
    ) -> Prediction:
        """The same of the open image, whose pixels are at hand."""
        path = project.image_path(document.name)
        # Nothing is kept of pixels that are not the file's any more.
        same = document.stamp is not None and file_stamp(path) == document.stamp
        key = self._key(path, model, options) if same else ""
        known = self._known(project, key) if key else None
        if known is not None:
            return known
        said = self._ask(model, document.pixels, options, stop)
        if key:
            self._keep(project, key, said)
        return said

    def _ask(
        self, model: Path, pixels: np.ndarray, options: PredictOptions, stop: Event
    ) -> Prediction:
        # As it comes back from the store, so that what is shown is the same each time.
        return self.shelf.predict(model, pixels, options, stop).quantised()

    def _key(self, image: Path, model: Path, options: PredictOptions) -> str:
        with HEAVY:
            from core.inference.cache import key_of

        return key_of(image, self.shelf.take(model).description, options)

    def _cache(self, project: Project) -> ProbabilityCache:
        with HEAVY:
            from core.inference.cache import ProbabilityCache

        with self._lock:
            folder = project.store / "probabilities"
            if folder not in self._caches:
                self._caches = {folder: ProbabilityCache(folder)}
            return self._caches[folder]

    def _known(self, project: Project, key: str) -> Prediction | None:
        with self._lock:
            said = self._recent.get(key)
        if said is None:
            said = self._cache(project).get(key)
        if said is not None:
            self._remember(key, said)
        return said

    def _keep(self, project: Project, key: str, said: Prediction) -> None:
        self._remember(key, said)
        if project.writable:
            self._cache(project).put(key, said)

    def _remember(self, key: str, said: Prediction) -> None:
        with self._lock:
            self._recent[key] = said
            self._recent.move_to_end(key)
            while len(self._recent) > 1 and (
                len(self._recent) > _RECENT
                or sum(kept.planes.nbytes for kept in self._recent.values()) > _RECENT_BYTES
            ):
                self._recent.popitem(last=False)
