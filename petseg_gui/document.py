"""The open image: its pixels, the one mask buffer that is edited and shown, its history."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject, QRect, Signal

from core.editing import brush
from core.editing.box import Box
from core.editing.draft import Draft
from core.editing.history import Edit, History, compare
from core.labels import LabelScheme


class Document(QObject):
    """An image that is open for editing.

    ``mask`` is one buffer for the document's whole life: edits change it in place and the canvas
    paints from it. ``history`` may outlive the document and be handed to the image's next one.
    """

    changed = Signal(QRect)
    """Mask pixels changed: where, in image coordinates."""
    edited = Signal()
    """An undoable edit was committed, undone or redone."""

    def __init__(
        self,
        name: str,
        pixels: np.ndarray,
        mask: np.ndarray,
        scheme: LabelScheme,
        history: History | None = None,
        parent: QObject | None = None,
    ) -> None:
        """pixels: uint8 RGB, height x width x 3; mask: uint8, height x width, class ids and VOID.

        A writeable, contiguous mask is shared with the caller, any other is copied. Raises
        ValueError where the two differ in size or a type is wrong.
        """
        super().__init__(parent)
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
            raise ValueError(f"pixels must be uint8 RGB, not {pixels.dtype} {pixels.shape}")
        if mask.dtype != np.uint8 or mask.shape != pixels.shape[:2]:
            raise ValueError(f"mask is {mask.dtype} {mask.shape}, its image {pixels.shape[:2]}")
        self.name = name
        self.pixels = np.ascontiguousarray(pixels)
        self.mask = np.require(mask, requirements=["C_CONTIGUOUS", "WRITEABLE"])
        self.scheme = scheme
        self.history = History() if history is None else history
        self.revision = 0
        self.strokes = 0
        self._draft: Draft | None = None

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

    def class_at(self, x: int, y: int) -> int | None:
        """The class id (or VOID) of a pixel, None outside the image."""
        if 0 <= x < self.width and 0 <= y < self.height:
            return int(self.mask[y, x])
        return None

    def snapshot(self) -> np.ndarray:
        """A copy of the mask as of the last committed edit, for a thread to save."""
        return self.mask.copy() if self._draft is None else self._draft.copy_before()

    def paint_segment(self, start: brush.Point, end: brush.Point, size: int, value: int) -> None:
        """Paint one segment of a brush stroke; see ``core.editing.brush.paint_segment``."""
        box = brush.segment_box(self.mask.shape, start, end, size)
        if box is None:
            return
        if self._draft is None:
            self._draft = Draft(self.mask)
        self._draft.protect(box)
        brush.paint_segment(self.mask, start, end, size, value)
        self._announce(box)

    def commit(self, title: str) -> bool:
        """End the edit in progress as one undoable edit; False where it changed nothing."""
        draft, self._draft = self._draft, None
        return draft is not None and self._remember(draft.finish(title))

    def cancel(self) -> None:
        """Give up the edit in progress: the mask is as the last committed edit left it."""
        draft, self._draft = self._draft, None
        if draft is not None:
            self._announce(draft.restore())

    def undo(self) -> bool:
        """Take the last edit back; False where there is none, or one is in progress."""
        return not self.stroking and self._stepped(self.history.undo(self.mask))

    def redo(self) -> bool:
        """Repeat the edit last undone; False where there is none, or one is in progress."""
        return not self.stroking and self._stepped(self.history.redo(self.mask))

    def replace_mask(self, new_mask: np.ndarray, title: str) -> bool:
        """Take a whole new mask (of the same type and shape) as one undoable edit.

        An edit in progress is committed first, under the same title. False where nothing differs.
        """
        self._check(new_mask)
        self.commit(title)
        edit = compare(self.mask, new_mask, title)
        if edit is None:
            return False
        np.copyto(self.mask, new_mask)
        self._announce(edit.box)
        return self._remember(edit)

    def set_mask(self, new_mask: np.ndarray) -> None:
        """Take a whole new mask (of the same type and shape) that is not an edit.

        For an image that nobody edited. An edit in progress belongs to the old mask and is
        cancelled.
        """
        self._check(new_mask)
        self.cancel()
        np.copyto(self.mask, new_mask)
        self._announce((0, 0, self.width, self.height))

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
