"""Find bad masks: starts and steers the check, and goes through what it has found."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeySequence, QPalette, QPixmap, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QHBoxLayout,
    QLabel,
    QListView,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from petseg_gui.canvas.difference import COLOURS
from petseg_gui.label_check.desk import CheckDesk, Entry
from petseg_gui.label_check.model import SIDE, QueueDelegate, QueueModel
from petseg_gui.label_check.pictures import WORDS, DifferencePictures
from petseg_gui.words import count

_SIZE = QSize(1080, 700)
_LARGE = 640  # pixels of the picture beside the queue
_STARTS = {
    "bundled": "from PetSeg's own model (it has seen Oxford-IIIT Pet)",
    "imagenet": "from ImageNet weights (downloaded once)",
    "scratch": "from nothing",
}
_WHAT = (
    "Trains networks that each leave out some of the approved masks, and lets each judge those "
    "it never saw. Nothing changes without a key press."
)


class CheckWindow(QDialog):
    """Stays open beside the main window; it shows and asks, others do."""

    image_wanted = Signal(str)
    model_mask_wanted = Signal(object)
    """The Entry whose mask is to be what the check's network says."""

    def __init__(
        self, desk: CheckDesk, pictures: DifferencePictures, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Find bad masks")
        self.resize(_SIZE)
        self._desk = desk
        self._pictures = pictures
        self.what = QLabel(_WHAT, self)
        self.what.setWordWrap(True)
        self.start_box = QComboBox(self)
        self.start_box.setAccessibleName("What the networks begin from")
        for id_, title in _STARTS.items():
            self.start_box.addItem(title, id_)
        self.folds_box = QSpinBox(self)
        self.folds_box.setAccessibleName("How many networks")
        self.folds_box.setRange(2, 20)
        self.folds_box.setValue(4)
        self.folds_box.setSuffix(" networks")
        self.folds_box.setToolTip("More networks learn from more masks each, and take longer")
        self.start_box.setToolTip(
            "A model that was trained on these masks would judge what it has learnt"
        )
        self._start_chosen = False
        self.begin_button = QPushButton(self)
        self.go_on_button = QPushButton("Go on", self)
        self.pause_button = QPushButton("Pause", self)
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setMaximumHeight(14)
        self.bar.setMinimumWidth(240)
        self.progress_label = QLabel(self)
        self.state = QLabel(self)
        self.state.setWordWrap(True)
        self.state.setTextFormat(Qt.TextFormat.PlainText)
        self.model = QueueModel(pictures, self)
        self.queue = self._make_queue()
        self.picture = QLabel(self)
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.picture.setTextFormat(Qt.TextFormat.PlainText)
        self.picture.setWordWrap(True)
        self.picture.setMinimumSize(240, 180)
        self.picture.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.legend = QLabel(_legend(), self)
        self.legend.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.why = QLabel(self)
        self.why.setWordWrap(True)
        self.why.setTextFormat(Qt.TextFormat.PlainText)
        self.right_button = self._button("Mask is right", "K", self._say_right)
        self.right_button.setToolTip("Never suspect this mask again as it is now")
        self.take_button = self._button("Take the model's", "T", self._take_models)
        self.take_button.setToolTip(
            "Open the image with the model's mask as an edit that can be undone"
        )
        self.open_button = self._button("Draw it anew", "Enter", self._open)
        self.open_button.setToolTip("Open the image")
        for key, button in (("K", self.right_button), ("T", self.take_button)):
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setAutoRepeat(False)  # each mask wants a look of its own
            shortcut.activated.connect(button.click)
        self._lay_out()
        self.start_box.activated.connect(self._choose_start)
        self.begin_button.clicked.connect(self._begin)
        self.go_on_button.clicked.connect(desk.go_on)
        self.pause_button.clicked.connect(desk.pause)
        desk.changed.connect(self._show)
        desk.progressed.connect(self._show_progress)
        pictures.ready.connect(self._picture_ready)
        self._show()

    @property
    def current(self) -> Entry | None:
        """The mask that is looked at."""
        return self.model.entry(self.queue.currentIndex().row())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_picture()

    # What is shown

    def _show(self) -> None:
        desk, looked = self._desk, self._desk.looked
        row = max(self.queue.currentIndex().row(), 0)
        self._pictures.set_check(desk.project, looked.check if looked is not None else None)
        self.model.show_entries(looked.entries if looked is not None else ())
        index = self.model.index(min(row, self.model.rowCount() - 1))
        if index.isValid() and not self.queue.currentIndex().isValid():
            self.queue.setCurrentIndex(index)
        paused = looked is not None and looked.check is not None and not looked.done
        for shown in (self.bar, self.progress_label, self.pause_button):
            shown.setVisible(desk.running)
        for hidden in (self.begin_button, self.start_box, self.folds_box):
            hidden.setHidden(desk.running)
        self.go_on_button.setVisible(paused and not desk.running)
        self.begin_button.setText("Begin anew" if paused else "Find bad masks")
        writable = desk.project is not None and desk.project.writable
        self.begin_button.setEnabled(looked is not None and writable)
        self.go_on_button.setEnabled(writable)
        if looked is not None and not self._start_chosen:
            self.start_box.setCurrentIndex(self.start_box.findData(looked.start))
        self.state.setText(self._state_words())
        self._show_current()

    def _state_words(self) -> str:
        desk, looked = self._desk, self._desk.looked
        if desk.problem:
            return desk.problem
        if desk.project is not None and not desk.project.writable:
            return "This folder is read-only: choose File > Keep masks elsewhere first."
        if looked is None:
            return "Looking at the last check…"
        if looked.check is None:
            return "" if desk.running else "No check yet."
        right = f", {looked.right:,} said to be right" if looked.right else ""
        queue = looked.doubt or f"{count(len(looked.entries), 'mask')} in the queue{right}."
        return queue if looked.done or desk.running else f"The check is not done. {queue}"

    def _show_progress(self, done: int, total: int, text: str) -> None:
        self.bar.setRange(0, total)
        self.bar.setValue(done)
        self.bar.setAccessibleName(text)
        self.progress_label.setText(text)

    def _show_current(self) -> None:
        entry = self.current
        for button in (self.take_button, self.open_button):
            button.setEnabled(entry is not None)
        # A mask that was changed since is another one: of it nothing is known.
        project = self._desk.project
        writable = project is not None and project.writable
        self.right_button.setEnabled(entry is not None and not entry.changed and writable)
        if entry is None:
            self.why.setText("")
        else:
            changed = " It was changed since the check." if entry.changed else ""
            self.why.setText(f"{entry.image}: {entry.finding.why}{changed}")
        self.legend.setVisible(entry is not None)
        self._show_picture()

    def _show_picture(self) -> None:
        entry = self.current
        made = None if entry is None else self._pictures.get(entry.image, _LARGE)
        if isinstance(made, QPixmap) and not made.isNull():
            ratio = self.devicePixelRatioF()
            scaled = made.scaled(
                self.picture.size() * ratio,
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
            scaled.setDevicePixelRatio(ratio)
            self.picture.setPixmap(scaled)
            self.picture.setAccessibleName(self.why.text())
        else:
            self.picture.setText(made if isinstance(made, str) else "")

    def _picture_ready(self, name: str) -> None:
        entry = self.current
        if entry is not None and entry.image == name:
            self._show_picture()

    # What is asked for

    def _choose_start(self) -> None:
        self._start_chosen = True  # until then it follows the folder

    def _begin(self) -> None:
        self._desk.begin(str(self.start_box.currentData()), self.folds_box.value())

    def _say_right(self) -> None:
        entry, row = self.current, self.queue.currentIndex().row()
        if entry is not None:
            self._desk.say_right(entry)
            self.queue.setCurrentIndex(self.model.index(min(row, self.model.rowCount() - 1)))

    def _take_models(self) -> None:
        entry = self.current
        if entry is not None:
            self.model_mask_wanted.emit(entry)

    def _open(self) -> None:
        entry = self.current
        if entry is not None:
            self.image_wanted.emit(entry.image)

    def _make_queue(self) -> QListView:
        queue = QListView(self)
        queue.setAccessibleName("Masks, the most suspicious first")
        queue.setModel(self.model)
        queue.setIconSize(QSize(SIDE, SIDE))
        queue.setItemDelegate(QueueDelegate(queue))
        queue.setUniformItemSizes(True)
        queue.setSpacing(3)
        queue.setWordWrap(True)
        queue.setResizeMode(QListView.ResizeMode.Adjust)
        queue.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        queue.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        queue.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        queue.selectionModel().currentChanged.connect(lambda *_: self._show_current())
        queue.activated.connect(self._open)
        return queue

    def _button(self, text: str, key: str, act: Callable[[], None]) -> QPushButton:
        button = QPushButton(f"{text}  {key}", self)
        button.setAccessibleName(text)
        button.setAutoDefault(False)
        button.clicked.connect(act)
        return button

    def _lay_out(self) -> None:
        for button in (self.begin_button, self.go_on_button, self.pause_button):
            button.setAutoDefault(False)
        self.why.setForegroundRole(QPalette.ColorRole.WindowText)
        steer = QHBoxLayout()
        for widget in (
            *(self.go_on_button, self.begin_button, self.start_box, self.folds_box),
            *(self.pause_button, self.bar, self.progress_label),
        ):
            steer.addWidget(widget)
        steer.addStretch(1)
        right = QWidget(self)
        side = QVBoxLayout(right)
        side.setContentsMargins(8, 0, 0, 0)
        side.addWidget(self.picture, 1)
        side.addWidget(self.legend)
        side.addWidget(self.why)
        keys = QHBoxLayout()
        for button in (self.right_button, self.take_button, self.open_button):
            keys.addWidget(button)
        keys.addStretch(1)
        side.addLayout(keys)
        splitter = QSplitter(self)
        splitter.addWidget(self.queue)
        splitter.addWidget(right)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([400, _SIZE.width() - 400])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 14, 14, 14)
        layout.setSpacing(8)
        layout.addWidget(self.what)
        layout.addLayout(steer)
        layout.addWidget(self.state)
        layout.addWidget(splitter, 1)


def _legend() -> str:
    """What the colours mean, as rich text of our own words only."""
    parts = []
    for verdict, words in WORDS.items():
        red, green, blue = COLOURS[verdict]
        parts.append(f'<span style="color: rgb({red},{green},{blue})">■</span> {words}')
    return "&nbsp;&nbsp; ".join(parts)
