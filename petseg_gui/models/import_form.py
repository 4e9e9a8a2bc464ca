"""What only a person knows of a model from elsewhere, asked with a guess in every field."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from core.errors import BadInput
from core.inference.catalogue import LONGEST_NAME
from core.models.answers import Answers, Found, Input, Output
from petseg_gui.faint import faint_label

_INPUTS = {
    Input.IMAGENET: "Normalised as for ImageNet (most encoders)",
    Input.UNIT: "0 to 1 (most plain U-Nets)",
    Input.SYMMETRIC: "-1 to 1",
    Input.BYTES: "0 to 255 (it normalises by itself)",
}
_OUTPUTS = {
    Output.LOGITS: "Scores of any size (logits)",
    Output.PROBABILITIES: "Probabilities of 0 to 1",
}


class ImportForm(QWidget):
    """``accepted`` brings the Answers."""

    accepted = Signal(object)
    rejected = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._found: Found | None = None
        self.title = QLabel(self)
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.title.setWordWrap(True)
        font = self.title.font()
        font.setPointSizeF(font.pointSizeF() * 1.3)
        self.title.setFont(font)
        self.words = faint_label(self)
        self.name = QLineEdit(self)
        self.name.setMaxLength(LONGEST_NAME)
        self.classes = QLineEdit(self)
        self.classes.setToolTip("Background first, with commas between, in the network's order")
        self.input = _choice(_INPUTS, self)
        self.input.setToolTip("What the network was trained on; a wrong choice gives poor masks")
        self.output = _choice(_OUTPUTS, self)
        self.size_box = QSpinBox(self)
        self.size_box.setRange(32, 4096)
        self.size_box.setSuffix(" px")
        self.size_box.setToolTip("The side of the square that the photo is fitted into")
        self.problem = QLabel(self)
        self.problem.setTextFormat(Qt.TextFormat.PlainText)
        self.problem.setWordWrap(True)
        self.problem.hide()
        self.button = QPushButton("Import", self)
        self.cancel_button = QPushButton("Cancel", self)
        self._form = QFormLayout()
        for text, field in (
            ("&Name", self.name),
            ("&Classes", self.classes),
            ("Photo as &numbers", self.input),
            ("It &gives", self.output),
            ("&Size", self.size_box),
        ):
            field.setAccessibleName(text.replace("&", ""))
            self._form.addRow(text, field)
        buttons = QHBoxLayout()
        buttons.addWidget(self.button)
        buttons.addWidget(self.cancel_button)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 0, 6, 0)
        layout.setSpacing(10)
        for widget in (self.title, self.words):
            layout.addWidget(widget)
        layout.addLayout(self._form)
        layout.addWidget(self.problem)
        layout.addLayout(buttons)
        layout.addStretch(1)
        self.button.clicked.connect(self._accept)
        self.cancel_button.clicked.connect(self.rejected)
        for line in (self.name, self.classes):
            line.returnPressed.connect(self._accept)
        for box in (self.button, self.cancel_button):
            box.setAutoDefault(False)

    def ask(self, file: str, found: Found) -> None:
        """Ask what is not known of this file."""
        self._found = found
        self.title.setText(f"Import {file}")
        parameters = f"{found.words}, {found.parameters / 1e6:.1f} million parameters."
        self.words.setText("\n".join([parameters, *found.notes]))
        guess = found.answers
        self.name.setText(guess.name)
        self.classes.setText(", ".join(guess.classes))
        self.input.setCurrentIndex(self.input.findData(guess.input))
        self.output.setCurrentIndex(self.output.findData(guess.output))
        self.size_box.setValue(guess.size)
        for row, shown in (
            (self.input, found.asks_input),
            (self.output, found.asks_output),
            (self.size_box, not found.fixed),
        ):
            self._form.setRowVisible(row, shown)
        self.tell("")
        self.name.setFocus()
        self.name.selectAll()

    def tell(self, problem: str) -> None:
        """Why it cannot be imported so, "" where it can."""
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))

    def _accept(self) -> None:
        if self._found is None:
            return
        guess, typed = self._found.answers.classes, self.classes.text()
        answers = Answers(
            self.name.text().strip(),
            # A guessed name may hold a comma itself.
            guess
            if typed == ", ".join(guess)
            else tuple(c.strip() for c in typed.split(",") if c.strip()),
            Input(self.input.currentData()),
            Output(self.output.currentData()),
            self.size_box.value(),
        )
        try:
            if not answers.name:
                raise BadInput("Give it a name.")
            answers.check(self._found.outputs)
        except BadInput as error:
            self.tell(str(error))
            return
        self.tell("")
        self.accepted.emit(answers)


def _choice(texts: dict[Input, str] | dict[Output, str], parent: QWidget) -> QComboBox:
    box = QComboBox(parent)
    for value, text in texts.items():
        box.addItem(text, value)
    return box
