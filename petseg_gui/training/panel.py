"""The training panel: how far it is, whether it learns, and the buttons that steer it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QPalette
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from petseg_gui.actions import STEER_TRAINING
from petseg_gui.heavy import HEAVY
from petseg_gui.tasks import Job, Lane, Tasks
from petseg_gui.training.desk import TrainingDesk
from petseg_gui.training.previews import Previews
from petseg_gui.training.problem_box import ProblemBox
from petseg_gui.training.saving import ask_and_save, picture, table
from petseg_gui.training.watcher import Phase, RunWatcher
from petseg_gui.training.words import details, headline, joined, notices, problem

if TYPE_CHECKING:
    from core.training.progress import RunState
    from core.training.verdict import Verdict
    from petseg_gui.training.curves import Curves


class TrainingPanel(QWidget):
    """Shows what a RunWatcher knows."""

    image_wanted = Signal(str)
    """An image of the previews: show it in the window."""
    log_wanted = Signal()
    told = Signal(str)

    def __init__(
        self,
        tasks: Tasks,
        watcher: RunWatcher,
        desk: TrainingDesk,
        actions: Mapping[str, QAction],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._watcher = watcher
        self._desk = desk
        self._loading = False
        self._judge: Callable[..., Verdict] | None = None
        self._judged: object = None
        self.setMinimumWidth(300)
        self.curves: Curves | None = None
        self.headline = _text(self)
        font = self.headline.font()
        font.setBold(True)
        self.headline.setFont(font)
        self.details = _text(self, quiet=True)
        self.bar = QProgressBar(self)
        self.bar.setAccessibleName("Progress of the training")
        self.bar.setTextVisible(False)
        self.bar.setMaximumHeight(10)
        self.verdict = _text(self)
        self.advice = _text(self, quiet=True)
        self.joined = _text(self)
        self.notices = _text(self, quiet=True)
        self.problem = ProblemBox(self)
        self.problem.log_button.clicked.connect(self.log_wanted)
        self.problem.restart_button.clicked.connect(lambda: desk.end_silent(resume=True))
        self.problem.end_button.clicked.connect(lambda: desk.end_silent())
        self.previews = Previews(tasks, self)
        self.previews.image_wanted.connect(self.image_wanted)
        self._pictures = QSplitter(Qt.Orientation.Vertical, self)
        self._pictures.setChildrenCollapsible(False)
        self._pictures.addWidget(self.previews)
        self.waiting = QPushButton(self)
        self.waiting.setFlat(True)
        self.waiting.setToolTip(actions["runs"].toolTip())
        self.waiting.clicked.connect(actions["runs"].trigger)
        self.steering = [_button(actions[command], self) for command in STEER_TRAINING]
        self.start_button = _button(actions["train"], self)
        self.log_button = QToolButton(self)
        self.log_button.setText("Log…")
        self.log_button.setToolTip("Read what the training's process wrote")
        self.log_button.clicked.connect(self.log_wanted)
        self.learning = _switch(actions["learn_as_you_go"], self)
        self.learning_note = _text(self, quiet=True)
        self._lay_out()
        watcher.progressed.connect(self.refresh)
        desk.changed.connect(self.refresh)
        self.refresh()

    def set_colours(self, colours: Sequence[tuple[int, int, int]]) -> None:
        """The classes' colours: RGB by class id."""
        self.previews.set_colours(colours)

    def set_learning_note(self, text: str) -> None:
        """What there is to say of learning as you go; "" for nothing."""
        _say(self.learning_note, text)

    def refresh(self) -> None:
        """Show how it stands now."""
        watcher, state = self._watcher, self._watcher.state
        phase = watcher.phase
        self.headline.setText(headline(phase, state, watcher.asked))
        config = watcher.config
        name = config.name if config is not None else ""
        _say(
            self.details,
            details(phase, state, name)
            if state is not None
            else "Approve some masks, then start: the model learns from them in the background.",
        )
        _say(self.joined, joined(state) if state is not None and not state.over else "")
        _say(self.notices, notices(state) if state is not None else "")
        self.problem.show_problem(problem(phase, state, watcher.last_words), phase is Phase.SILENT)
        self.log_button.setVisible(state is not None and self.problem.isHidden())
        self._show_bar(state)
        self._show_judgement(state)
        waits = self._desk.waiting
        self.waiting.setVisible(waits > 0)
        more = "more " if watcher.training else ""
        self.waiting.setText(f"{waits} {more}waiting…")
        under_way = watcher.training or watcher.resumable
        for button in self.steering:
            button.setVisible(under_way)
        self.start_button.setVisible(not under_way)
        if state is not None:
            self._load_curves()
            self.previews.show_run(state)
        elif not self.previews.isHidden():
            self.previews.stop()
            self.previews.hide()
        if self.curves is not None:
            self.curves.setVisible(state is not None)
            self.save_button.setVisible(state is not None and bool(state.epochs))
            if state is not None:
                self.curves.show_run(state)

    def _show_bar(self, state: RunState | None) -> None:
        step = state.step if state is not None else None
        self.bar.setVisible(state is not None and not state.over)
        moving = step is None and self._watcher.phase is Phase.TRAINING
        self.bar.setRange(0, step.steps if step is not None else int(not moving))
        self.bar.setValue(step.step if step is not None else 0)

    def _show_judgement(self, state: RunState | None) -> None:
        config = self._watcher.config
        failed = self._watcher.phase in (Phase.FAILED, Phase.DIED)
        begun = state is not None and state.started is not None and not failed
        if state is None or config is None or self._judge is None or not begun:
            self._judged = None
            _say(self.verdict, "")
            _say(self.advice, "")
            return
        basis = (state.run, len(state.epochs), state.over)
        if basis != self._judged:  # not at every step
            self._judged = basis
            judgement = self._judge(state, config.train)
            _say(self.verdict, judgement.text)
            _say(self.advice, judgement.advice)

    def _load_curves(self) -> None:
        if self._loading:
            return
        self._loading = True

        def work(job: Job) -> object:
            # pyqtgraph takes a third of a second to import.
            with HEAVY:
                import_module("core.training.verdict")
                return import_module("petseg_gui.training.curves")

        self._tasks.run(Lane.LOAD, work, self._add_curves)

    def _add_curves(self, module: object) -> None:
        from core.training.verdict import verdict
        from petseg_gui.training.curves import Curves

        self._judge = verdict
        self.curves = Curves(self)
        self.curves.add_corner(self.save_button)
        self._pictures.insertWidget(0, self.curves)
        self._pictures.setSizes([300, 240])
        self.refresh()

    def _save_picture(self) -> None:
        if self.curves is not None:
            # Taken now: by the time a name is chosen, the training will be further.
            image = self.curves.chart.grab().toImage()
            name = f"{self.curves.measure.lower()}.png"
            self._save("Save the curves", name, lambda: picture(image))

    def _save_table(self) -> None:
        state = self._watcher.state
        if state is not None:
            epochs = list(state.epochs)
            self._save("Save the table", "training.csv", lambda: table(epochs))

    def _save(self, title: str, name: str, make: Callable[[], bytes]) -> None:
        ask_and_save(self, title, name, make, self._tasks, self.told.emit)

    def _lay_out(self) -> None:
        self.save_button = QToolButton(self)
        self.save_button.setText("Save")
        self.save_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.save_button.setToolTip("Save the curves as a picture or as a table")
        menu = QMenu(self.save_button)
        menu.addAction("Picture (PNG)…", self._save_picture)
        menu.addAction("Table (CSV)…", self._save_table)
        self.save_button.setMenu(menu)
        self.save_button.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 10, 12, 10)
        layout.setSpacing(8)
        for widget in (
            self.headline,
            self.bar,
            self.details,
            self.verdict,
            self.advice,
            self.joined,
            self.problem,
            self.notices,
        ):
            layout.addWidget(widget)
        layout.addWidget(self._pictures, 1)
        buttons = QHBoxLayout()
        for button in (*self.steering, self.start_button):
            buttons.addWidget(button)
        buttons.addStretch(1)
        layout.addLayout(buttons)
        layout.addWidget(self.waiting, 0, Qt.AlignmentFlag.AlignLeft)
        last = QHBoxLayout()
        last.addWidget(self.learning)
        last.addStretch(1)
        last.addWidget(self.log_button)
        layout.addLayout(last)
        layout.addWidget(self.learning_note)


def _text(parent: QWidget, quiet: bool = False) -> QLabel:
    label = QLabel(parent)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    if quiet:
        label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
    return label


def _say(label: QLabel, text: str) -> None:
    """Show a text; none takes no room."""
    label.setText(text)
    label.setVisible(bool(text))


def _button(action: QAction, parent: QWidget) -> QToolButton:
    """A button that always is as its command is: text, icon, tip, whether it can be pressed."""
    button = QToolButton(parent)
    button.setDefaultAction(action)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def _switch(action: QAction, parent: QWidget) -> QCheckBox:
    """A box that is ticked while its command is on."""
    box = QCheckBox(action.text(), parent)
    box.setToolTip(action.toolTip())

    def follow() -> None:
        box.setChecked(action.isChecked())
        box.setEnabled(action.isEnabled())
        box.setToolTip(action.toolTip())

    action.changed.connect(follow)
    box.clicked.connect(lambda: action.trigger())
    follow()
    return box
