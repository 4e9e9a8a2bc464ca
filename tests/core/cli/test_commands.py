"""The other commands, exit codes, and what the program loads and prints."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core import demo
from core.cli.output import progress
from core.inference import catalogue
from core.labels import PET
from core.masks import write_mask
from core.project.project import open_project

MakeProject = Callable[..., Path]


def test_models_lists_the_bundled_one(petseg, tiny_model: Path):
    outcome = petseg("models")
    assert outcome.code == 0
    header, row = outcome.out.splitlines()
    assert header.split()[:2] == ["model", "classes"]
    assert "Tiny" in row
    assert "background, pet" in row
    assert str(tiny_model) in row


def test_models_says_where_there_are_none(petseg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(catalogue, "bundled_model", lambda: tmp_path / "gone.safetensors")
    assert "No models" in petseg("models").out


def test_demo_draws_a_project(petseg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, animal):
    monkeypatch.setattr(demo, "draw_animal", lambda seed: animal(seed, 64, 48))
    folder = tmp_path / "demo"
    outcome = petseg("demo", folder, "--images", 3, "--masked", 2, "--seed", 5)
    assert outcome.code == 0
    assert f"Drew 3 animals, 2 of them with masks, in {folder}" in outcome.out
    assert len(open_project(folder).names) == 3
    again = petseg("demo", folder)
    assert again.code == 2
    assert "holds images already" in again.err


def test_doctor_of_a_sound_installation(petseg):
    outcome = petseg("doctor")
    assert outcome.code == 0, outcome.err
    for words in ("torch ", "onnxruntime ", "Training devices: cpu", "(1, 3, 37, 91) -> (1, 2, 37"):
        assert words in outcome.out
    assert "fine" in outcome.out


def test_doctor_of_an_installation_without_its_model(
    petseg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from core.cli import doctor

    monkeypatch.setattr(doctor, "bundled_model", lambda: tmp_path / "gone.safetensors")
    outcome = petseg("doctor")
    assert outcome.code == 1
    assert "No model at" in outcome.out


def test_doctor_of_a_good_folder(petseg, make_project: MakeProject, snapshot):
    root = make_project(3, 2)
    before = snapshot(root)
    outcome = petseg("doctor", root)
    assert outcome.code == 0, outcome.err
    assert "3 images (paired layout)" in outcome.out
    assert "masks as ids, writable" in outcome.out
    assert "Sizes: 48 x 48 to 48 x 48" in outcome.out
    assert "Status: 2 approved, 1 unlabelled" in outcome.out
    project = open_project(root)
    shares = [project.read_mask(n).mean() for n in project.names[:2]]
    assert f"Foreground: {np.mean(shares):.1%}" in outcome.out
    assert snapshot(root) == before


def test_doctor_names_everything_that_will_be_skipped_and_why(petseg, make_project: MakeProject):
    root = make_project(5)
    (root / "images" / "animal-0.png").write_bytes(b"")
    Image.new("L", (3, 3)).save(root / "masks" / "animal-1.png")
    colours = np.zeros((48, 48, 3), np.uint8)
    colours[0, 0, 0] = 1
    Image.fromarray(colours).save(root / "masks" / "animal-2.png")
    write_mask(root / "masks" / "animal-9.png", np.zeros((4, 4), np.uint8), PET)
    outcome = petseg("doctor", root)
    assert outcome.code == 3
    lines = outcome.err.splitlines()
    assert len(lines) == 4
    assert "animal-0.png: the file is empty" in lines[0]
    assert "animal-1.png: the mask is 3 x 3 pixels" in lines[1]
    assert "animal-2.png: a mask in colours" in lines[2]
    assert "animal-9.png: a mask that belongs to no image" in lines[3]


@pytest.mark.parametrize("name", ["cut.png", "cut.jpg"])
def test_doctor_sees_a_photo_whose_pixels_are_damaged(
    petseg, make_project: MakeProject, animal, name: str
):
    root = make_project(1)
    path = root / "images" / name
    Image.fromarray(animal(3, 96, 96)[0]).save(path)
    path.write_bytes(path.read_bytes()[:-300])
    outcome = petseg("doctor", root)
    assert outcome.code == 3
    assert f"skipped {name}: damaged" in outcome.err


def test_a_read_only_folder_is_worked_on_elsewhere_and_that_is_said(
    petseg, make_project: MakeProject, user_data: Path
):
    root = make_project(2)
    root.chmod(0o555)
    try:
        outcome = petseg("evaluate", root, "--subset", "all")
        assert outcome.code == 0
        assert "is read-only: its project is kept in" in outcome.err
        assert str(user_data) in outcome.err
    finally:
        root.chmod(0o755)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["fly"],
        ["predict"],
        ["predict", "a.png"],
        ["evaluate", ".", "--border", "purple"],
        ["evaluate", ".", "--subset", "most"],
        ["train", ".", "--device", "tpu"],
        ["models", "--nonsense"],
    ],
)
def test_wrong_usage_is_exit_code_2(petseg, words: list[str]):
    outcome = petseg(*words)
    assert outcome.code == 2
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"], ["evaluate", "--help"]])
def test_help_is_no_failure(petseg, words: list[str]):
    outcome = petseg(*words)
    assert outcome.code == 0
    assert "Usage" in outcome.out


def test_ctrl_c_is_said_in_one_line(petseg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from core.cli import predict

    def interrupted(*_args: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(predict, "predict_command", interrupted)
    outcome = petseg("predict", tmp_path, "--out", tmp_path)
    assert outcome.code == 1
    assert outcome.err == "Stopped.\n"


def test_a_progress_bar_loses_no_item(capsys: pytest.CaptureFixture[str]):
    assert list(progress(iter([1, 2, 3]), 3, "x")) == [1, 2, 3]
    said = capsys.readouterr()
    assert said.out + said.err == ""


# --- The program as it is installed ------------------------------------------------------------


def real(*words: object) -> subprocess.CompletedProcess[str]:
    script = Path(sys.executable).with_name("petseg")
    return subprocess.run(
        [str(script), *map(str, words)], capture_output=True, text=True, timeout=120, check=False
    )


def test_the_installed_command_predicts_without_a_bar_in_a_pipe(
    make_project: MakeProject, tmp_path: Path, tiny_model: Path
):
    root = make_project(2)
    (root / "images" / "animal-0.png").write_bytes(b"")
    done = real("predict", root, "--out", tmp_path / "out", "--model", tiny_model)
    assert done.returncode == 3
    assert done.stdout.startswith("Segmented 1 image in ")
    assert done.stderr == (
        f"skipped {root / 'images' / 'animal-0.png'}: the file is empty (0 bytes)\n"
    )
    assert (tmp_path / "out" / "animal-1.png").exists()


def test_the_installed_command_says_bad_input_in_one_line(tmp_path: Path):
    done = real("evaluate", tmp_path / "gone")
    assert done.returncode == 2
    assert done.stderr == f"{(tmp_path / 'gone').resolve()} does not exist.\n"


def test_a_window_can_import_its_share_of_core_without_torch():
    modules = [
        "core.modelfile",
        "core.project.project",
        "core.evaluation.evaluate",
        "core.inference.catalogue",
        "core.inference.predictor",
        *(f"core.training.{m}" for m in ("config", "presets", "events", "control")),
        *(f"core.training.{m}" for m in ("launch", "plan")),
    ]
    code = f"import sys, {', '.join(modules)}; print([m for m in sys.modules if m[:5] == 'torch'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_opening_a_folder_needs_neither_opencv_nor_onnxruntime():
    code = (
        "import sys, core.project.project, core.images, core.masks, core.inference.catalogue; "
        "print({'cv2', 'onnxruntime', 'torch', 'PySide6'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_choice_that_there_is_not_is_refused_in_plain_words(petseg, tmp_path: Path):
    outcome = petseg("evaluate", tmp_path, "--subset", "nothing")
    assert outcome.code == 2
    assert "'--subset': 'nothing' is not one of" in outcome.err
