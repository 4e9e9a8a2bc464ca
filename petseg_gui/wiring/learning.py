"""Learn as you go: its switch, and what is said when a better model has taken over."""

from __future__ import annotations

from petseg_gui.banner import Level
from petseg_gui.parts import Parts
from petseg_gui.words import count


def wire_learning(parts: Parts) -> None:
    """Connect the switch."""
    learning, action, window = parts.learning, parts.actions["learn_as_you_go"], parts.window
    action.triggered.connect(learning.switch)
    learning.switched.connect(lambda: action.setChecked(learning.on))
    parts.session.project_changed.connect(lambda: _project_changed(parts))
    parts.settings.changed.connect(lambda _: _set_every(parts))
    learning.noted.connect(parts.training_panel.set_learning_note)
    learning.told.connect(window.tell)
    learning.took_over.connect(lambda text: _take_over(parts, text))
    window.closed.connect(parts.anew.stop)
    _set_every(parts)
    _project_changed(parts)


def _set_every(parts: Parts) -> None:
    parts.learning.every = parts.settings.settings.learn_after
    parts.learning.look()


def _project_changed(parts: Parts) -> None:
    project, action = parts.session.project, parts.actions["learn_as_you_go"]
    parts.window.banners.remove("learnt")
    parts.learning.leave()
    action.setEnabled(project is not None and project.writable)
    action.setChecked(parts.learning.on)


def _take_over(parts: Parts, text: str) -> None:
    waiting = parts.anew.start()
    anew = f"; {count(waiting, 'waiting image')} {'is' if waiting == 1 else 'are'} segmented anew"
    parts.window.banners.show_message(
        "learnt", Level.INFO, f"{text} Its model segments now{anew if waiting else ''}."
    )
