"""Classes and history: what is painted, what is locked, the label scheme editor, past edits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtGui import QKeySequence, QShortcut

from core.labels import VOID, LabelScheme, default_colour
from core.project.settings import UNLABELLED
from petseg_gui.actions import HELD_KEYS
from petseg_gui.canvas.appearance import Colours
from petseg_gui.classes.swatch import class_name
from petseg_gui.parts import Parts
from petseg_gui.tasks import Job, Lane, Task

if TYPE_CHECKING:
    from petseg_gui.classes.editor import ClassEditor

_KEY = "class-key"


def wire_classes(parts: Parts) -> None:
    """Connect class panel, history panel and label scheme editor."""
    panel, session, actions = parts.class_panel, parts.session, parts.actions
    actions["classes"].triggered.connect(lambda: open_editor(parts))
    actions["paint_void"].triggered.connect(lambda: _want(parts, VOID))
    actions["lock_class"].triggered.connect(lambda: panel.toggle_lock(panel.current))
    panel.class_wanted.connect(lambda class_id: _want(parts, class_id))
    panel.class_set.connect(lambda class_id: setattr(parts.toolbox, "value", class_id))
    panel.class_set.connect(lambda _: _show_current(parts))
    panel.class_set.connect(lambda _: _tell_lock(parts))
    panel.locked_changed.connect(lambda _: _lock(parts))
    panel.locked_changed.connect(lambda _: _tell_lock(parts))
    panel.left.connect(parts.canvas.setFocus)
    parts.strip.class_button.clicked.connect(lambda: _toggle_dock(parts))
    parts.canvas.appearance_changed.connect(lambda: _show_colours(parts))
    session.project_changed.connect(lambda: _project_changed(parts))
    session.document_changed.connect(lambda: _document_changed(parts))
    parts.history_panel.went.connect(lambda done: _go_to(parts, done))
    _project_changed(parts)


def open_editor(parts: Parts) -> ClassEditor | None:
    """The label scheme editor of the open folder."""
    from core.project.classes import border_is_fixed
    from petseg_gui.classes.editor import ClassEditor

    project = parts.session.project
    if project is None or not project.writable:
        return None
    editor = ClassEditor(
        project.settings.scheme,
        _taken_keys(parts),
        border_is_fixed(project),
        parts.window,
        unpainted=project.settings.unpainted,
    )
    editor.finished.connect(editor.deleteLater)
    editor.wanted.connect(lambda scheme: _take_scheme(parts, editor, scheme))
    editor.use_asked.connect(lambda class_id: _look_for_use(parts, editor, class_id))
    editor.show()
    return editor


def _look_for_use(parts: Parts, editor: ClassEditor, class_id: int) -> None:
    from core.project.classes import image_using

    session = parts.session
    project, document = session.project, session.document
    if project is None:
        return
    session.save()
    if session.saver.problems:
        editor.keep_last("some masks are not saved yet")
        return

    def work(job: Job) -> str | None:
        if document is not None and (document.mask == class_id).any():
            return document.name
        return image_using(
            project,
            class_id,
            lambda done, total: job.report((done, total)),
            lambda: job.cancelled,
        )

    task: Task = parts.tasks.run(
        Lane.SAVE,  # after what is still being saved: the files are what is looked at
        work,
        lambda image: editor.set_use(class_id, image),
        editor.keep_last,
        lambda step: editor.set_checked(*step),
    )
    editor.check_cancelled.connect(task.cancel)


def _take_scheme(parts: Parts, editor: ClassEditor, scheme: LabelScheme) -> None:
    """What the editor wants is written down, once the folder's masks can hold it."""
    from core.project.classes import can_hold_scheme, can_hold_void
    from petseg_gui.wiring.conversion import offer_conversion

    project = parts.session.project
    if project is None:
        return
    unpainted = editor.unpainted
    means_another = unpainted != project.settings.unpainted

    def write() -> None:
        editor.setEnabled(False)
        if means_another:
            parts.session.save()  # what is painted until now is a mask as it was meant
        parts.tasks.run(
            Lane.SAVE,
            lambda job: project.change_settings(scheme=scheme, unpainted=unpainted),
            lambda _: written(),
            failed,
            kept=True,
        )

    def failed(reason: str) -> None:
        editor.setEnabled(True)
        editor.problem.setText(reason)

    def written() -> None:
        if editor.removed:
            # Undoing an edit could bring back a class that is no more.
            parts.session.forget_edits()
            parts.window.tell("The class is removed. Edits made before cannot be undone any more.")
        follow_scheme(parts, scheme)
        parts.facts.look_at_all()
        if means_another:
            parts.session.read_again()
        editor.accept()

    if can_hold_scheme(project, scheme) and (unpainted != UNLABELLED or can_hold_void(project)):
        write()
    else:
        offer_conversion(parts, write, lambda: None, editor)


def follow_scheme(parts: Parts, scheme: LabelScheme) -> None:
    """The open folder's classes are others now."""
    document = parts.session.document
    if document is not None:
        document.scheme = scheme
        parts.canvas.refresh_colours()
    _show_scheme(parts, scheme)
    parts.predict_options.follow_classes()


def _want(parts: Parts, class_id: int) -> None:
    from core.project.classes import can_hold_void
    from petseg_gui.wiring.conversion import offer_conversion

    project, panel = parts.session.project, parts.class_panel
    if project is None:
        return
    if class_id == VOID and project.writable and not can_hold_void(project):
        offer_conversion(parts, lambda: panel.choose(class_id), panel.show_current, parts.window)
    else:
        panel.choose(class_id)


def _project_changed(parts: Parts) -> None:
    project = parts.session.project
    parts.actions["classes"].setEnabled(project is not None and project.writable)
    for command in ("paint_void", "lock_class"):
        parts.actions[command].setEnabled(project is not None)
    parts.class_panel.unlock_all()
    scheme = project.settings.scheme if project is not None else None
    _show_scheme(parts, scheme)
    parts.class_panel.choose(1)
    # With two classes there is little to choose: the panel stays away until it is asked for.
    if scheme is not None and len(scheme.classes) > 2:
        parts.class_dock.show()


def follow_shortcuts(parts: Parts) -> None:
    """Commands have other keys now: classes give theirs up, or have them back."""
    project = parts.session.project
    if project is not None:
        _show_scheme(parts, project.settings.scheme)


def _show_scheme(parts: Parts, scheme: LabelScheme | None) -> None:
    keys = {} if scheme is None else _free_keys(parts, scheme)
    shown = None if scheme is None else _as_shown(parts, scheme)
    parts.class_panel.set_scheme(shown, keys)
    for shortcut in parts.window.findChildren(QShortcut, _KEY):
        shortcut.setKey(QKeySequence())  # it goes only when the event loop runs again
        shortcut.deleteLater()
    for class_id, key in keys.items():
        shortcut = QShortcut(QKeySequence(key), parts.window)
        shortcut.setObjectName(_KEY)
        shortcut.activated.connect(lambda id_=class_id: _want(parts, id_))
    _show_current(parts)


def _show_current(parts: Parts) -> None:
    project = parts.session.project
    scheme = None if project is None else _as_shown(parts, project.settings.scheme)
    parts.strip.set_class(scheme, parts.class_panel.current)


def _show_colours(parts: Parts) -> None:
    """The canvas may show other colours now: so do panel and strip."""
    project = parts.session.project
    if project is not None:
        parts.class_panel.show_colours(_as_shown(parts, project.settings.scheme))
        _show_current(parts)


def _as_shown(parts: Parts, scheme: LabelScheme) -> LabelScheme:
    if parts.canvas.appearance.colours is Colours.SCHEME:
        return scheme
    safe = (replace(c, colour=default_colour(c.id)) for c in scheme.classes)
    return replace(scheme, classes=tuple(safe))


def _free_keys(parts: Parts, scheme: LabelScheme) -> dict[int, str]:
    """The classes' keys, but for those that a command was given since."""
    taken = _taken_keys(parts)
    return {id_: key for id_, key in scheme.keys.items() if key.upper() not in taken}


def _taken_keys(parts: Parts) -> dict[str, str]:
    """Keys of one character that do something already, and what."""
    portable = QKeySequence.SequenceFormat.PortableText
    taken = {key.upper(): text for key, text in HELD_KEYS if len(key) == 1}
    for action in parts.actions.values():
        for sequence in action.shortcuts():
            key = sequence.toString(portable)
            if len(key) == 1:
                taken[key.upper()] = action.text()
    return taken


def _document_changed(parts: Parts) -> None:
    document, panel = parts.session.document, parts.history_panel
    panel.set_document(document)
    if document is not None:
        document.edited.connect(panel.refresh)
    _lock(parts)


def _lock(parts: Parts) -> None:
    document = parts.session.document
    if document is not None:
        document.locked = parts.class_panel.locked
        parts.toolbox.follow()


def _tell_lock(parts: Parts) -> None:
    """Strokes of a locked class do nothing: a person should know why."""
    project, panel = parts.session.project, parts.class_panel
    if project is not None and panel.current in panel.locked:
        name = class_name(project.settings.scheme, panel.current)
        parts.window.tell(f"{name} is locked: strokes neither add to it nor take from it.")


def _go_to(parts: Parts, done: int) -> None:
    document = parts.session.document
    parts.canvas.finish_stroke()
    if document is None or not parts.session.can_edit or not document.go_to(done):
        parts.history_panel.refresh()


def _toggle_dock(parts: Parts) -> None:
    parts.class_dock.setVisible(not parts.class_dock.isVisible())
