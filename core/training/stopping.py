"""Early stopping: a pure state machine over the epochs' validation IoU."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Stopping:
    """What is known of the epochs so far, and whether to wait for more.

    patience: epochs in a row that may pass without a better IoU; 0: any number. The other three
    say where a run stands: best IoU (0 to 1; -1 before the first epoch), its epoch, epochs seen.
    """

    patience: int
    best_iou: float = -1.0
    best_epoch: int = 0
    epoch: int = 0

    def after(self, iou: float) -> Stopping:
        """The state after one epoch more. An IoU that is no number is no better one."""
        epoch = self.epoch + 1
        if iou > self.best_iou:
            return Stopping(self.patience, iou, epoch, epoch)
        return replace(self, epoch=epoch)

    @property
    def improved(self) -> bool:
        """Whether the last epoch is the best so far."""
        return 0 < self.epoch == self.best_epoch

    @property
    def should_stop(self) -> bool:
        """Whether patience has run out."""
        return 0 < self.patience <= self.epoch - self.best_epoch
