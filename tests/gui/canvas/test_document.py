from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QRect

from core.editing.history import History, compare
from core.editing.region import Region
from core.labels import PET, VOID
from petseg_gui.document import Document


@pytest.fixture
def document() -> Document:
    return make()


def make(history: History | None = None, mask: np.ndarray | None = None) -> Document:
    empty = np.zeros((60, 80), np.uint8)
    pixels = np.full((60, 80, 3), 90, np.uint8)
    return Document("a.jpg", pixels, empty if mask is None else mask, PET, history)


def stroke(document: Document, x: float = 20, y: float = 20, value: int = 1) -> None:
    document.paint_segment((x, y), (x + 10, y), 8, value)
    document.commit("Brush")


def test_the_mask_is_edited_in_the_callers_buffer() -> None:
    mask = np.zeros((60, 80), np.uint8)
    document = make(mask=mask)
    assert document.mask is mask
    stroke(document)
    assert mask[20, 25] == 1


def test_a_read_only_or_strided_mask_is_copied_so_that_it_can_be_edited() -> None:
    frozen = np.zeros((60, 80), np.uint8)
    frozen.flags.writeable = False
    for mask in (frozen, np.zeros((60, 160), np.uint8)[:, ::2]):
        document = make(mask=mask)
        stroke(document)
        assert document.mask[20, 25] == 1
        assert document.mask.flags.c_contiguous
        assert not mask.any()


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="mask is"):
        make(mask=np.zeros((60, 81), np.uint8))
    with pytest.raises(ValueError, match="mask is"):
        make().set_mask(np.zeros((59, 80), np.uint8))


def test_changed_names_the_painted_box_and_edited_comes_with_the_commit(document: Document) -> None:
    boxes: list[QRect] = []
    edits: list[int] = []
    document.changed.connect(boxes.append)
    document.edited.connect(lambda: edits.append(document.revision))
    document.paint_segment((20, 20), (30, 20), 8, 1)
    assert boxes == [QRect(16, 16, 18, 8)]
    assert edits == []
    assert document.stroking
    assert document.commit("Brush")
    assert edits == [1]
    assert not document.stroking
    assert (document.revision, document.strokes) == (1, 1)
    assert document.history.undo_title == "Brush"


def test_undo_and_redo_count_as_revisions_but_not_as_strokes(document: Document) -> None:
    stroke(document)
    painted = document.mask.copy()
    assert document.undo()
    assert not document.mask.any()
    assert document.redo()
    assert np.array_equal(document.mask, painted)
    assert (document.revision, document.strokes) == (3, 1)
    assert not document.redo()
    assert document.revision == 3


def test_a_stroke_that_changes_nothing_is_no_edit(document: Document) -> None:
    stroke(document, value=0)
    stroke(document, x=-500)
    assert document.revision == 0
    assert not document.history.can_undo
    assert not document.stroking


def test_cancelling_restores_the_mask_and_repaints_it(document: Document) -> None:
    stroke(document)
    committed = document.mask.copy()
    document.paint_segment((40, 40), (70, 50), 20, 1)
    boxes: list[QRect] = []
    document.changed.connect(boxes.append)
    document.cancel()
    assert np.array_equal(document.mask, committed)
    assert boxes[0].contains(QRect(40, 40, 30, 10))
    assert (document.revision, document.strokes) == (1, 1)


def test_undo_waits_for_the_stroke_in_progress(document: Document) -> None:
    stroke(document)
    document.paint_segment((50, 50), (60, 50), 6, 1)
    painted = document.mask.copy()
    assert not document.undo()
    assert np.array_equal(document.mask, painted)
    document.commit("Brush")
    assert document.undo()
    assert document.undo()
    assert not document.mask.any()


def test_a_snapshot_shows_no_unfinished_stroke(document: Document) -> None:
    stroke(document)
    committed = document.mask.copy()
    document.paint_segment((50, 50), (60, 50), 6, 1)
    snapshot = document.snapshot()
    document.commit("Brush")
    assert np.array_equal(snapshot.pixels(), committed)
    assert np.array_equal(document.snapshot().pixels(), document.mask)


def test_replacing_the_mask_is_one_undoable_edit_in_the_same_buffer(document: Document) -> None:
    stroke(document)
    buffer, before = document.mask, document.mask.copy()
    new = np.full((60, 80), VOID, np.uint8)
    document.apply(compare(document.mask, new, "Segment"))
    assert document.mask is buffer
    assert np.array_equal(buffer, new)
    assert document.history.undo_title == "Segment"
    document.undo()
    assert np.array_equal(buffer, before)


def test_replacing_the_mask_during_a_stroke_keeps_the_stroke_in_the_history(
    document: Document,
) -> None:
    document.paint_segment((20, 20), (30, 20), 8, 1)
    painted = document.mask.copy()
    document.apply(compare(document.mask, np.full((60, 80), 1, np.uint8), "Segment"))
    document.undo()
    assert np.array_equal(document.mask, painted)
    document.undo()
    assert not document.mask.any()


def test_setting_the_mask_is_no_edit_and_drops_the_stroke_in_progress(document: Document) -> None:
    boxes: list[QRect] = []
    document.paint_segment((20, 20), (30, 20), 8, 1)
    document.changed.connect(boxes.append)
    new = np.eye(60, 80, dtype=np.uint8)
    document.set_mask(new)
    assert np.array_equal(document.mask, new)
    assert boxes[-1] == QRect(0, 0, 80, 60)
    assert document.revision == 0
    assert not document.commit("Brush")
    assert not document.history.can_undo


def test_the_history_works_on_in_the_images_next_document() -> None:
    first = make()
    stroke(first)
    stroke(first, y=40)
    after_first = first.mask.copy()
    second = make(first.history, first.mask.copy())
    stroke(second, x=50)
    second.undo()
    assert np.array_equal(second.mask, after_first)
    second.undo()
    second.undo()
    assert not second.mask.any()


def test_the_class_under_a_point(document: Document) -> None:
    stroke(document)
    assert document.class_at(25, 20) == 1
    assert document.class_at(0, 0) == 0
    assert document.class_at(80, 0) is None
    assert document.class_at(-1, 5) is None


@pytest.mark.parametrize("target", [0, 1, 3, 5])
def test_going_to_a_step_of_the_history_is_told_once(document: Document, target: int) -> None:
    states = [document.mask.copy()]
    for number in range(5):
        stroke(document, x=10 + 12 * number)
        states.append(document.mask.copy())
    document.undo()
    before = document.snapshot()
    told: list[str] = []
    document.changed.connect(lambda rect: told.append("changed"))
    document.edited.connect(lambda: told.append("edited"))
    revision = document.revision
    assert document.go_to(target)
    assert (document.mask == states[target]).all()
    assert told == ["changed", "edited"]
    assert document.revision == revision + 1
    assert (before.pixels() == states[4]).all(), "a snapshot keeps the mask as it was"
    assert not document.go_to(target)
    assert document.history.done_titles + document.history.undone_titles == ["Brush"] * 5


def test_nothing_is_undone_under_a_stroke_in_progress(document: Document) -> None:
    stroke(document)
    document.paint_segment((40, 40), (50, 40), 8, 1)
    assert not document.go_to(0)
    assert document.stroking
    assert document.history.can_undo


def test_a_step_that_is_not_there_goes_as_far_as_there_is_one(document: Document) -> None:
    stroke(document)
    document.undo()
    assert document.go_to(7)
    assert document.mask[20, 25] == 1
    assert not document.go_to(7)


def test_a_locked_class_neither_loses_a_pixel_nor_gains_one(document: Document) -> None:
    stroke(document)
    before = document.mask.copy()
    document.locked = frozenset({1})
    stroke(document, y=40)
    stroke(document, value=0)
    document.paint_region(Region((0, 0, 80, 60), np.ones((60, 80), bool)), 0)
    document.commit("Brush")
    assert np.array_equal(document.mask, before)
    assert document.strokes == 1


def test_the_state_is_equal_only_while_no_pixel_and_no_lock_changed(document: Document) -> None:
    states = [document.state]

    def note() -> None:
        assert document.state not in states
        states.append(document.state)

    document.paint_segment((20, 20), (30, 20), 8, 1)
    note()
    document.commit("Brush")
    assert document.state == states[-1]  # no pixel has changed
    for change in (
        document.undo,
        document.redo,
        lambda: document.set_mask(np.ones((60, 80), np.uint8)),
        lambda: setattr(document, "locked", frozenset({2})),
        lambda: document.paint_segment((20, 20), (30, 20), 8, 0),
        document.cancel,
    ):
        change()
        note()
