"""What the log says: folders, and everything that failed."""

from __future__ import annotations

from petseg_gui.log import LOG
from petseg_gui.opening import Opened
from petseg_gui.parts import Parts
from petseg_gui.prediction.batch import BatchReport


def wire_log(parts: Parts) -> None:
    """Connect the log to those who have something to say."""
    parts.opener.opened.connect(_opened)
    parts.opener.failed.connect(lambda reason: LOG.warning("Folder not opened: %s", reason))
    parts.session.saver.failed.connect(lambda _, reason: LOG.warning("Mask not saved: %s", reason))
    parts.desk.failed.connect(lambda reason: LOG.warning("Not segmented: %s", reason))
    parts.batch.finished.connect(_batch_finished)


def _opened(opened: Opened) -> None:
    project = opened.project
    LOG.info(
        "Folder opened: %d images, %s layout, masks as %s, %s",
        len(project.names),
        project.layout.kind,
        project.settings.mask_encoding,
        "writable" if project.writable else "read-only",
    )


def _batch_finished(report: BatchReport) -> None:
    LOG.info("Segmented %d of %d images", report.done - len(report.problems), report.total)
    for reason in report.problems.values():
        LOG.warning("Not segmented: %s", reason)
