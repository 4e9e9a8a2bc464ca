"""The contact sheet: all masks of a folder at a glance, judged with a key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QAction, QHideEvent, QKeySequence, QPalette, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSizePolicy,
    QSlider,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from core.project.reviews import Status
from petseg_gui.actions import shortcut_texts
from petseg_gui.browser.telling import as_tip
from petseg_gui.canvas.appearance import Appearance
from petseg_gui.judge import Judge, Verdicts
from petseg_gui.progress import ProgressStrip
from petseg_gui.session import Session
from petseg_gui.sheet.model import SheetModel
from petseg_gui.sheet.pictures import Pictures
from petseg_gui.sheet.view import SheetView
from petseg_gui.tasks import Tasks
from petseg_gui.words import count

_SIZE = QSize(1100, 760)
_SMALLEST, _LARGEST, _STEP = 80, 512, 32
_FILTERS: dict[str, tuple[Status, ...]] = {
    "All images": tuple(Status),
    "To review": (Status.PREDICTED, Status.EDITED),
    "Predicted": (Status.PREDICTED,),
    "Edited": (Status.EDITED,),
    "Approved": (Status.APPROVED,),
    "Rejected": (Status.REJECTED,),
    "Unlabelled": (Status.UNLABELLED,),
}
_CAN_APPROVE = (Status.PREDICTED, Status.EDITED)


class SheetWindow(QDialog):
    """Stays open beside the main window; an image stays in its place when it is judged."""

    image_wanted = Signal(str)

    def __init__(
        self,
        tasks: Tasks,
        session: Session,
        judge: Judge,
        listed: Callable[[], Sequence[str]],
        look: Callable[[], Appearance],
        actions: Mapping[str, QAction],
        parent: QWidget | None = None,
    ) -> None:
        """listed: the images that the list of the main window shows, in its order.

        look: how its canvas shows masks.
        """
        super().__init__(parent, Qt.WindowType.Window)
        self.setWindowTitle("Contact sheet")
        self.resize(_SIZE)
        self._session = session
        self._judge = judge
        self._listed = listed
        self._look = look
        self.pictures = Pictures(tasks, self)
        self.model = SheetModel(session.status, self.pictures, self)
        self.view = SheetView(self.model, self)
        self.view.open_wanted.connect(self.image_wanted)
        self.view.peeked.connect(lambda held: self.view.show_masks(not held))
        self.view.size_stepped.connect(self._step_size)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.view.customContextMenuRequested.connect(self._show_menu)
        self.view.selectionModel().selectionChanged.connect(self._show_selection)
        self.filter_box = QComboBox(self)
        self.filter_box.setAccessibleName("Which images are shown")
        self.filter_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        for title in _FILTERS:
            self.filter_box.addItem(title)
        self.filter_box.activated.connect(self.show_images)
        self.only_found = QCheckBox("Only what the search finds", self)
        self.only_found.setToolTip("Only the images that the list in the main window shows")
        self.only_found.setChecked(True)
        self.only_found.toggled.connect(self.show_images)
        self.size_slider = QSlider(Qt.Orientation.Horizontal, self)
        self.size_slider.setAccessibleName("Size of the pictures")
        self.size_slider.setToolTip("Size of the pictures (Ctrl+wheel)")
        self.size_slider.setRange(_SMALLEST, _LARGEST)
        self.size_slider.setSingleStep(_STEP)
        self.size_slider.setPageStep(2 * _STEP)
        self.size_slider.setMaximumWidth(180)
        self.size_slider.setValue(self.view.delegate.size)
        self.size_slider.valueChanged.connect(self._resize_pictures)
        self.message = QLabel(self)
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.message.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.message.setAccessibleName("What happened last")
        self.progress = ProgressStrip(self)
        self.progress.cancelled.connect(judge.cancel)
        self.empty = QLabel(self)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.actions_by_id = self._make_actions(actions)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self.view)
        self._lay_out()
        judge.progressed.connect(self._show_progress)
        judge.ended.connect(self._show_verdicts)
        session.status_changed.connect(self._status_changed)
        session.saver.saved.connect(lambda name: self.pictures.renew([name]))
        session.project_changed.connect(self._project_changed)
        self._project_changed()

    def show_images(self) -> None:
        """Show the images that are wanted by now; the one that was current stays so."""
        self._show_found(self._listed())

    def _show_found(self, found: Sequence[str]) -> None:
        session, statuses = self._session, _FILTERS[self._filter]
        project = session.project
        names: Sequence[str] = ()
        if project is not None:
            self.only_found.setVisible(len(found) < len(project.names))
            names = found if self.only_found.isChecked() else project.names
        if len(statuses) < len(Status):
            names = [name for name in names if session.status(name) in statuses]
        if names != self.model.names:
            current = str(self.view.currentIndex().data() or session.name)
            self.model.show_names(names)
            if names:
                self._go_to(max(self.model.row_of(current), 0))
        kind = "" if self._filter == "All images" else f" {self._filter.lower()}"
        self.empty.setText(f"No image{' is' if kind else ''}{kind}." if project else "")
        self._pages.setCurrentIndex(int(bool(names)))
        self._show_selection()

    def go_to(self, name: str) -> None:
        """Make an image the current one, if it is shown: what is judged next is that."""
        row = self.model.row_of(name)
        if row not in (-1, self.view.currentIndex().row()):
            self._go_to(row)

    def list_changed(self) -> None:
        """The main window's list shows other images.

        Not followed while a person judges here: each is to stay in its place.
        """
        if self.only_found.isChecked() and self.isVisible() and not self.isActiveWindow():
            self.show_images()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.pictures.set_look(self._look())
        self.show_images()
        self.view.setFocus()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.pictures.stop()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and self.isActiveWindow():
            # What was painted meanwhile is to be seen here, too.
            self._session.save()
            self.pictures.set_look(self._look())
            self.pictures.renew_all()
            self._show_counts()

    # What is asked for

    def _approve(self) -> None:
        names = self.view.selected
        self._judge_or_tell(names, _CAN_APPROVE, self._judge.approve)

    def _reject(self) -> None:
        names = self.view.selected
        if names and all(self._session.status(n) is Status.REJECTED for n in names):
            self._judge_or_tell(names, (Status.REJECTED,), self._judge.accept)
        else:
            self._judge_or_tell(names, (Status.PREDICTED,), self._judge.reject)

    def _judge_or_tell(
        self,
        names: Sequence[str],
        statuses: Sequence[Status],
        act: Callable[[Sequence[str]], None],
    ) -> None:
        """Of many, those that can be judged so; of one, the judge says why it cannot."""
        if len(names) > 1:
            names = [name for name in names if self._session.status(name) in statuses]
        if not names:
            self.message.setText("None of these can be judged so.")
            return
        act(names)
        row = self.model.row_of(names[0]) + 1
        if self.view.selected_count == 1 and 0 < row < len(self.model.names):
            self._go_to(row)

    def _open(self) -> None:
        if self.view.currentIndex().isValid():
            self.image_wanted.emit(str(self.view.currentIndex().data()))

    def _go_to(self, row: int) -> None:
        self.view.setCurrentIndex(self.model.index(row))
        self.view.scrollTo(self.view.currentIndex())

    def _step_size(self, notches: int) -> None:
        self.size_slider.setValue(self.size_slider.value() + notches * _STEP)

    def _resize_pictures(self, size: int) -> None:
        self.pictures.set_size(round(size * self.devicePixelRatioF()))
        self.view.set_size(size)

    # What is shown

    @property
    def _filter(self) -> str:
        return list(_FILTERS)[self.filter_box.currentIndex()]

    def _project_changed(self) -> None:
        self.pictures.set_project(self._session.project)
        self.message.clear()
        self.progress.hide()
        self._resize_pictures(self.size_slider.value())
        project = self._session.project
        # The main window's list still shows the folder before.
        self._show_found(() if project is None else project.names)
        self._show_counts()

    def _status_changed(self, name: str) -> None:
        self.pictures.renew([name])
        self.model.refresh(name)
        if self.isActiveWindow() or not self._judge.busy:
            self._show_selection()

    def _show_counts(self) -> None:
        counts = self._session.counts
        for row, (title, statuses) in enumerate(_FILTERS.items()):
            number = sum(counts[status] for status in statuses)
            self.filter_box.setItemText(row, f"{title} ({number:,})")

    def _show_selection(self) -> None:
        session, number = self._session, self.view.selected_count
        project = session.project
        writable = project is not None and project.writable
        for id_ in ("approve", "reject"):
            self.actions_by_id[id_].setEnabled(writable and number > 0)
        self.actions_by_id["undo"].setEnabled(self._judge.can_take_back)
        self.actions_by_id["open"].setEnabled(self.view.currentIndex().isValid())
        chosen = f"{number:,} of " if number > 1 else ""
        self._number.setText(f"{chosen}{count(len(self.model.names), 'image')}")

    def _show_progress(self, verdicts: Verdicts) -> None:
        done = len(verdicts.done) + len(verdicts.problems)
        self.progress.show_progress(f"{done} of {verdicts.total}", done, verdicts.total)

    def _show_verdicts(self, verdicts: Verdicts) -> None:
        self.progress.hide()
        self.message.setText(verdicts.words)
        lines = [f"{name}: {reason}" for name, reason in verdicts.problems.items()]
        self.message.setToolTip(as_tip(lines[:20]) if lines else "")
        self._show_counts()
        self._show_selection()

    def _show_menu(self, position: QPoint) -> None:
        menu = QMenu(self.view)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addActions([self.actions_by_id[id_] for id_ in ("approve", "reject", "undo", "open")])
        menu.popup(self.view.viewport().mapToGlobal(position))

    def _make_actions(self, actions: Mapping[str, QAction]) -> dict[str, QAction]:
        made: dict[str, QAction] = {}
        undo, step = self._judge.take_back, self._step_size
        for id_, text, tip, keys, act in (
            ("approve", "Approve", "These masks are right", (), self._approve),
            ("reject", "Reject", "These predictions are wrong; again: not so", (), self._reject),
            ("undo", "Undo", "Take the last key press back", ("U", "Ctrl+Z"), undo),
            ("open", "Open", "Show the image in the main window", (), self._open),
            ("larger", "Larger", "Larger pictures", ("Ctrl++", "Ctrl+="), lambda: step(1)),
            ("smaller", "Smaller", "Smaller pictures", ("Ctrl+-",), lambda: step(-1)),
            ("again", "Show anew", "Filter the images anew", ("F5",), self.show_images),
        ):
            action = QAction(text, self)
            action.setShortcuts([QKeySequence(key) for key in keys])
            action.setAutoRepeat(id_ in ("larger", "smaller"))  # a key held judges one image
            action.setToolTip(tip)
            action.triggered.connect(lambda _=False, act=act: act())
            made[id_] = action
        for id_ in ("approve", "reject"):
            # The same keys as in the main window, also where a person chose others.
            source = actions[id_]
            follow = made[id_]
            source.changed.connect(lambda s=source, f=follow: f.setShortcuts(s.shortcuts()))
            follow.setShortcuts(source.shortcuts())
        self.addActions(list(made.values()))
        return made

    def _lay_out(self) -> None:
        show = QLabel("&Show", self)
        show.setBuddy(self.filter_box)
        self._number = QLabel(self)
        self._number.setAccessibleName("How many images are shown")
        self._number.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        size = QLabel("S&ize", self)
        size.setBuddy(self.size_slider)
        top = QHBoxLayout()
        for widget in (show, self.filter_box, self.only_found, self._number):
            top.addWidget(widget)
        top.addStretch(1)
        top.addWidget(size)
        top.addWidget(self.size_slider)
        below = QHBoxLayout()
        for id_ in ("approve", "reject", "undo", "open"):
            below.addWidget(self._button(self.actions_by_id[id_]))
        below.addWidget(self.message, 1)
        below.addWidget(self.progress)
        hint = QLabel("Hold Space to see the photos alone", self)
        hint.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        below.addWidget(hint)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 10, 12, 10)
        layout.addLayout(top)
        layout.addWidget(self._pages, 1)
        layout.addLayout(below)

    def _button(self, action: QAction) -> QPushButton:
        button = QPushButton(self)
        button.setAutoDefault(False)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(action.trigger)

        def show() -> None:
            keys = ["Enter"] if action is self.actions_by_id["open"] else shortcut_texts(action)[:1]
            button.setText(f"{action.text()}  {keys[0]}" if keys else action.text())
            button.setToolTip(action.toolTip())
            button.setEnabled(action.isEnabled())

        action.changed.connect(show)
        show()
        return button
