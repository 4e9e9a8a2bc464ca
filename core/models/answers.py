"""What only a person knows of a model from elsewhere. No heavy import: the window shows it too."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Literal

from core.errors import BadInput
from core.labels import LONGEST_NAME

Kind = Literal["petseg", "onnx", "weights"]
SUFFIXES = (".safetensors", ".onnx", ".pt", ".pth", ".ckpt")
"""What the files of models are called."""


class Input(StrEnum):
    """What numbers a network expects for a photo's red, green and blue."""

    BYTES = "0-255"
    UNIT = "0-1"
    SYMMETRIC = "-1-1"
    IMAGENET = "imagenet"


class Output(StrEnum):
    """What numbers a network gives for each class."""

    LOGITS = "logits"
    PROBABILITIES = "probabilities"


@dataclass(frozen=True)
class Answers:
    """How a model from elsewhere is to be used. size: the side of the square that it sees."""

    name: str
    classes: tuple[str, ...]
    input: Input = Input.IMAGENET
    output: Output = Output.LOGITS
    size: int = 256

    def check(self, outputs: int) -> None:
        """Raises BadInput where the answers cannot be; outputs: numbers a pixel, at most 254."""
        wanted = max(outputs, 2)
        if len(self.classes) != wanted:
            raise BadInput(
                f"The network tells {wanted} classes apart, background included; "
                f"{len(self.classes)} were named ({', '.join(self.classes)})."
            )
        if len(set(self.classes)) != wanted:
            raise BadInput("The names of the classes must differ.")
        if not all(1 <= len(n) <= LONGEST_NAME and n.isprintable() for n in self.classes):
            raise BadInput(f"A class's name has 1 to {LONGEST_NAME} printable characters.")
        if not 32 <= self.size <= 4096:
            raise BadInput("The size is 32 to 4096 pixels.")


@dataclass(frozen=True)
class Found:
    """What a file holds that is to be imported.

    words: what it is, for people. outputs: numbers a pixel. fixed: its size cannot be chosen.
    trainable: whether a training can start from it. asks: whether a person must say more;
    asks_input: what numbers it expects too. answers: a sensible guess.
    """

    kind: Kind
    words: str
    outputs: int
    parameters: int
    trainable: bool
    asks: bool
    answers: Answers
    fixed: bool = False
    asks_input: bool = True
    asks_output: bool = False
    notes: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def found_from_json(raw: dict[str, Any]) -> Found:
    """The inverse of ``Found.to_json``. Raises KeyError, TypeError, ValueError."""
    answers = answers_from_json(raw["answers"])
    return Found(**(raw | {"answers": answers, "notes": tuple(raw["notes"])}))


def answers_from_json(raw: dict[str, Any]) -> Answers:
    """The inverse of ``asdict``. Raises KeyError, TypeError, ValueError."""
    return Answers(
        name=str(raw["name"]),
        classes=tuple(map(str, raw["classes"])),
        input=Input(raw["input"]),
        output=Output(raw["output"]),
        size=int(raw["size"]),
    )
