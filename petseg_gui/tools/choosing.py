"""What happens to the pixels that a tool chose: painted, taken away, or selected."""

from __future__ import annotations

from collections.abc import Callable

from core.editing.change import fill
from core.editing.history import Edit
from core.editing.region import Region
from petseg_gui.document import Document
from petseg_gui.tools.tool import Operation, Options, Workbench

Find = Callable[[], Region | None]


def operation(options: Options, takes_away: bool) -> Operation:
    """What is done with what was chosen; the right button or Alt turns adding into removing."""
    if options.operation is Operation.ADD and takes_away:
        return Operation.REMOVE
    return options.operation


def is_locked(bench: Workbench, document: Document) -> bool:
    """Whether the class that is painted is locked; then that is said."""
    if bench.options.value in document.locked:
        bench.tell("This class is locked: unlock it in the list of classes to change it.")
        return True
    return False


def edit_for(
    document: Document, region: Region | None, what: Operation, value: int, title: str
) -> Edit | None:
    """The edit that adds a region to a class or takes it from it."""
    if region is None:
        return None
    if what is Operation.REMOVE:
        return fill(document.mask, region, document.unpainted, title, document.locked, only=value)
    return fill(document.mask, region, value, title, document.locked)


def use(bench: Workbench, document: Document, find: Find, what: Operation, title: str) -> None:
    """Do with a region what is asked, as soon as it is found."""
    value = bench.options.value
    if what is Operation.SELECT:
        bench.run(find, document.select)
    elif not is_locked(bench, document):
        # The brush, which is in hand at the start, needs none of it.
        from petseg_gui.tools.proposal import apply_soon

        apply_soon(bench, document, lambda: edit_for(document, find(), what, value, title))
