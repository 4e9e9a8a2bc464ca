"""The split on the disk: written by several programs, and kept whatever happens to the folder."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import BadInput
from core.labels import PET
from core.masks import MaskEncoding, write_mask
from core.project.convert import convert_to_ids
from core.project.project import open_project
from core.project.reviews import Review, Status
from core.project.split import Subset, position

MakeProject = Callable[..., Path]
Animal = Callable[..., tuple[np.ndarray, np.ndarray]]


def written(root: Path) -> dict[str, str]:
    split: dict[str, str] = json.loads((root / ".petseg" / "split.json").read_text())
    return split


def val_of(root: Path) -> set[str]:
    return {n for n, s in written(root).items() if s == "val"}


def add_photo(root: Path, name: str, pixels: np.ndarray) -> str:
    """A photo with a mask in a folder of images/ and masks/; returns its name."""
    path = root / "images" / name
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(pixels).save(path)
    mask = np.zeros(pixels.shape[:2], np.uint8)
    mask[4:20, 4:20] = 1
    write_mask((root / "masks" / name).with_suffix(".png"), mask, PET)
    return name


def test_what_is_shown_before_is_what_is_written(make_project: MakeProject):
    root = make_project(12)
    project = open_project(root)
    shown = project.split(project.names)
    assert not project.store.exists()
    assert project.fix_split(project.names) == shown
    assert written(root) == shown
    assert open_project(root).split(project.names) == shown


def test_a_copy_of_a_photo_stays_on_its_side(make_project: MakeProject):
    root = make_project(10)
    project = open_project(root)
    first = project.fix_split(project.names)
    copies = {}
    for name in project.names:
        photo = Image.open(root / "images" / name)
        small = np.asarray(photo.resize((40, 40), Image.Resampling.BILINEAR))
        copies[add_photo(root, f"copy-of-{name}", small)] = name
    again = open_project(root)
    split = again.fix_split(list(copies))
    assert {name: split[copy] for copy, name in copies.items()} == first


def test_the_masks_of_one_photo_alone_have_no_val_image(make_project: MakeProject, animal: Animal):
    root = make_project(1)
    add_photo(root, "copy.png", animal(0)[0] // 2)
    project = open_project(root)
    assert set(project.fix_split(project.names).values()) == {Subset.TRAIN}
    other = add_photo(root, "other.png", animal(5)[0])
    assert open_project(root).fix_split([other]) == {other: Subset.VAL}


def test_a_window_and_a_worker_write_the_split_at_once(make_project: MakeProject):
    """Real processes, each of which opened the folder before the others wrote."""
    root = make_project(24)
    names = open_project(root).names
    code = (
        "import sys; from pathlib import Path; from core.project.project import open_project\n"
        "project = open_project(Path(sys.argv[1])); print('open', flush=True); input()\n"
        "for name in sys.argv[2:]:\n"
        "    print(name, project.fix_split([name])[name])"
    )
    share = [[*names[:3], *names[3 + i :: 4]] for i in range(4)]
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(root), *part],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for part in share
    ]
    try:
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "open\n"
        told = [worker.communicate("go\n", timeout=120)[0] for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    lines = [line.split() for words in told for line in words.splitlines()]
    assert len(lines) == sum(map(len, share))
    # Nobody's word was lost, and all were told the same.
    assert set(written(root)) == set(names)
    assert all(written(root)[name] == subset for name, subset in lines)


def test_a_project_that_is_open_sees_what_others_wrote(make_project: MakeProject):
    root = make_project(6)
    window, worker = open_project(root), open_project(root)
    fixed = worker.fix_split(worker.names[:3])
    assert {n: window.split(window.names)[n] for n in fixed} == fixed
    window.fix_split(window.names[3:])
    assert {n: written(root)[n] for n in fixed} == fixed


def test_a_folder_that_moved_keeps_its_split(make_project: MakeProject, tmp_path: Path):
    root = make_project(8)
    fixed = open_project(root).fix_split(open_project(root).names)
    moved = tmp_path / "elsewhere" / "pets"
    moved.parent.mkdir()
    shutil.move(root, moved)
    project = open_project(moved)
    assert project.split(project.names) == fixed


def test_photos_that_were_renamed_stay_where_they_were(make_project: MakeProject):
    root = make_project(8)
    project = open_project(root)
    fixed = project.fix_split(project.names)
    for folder in ("images", "masks"):
        (root / folder / "2026").mkdir()
        for name in fixed:
            (root / folder / name).rename(root / folder / "2026" / name)
    again = open_project(root)
    assert again.fix_split(again.names) == {f"2026/{n}": s for n, s in fixed.items()}


def test_another_photo_under_the_same_name_never_trains_where_that_one_validated(
    make_project: MakeProject, animal: Animal
):
    root = make_project(8)
    project = open_project(root)
    fixed = project.fix_split(project.names)
    for seed, name in enumerate(fixed, 20):
        add_photo(root, name, animal(seed)[0])
    new = add_photo(root, "new.png", animal(30)[0])
    again = open_project(root)
    split = again.fix_split([*again.names, new])
    assert {n: split[n] for n in fixed} == fixed


def test_converted_masks_keep_their_split(make_project: MakeProject):
    root = make_project(8, encoding=MaskEncoding.BINARY255)
    project = open_project(root)
    fixed = project.fix_split(project.names)
    convert_to_ids(project, lambda done, total: None, lambda: False)
    again = open_project(root)
    assert again.settings.mask_encoding is MaskEncoding.IDS
    assert again.fix_split(again.names) == fixed


def test_what_is_not_approved_any_more_keeps_its_place_and_another_validates(
    make_project: MakeProject, animal: Animal
):
    root = make_project(6)
    project = open_project(root)
    project.fix_split(project.names)
    val = val_of(root)
    for name in val:
        project.add_review(Review(name, Status.REJECTED))
    # By chance this one would train.
    name = next(n for n in (f"new-{i}.png" for i in range(99)) if position(n) < 0.5)
    new = add_photo(root, name, animal(20)[0])
    assert open_project(root).fix_split([new]) == {new: Subset.VAL}
    assert val_of(root) == val | {new}


@pytest.mark.parametrize("text", ["{", "[]", '{"animal-0.png": "holdout"}'])
def test_a_split_that_is_damaged_meanwhile_is_never_made_anew(make_project: MakeProject, text: str):
    root = make_project(4)
    project = open_project(root)
    project.fix_split(project.names[:3])
    path = root / ".petseg" / "split.json"
    path.write_text(text)
    for ask in (project.split, project.fix_split):
        with pytest.raises(BadInput, match=r"split\.json is damaged.*Bring it back from a backup"):
            ask(project.names)
    assert path.read_text() == text


def test_the_fingerprints_may_be_deleted(make_project: MakeProject):
    root = make_project(8, 6)
    project = open_project(root)
    fixed = project.fix_split(project.names[:6])
    (root / ".petseg" / "fingerprints.json").unlink()
    write_mask(root / "masks" / "animal-6.png", np.eye(48, dtype=np.uint8), PET)
    again = open_project(root)
    split = again.fix_split(again.names[:7])
    assert {n: split[n] for n in fixed} == fixed


def test_giving_up_while_photos_are_compared_writes_nothing(make_project: MakeProject):
    project = open_project(make_project(4))

    def give_up() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        project.split(project.names, give_up)
    assert not project.store.exists()
