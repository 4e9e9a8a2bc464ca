"""``petseg import`` and ``petseg export``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from core.formats.registry import FORMATS
from core.masks import MaskEncoding
from core.project.lock import take
from core.project.project import open_project
from core.project.reviews import Status


@pytest.fixture
def annotations(petseg, make_project, tmp_path: Path) -> Path:
    """COCO annotations of three of the animals."""
    root = make_project(3, folder="theirs")
    assert petseg("export", root, tmp_path / "coco", "--format", "coco").code == 0
    return tmp_path / "coco"


def test_an_import_is_previewed_done_and_undone(petseg, annotations, make_project, tmp_path):
    root = make_project(4, 1)
    mine = (root / "masks" / "animal-0.png").read_bytes()
    preview = petseg("import", annotations, root, "--dry-run")
    assert preview.code == 0, preview.err
    assert "3 images annotated, 3 of them in" in preview.out
    assert "1 image with a mask already" in preview.out
    assert "Nothing is written: 2 images would get a mask" in preview.out
    assert not (root / ".petseg").exists()
    done = petseg("import", annotations, root, "--json", tmp_path / "result.json")
    assert done.code == 0, done.err
    assert f"petseg import --undo {root}" in done.out
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["written"] == ["animal-1.png", "animal-2.png"]
    assert result["existing"] == ["animal-0.png"]
    assert (root / "masks" / "animal-0.png").read_bytes() == mine
    theirs, project = open_project(tmp_path / "theirs"), open_project(root)
    np.testing.assert_array_equal(
        project.read_mask("animal-2.png"), theirs.read_mask("animal-2.png")
    )
    assert project.status("animal-2.png") is Status.APPROVED
    assert petseg("import", "--undo", root).code == 0
    assert [p.name for p in (root / "masks").iterdir()] == ["animal-0.png"]
    again = petseg("import", "--undo", root)
    assert again.code == 2
    assert "no import" in again.err


def test_what_is_left_out_is_named(petseg, annotations, make_project):
    root = make_project(1, 0, width=40)
    outcome = petseg("import", annotations, root)
    assert outcome.code == 2
    assert "skipped animal-0.png: " in outcome.err
    assert "2 images not in the folder: " in outcome.out


def test_classes_are_mapped_and_binary_folders_converted_where_that_is_said(
    petseg, annotations, make_project
):
    root = make_project(3, 1, encoding=MaskEncoding.BINARY255)
    mapping = ("--map", "object=void")
    refused = petseg("import", annotations, root, *mapping)
    assert refused.code == 2
    assert "--convert" in refused.err
    assert petseg("import", annotations, root, *mapping, "--convert").code == 0
    project = open_project(root)
    assert project.settings.mask_encoding is MaskEncoding.IDS
    assert set(np.unique(project.read_mask("animal-1.png"))) == {0, 255}


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("import", "{annotations}"), "petseg import SOURCE FOLDER"),
        (("import", "--undo", "{annotations}", "{root}"), "petseg import --undo FOLDER"),
        (("import", "{root}/gone.json", "{root}"), "does not exist"),
        (("import", "{annotations}", "{root}", "--format", "dicom"), "no format"),
        (("import", "{annotations}", "{root}", "--map", "bird=pet"), "no class bird"),
        (("import", "{annotations}", "{root}", "--map", "bird"), "KEY=VALUE"),
        (("export", "{root}", "{root}/images/out", "--format", "png"), "inside of the folder"),
        (("export", "{root}", "{annotations}", "--format", "png"), "--replace"),
        (("export", "{root}", "{root}/../new", "--format", "dicom"), "no format"),
        (
            ("export", "{root}", "{root}/../new", "--format", "png", "--status", "edited"),
            "No image",
        ),
    ],
)
def test_bad_usage_is_one_line_that_says_what_to_do(petseg, annotations, make_project, words, why):
    root = make_project(2)
    outcome = petseg(*(word.format(annotations=annotations, root=root) for word in words))
    assert outcome.code == 2
    assert why in outcome.err.replace("\n", " ")
    assert len(outcome.err.strip().splitlines()) == 1


def test_a_folder_that_is_open_in_a_window_is_not_changed_from_outside(
    petseg, annotations, make_project
):
    root = make_project(3, 1)
    lock = take(root / ".petseg")
    try:
        outcome = petseg("import", annotations, root)
    finally:
        lock.release()
    assert outcome.code == 1
    assert "has this folder open" in outcome.err
    assert [p.name for p in (root / "masks").iterdir()] == ["animal-0.png"]


def test_help_names_every_format(petseg):
    for command, ids in (
        ("import", [f.id for f in FORMATS if f.read]),
        ("export", [f.id for f in FORMATS if f.write]),
    ):
        text = " ".join(petseg(command, "--help").out.replace("│", " ").split())
        for id_ in ids:
            assert id_ in text


def test_an_export_says_what_is_lost_and_what_was_written(petseg, make_project, tmp_path):
    root = make_project(3, 2)
    outcome = petseg(
        "export", root, tmp_path / "out", "--format", "png-255", "--json", tmp_path / "o.json"
    )
    assert outcome.code == 0
    assert "note: Unlabelled pixels become background." in outcome.err
    assert "Exported 2 images" in outcome.out
    result = json.loads((tmp_path / "o.json").read_text())
    assert result["images"] == 2
    assert result["losses"] == ["Unlabelled pixels become background."]
    (root / "masks" / "animal-0.png").write_bytes(b"no mask")
    again = petseg("export", root, tmp_path / "out", "--format", "png-255", "--replace")
    assert again.code == 3
    assert "skipped animal-0.png" in again.err
