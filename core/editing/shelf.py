"""The histories of many images, bounded together."""

from __future__ import annotations

from collections import OrderedDict

from core.editing.history import History

LIMIT = 200 << 20


class Shelf:
    """Histories by the names of their images, at most ``limit`` bytes of edits over all of them.

    The images left longest ago lose their oldest edits first. The last edit of the image in hand
    is kept even where it alone is above the limit.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self._histories: OrderedDict[str, History] = OrderedDict()  # the one in hand comes last

    @property
    def nbytes(self) -> int:
        """The memory that all edits hold."""
        return sum(history.nbytes for history in self._histories.values())

    def take(self, name: str) -> History:
        """An image's history, a new one where it has none: this image is in hand now."""
        history = self._histories.pop(name, None) or History()
        self._histories[name] = history
        return history

    def drop(self, name: str) -> None:
        """Forget an image's edits: they no longer fit its mask."""
        self._histories.pop(name, None)

    def clear(self) -> None:
        """Forget every image's edits."""
        self._histories.clear()

    def trim(self) -> int:
        """Forget edits until the limit is kept; returns how many."""
        forgotten = 0
        excess = self.nbytes - self.limit
        for name, history in list(self._histories.items()):
            in_hand = name == next(reversed(self._histories))
            while excess > 0 and history.steps > int(in_hand):
                before = history.nbytes
                history.forget_oldest()
                excess -= before - history.nbytes
                forgotten += 1
            if not history.steps and not in_hand:
                del self._histories[name]
        return forgotten
