"""Models that leave PetSeg say elsewhere what they say here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from core.errors import BadInput
from core.files import sha256
from core.inference.predictor import Predictor
from core.labels import PET, TRIMAP, BorderRule, LabelScheme, scheme_of, scheme_under
from core.modelfile import ModelFileError, onnx_path, read_description, renamed
from core.models.export import describe_anew
from core.models.sharing import export_model

THREE = scheme_of("custom", ["background", "cat", "dog"])


def run(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """Python in the exported folder, where nothing of PetSeg can be imported by chance."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, *map(str, words)]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize(
    ("scheme", "activation", "size"),
    [
        (PET, "softmax", (150, 100)),  # smaller and larger than the network's 48 px,
        (PET, "sigmoid", (31, 40)),  # wider and higher
        (TRIMAP, "softmax", (100, 133)),
        (THREE, "softmax", (97, 97)),
    ],
    ids=["two", "sigmoid", "trimap", "three"],
)
def test_the_folder_segments_as_petseg_does(
    scheme: LabelScheme,
    activation: str,
    size: tuple[int, int],
    make_model: Callable[..., Path],
    animal: Callable[..., tuple[np.ndarray, np.ndarray]],
    tmp_path: Path,
):
    model = make_model(scheme, activation=activation, seed=2)
    out = tmp_path / "elsewhere"
    written = export_model(model, out)
    assert {p.name for p in written} == {p.name for p in out.iterdir()}
    pixels, _ = animal(5, *size)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    done = run(out, "-P", "segment.py", tmp_path / "photo.png", tmp_path / "mask.png")
    assert done.returncode == 0, done.stderr
    mask = np.asarray(Image.open(tmp_path / "mask.png"))
    rule = BorderRule.FOREGROUND
    wanted = Predictor(model, 1).predict(pixels).mask(scheme_under(scheme, rule), rule)
    assert len(np.unique(wanted)) > 1  # else any mask would do
    # OpenCV enlarges a photo in whole numbers, which a network of random weights feels.
    assert (mask != wanted).mean() <= (0.001 if max(size) > 48 else 0.02)


def test_the_page_shows_what_the_script_finds(
    tiny_model: Path, animal: Callable[..., tuple[np.ndarray, np.ndarray]], tmp_path: Path
):
    """Without Gradio: only showing the page needs it."""
    export_model(tiny_model, tmp_path / "out")
    Image.fromarray(animal(5, 90, 60)[0]).save(tmp_path / "photo.png")
    code = (
        "import app, sys\nfrom PIL import Image\n"
        f"photo = Image.open({str(tmp_path / 'photo.png')!r})\n"
        "shown, parts = app.predict(photo)\n"
        "assert shown is photo and app.predict(None) is None\n"
        "assert 'gradio' not in sys.modules and 'core' not in sys.modules\n"
        "print([(name, mask.shape, bool((mask == (app.segment(photo) > 0)).all())) "
        "for mask, name in parts])"
    )
    done = run(tmp_path / "out", "-c", code)
    assert done.stdout.strip() == "[('pet', (60, 90), True)]", done.stderr
    compile((tmp_path / "out" / "app.py").read_text(), "app.py", "exec")


def test_the_onnx_file_describes_itself(tiny_model: Path, tmp_path: Path):
    (out,) = export_model(tiny_model, tmp_path / "net.onnx")
    (entry,) = onnx.load(out).metadata_props
    told = json.loads(entry.value)
    assert entry.key == "petseg"
    assert [c["name"] for c in told["scheme"]["classes"]] == ["background", "pet"]
    assert told["size"] == read_description(tiny_model).size
    onnx.checker.check_model(onnx.load(out), full_check=True)


def test_a_model_file_travels_with_its_twin(tiny_model: Path, tmp_path: Path):
    export_model(tiny_model, tmp_path / "m.safetensors")
    assert (tmp_path / "m.safetensors").read_bytes() == tiny_model.read_bytes()
    Predictor(tmp_path / "m.safetensors", 1)


@pytest.mark.parametrize("name", ["net.onnx", "net.safetensors", "folder"])
def test_nothing_is_overwritten(name: str, tiny_model: Path, tmp_path: Path):
    out = tmp_path / name
    if name == "folder":
        out.mkdir()
        (out / "mine.txt").write_text("mine")
    else:
        onnx_path(out).write_text("mine")
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    with pytest.raises(BadInput, match="nothing was written"):
        export_model(tiny_model, out)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_a_name_that_ends_in_something_else_is_refused(tiny_model: Path, tmp_path: Path):
    with pytest.raises(BadInput, match=r"\.onnx or \.safetensors"):
        export_model(tiny_model, tmp_path / "x.txt")
    assert export_model(tiny_model, tmp_path / "pets-1.2")  # a folder may well be called so


@pytest.mark.parametrize("words", [(), ("gone.png", "mask.png"), ("segment.py", "mask.png")])
def test_the_script_says_in_one_line_what_is_wrong(words, tiny_model: Path, tmp_path: Path):
    export_model(tiny_model, tmp_path / "out")
    done = run(tmp_path / "out", "segment.py", *words)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert (words[0] if words else "Usage: python segment.py PHOTO MASK.png") in done.stderr


def test_the_readme_tells_classes_figures_and_licence(tiny_model: Path, tmp_path: Path):
    model = tmp_path / "m.safetensors"
    onnx_path(model).write_bytes(onnx_path(tiny_model).read_bytes())
    model.write_bytes(renamed(tiny_model, "<b>Mine</b> | [x](http://y)"))
    about = read_description(model)
    data = {"folders": ["pets"], "train": 20, "val": 5, "scored": "foreground"}
    describe_anew(model, about.model_copy(update={"metrics": {"val_iou": 0.8765}, "data": data}))
    export_model(model, tmp_path / "out")
    text = (tmp_path / "out" / "README.md").read_text()
    for wanted in ("| 1 | pet |", "IoU per image: 0.876", "5 validation images", "pets, 20 masks"):
        assert wanted in text
    assert "## Licence" in text
    assert "<b>" not in text.replace("\\<", "")


def test_a_twin_that_is_no_network_is_named(tiny_model: Path, tmp_path: Path):
    """As a stranger can make it: the description has its hash."""
    model = tmp_path / "m.safetensors"
    model.write_bytes(tiny_model.read_bytes())
    onnx_path(model).write_bytes(b"no network")
    changes = {"onnx_sha256": sha256(b"no network")}
    describe_anew(model, read_description(model).model_copy(update=changes))
    for out in (tmp_path / "net.onnx", tmp_path / "folder"):
        with pytest.raises(ModelFileError, match="twin of Tiny is no ONNX file"):
            export_model(model, out)
        assert not out.exists()


def test_a_model_that_works_in_tiles_goes_as_onnx_only(tiny_model: Path, tmp_path: Path):
    model = tmp_path / "m.safetensors"
    onnx_path(model).write_bytes(onnx_path(tiny_model).read_bytes())
    model.write_bytes(tiny_model.read_bytes())
    describe_anew(model, read_description(model).model_copy(update={"view": "crops"}))
    with pytest.raises(BadInput, match="tiles"):
        export_model(model, tmp_path / "out")
    assert export_model(model, tmp_path / "net.ONNX") == [tmp_path / "net.ONNX"]
