"""The panel that sets how images are segmented."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from core.inference.options import MOST_PIXELS, PredictOptions
from core.labels import BACKGROUND, LabelScheme
from petseg_gui.classes.swatch import class_name, class_swatch
from petseg_gui.panels import Note, Paragraph, scrolling
from petseg_gui.words import count

_STEPS = 100  # of the threshold's slider
_MOST_TILES = 8  # beyond that a photo is waited for too long
_ROWS = 6
_MARGIN = 12
_ID = Qt.ItemDataRole.UserRole


class PredictionPanel(QWidget):
    """Shows what it is told; says what a person wants."""

    options_set = Signal(object)
    """The PredictOptions as a person set them."""
    apply_wanted = Signal()
    replace_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._options = PredictOptions()
        self._scheme: LabelScheme | None = None
        inner = QWidget(self)
        self.threshold = QSlider(Qt.Orientation.Horizontal, inner)
        self.threshold.setRange(1, _STEPS - 1)
        self.threshold.setPageStep(_STEPS // 10)
        self.number = QDoubleSpinBox(inner)
        self.number.setRange(0.01, 0.99)
        self.number.setSingleStep(0.01)
        self.number.setKeyboardTracking(False)
        self.number.setAccessibleName("Threshold, number")
        self.threshold_note = Note(inner)
        self.classes = QListWidget(inner)
        self.classes_label = QLabel("&Classes that may appear", inner)
        self.flip = QCheckBox("&Look twice", inner)
        self.tiles = QSpinBox(inner)
        self.tiles.setRange(1, _MOST_TILES)
        self.tiles.setSpecialValueText("As a whole")
        self.tiles.setSuffix(" parts across")
        self.tiles.setKeyboardTracking(False)
        self.tiles_note = Note(inner)
        self.fill_holes = _pixels(inner)
        self.remove_islands = _pixels(inner)
        self.keep_largest = QCheckBox("&Keep only the largest piece", inner)
        self.state = Paragraph(self)
        self.replace_button = QPushButton("Replace mask…", self)
        self.reset = QPushButton("Reset", self)
        self.apply = QPushButton(self)
        self._explain()
        self._arrange(inner)
        self.threshold.valueChanged.connect(lambda v: self._set(threshold=v / _STEPS))
        self.number.valueChanged.connect(lambda v: self._set(threshold=round(v, 2)))
        self.classes.itemChanged.connect(lambda _: self._set(classes=self._ticked()))
        self.flip.toggled.connect(lambda on: self._set(flip=on))
        self.tiles.valueChanged.connect(lambda n: self._set(tiles=n))
        self.fill_holes.valueChanged.connect(lambda n: self._set(fill_holes=n))
        self.remove_islands.valueChanged.connect(lambda n: self._set(remove_islands=n))
        self.keep_largest.toggled.connect(lambda on: self._set(keep_largest=on))
        self.reset.clicked.connect(lambda: self.options_set.emit(PredictOptions()))
        self.apply.clicked.connect(self.apply_wanted)
        self.replace_button.clicked.connect(self.replace_wanted)
        self.set_state("")
        self.set_predictions(0, True)

    def show_options(self, options: PredictOptions) -> None:
        """Show what is set, without saying that it was."""
        self._options = options
        for box, on in ((self.flip, options.flip), (self.keep_largest, options.keep_largest)):
            with QSignalBlocker(box):
                box.setChecked(on)
        for slider, amount in (
            (self.threshold, round(options.threshold * _STEPS)),
            (self.tiles, options.tiles),
            (self.fill_holes, options.fill_holes),
            (self.remove_islands, options.remove_islands),
        ):
            with QSignalBlocker(slider):
                slider.setValue(amount)
        with QSignalBlocker(self.number):
            self.number.setValue(options.threshold)
        with QSignalBlocker(self.classes):
            for row in range(self.classes.count()):
                item = self.classes.item(row)
                allowed = options.classes is None or item.data(_ID) in options.classes
                item.setCheckState(Qt.CheckState.Checked if allowed else Qt.CheckState.Unchecked)
        self.reset.setEnabled(options != PredictOptions())

    def set_model(self, scheme: LabelScheme, decided_by_threshold: bool, crops: bool) -> None:
        """Show what can be set for a model.

        scheme: the folder's classes; decided_by_threshold: whether two classes are told apart;
        crops: whether the model works in parts of its own.
        """
        if scheme != self._scheme:
            self._list_classes(scheme)
        number = self.classes.count()
        row = self.classes.sizeHintForRow(0) if number else 0
        self.classes.setFixedHeight(min(number, _ROWS) * row + 2 * self.classes.frameWidth())
        for widget in (self.classes, self.classes_label):
            widget.setVisible(number > 1)
        for control in (self.threshold, self.number):
            control.setEnabled(decided_by_threshold)
        self.threshold_note.setText(
            "A pixel counts as the object from this probability on: a lower one finds more of it."
            if decided_by_threshold
            else f"Of {len(scheme.classes)} classes each pixel takes the likeliest: there is no "
            "threshold between them."
        )
        self.tiles.setEnabled(not crops)
        self.tiles_note.setText(
            "This model looks at every photo in parts anyway, at its full size."
            if crops
            else "In parts a large photo is seen sharper: for small objects. It takes longer."
        )
        self.show_options(self._options)

    def set_state(self, text: str, replace_offered: bool = False) -> None:
        """Say what becomes of the open image's mask."""
        self.state.setText(text)
        self.state.setVisible(bool(text))
        self.replace_button.setVisible(replace_offered)

    def set_predictions(self, number: int, may_apply: bool) -> None:
        """Say how many predictions there are to be brought up to date, and whether they can be."""
        self.apply.setText(f"Apply to {count(number, 'prediction')}" if number else "Apply to all")
        self.apply.setEnabled(may_apply and number > 0)

    def _set(self, **changes: object) -> None:
        options = replace(self._options, **changes)  # type: ignore[arg-type]
        self.show_options(options)
        self.options_set.emit(options)

    def _list_classes(self, scheme: LabelScheme) -> None:
        self._scheme = scheme
        with QSignalBlocker(self.classes):
            self.classes.clear()
            for label in scheme.classes:
                if label.id != BACKGROUND:
                    swatch = class_swatch(scheme, label.id, self.devicePixelRatioF())
                    item = QListWidgetItem(
                        QIcon(swatch), class_name(scheme, label.id), self.classes
                    )
                    item.setData(_ID, label.id)

    def _ticked(self) -> tuple[int, ...] | None:
        """The classes that may appear, None where all may."""
        items = [self.classes.item(row) for row in range(self.classes.count())]
        ticked = [i.data(_ID) for i in items if i.checkState() is Qt.CheckState.Checked]
        return None if len(ticked) == len(items) else tuple(ticked)

    def _explain(self) -> None:
        for control, name, tip in (
            (self.threshold, "Threshold", "Lower finds more of the object, higher less"),
            (self.classes, "Classes that may appear", "The others become background"),
            (self.flip, "Look twice", "At the photo and its mirror image: better, half as fast"),
            (self.tiles, "Parts of a large photo", "How many parts are looked at one by one"),
            (self.fill_holes, "Fill holes up to", "Holes of at most so many pixels are filled"),
            (
                self.remove_islands,
                "Remove pieces below",
                "Pieces of less than so many pixels become background",
            ),
            (self.keep_largest, "Keep only the largest piece", "Of each class"),
            (self.replace_button, "Replace mask", "See what would change, then take it or not"),
            (self.reset, "Reset", "Segment as at first"),
            (
                self.apply,
                "Apply to all predictions",
                "Bring the stored predictions up to date; masks of yours stay",
            ),
        ):
            control.setAccessibleName(name)
            control.setToolTip(tip)
        self.number.setToolTip(self.threshold.toolTip())

    def _arrange(self, inner: QWidget) -> None:
        layout = QVBoxLayout(inner)
        layout.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        layout.setSpacing(6)
        label = QLabel("&Threshold", inner)
        label.setBuddy(self.threshold)
        both = QHBoxLayout()
        both.addWidget(self.threshold, 1)
        both.addWidget(self.number)
        layout.addWidget(label)
        layout.addLayout(both)
        layout.addWidget(self.threshold_note)
        self.classes_label.setBuddy(self.classes)
        layout.addWidget(self.classes_label)
        layout.addWidget(self.classes)
        layout.addSpacing(8)
        layout.addWidget(self.flip)
        flip_note = Note(inner)
        flip_note.setText("Also at its mirror image: a little better, half as fast.")
        layout.addWidget(flip_note)
        layout.addSpacing(8)
        form = QFormLayout()
        form.setHorizontalSpacing(_MARGIN)
        form.addRow("Large &photos", self.tiles)
        layout.addLayout(form)
        layout.addWidget(self.tiles_note)
        layout.addSpacing(8)
        title = QLabel("Clean-up", inner)
        font = title.font()
        font.setBold(True)
        title.setFont(font)
        layout.addWidget(title)
        cleaning = QFormLayout()
        cleaning.setHorizontalSpacing(_MARGIN)
        cleaning.addRow("Fill &holes up to", self.fill_holes)
        cleaning.addRow("Remove p&ieces below", self.remove_islands)
        layout.addLayout(cleaning)
        layout.addWidget(self.keep_largest)
        layout.addStretch(1)
        scroll = scrolling(inner, self)
        # What becomes of the masks is always in sight, however low the panel is.
        foot = QGridLayout()
        foot.setContentsMargins(_MARGIN, 6, _MARGIN, _MARGIN)
        foot.setVerticalSpacing(8)
        foot.addWidget(self.state, 0, 0, 1, 3)
        foot.addWidget(self.replace_button, 1, 0, 1, 3, Qt.AlignmentFlag.AlignLeft)
        foot.addWidget(self.reset, 2, 0)
        foot.setColumnStretch(1, 1)
        foot.addWidget(self.apply, 2, 2)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(scroll, 1)
        outer.addLayout(foot)


def _pixels(parent: QWidget) -> QSpinBox:
    box = QSpinBox(parent)
    box.setRange(0, MOST_PIXELS)
    box.setSingleStep(50)
    box.setSpecialValueText("Off")
    box.setSuffix(" px")
    box.setGroupSeparatorShown(True)
    box.setKeyboardTracking(False)
    return box
