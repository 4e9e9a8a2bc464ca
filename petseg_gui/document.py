"""The open image: its pixels, the one mask buffer that is edited and shown, its history."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from weakref import ReferenceType, ref

import numpy as np
from PySide6.QtCore import QObject, QRect, Signal

from core.editing import brush
from core.editing.box import Box, union
from core.editing.change import unlocked
from core.editing.draft import Draft
from core.editing.history import Edit, History
from core.editing.region import Region
from core.editing.snapshot import Snapshot
from core.labels import BACKGROUND, LabelScheme


class Document(QObject):
    """An image that is open for editing.

    ``mask`` is one buffer for the document's whole life: edits change it in place and the canvas
    paints from it. ``history`` may outlive the document and be handed to the image's next one.
    """

    changed = Signal(QRect)
    """Mask pixels changed: where, in image coordinates."""
    edited = Signal()
    """An undoable edit was committed, undone or redone."""
    selection_changed = Signal()
    prediction_changed = Signal()

    def __init__(
        self,
        name: str,
        pixels: np.ndarray,
        mask: np.ndarray,
        scheme: LabelScheme,
        history: History | None = None,
        parent: QObject | None = None,
        *,
        unpainted: int = BACKGROUND,
        prediction: np.ndarray | None = None,
        stamp: tuple[int, int] | None = None,
    ) -> None:
        """pixels: uint8 RGB, height x width x 3; mask: uint8, height x width, class ids and VOID.

        unpainted: what erasing leaves, BACKGROUND or VOID; prediction: see ``set_prediction``;
        stamp: of the file that the pixels are of, None where nobody knows.
        A writeable, contiguous mask is shared with the caller, any other is copied. Raises
        ValueError where the two differ in size or a type is wrong.
        """
        super().__init__(parent)
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
            raise ValueError(f"pixels must be uint8 RGB, not {pixels.dtype} {pixels.shape}")
        if mask.dtype != np.uint8 or mask.shape != pixels.shape[:2]:
            raise ValueError(f"mask is {mask.dtype} {mask.shape}, its image {pixels.shape[:2]}")
        self.name = name
        self.stamp = stamp
        self.pixels = np.ascontiguousarray(pixels)
        self.mask = np.require(mask, requirements=["C_CONTIGUOUS", "WRITEABLE"])
        self.scheme = scheme
        self.history = History() if history is None else history
        self.unpainted = unpainted
        self.prediction: np.ndarray | None = None
        """What a model says; shown where the mask is void. Never written."""
        self.set_prediction(prediction)
        self.locked: frozenset[int] = frozenset()
        """Classes whose pixels no stroke changes."""
        self.selection: Region | None = None
        """Where clean-ups act; None: everywhere."""
        self.revision = 0
        self.strokes = 0
        self._changes = 0
        self._draft: Draft | None = None
        self._snapshots: list[ReferenceType[Snapshot]] = []

    @property
    def width(self) -> int:
        return int(self.mask.shape[1])

    @property
    def height(self) -> int:
        return int(self.mask.shape[0])

    @property
    def stroking(self) -> bool:
        """Whether pixels were painted that are neither committed nor cancelled yet."""
        return self._draft is not None

    @property
    def state(self) -> object:
        """Equal as long as no pixel and no lock has changed, by an edit or otherwise."""
        return self._changes, self.locked

    def class_at(self, x: int, y: int) -> int | None:
        """The class id (or VOID) of a pixel, None outside the image."""
        if 0 <= x < self.width and 0 <= y < self.height:
            return int(self.mask[y, x])
        return None

    def select(self, region: Region | None) -> None:
        """Where clean-ups act from now on; None: everywhere."""
        self.selection = region
        self.selection_changed.emit()

    def set_prediction(self, prediction: np.ndarray | None) -> None:
        """Show what a model says (uint8, of the mask's size, class ids) where the mask is void."""
        if prediction is not None:
            self._check(prediction)
        self.prediction = prediction
        self.prediction_changed.emit()

    def snapshot(self) -> Snapshot:
        """The mask as of the last committed edit, for a thread to read while painting goes on."""
        kept = {} if self._draft is None else self._draft.kept
        snapshot = Snapshot(self.mask, kept)
        self._snapshots.append(ref(snapshot))
        return snapshot

    def paint_segment(self, start: brush.Point, end: brush.Point, size: int, value: int) -> None:
        """Paint one segment of a brush stroke; see ``core.editing.brush.paint_segment``.

        A locked class neither loses a pixel nor gains one.
        """
        box = brush.segment_box(self.mask.shape, start, end, size)
        if box is not None and value not in self.locked:
            self._draw_in(box)
            brush.paint_segment(self.mask, start, end, size, value, self.locked)
            self._announce(box)

    def paint_region(self, region: Region, value: int) -> None:
        """Paint some pixels as part of a stroke."""
        if value in self.locked:
            return
        self._draw_in(region.box)
        x0, y0, x1, y1 = region.box
        pixels = self.mask[y0:y1, x0:x1]
        pixels[region.inside & unlocked(pixels, self.locked)] = value
        self._announce(region.box)

    def commit(self, title: str) -> bool:
        """End the edit in progress as one undoable edit; False where it changed nothing."""
        draft, self._draft = self._draft, None
        return draft is not None and self._remember(draft.finish(title))

    def cancel(self) -> None:
        """Give up the edit in progress: the mask is as the last committed edit left it."""
        draft, self._draft = self._draft, None
        if draft is not None:
            self._changes += 1
            self._announce(draft.restore())

    def apply(self, edit: Edit) -> None:
        """Make an edit that was worked out for the mask as it is now.

        A stroke in progress is committed first: it must not touch the edit's pixels.
        """
        self.commit(edit.title)
        self._before_change(edit.boxes)
        edit.apply(self.mask)
        self._announce(edit.box)
        self._remember(edit)

    def undo(self) -> bool:
        """Take the last edit back; False where there is none, or one is in progress."""
        edit = self.history.to_undo
        if self.stroking or edit is None:
            return False
        self._before_change(edit.boxes)
        return self._stepped(self.history.undo(self.mask))

    def redo(self) -> bool:
        """Repeat the edit last undone; False where there is none, or one is in progress."""
        edit = self.history.to_redo
        if self.stroking or edit is None:
            return False
        self._before_change(edit.boxes)
        return self._stepped(self.history.redo(self.mask))

    def go_to(self, done: int) -> bool:
        """Undo or redo until so many edits are done; False where they are, or one is in progress.

        Told and painted once.
        """
        boxes = []
        while not self.stroking and len(self.history.done_titles) != done:
            back = len(self.history.done_titles) > done
            edit = self.history.to_undo if back else self.history.to_redo
            if edit is None:
                break
            self._before_change(edit.boxes)
            boxes.append(edit.box)
            if back:
                self.history.undo(self.mask)
            else:
                self.history.redo(self.mask)
        return bool(boxes) and self._stepped(reduce(union, boxes))

    def set_mask(self, new_mask: np.ndarray) -> None:
        """Take a whole new mask (of the same type and shape) that is not an edit.

        For an image that nobody edited. An edit in progress belongs to the old mask and is
        cancelled.
        """
        self._check(new_mask)
        self.cancel()
        everything = (0, 0, self.width, self.height)
        self._before_change([everything])
        np.copyto(self.mask, new_mask)
        self._announce(everything)

    def _draw_in(self, box: Box) -> None:
        """A stroke is about to change these pixels."""
        if self._draft is None:
            self._draft = Draft(self.mask)
        self._before_change([box])
        self._draft.protect(box)

    def _before_change(self, boxes: Iterable[Box]) -> None:
        self._changes += 1
        # One that nobody holds any more needs no protection either.
        live = [s for held in self._snapshots if (s := held()) is not None and not s.taken]
        self._snapshots = [ref(snapshot) for snapshot in live]
        for snapshot in live:
            for box in boxes:
                snapshot.protect(box)

    def _check(self, new_mask: np.ndarray) -> None:
        if new_mask.dtype != np.uint8 or new_mask.shape != self.mask.shape:
            raise ValueError(
                f"mask is {new_mask.dtype} {new_mask.shape}, its image {self.mask.shape}"
            )

    def _remember(self, edit: Edit | None) -> bool:
        if edit is None:
            return False
        self.history.push(edit)
        self.strokes += 1
        self.revision += 1
        self.edited.emit()
        return True

    def _stepped(self, box: Box | None) -> bool:
        if box is None:
            return False
        self.revision += 1
        self._announce(box)
        self.edited.emit()
        return True

    def _announce(self, box: Box | None) -> None:
        if box is not None:
            x0, y0, x1, y1 = box
            self.changed.emit(QRect(x0, y0, x1 - x0, y1 - y0))
