"""ONNX files of other programs: examined, tried, and wrapped so that the predictor can use them.

A wrapped network takes ``image`` (RGB 0 to 255) and gives ``logits`` of the same height and width,
as PetSeg's own twins do; what it expects instead is done by nodes in front and behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import TensorProto, helper, inliner, numpy_helper, version_converter

from core.errors import BadInput
from core.inference.predictor import ORT_ERRORS
from core.labels import MAX_CLASSES
from core.modelfile import METADATA_KEY
from core.models.answers import Input, Output
from core.models.export import OPSET
from core.models.network import IMAGENET_MEAN, IMAGENET_STD
from core.runtime import onnxruntime

MAX_BYTES = 1 << 30
"""ONNX files cannot hold 2 GB, and what a laptop runs is far smaller."""
RANGES: dict[Input, tuple[tuple[float, ...], tuple[float, ...]]] = {
    Input.BYTES: ((0.0,) * 3, (1.0,) * 3),
    Input.UNIT: ((0.0,) * 3, (255.0,) * 3),
    Input.SYMMETRIC: ((127.5,) * 3, (127.5,) * 3),
    Input.IMAGENET: (IMAGENET_MEAN, IMAGENET_STD),
}
"""Mean and standard deviation (RGB, 0 to 255) by which a photo becomes what is expected."""

_SIZES = (256, 224, 320, 384, 512, 128, 96, 64)
"""What is tried where the file does not say: all that common networks take."""
_OLDEST_OPSET = 13
_DOMAINS = {"", "ai.onnx", "com.microsoft"}
_FLOATS = {TensorProto.FLOAT: np.float32, TensorProto.FLOAT16: np.float16}
_NORMALISES = {"Sub", "Div", "Mul", "Add", "Cast", "BatchNormalization"}


@dataclass(frozen=True)
class ForeignOnnx:
    """A network in an ONNX file that was run once.

    size: of the square that it takes; fixed: whether it takes no other. outputs: numbers a pixel;
    resized: whether these come at another size than the input's. input, output: what it seems to
    expect and to give. metadata: what PetSeg wrote into it when it exported it.
    """

    model: onnx.ModelProto
    size: int
    fixed: bool
    outputs: int
    resized: bool
    input: Input
    output: Output
    parameters: int
    metadata: str = ""

    @property
    def is_wrapped(self) -> bool:
        """Whether it looks like one of PetSeg's own, or one that was wrapped already."""
        return _input(self.model).name == "image" and not self.resized


def read_onnx_file(path: Path) -> ForeignOnnx:
    """Examine an ONNX file and run it once. Raises BadInput with what was found and expected."""
    if path.stat().st_size > MAX_BYTES:
        raise BadInput(f"{path.name} is larger than 1 GB: too large for a model here.")
    try:
        model = onnx.load_model_from_string(path.read_bytes())
    except (DecodeError, ValueError) as error:
        raise BadInput(f"{path.name} is no ONNX file, or damaged: it cannot be read.") from error
    if not model.graph.node:
        raise BadInput(f"{path.name} is no ONNX file, or an empty one.")
    model = _only_plain_parts(path.name, model)
    batch, size = _input_of(path.name, model)
    if batch not in (0, 1):
        raise BadInput(f"{path.name} takes {batch} images at once; export it for 1.")
    session = _session(path.name, model)
    result, side = _try(path.name, session, model, [size] if size else list(_SIZES))
    outputs = result.shape[1]
    if outputs > MAX_CLASSES:
        raise BadInput(f"{path.name} gives {outputs} numbers a pixel: more than classes can be.")
    return ForeignOnnx(
        model=model,
        size=side,
        fixed=bool(size),
        outputs=outputs,
        resized=result.shape[2:] != (side, side),
        input=_guess_input(model),
        output=_guess_output(result),
        parameters=sum(int(np.prod(t.dims)) for t in model.graph.initializer),
        metadata=next((p.value for p in model.metadata_props if p.key == METADATA_KEY), ""),
    )


def wrapped(foreign: ForeignOnnx, expects: Input, gives: Output, size: int, name: str) -> bytes:
    """The network as the predictor runs it: ``image`` float32 RGB 0 to 255 -> ``logits``.

    name: the file's, for messages. Raises BadInput where it does not run at ``size``.
    """
    model = onnx.ModelProto()
    model.CopyFrom(foreign.model)
    # Names of our own cannot meet the file's: those are all prefixed.
    model = onnx.compose.add_prefix(model, prefix="imported/", rename_functions=False)
    graph = model.graph
    given, asked = _input(model), graph.output[0]
    half = given.type.tensor_type.elem_type == TensorProto.FLOAT16
    front = _front(graph, given.name, expects, half)
    behind = _behind(graph, asked.name, gives, foreign, half)
    inner = list(graph.node)
    del graph.node[:]
    graph.node.extend([*front, *inner, *behind])
    side: Any = size if foreign.fixed else None
    image = helper.make_tensor_value_info(
        "image", TensorProto.FLOAT, [1, 3, side or "h", side or "w"]
    )
    logits = helper.make_tensor_value_info(
        "logits", TensorProto.FLOAT, [1, foreign.outputs, side or "h", side or "w"]
    )
    kept = [i for i in graph.input if i.name != given.name]
    del graph.input[:], graph.output[:], graph.value_info[:], model.metadata_props[:]
    graph.input.extend([image, *kept])
    graph.output.append(logits)
    data: bytes = model.SerializeToString()
    try:
        session = onnxruntime.InferenceSession(data, _quiet(), providers=["CPUExecutionProvider"])
        (result,) = session.run(None, {"image": _picture(size) * np.float32(255)})
    except ORT_ERRORS as error:
        raise BadInput(
            f"{name} does not run at {size} x {size} pixels ({_short(error)})."
        ) from error
    if result.shape != (1, foreign.outputs, size, size) or not np.isfinite(result).all():
        raise BadInput(f"{name} gives no finite numbers for a photo of {size} x {size} pixels.")
    return data


def _front(graph: Any, target: str, expects: Input, half: bool) -> list[Any]:
    """Nodes from ``image`` to what the network takes."""
    last = "image"
    nodes = []
    for op, values in zip(("Sub", "Div"), RANGES[expects], strict=True):
        constant = np.array(values, np.float32).reshape(1, 3, 1, 1)
        graph.initializer.append(numpy_helper.from_array(constant, f"petseg/{op}"))
        nodes.append(helper.make_node(op, [last, f"petseg/{op}"], [f"petseg/{op}_out"]))
        last = f"petseg/{op}_out"
    to = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    return [*nodes, helper.make_node("Cast", [last], [target], to=to)]


def _behind(graph: Any, source: str, gives: Output, foreign: ForeignOnnx, half: bool) -> list[Any]:
    """Nodes from what the network gives to ``logits``."""
    nodes = [helper.make_node("Cast", [source], ["petseg/float"], to=TensorProto.FLOAT)]
    last = "petseg/float"
    if gives is Output.PROBABILITIES:
        for name, value in (("low", 1e-6), ("high", 1 - 1e-6), ("one", 1.0)):
            graph.initializer.append(
                numpy_helper.from_array(np.array(value, np.float32), f"petseg/{name}")
            )
        nodes += [
            helper.make_node("Clip", [last, "petseg/low", "petseg/high"], ["petseg/p"]),
            helper.make_node("Log", ["petseg/p"], ["petseg/log"]),
        ]
        last = "petseg/log"
        if foreign.outputs == 1:  # softmax undoes a logarithm, the logistic function this
            nodes += [
                helper.make_node("Sub", ["petseg/one", "petseg/p"], ["petseg/rest"]),
                helper.make_node("Log", ["petseg/rest"], ["petseg/log_rest"]),
                helper.make_node("Sub", [last, "petseg/log_rest"], ["petseg/logit"]),
            ]
            last = "petseg/logit"
    if foreign.resized:
        for name, values in (("first", [0]), ("two", [2]), ("four", [4])):
            graph.initializer.append(
                numpy_helper.from_array(np.array(values, np.int64), f"petseg/{name}")
            )
        nodes += [
            helper.make_node("Shape", ["image"], ["petseg/image_shape"]),
            helper.make_node("Shape", [last], ["petseg/small_shape"]),
            helper.make_node(
                "Slice", ["petseg/image_shape", "petseg/two", "petseg/four"], ["petseg/sides"]
            ),
            helper.make_node(
                "Slice", ["petseg/small_shape", "petseg/first", "petseg/two"], ["petseg/planes"]
            ),
            helper.make_node(
                "Concat", ["petseg/planes", "petseg/sides"], ["petseg/wanted"], axis=0
            ),
            helper.make_node(
                "Resize",
                [last, "", "", "petseg/wanted"],
                ["petseg/large"],
                mode="linear",
                coordinate_transformation_mode="half_pixel",
            ),
        ]
        last = "petseg/large"
    return [*nodes, helper.make_node("Identity", [last], ["logits"])]


def _only_plain_parts(name: str, model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with its functions inlined, in an opset that we can add to. Raises BadInput."""
    try:
        if model.functions:
            model = inliner.inline_local_functions(model)
        if any(t.data_location == TensorProto.EXTERNAL for t in _tensors(model.graph)):
            raise BadInput(
                f"{name} keeps its weights in another file. Export it as one file: "
                "onnx.save(model, FILE, save_as_external_data=False)."
            )
        odd = sorted({n.domain for n in _nodes(model.graph)} - _DOMAINS)
        if odd:
            raise BadInput(f"{name} needs operators of {odd[0]}, which are not part of ONNX.")
        opset = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), 0)
        if opset < _OLDEST_OPSET:
            model = version_converter.convert_version(model, OPSET)
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, RuntimeError, ValueError, IndexError) as error:
        raise BadInput(f"{name} is no valid ONNX network ({_short(error)}).") from error
    return model


def _input_of(name: str, model: onnx.ModelProto) -> tuple[int, int]:
    """(images at once, side of the square) that the network takes, each 0 where it is free."""
    known = {t.name for t in model.graph.initializer}
    inputs = [i for i in model.graph.input if i.name not in known]
    outputs = model.graph.output
    if len(inputs) != 1 or len(outputs) != 1:
        raise BadInput(
            f"{name} has {len(inputs)} inputs and {len(outputs)} outputs; one photo in and one "
            "set of class maps out were expected."
        )
    kind = inputs[0].type.tensor_type
    dims = [d.dim_value if d.HasField("dim_value") else 0 for d in kind.shape.dim]
    words = " x ".join(str(d or "any") for d in dims) or "no shape"
    if kind.elem_type not in _FLOATS:
        raise BadInput(
            f"{name} takes {_type_name(kind.elem_type)} numbers; floating-point ones were expected."
        )
    if len(dims) == 4 and dims[3] == 3 and dims[1] != 3:
        raise BadInput(
            f"{name} takes {words}: colours last. Export it with colours first (N x 3 x H x W)."
        )
    if len(dims) != 4 or dims[1] not in (0, 3):
        raise BadInput(f"{name} takes {words}; a photo (N x 3 x H x W) was expected.")
    height, width = dims[2], dims[3]
    if height != width:
        raise BadInput(
            f"{name} takes {width or 'any'} x {height or 'any'} pixels. Photos are fitted into a "
            "square: export it for a square, or for any size."
        )
    if height and not 32 <= height <= 4096:
        raise BadInput(f"{name} takes {height} x {height} pixels; 32 to 4096 can be used.")
    return dims[0], height


def _input(model: onnx.ModelProto) -> Any:
    known = {t.name for t in model.graph.initializer}
    return next(i for i in model.graph.input if i.name not in known)


def _session(name: str, model: onnx.ModelProto) -> Any:
    try:
        return onnxruntime.InferenceSession(
            model.SerializeToString(), _quiet(), providers=["CPUExecutionProvider"]
        )
    except ORT_ERRORS as error:
        raise BadInput(f"{name} cannot be run by ONNX Runtime ({_short(error)}).") from error


def _try(name: str, session: Any, model: onnx.ModelProto, sizes: list[int]) -> tuple[Any, int]:
    """What the network says of a picture, and the first size at which it says anything."""
    given = _input(model)
    kind = _FLOATS[given.type.tensor_type.elem_type]
    problem = ""
    for size in sizes:
        try:
            (result,) = session.run(None, {given.name: _picture(size).astype(kind)})
        except ORT_ERRORS as error:
            problem = _short(error)
            continue
        if result.ndim != 4 or result.shape[0] != 1 or result.dtype not in (np.float32, np.float16):
            shape = " x ".join(map(str, result.shape))
            raise BadInput(
                f"{name} gives {shape} numbers ({result.dtype}) for a photo of {size} x {size}; "
                f"a score of each class for each pixel (1 x classes x height x width) was expected."
            )
        if min(result.shape[2:]) < 2 or not np.isfinite(result).all():
            raise BadInput(f"{name} gives no finite score of each pixel for a photo.")
        return result.astype(np.float32), size
    raise BadInput(f"{name} could not be run on a photo ({problem}).")


def _picture(size: int) -> np.ndarray:
    """Something like a photo: float32, 1 x 3 x size x size, 0 to 1."""
    y, x = np.mgrid[:size, :size].astype(np.float32) / size
    disc = ((x - 0.5) ** 2 + (y - 0.5) ** 2 < 0.08).astype(np.float32)
    return np.stack([x * 0.6 + disc * 0.3, y * 0.7, 1 - disc * 0.8])[None].astype(np.float32)


def _guess_input(model: onnx.ModelProto) -> Input:
    """A network that begins with arithmetic normalises by itself; most others want ImageNet's."""
    name = _input(model).name
    first = next((n.op_type for n in model.graph.node if name in n.input), "")
    return Input.BYTES if first in _NORMALISES else Input.IMAGENET


def _guess_output(result: np.ndarray) -> Output:
    inside = float(result.min()) >= 0 and float(result.max()) <= 1
    sums = result.shape[1] == 1 or bool(np.allclose(result.sum(1), 1, atol=1e-2))
    return Output.PROBABILITIES if inside and sums else Output.LOGITS


def _nodes(graph: Any) -> Iterator[Any]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from _nodes(inner)


def _tensors(graph: Any) -> Iterator[Any]:
    yield from graph.initializer
    yield from _parts(graph.sparse_initializer)
    for node in graph.node:
        for attribute in node.attribute:
            yield attribute.t
            yield from attribute.tensors
            yield from _parts((attribute.sparse_tensor, *attribute.sparse_tensors))
            for inner in (attribute.g, *attribute.graphs):
                yield from _tensors(inner)


def _parts(sparse: Iterable[Any]) -> Iterator[Any]:
    for tensor in sparse:
        yield tensor.values
        yield tensor.indices


def _quiet() -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return options


def _short(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:200]


def _type_name(kind: int) -> str:
    return str(TensorProto.DataType.Name(kind)).lower()
