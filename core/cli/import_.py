"""``petseg import``."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from shlex import quote
from typing import Any

from core.cli.output import (
    DONE,
    SOME_SKIPPED,
    counting,
    images,
    open_for_cli,
    report_skipped,
    save_json,
    say,
    table,
    warn,
)
from core.errors import BadInput
from core.formats.importing import (
    NeedsIds,
    finish_imports,
    import_masks,
    last_import,
    undo_import,
)
from core.formats.planning import ImportPlan, Target, plan_import, read_source
from core.formats.registry import format_of
from core.formats.source import ReadOptions
from core.labels import BACKGROUND, VOID, listed
from core.masks import MaskEncoding
from core.project.convert import convert_to_ids
from core.project.lock import take
from core.project.project import Project


@dataclass(frozen=True)
class Wish:
    """What the command line asks for. targets: class of the annotations -> what it becomes."""

    format: str = ""
    targets: dict[str, str] = field(default_factory=dict)
    colours: str = ""
    replacing: bool = False
    converting: bool = False
    dry_run: bool = False


def import_command(
    source: Path,
    folder: Path,
    wish: Wish,
    json_file: Path | None,
    store: Path | None,
    encoding: MaskEncoding | None,
) -> int:
    """Say what an import would do, then do it. Raises BadInput, WriteError."""
    auto = wish.colours == "auto"
    options = ReadOptions(Path(wish.colours) if wish.colours and not auto else None, auto)
    found = read_source(source, wish.format, options)
    project = open_for_cli(folder, store, encoding)
    with counting("looking") as tell:
        plan = plan_import(project, found, tell)
    if plan is None:
        return DONE  # nobody cancels it here
    plan = replace(plan.mapped(wish.targets), replacing=wish.replacing)
    _preview(plan, folder)
    about = _as_json(plan)
    left_out = len(plan.refused) + len(plan.differing)
    if wish.dry_run:
        say(f"Nothing is written: {images(len(plan.chosen))} would get a mask.")
        save_json(json_file, about)
        return SOME_SKIPPED if left_out else DONE
    lock = take(project.store)
    try:
        _finish(project)
        _be_ids(project, plan, wish)
        with counting("importing") as tell:
            imported = import_masks(project, plan, tell)
    except NeedsIds as error:
        raise BadInput(_HOW_TO_CONVERT.format(error)) from error
    finally:
        lock.release()
    if imported is None:
        return DONE
    elsewhere = f" --project {quote(str(store))}" if store is not None else ""
    undo = f"petseg import --undo {quote(str(folder))}{elsewhere}"
    say(f"Imported {images(len(imported.masks))}. To undo it: {undo}")
    save_json(
        json_file,
        about
        | {"import": imported.id, "written": list(imported.masks)}
        | _named(imported.problems),
    )
    code = report_skipped(imported.problems.items())
    return SOME_SKIPPED if left_out else code


def undo_command(folder: Path, json_file: Path | None, store: Path | None) -> int:
    """Take the last import back. Raises BadInput, WriteError."""
    project = open_for_cli(folder, store)
    lock = take(project.store)
    try:
        _finish(project)
        with counting("undoing") as tell:
            back = undo_import(project, last_import(project), tell)
    finally:
        lock.release()
    say(f"Undone: {images(len(back.masks))} as before the import.")
    save_json(json_file, {"import": back.id, "restored": list(back.masks)} | _named(back.problems))
    return report_skipped(back.problems.items())


_HOW_TO_CONVERT = "{} Say --convert to do that (the originals are kept), or map classes with --map."


def _finish(project: Project) -> None:
    told = finish_imports(project)
    if told:
        warn(told)


def _be_ids(project: Project, plan: ImportPlan, wish: Wish) -> None:
    """Convert the folder's masks where that is asked for, and serves an import.

    Raises BadInput, WriteError.
    """
    wanted = wish.converting and plan.chosen
    if wanted and project.settings.mask_encoding is not MaskEncoding.IDS:
        with counting("converting") as tell:
            convert_to_ids(project, tell, lambda: False)
        say("The folder's masks are class ids now.")


def _preview(plan: ImportPlan, folder: Path) -> None:
    source = plan.source
    say(
        f"{format_of(source.format).title}, {source.path.name}: "
        f"{images(len(source.entries))} annotated, {len(plan.matches)} of them in {folder}"
    )
    if plan.existing:
        what = "are replaced" if plan.replacing else "stay as they are (--replace to replace them)"
        say(f"{images(len(plan.existing))} with a mask already: these masks {what}")
    if plan.missing:
        say(f"{images(len(plan.missing))} not in the folder: {listed(plan.missing)}")
    table(
        ("class", "images", "becomes"),
        [
            (label.name, _images_with(plan, position), describe(plan, plan.targets[position]))
            for position, label in enumerate(source.classes)
        ],
    )
    for note in source.notes:
        say(f"note: {note}")
    for problems in (plan.refused, plan.differing):
        report_skipped(problems.items())


def _images_with(plan: ImportPlan, position: int) -> str:
    return str(plan.appearing[position]) if position in plan.appearing else "-"


def describe(plan: ImportPlan, target: Target) -> str:
    """What a class becomes, in words."""
    if isinstance(target, str):
        return f"{target} (new class)"
    if target == VOID:
        return "void (unlabelled)"
    return plan.base[target].name if target != BACKGROUND else "background"


def _as_json(plan: ImportPlan) -> dict[str, Any]:
    return {
        "format": plan.source.format,
        "source": str(plan.source.path),
        "annotated": len(plan.source.entries),
        "matched": len(plan.matches),
        "existing": sorted(plan.existing),
        "missing": list(plan.missing),
        "refused": dict(plan.refused),
        "differing": dict(plan.differing),
        "classes": [
            {
                "name": label.name,
                "becomes": describe(plan, plan.targets[position]),
                "images": plan.appearing.get(position),
            }
            for position, label in enumerate(plan.source.classes)
        ],
        "notes": list(plan.source.notes),
    }


def _named(problems: dict[str, str]) -> dict[str, Any]:
    return {"problems": [{"image": name, "reason": why} for name, why in problems.items()]}
