"""A folder's masks rewritten as class ids, so that they can hold void and any class.

Whatever stood in the mask folder is kept. Folders in the project's store say how far it has come,
so that it can go on after a crash at any moment:

- ``originals.part``: the masks are being copied; nothing has changed yet
- ``converting``: the copies are complete; the masks are being rewritten from them
- ``originals``: done (``originals-2`` where there is one already)
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from core import files
from core.files import WriteError
from core.masks import MaskEncoding, MaskError, read_mask, write_mask
from core.project.layout import mask_files
from core.project.project import CONVERTING, Project

_COPYING = "originals.part"
_ORIGINALS = "originals"

Progress = Callable[[int, int], None]
"""Steps done, and how many there are."""


@dataclass(frozen=True)
class Converted:
    """How a conversion went.

    problems: image (or path of a mask without one) -> why its mask could not be read; it is as it
    was.
    """

    masks: int
    problems: dict[str, str]


@dataclass(frozen=True)
class _Step:
    """One mask: the file it is read from, the one it is written to, its image if there is one."""

    source: Path
    target: Path
    image: str | None


def convert_to_ids(
    project: Project, progress: Progress, cancelled: Callable[[], bool]
) -> Converted | None:
    """Rewrite all masks of a folder as class ids, and say so in project.json.

    Masks that would be overwritten are copied to STORE/originals/masks first; others (in a
    read-only folder, or under another name) stay, and the new file goes before them. None where
    it was cancelled: every mask is then as it was. Raises WriteError, BadInput (read-only).
    """
    project.keep_settings()  # what was detected holds from now on, written down
    if project.settings.mask_encoding is MaskEncoding.IDS:
        return Converted(0, {})
    steps = _steps(project)
    copying = project.store / _COPYING
    shutil.rmtree(copying, ignore_errors=True)
    try:
        (copying / "masks").mkdir(parents=True)
        for number, step in enumerate(steps):
            if cancelled():
                shutil.rmtree(copying)
                return None
            # Whatever is about to be overwritten, the mask itself in most cases. A disk that does
            # not tell a.PNG from a.png has it under another name than the one to be written.
            if step.target.exists():
                files.write_bytes(_kept(project, copying, step), step.target.read_bytes())
            progress(number, 2 * len(steps))
        copying.rename(project.store / CONVERTING)
    except OSError as error:
        raise WriteError(f"The masks cannot be copied to {copying}: {error}") from error
    try:
        converted = _rewrite(
            project, steps, lambda n: progress(len(steps) + n, 2 * len(steps)), cancelled
        )
    except WriteError:
        _put_back(project, steps)
        raise
    if converted is None:
        _put_back(project, steps)
    return converted


def resume_conversion(
    project: Project, progress: Progress = lambda done, total: None
) -> Converted | None:
    """Finish a conversion that was interrupted; None where there is none.

    For whoever alone writes to the folder. Raises WriteError.
    """
    if not project.writable:
        return None
    shutil.rmtree(project.store / _COPYING, ignore_errors=True)
    if not project.half_converted:
        return None
    steps = _steps(project)
    return _rewrite(project, steps, lambda n: progress(n, len(steps)), lambda: False)


def _rewrite(
    project: Project,
    steps: list[_Step],
    progress: Callable[[int], None],
    cancelled: Callable[[], bool],
) -> Converted | None:
    converting = project.store / CONVERTING
    settings, done, problems = project.settings, 0, {}
    # Where only the last step was missing, the masks and project.json are written already.
    for step in steps if settings.mask_encoding is not MaskEncoding.IDS else ():
        if cancelled():
            return None
        kept = _kept(project, converting, step)
        origin = kept if kept.exists() else step.source
        # Neither kept nor elsewhere: it was written here before the interruption.
        if origin != step.target:
            try:
                mask = read_mask(origin, settings.mask_encoding, settings.scheme)
            except MaskError as error:
                problems[step.image or str(step.source)] = error.reason
            else:
                digest = write_mask(step.target, mask, settings.scheme)
                _judge_again(project, step, origin, digest)
        done += 1
        progress(done)
    project.find_masks_again()
    project.change_settings(mask_encoding=MaskEncoding.IDS)
    converting.rename(files.unused(project.store / _ORIGINALS))
    return Converted(done - len(problems), problems)


def _put_back(project: Project, steps: list[_Step]) -> None:
    converting = project.store / CONVERTING
    for step in steps:
        kept = _kept(project, converting, step)
        if kept.exists():
            data = kept.read_bytes()
            if not step.target.exists() or step.target.read_bytes() != data:
                files.write_bytes(step.target, data)
        elif step.source != step.target:
            step.target.unlink(missing_ok=True)
    # Renamed first: half of the copies under the old name would be taken for all of them.
    copying = converting.rename(project.store / _COPYING)
    shutil.rmtree(copying)
    project.find_masks_again()


def _steps(project: Project) -> list[_Step]:
    """The masks of the images, and those that lie in the mask folder beside them."""
    steps = [
        _Step(source, project.mask_target(name), name)
        for name in project.names
        if (source := project.mask_source(name)) is not None and project.is_in_encoding(source)
    ]
    used = {step.source for step in steps} | {step.target for step in steps}
    # The image of such a mask may only be away for now.
    others = [p for p in mask_files(project.mask_folder).values() if p not in used]
    return steps + [_Step(path, path.with_suffix(".png"), None) for path in others]


def _kept(project: Project, folder: Path, step: _Step) -> Path:
    return folder / "masks" / step.target.relative_to(project.mask_folder)


def _judge_again(project: Project, step: _Step, origin: Path, digest: str) -> None:
    """A judgement names the mask file's hash, which is another one now."""
    review = project.review(step.image) if step.image is not None else None
    if review is not None and review.mask == files.sha256(origin.read_bytes()):
        project.add_review(replace(review, mask=digest))
