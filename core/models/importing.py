"""Models from elsewhere: what a file holds, and making a model file of PetSeg's from it.

Whatever the file claims is checked first; nothing of it is executed but the network itself.
"""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from pathlib import Path

from safetensors.numpy import save

from core import files
from core.errors import BadInput
from core.inference.catalogue import checked_name, free_path
from core.inference.prediction import mask_rule
from core.labels import BorderRule, LabelScheme, listed, scheme_of
from core.modelfile import (
    METADATA_KEY,
    ModelDescription,
    ModelFileError,
    description_from_json,
    onnx_path,
    read_description,
    read_onnx,
    renamed,
)
from core.models.answers import Answers, Found, Input, Output
from core.models.export import save_model
from core.models.foreign_onnx import RANGES, ForeignOnnx, read_onnx_file, wrapped
from core.models.network import parameter_count
from core.models.state_dict import Recognised, read_state, recognise
from core.models.weights import load_model

_SIZE = 256
_ONNX_ALONE = "It can segment, but not be trained further."


def examine(path: Path, scheme: LabelScheme | None = None) -> Found:
    """What a file holds. scheme: the project's, by which classes are named where they fit.

    Raises BadInput: no model, damaged, none that can be used here, or (one of PetSeg's) of other
    classes than the project's.
    """
    _require_file(path)
    if _is_petseg(path):
        description = read_description(path)
        _check_classes(description, scheme)
        if not description.trainable:
            _twin_alone(path, description)
        return _told(description, path, f"A model of PetSeg's, “{description.name}”")
    if path.suffix.lower() == ".onnx":
        foreign = read_onnx_file(path)
        if foreign.metadata:
            description = _exported(path, foreign)
            _check_classes(description, scheme)
            return _told(description, path, f"An exported model of PetSeg's, “{description.name}”")
        names = _class_names(foreign.outputs, scheme)
        _check_number(names, scheme)
        return Found(
            kind="onnx",
            words=f"An ONNX network with {_outputs(foreign.outputs)}",
            outputs=foreign.outputs,
            parameters=foreign.parameters,
            trainable=False,
            asks=True,
            answers=Answers(
                _title(path),
                names,
                foreign.input,
                foreign.output,
                foreign.size,
            ),
            fixed=foreign.fixed,
            asks_output=True,
            notes=(_ONNX_ALONE,),
        )
    known = recognise(read_state(path), path.name)
    outputs = int(known.net.network["outputs"])
    names = _class_names(outputs, scheme)
    _check_number(names, scheme)
    return Found(
        kind="weights",
        words=f"{known.words[0].upper()}{known.words[1:]} with {_outputs(outputs)}",
        outputs=outputs,
        parameters=parameter_count(known.net),
        trainable=True,
        asks=True,
        answers=Answers(_title(path), names, _usual_input(known), Output.LOGITS, _SIZE),
        asks_input=not known.normalised,
    )


def import_model(
    path: Path, folder: Path, answers: Answers | None = None, scheme: LabelScheme | None = None
) -> Path:
    """Make a model file and its twin in ``folder`` from a file; returns the new model's path.

    answers: what ``examine`` guessed where nothing is said; of one of PetSeg's the name counts
    alone. Raises BadInput as ``examine`` and where the answers do not fit, WriteError.
    """
    _require_file(path)
    if answers is None:
        answers = examine(path, scheme).answers
    target = free_path(folder, checked_name(answers.name))
    if _is_petseg(path):
        _import_own(path, target, answers.name, scheme)
    elif path.suffix.lower() == ".onnx":
        _import_onnx(path, target, answers, scheme)
    else:
        _import_weights(path, target, answers, scheme)
    return target


def _import_own(path: Path, target: Path, name: str, scheme: LabelScheme | None) -> None:
    description = read_description(path).model_copy(update={"name": name.strip()})
    _check_classes(description, scheme)
    if not description.trainable:
        twin = _twin_alone(path, description)
        files.write_together({onnx_path(target): twin, target: renamed(path, description.name)})
        return
    net = load_model(path)
    if not all(bool(v.isfinite().all()) for v in net.state_dict().values()):
        raise BadInput(f"{path.name} holds numbers that are not finite: its training failed.")
    # With a new twin: a stranger's could be missing, no network, or another one than the weights.
    save_model(net, description, target)


def _import_onnx(path: Path, target: Path, answers: Answers, scheme: LabelScheme | None) -> None:
    """A model without weights to train from: its description, and its network as ONNX."""
    foreign = read_onnx_file(path)
    if foreign.metadata:
        description = _exported(path, foreign).model_copy(update={"name": answers.name.strip()})
        _check_classes(description, scheme)
        data = path.read_bytes()
    else:
        answers.check(foreign.outputs)
        data = wrapped(foreign, answers.input, answers.output, answers.size, path.name)
        description = _new_description(path, answers, foreign.outputs, scheme)
        description = description.model_copy(update={"parameters": foreign.parameters})
    description = description.model_copy(update={"onnx_sha256": files.sha256(data)})
    text = json.dumps(description.model_dump(mode="json"))
    model = bytes(save({}, metadata={METADATA_KEY: text}))
    files.write_together({onnx_path(target): data, target: model})


def _import_weights(path: Path, target: Path, answers: Answers, scheme: LabelScheme | None) -> None:
    known = recognise(read_state(path), path.name)
    net, outputs = known.net, int(known.net.network["outputs"])
    answers.check(outputs)
    if not known.normalised:
        net.set_normalisation(*RANGES[answers.input])
    description = _new_description(path, answers, outputs, scheme)
    changes = {"network": net.network, "parameters": parameter_count(net)}
    save_model(net, description.model_copy(update=changes), target)


def _require_file(path: Path) -> None:
    try:
        if not path.is_file():
            raise BadInput(f"No file at {path}.")
        with open(path, "rb") as file:
            if not file.read(1):
                raise BadInput(f"{path.name} is empty.")
    except OSError as error:
        raise BadInput(f"Cannot read {path}: {error.strerror or error}.") from error


def _is_petseg(path: Path) -> bool:
    """Whether it is a model file of PetSeg's; what is wrong with it is told later."""
    if path.suffix.lower() != ".safetensors":
        return False
    try:
        read_description(path)
    except ModelFileError:
        with open(path, "rb") as file:
            return f'"{METADATA_KEY}"'.encode() in file.read(1 << 16)
    return True


def _twin_alone(path: Path, description: ModelDescription) -> bytes:
    """The bytes of the twin of a model without weights. Raises BadInput: missing, another one."""
    twin = read_onnx(path, description)
    _check_described(path, description, read_onnx_file(onnx_path(path)))
    return twin


def _exported(path: Path, foreign: ForeignOnnx) -> ModelDescription:
    """The description inside an exported ONNX file; what it says of weights does not hold here."""
    description = description_from_json(path, foreign.metadata)
    _check_described(path, description, foreign)
    return description.model_copy(update={"network": {}})


def _check_described(path: Path, description: ModelDescription, foreign: ForeignOnnx) -> None:
    """Raises BadInput where a network is not what its description says."""
    outputs = 1 if description.activation == "sigmoid" else len(description.scheme.classes)
    other_size = foreign.fixed and foreign.size != description.size
    if not foreign.is_wrapped or foreign.outputs != outputs or other_size:
        raise BadInput(f"{path.name}: its description is not that of its network.")


def _check_classes(description: ModelDescription, scheme: LabelScheme | None) -> None:
    """Raises BadInput where a model's classes are not those of the project."""
    if scheme is None:
        return
    try:
        mask_rule(description.scheme, scheme, BorderRule.FOREGROUND)
    except BadInput as error:
        raise BadInput(
            f"This model knows {listed(description.scheme.names)}; this folder has "
            f"{listed(scheme.names)}. It cannot segment here."
        ) from error


def _check_number(names: tuple[str, ...], scheme: LabelScheme | None) -> None:
    """Raises BadInput where a network tells more or fewer classes apart than can serve here."""
    if scheme is None:
        return
    try:
        mask_rule(scheme_of("imported", names), scheme, BorderRule.FOREGROUND)
    except BadInput as error:
        raise BadInput(
            f"The network tells {len(names)} classes apart, background included; this folder has "
            f"{listed(scheme.names)}. It cannot segment here."
        ) from error


def _told(description: ModelDescription, path: Path, words: str) -> Found:
    classes = description.scheme.names
    return Found(
        kind="petseg",
        words=f"{words}: {listed(classes)}",
        outputs=1 if description.activation == "sigmoid" else len(classes),
        parameters=description.parameters,
        trainable=description.trainable,
        asks=False,
        answers=Answers(description.name or _title(path), tuple(classes), size=description.size),
        fixed=True,
        asks_input=False,
        notes=() if description.trainable else (_ONNX_ALONE,),
    )


def _new_description(
    path: Path, answers: Answers, outputs: int, scheme: LabelScheme | None
) -> ModelDescription:
    if scheme is not None and tuple(scheme.names) == answers.classes:
        known = scheme  # with the project's colours
    else:
        known = scheme_of("imported", answers.classes)
    description = ModelDescription(
        id=f"imported-{uuid.uuid4().hex[:12]}",
        name=checked_name(answers.name),
        scheme=known,
        border_rule=BorderRule.CLASS,
        activation="sigmoid" if outputs == 1 else "softmax",
        size=answers.size,
        network={},
        created=datetime.now().astimezone().isoformat(timespec="seconds"),
        data={"imported": path.name},
    )
    _check_classes(description, scheme)
    return description


def _class_names(outputs: int, scheme: LabelScheme | None) -> tuple[str, ...]:
    number = max(outputs, 2)
    if scheme is not None and len(scheme.classes) == number:
        return tuple(scheme.names)
    if number == 3 and scheme is not None and len(scheme.classes) == 2:
        return (*scheme.names, "border")  # other three classes could not segment here
    if number == 2:
        return ("background", scheme.names[1] if scheme is not None else "object")
    return ("background", *(f"class {i}" for i in range(1, number)))


def _usual_input(known: Recognised) -> Input:
    """What networks of this layout are mostly trained on."""
    return Input.IMAGENET if "encoder" in known.net.network or known.normalised else Input.UNIT


def _outputs(outputs: int) -> str:
    return "one output: background and one class" if outputs == 1 else f"{outputs} classes"


def _title(path: Path) -> str:
    words = "".join(c if c.isprintable() else " " for c in path.stem.replace("_", " "))
    return words.strip()[:100] or "Imported"
