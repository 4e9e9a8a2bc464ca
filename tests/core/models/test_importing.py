"""Models from elsewhere: they say here what they say there, or are refused with a reason."""

from __future__ import annotations

import io
import pickle
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from core.errors import BadInput
from core.files import sha256
from core.inference.catalogue import IMPORTED, RUN_MODEL, Origin, list_models
from core.inference.predictor import Predictor
from core.labels import PET, TRIMAP, scheme_of
from core.modelfile import ModelFileError, onnx_path, read_description
from core.models import importing, state_dict
from core.models.answers import Answers, Input, Output, found_from_json
from core.models.export import describe_anew, to_onnx
from core.models.importing import examine, import_model
from core.models.network import build_network
from core.models.sharing import export_model
from core.models.weights import load_model

from ..training.conftest import worker_here
from .foreign_nets import MilesialUNet, TutorialUNet, said, settled

SIZE = 64


@pytest.fixture
def pixels(animal: Callable[..., Any]) -> np.ndarray:
    """A picture that fills a network of SIZE: it is neither scaled nor padded."""
    return animal(3, SIZE, SIZE)[0]


def imported(file: Path, folder: Path, **said_too: Any) -> Path:
    answers = replace(examine(file).answers, size=SIZE, **said_too)
    return import_model(file, folder, answers)


def differs(model: Path, pixels: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.abs(Predictor(model, 1).predict(pixels).small - wanted).max())


def saved(net: nn.Module, path: Path, **more: Any) -> Path:
    torch.save(net.state_dict() | more, path)
    return path


# Weights alone


@pytest.mark.parametrize(
    "net",
    [
        pytest.param(lambda: MilesialUNet(2, bilinear=False), id="milesial"),
        pytest.param(lambda: MilesialUNet(3, bilinear=True), id="milesial-bilinear"),
        pytest.param(lambda: MilesialUNet(1, bilinear=True, bias=True), id="one-output-with-bias"),
        pytest.param(lambda: TutorialUNet(2), id="tutorial"),
    ],
)
def test_weights_of_a_usual_u_net_say_here_what_they_say_there(
    net: Callable[[], nn.Module], tmp_path: Path, pixels: np.ndarray
):
    theirs = settled(net())
    file = saved(theirs, tmp_path / "their net.pth", mask_values=[0, 1])
    found = examine(file)
    assert found.kind == "weights"
    assert found.trainable
    assert found.answers.input is Input.UNIT
    model = imported(file, tmp_path / "models")
    assert differs(model, pixels, said(theirs, pixels)) < 0.01  # rounded to float16
    description = read_description(model)
    assert description.name == "their net"
    assert description.data == {"imported": "their net.pth"}
    assert description.parameters == sum(p.numel() for p in theirs.parameters())


def test_wrappers_around_weights_are_looked_through(tmp_path: Path, pixels: np.ndarray):
    theirs = settled(MilesialUNet(2, bilinear=False))
    state = {f"model.module.{k}": v.half() for k, v in theirs.state_dict().items()}
    torch.save({"epoch": 3, "state_dict": state, "note": "best"}, tmp_path / "last.ckpt")
    save_file(state, tmp_path / "plain.safetensors")
    for name in ("last.ckpt", "plain.safetensors"):
        model = imported(tmp_path / name, tmp_path / "models")
        assert differs(model, pixels, said(theirs, pixels)) < 0.01


@pytest.mark.parametrize(
    ("network", "body_only"),
    [
        ({"width": 4, "depth": 2, "norm": "group", "attention": True}, False),
        ({"width": 4, "depth": 1, "upsampling": "transposed"}, True),
    ],
)
def test_a_network_of_our_own_without_description_is_recognised(
    network: dict[str, Any], body_only: bool, tmp_path: Path
):
    net = build_network({"outputs": 2} | network).eval()
    net.set_normalisation((10.0,) * 3, (50.0,) * 3)
    file = saved(net.body if body_only else net, tmp_path / "ours.pt")
    found = examine(file)
    assert found.asks_input is body_only
    model = load_model(imported(file, tmp_path / "models", input=Input.SYMMETRIC))
    assert {k: v for k, v in model.network.items() if k in network} == network
    assert float(model.mean[0, 0]) == pytest.approx(127.5 if body_only else 10.0)


@pytest.mark.parametrize(
    ("encoder", "decoder"),
    [
        ("resnet18", "slim"),
        ("resnet34", "slim"),
        ("mobilenet_v3_small", "slim"),
        ("mobilenet_v2", "fine"),
        ("mobilenet_v2", "light"),
    ],
)
def test_encoders_and_decoders_that_begin_alike_are_told_apart(encoder: str, decoder: str):
    net = build_network({"outputs": 2, "encoder": encoder, "decoder": decoder})
    known = state_dict.recognise(dict(net.state_dict()), "x.pt")
    assert known.net.network == {"outputs": 2, "encoder": encoder, "decoder": decoder}


def test_the_u_net_of_segmentation_models_is_recognised():
    """By the names and shapes that segmentation_models_pytorch gives them."""
    network = {"layout": "resnet", "encoder": "resnet18", "outputs": 1, "decoder": [8, 8, 4, 4, 4]}
    net = build_network(network).eval()
    theirs = {}
    for key, value in net.body.state_dict().items():
        part, *rest = key.split(".")
        if part == "decoder":
            block, layer, *rest = rest
            part = f"decoder.blocks.{block}.conv{int(layer) // 3 + 1}.{int(layer) % 3}"
        theirs[".".join([part.replace("head", "segmentation_head.0"), *rest])] = value
    known = state_dict.recognise(theirs, "smp.pth")
    assert known.net.network == network
    image = torch.rand(1, 3, 32, 32) * 255
    with torch.no_grad():
        assert torch.equal(known.net(image), net(image))


def test_what_is_imported_trains_further(make_project: Callable[..., Path], tmp_path: Path):
    from core.project.project import open_project
    from core.training.launch import create_run
    from core.training.plan import plan_training
    from core.training.presets import make_config

    file = saved(settled(MilesialUNet(2, bilinear=True)), tmp_path / "net.pth")
    project = open_project(make_project(8))
    model = imported(file, project.store / IMPORTED)
    small = {"size": 32, "epochs": 1, "batch": 4, "min_steps": 1, "threads": 1, "device": "cpu"}
    config = make_config("quick", start=str(model), **small)
    run = create_run(project, config, plan_training(project))
    with worker_here() as work:
        assert work(run)
    trained, before = load_model(run / RUN_MODEL), load_model(model)
    assert trained.network == before.network
    state = before.state_dict()
    assert any(not torch.equal(v, state[k]) for k, v in trained.state_dict().items())


# Refusals of weights


class Bomb:
    """Runs code where somebody unpickles it."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.mark,))


def _text(path: Path) -> None:
    path.write_text("import torch\n" * 10)


def _code(path: Path) -> None:
    torch.save({"weights": Bomb(path.with_name("ran"))}, path)


def _old_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps({"weights": Bomb(path.with_name("ran"))}))


def _whole_net(path: Path) -> None:
    torch.save(MilesialUNet(2, bilinear=False), path)


def _cut_short(path: Path) -> None:
    saved(MilesialUNet(2, bilinear=False), path)
    path.write_bytes(path.read_bytes()[:-200])


def _torch_script(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/code/__torch__.py", "class A: ...")
        archive.writestr("net/data.pkl", b"")


def _huge_claim(path: Path) -> None:
    torch.save({"a": torch.zeros(1).expand(1 << 20, 1 << 20)}, path)


def _not_finite(path: Path) -> None:
    net = MilesialUNet(2, bilinear=False)
    net.inc.double_conv[0].weight.data[0, 0, 0, 0] = float("nan")
    saved(net, path)


def _other_net(path: Path) -> None:
    saved(nn.Linear(4, 2), path)


def _grey(path: Path) -> None:
    saved(MilesialUNet(2, bilinear=False, inputs=1), path)


def _lacks(path: Path) -> None:
    state = MilesialUNet(2, bilinear=False).state_dict()
    torch.save(
        {k: v for k, v in state.items() if k != "down1.maxpool_conv.1.double_conv.1.bias"}, path
    )


def _too_much(path: Path) -> None:
    saved(MilesialUNet(2, bilinear=False), path, extra=torch.zeros(3))


def _stumbling_pickle(path: Path) -> None:
    """The reader takes from an empty stack."""
    path.write_bytes(b"\x80\x02s.")


def _no_layer(path: Path) -> None:
    torch.save({"head.weight": torch.tensor(1.0), "first.0.weight": torch.tensor(1.0)}, path)


def _beyond_memory(path: Path) -> None:
    """Some bytes that name a network of terabytes."""
    levels = {f"down.{i}.1.0.weight": torch.zeros(1) for i in range(8)}
    first = {"head.weight": torch.zeros(2, 1), "first.0.weight": torch.zeros(4096, 1)}
    torch.save(first | levels, path)


def _too_many_outputs(path: Path) -> None:
    torch.save({"head.weight": torch.zeros(999, 4), "first.0.weight": torch.zeros(4, 3)}, path)


def _nothing(path: Path) -> None:
    torch.save({"epoch": 3}, path)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (_text, "no model file"),
        (_code, "Python objects"),
        (_old_pickle, "Python objects"),
        (_whole_net, "Python objects"),
        (_cut_short, "damaged"),
        (_torch_script, "TorchScript"),
        (_huge_claim, "more than 2 GB"),
        (_not_finite, "not finite"),
        (_other_net, "weight 2 x 4"),
        (_grey, "4 x 1 x 3 x 3 where 4 x 3 x 3 x 3"),
        (_lacks, "is missing"),
        (_too_much, "such as extra"),
        (_stumbling_pickle, "damaged"),
        (_no_layer, "looks like a U-Net of PetSeg's"),
        (_beyond_memory, "was expected"),
        (_too_many_outputs, "999 numbers a pixel"),
        (_nothing, "no weights"),
        (lambda path: path.touch(), "is empty"),
    ],
)
def test_what_is_no_u_net_of_ours_is_refused(
    make: Callable[[Path], None], told: str, tmp_path: Path, recwarn: pytest.WarningsRecorder
):
    file = tmp_path / "net.pth"
    make(file)
    with pytest.raises(BadInput, match=told):
        examine(file)
    with pytest.raises(BadInput, match=told):
        import_model(file, tmp_path / "models", Answers("x", ("background", "pet")))
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "models").exists()
    assert not [warning for warning in recwarn if "pickle" in str(warning.message)]


def test_what_unpacks_to_more_than_a_model_can_be_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(state_dict, "MAX_BYTES", 1 << 20)
    file = tmp_path / "net.pth"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("net/data/0", bytes(2 << 20))
    assert file.stat().st_size < 1 << 20
    with pytest.raises(BadInput, match="unpacks to more"):
        examine(file)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(BadInput, match="No file at"):
        examine(tmp_path / "gone.onnx")


# PetSeg's own


def test_a_model_of_our_own_comes_as_it_is(tiny_model: Path, tmp_path: Path):
    found = examine(tiny_model, PET)
    assert (found.kind, found.asks) == ("petseg", False)
    model = import_model(tiny_model, tmp_path, replace(found.answers, name="Renamed"), PET)
    assert model.name == "renamed.safetensors"
    old, new = read_description(tiny_model), read_description(model)
    assert new == old.model_copy(update={"name": "Renamed"})
    assert onnx_path(model).read_bytes() == onnx_path(tiny_model).read_bytes()
    assert load_file(model).keys() == load_file(tiny_model).keys()


def with_twin(model: Path, path: Path, twin: bytes, **changes: Any) -> Path:
    """A copy of a model with another twin, of which the description has the hash."""
    shutil.copy(model, path)
    onnx_path(path).write_bytes(twin)
    changes["onnx_sha256"] = sha256(twin)
    describe_anew(path, read_description(path).model_copy(update=changes))
    return path


@pytest.mark.parametrize("twin", ["missing", "garbage", "another network"])
def test_a_model_of_our_own_says_what_its_weights_say(
    twin: str,
    tiny_model: Path,
    make_model: Callable[..., Path],
    tmp_path: Path,
    pixels: np.ndarray,
):
    given = tmp_path / "given.safetensors"
    if twin == "missing":
        shutil.copy(tiny_model, given)
    else:
        another = onnx_path(make_model(seed=1)).read_bytes()
        with_twin(tiny_model, given, another if twin == "another network" else b"garbage")
    assert not examine(given).notes
    model = import_model(given, tmp_path / "models")
    wanted = Predictor(tiny_model, 1).predict(pixels).small
    assert differs(model, pixels, wanted) < 1e-3


@pytest.mark.parametrize(
    ("twin", "told"),
    [
        (lambda make: b"garbage", "no ONNX file"),
        (lambda make: onnx_path(make(TRIMAP)).read_bytes(), "is not that of its network"),
    ],
)
def test_a_model_without_weights_is_what_its_description_says(
    twin: Callable[..., bytes],
    told: str,
    make_model: Callable[..., Path],
    tiny_model: Path,
    tmp_path: Path,
):
    given = with_twin(tiny_model, tmp_path / "m.safetensors", twin(make_model), network={})
    with pytest.raises(BadInput, match=told):
        examine(given)
    with pytest.raises(BadInput, match=told):
        import_model(given, tmp_path / "models", Answers("x", ("background", "pet")))
    assert not (tmp_path / "models").exists()


def test_the_same_model_twice_has_two_files(tiny_model: Path, tmp_path: Path):
    names = [import_model(tiny_model, tmp_path).name for _ in range(2)]
    assert names == ["tiny.safetensors", "tiny-2.safetensors"]


def test_other_classes_than_the_projects_are_refused(tiny_model: Path, tmp_path: Path):
    many = scheme_of("custom", ["background", "cat", "dog", "bird"])
    with pytest.raises(BadInput, match=r"knows background, pet; this folder has background, cat"):
        import_model(tiny_model, tmp_path, scheme=many)
    file = saved(MilesialUNet(2, bilinear=False), tmp_path / "two.pth")
    with pytest.raises(BadInput, match="2 classes apart, background included; this folder has"):
        examine(file, many)


@pytest.mark.parametrize("place", ["description", "weights"])
def test_a_model_damaged_in_the_middle_is_refused(place: str, tiny_model: Path, tmp_path: Path):
    data = bytearray(tiny_model.read_bytes())
    if place == "description":
        at = data.index(b"activation")
        data[at : at + 4] = b"xxxx"
    else:
        data = data[: len(data) // 2]
    (tmp_path / "half.safetensors").write_bytes(data)
    with pytest.raises(BadInput, match=r"damaged|not a model|no model"):
        examine(tmp_path / "half.safetensors")


def test_weights_of_ours_that_are_not_finite_are_refused(tiny_model: Path, tmp_path: Path):
    from safetensors import safe_open

    state = load_file(tiny_model)
    state["body.head.bias"][0] = float("inf")
    with safe_open(tiny_model, "pt") as file:
        save_file(state, tmp_path / "m.safetensors", metadata=file.metadata())
    shutil.copy(onnx_path(tiny_model), tmp_path / "m.onnx")
    with pytest.raises(BadInput, match="not finite"):
        import_model(tmp_path / "m.safetensors", tmp_path / "models")


# ONNX


class Coarse(nn.Module):
    """Says what it says at a quarter of the resolution."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.AvgPool2d(4), nn.Conv2d(4, outputs, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x) * 4


def to_file(net: nn.Module, path: Path, *, dynamic: bool = True, opset: int = 17) -> Path:
    buffer = io.BytesIO()
    torch.onnx.export(
        net.eval(),
        (torch.zeros(1, 3, SIZE, SIZE),),
        buffer,
        dynamo=False,
        opset_version=opset,
        input_names=["pixels"],
        dynamic_axes={"pixels": {2: "height", 3: "width"}} if dynamic else None,
    )
    path.write_bytes(buffer.getvalue())
    return path


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dynamic", [True, False])
@pytest.mark.parametrize(
    ("outputs", "last", "gives"),
    [
        (2, nn.Identity(), Output.LOGITS),
        (3, nn.Softmax(1), Output.PROBABILITIES),
        (1, nn.Sigmoid(), Output.PROBABILITIES),
    ],
)
def test_a_foreign_onnx_network_says_here_what_it_says_there(
    dynamic: bool,
    outputs: int,
    last: nn.Module,
    gives: Output,
    tmp_path: Path,
    pixels: np.ndarray,
):
    net = settled(MilesialUNet(outputs, bilinear=False))
    file = to_file(nn.Sequential(net, last), tmp_path / "net.onnx", dynamic=dynamic, opset=12)
    found = examine(file)
    assert (found.kind, found.outputs, found.trainable) == ("onnx", outputs, False)
    assert found.answers.output is gives
    assert (found.fixed, found.answers.size) == ((False, 256) if dynamic else (True, SIZE))
    model = imported(file, tmp_path / "models", input=Input.UNIT)
    assert differs(model, pixels, said(net, pixels)) < 1e-3


@pytest.mark.filterwarnings("ignore")
def test_a_coarser_answer_is_enlarged(tmp_path: Path, pixels: np.ndarray):
    torch.manual_seed(0)
    net = Coarse(2)
    model = imported(to_file(net, tmp_path / "net.onnx"), tmp_path / "models", input=Input.UNIT)
    with torch.no_grad():
        small = net(torch.from_numpy(pixels.transpose(2, 0, 1)[None].copy()).float() / 255)
        large = nn.functional.interpolate(small, (SIZE, SIZE), mode="bilinear")
    assert differs(model, pixels, torch.softmax(large, 1)[0].numpy()) < 1e-3


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("input", "scale"),
    [(Input.BYTES, 1.0), (Input.UNIT, 1 / 255), (Input.SYMMETRIC, 1 / 127.5)],
)
def test_the_photo_becomes_the_numbers_that_were_chosen(input: Input, scale: float, tmp_path: Path):
    class Echo(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.cat([torch.zeros_like(x[:, :1]), x[:, :1]], 1)

    file = to_file(Echo(), tmp_path / "net.onnx")
    model = imported(file, tmp_path / "models", input=input)
    pixels = np.full((SIZE, SIZE, 3), 3, np.uint8)
    p = Predictor(model, 1).predict(pixels).small[1]
    value = 3 * scale - (1 if input is Input.SYMMETRIC else 0)
    assert float(p.mean()) == pytest.approx(1 / (1 + np.exp(-value)), abs=1e-4)


@pytest.mark.filterwarnings("ignore")
def test_an_imported_onnx_is_listed_segments_and_refuses_to_train(tmp_path: Path):
    from core.training.presets import make_config

    file = to_file(Coarse(2), tmp_path / "net.onnx")
    model = imported(file, tmp_path / "models")
    entry = list_models(None, tmp_path / "models")[-1]
    assert (entry.path, entry.origin, entry.title) == (model, Origin.IMPORTED, "net")
    with pytest.raises(ModelFileError, match="not be trained further"):
        make_config("quick", start=str(model))
    with pytest.raises(ModelFileError, match="not be trained further"):
        load_model(model)


def test_an_exported_model_comes_back_without_a_question(
    make_model: Callable[..., Path], tmp_path: Path, pixels: np.ndarray
):
    ours = make_model(TRIMAP, seed=4)
    (file,) = export_model(ours, tmp_path / "shared.onnx")
    found = examine(file, TRIMAP)
    assert not found.asks
    model = import_model(file, tmp_path / "models", scheme=TRIMAP)
    assert read_description(model).scheme == TRIMAP
    assert differs(model, pixels, Predictor(ours, 1).predict(pixels).small) < 1e-6
    onnx_path(model).unlink()  # without weights there is nothing to make it from anew
    with pytest.raises(BadInput, match="needs its twin"):
        examine(model)


def test_three_outputs_in_a_folder_of_two_are_taken_for_a_trimap(tmp_path: Path):
    file = saved(settled(MilesialUNet(3, bilinear=False)), tmp_path / "net.pth")
    assert examine(file, PET).answers.classes == ("background", "pet", "border")


def one_node(
    op: str,
    shape: tuple[int, ...] = (1, 3, 64, 64),
    kind: int = TensorProto.FLOAT,
    *,
    gives: int | None = None,
    domain: str = "",
    weights: tuple[Any, ...] = (),
    **attributes: Any,
) -> onnx.ModelProto:
    """A network of one operator."""
    inputs = ["x", *(w.name for w in weights)]
    graph = helper.make_graph(
        [helper.make_node(op, inputs, ["y"], domain=domain, **attributes)],
        "g",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("y", gives or kind, ["a", "b", "c", "d"])],
        weights,
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("my.ops", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def external() -> onnx.ModelProto:
    weight = helper.make_tensor("w", TensorProto.FLOAT, [1], [0.0])
    weight.ClearField("float_data")
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="../../etc/passwd")
    return one_node("Add", weights=(weight,))


def external_in_a_function() -> onnx.ModelProto:
    weight = external().graph.initializer[0]
    nodes = [
        helper.make_node("Constant", [], ["c"], value=weight),
        helper.make_node("Add", ["x", "c"], ["y"]),
    ]
    opsets = [helper.make_opsetid("", 17)]
    model = one_node("Inner", domain="my.ops")
    model.functions.append(
        helper.make_function("my.ops", "Inner", ["x"], ["y"], nodes, opset_imports=opsets)
    )
    return model


def two_inputs() -> onnx.ModelProto:
    model = one_node("Identity")
    model.graph.input.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, [1]))
    return model


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (external, "another file"),
        (external_in_a_function, "another file"),
        (two_inputs, "2 inputs"),
        (lambda: one_node("Magic", domain="my.ops"), "my.ops"),
        (lambda: one_node("Nonsense"), "no valid ONNX"),
        (lambda: one_node("Identity", kind=TensorProto.UINT8), "uint8"),
        (lambda: one_node("Identity", (1, 64, 64, 3)), "colours last"),
        (lambda: one_node("Identity", (1, 1, 64, 64)), "a photo"),
        (lambda: one_node("Identity", (4, 3, 64, 64)), "4 images at once"),
        (lambda: one_node("Identity", (1, 3, 64, 96)), "square"),
        (lambda: one_node("Identity", (1, 3, 16, 16)), "32 to 4096"),
        (lambda: one_node("ArgMax", axis=1, gives=TensorProto.INT64), "int64"),
        (lambda: one_node("GlobalAveragePool"), "score of each pixel"),
        (lambda: one_node("Log"), "no finite"),
    ],
)
def test_an_onnx_file_that_does_not_fit_is_refused(
    make: Callable[[], onnx.ModelProto], told: str, tmp_path: Path
):
    file = tmp_path / "net.onnx"
    file.write_bytes(make().SerializeToString())
    with pytest.raises(BadInput, match=told):
        examine(file)
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("data", [b"import os\n" * 40, b"\x08\x09" * 300, bytes(1000)])
def test_what_is_no_onnx_is_refused(data: bytes, tmp_path: Path):
    (tmp_path / "net.onnx").write_bytes(data)
    with pytest.raises(BadInput, match="ONNX"):
        examine(tmp_path / "net.onnx")


def test_an_onnx_file_damaged_in_the_middle_is_refused_or_runs(tmp_path: Path):
    whole = to_onnx(build_network({"outputs": 2, "width": 4, "depth": 1}).eval())
    for share in (0.3, 0.6, 0.9):
        (tmp_path / "net.onnx").write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(BadInput):
            examine(tmp_path / "net.onnx")


# Answers


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"classes": ("background",)}, "2 classes apart"),
        ({"classes": ("pet", "pet")}, "must differ"),
        ({"classes": ("background", "x" * 101)}, "1 to 100"),
        ({"size": 8}, "32 to 4096"),
        ({"name": "  "}, "1 to 200"),
    ],
)
def test_answers_that_cannot_be_are_refused(changes: dict[str, Any], told: str, tmp_path: Path):
    file = saved(MilesialUNet(2, bilinear=False), tmp_path / "net.pth")
    answers = replace(Answers("Net", ("background", "pet")), **changes)
    with pytest.raises(BadInput, match=told):
        import_model(file, tmp_path / "models", answers)
    assert not (tmp_path / "models").exists()


def test_what_was_found_travels_as_json(tmp_path: Path):
    found = examine(saved(MilesialUNet(2, bilinear=False), tmp_path / "net.pth"))
    assert found_from_json(found.to_json()) == found


def test_the_projects_own_classes_keep_their_colours(tmp_path: Path):
    file = saved(settled(MilesialUNet(2, bilinear=False)), tmp_path / "net.pth")
    scheme = importing.scheme_of("odd", ["nothing", "hen"])
    model = import_model(file, tmp_path / "models", scheme=scheme)
    assert read_description(model).scheme == scheme
