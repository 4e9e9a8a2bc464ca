"""An opened folder: what it reads, where it writes, and what it never touches."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import BadInput
from core.files import WriteError
from core.labels import PET, TRIMAP, VOID, BorderRule, LabelScheme, scheme_of
from core.masks import MaskEncoding, MaskError, read_values
from core.project import project as project_module
from core.project.places import known_store, needs_store, remember_store, store_elsewhere
from core.project.predictions import PredictionRecord
from core.project.project import EncodingUnclear, Project, open_project
from core.project.reviews import Review, Status
from core.project.settings import ProjectSettings
from core.project.split import Subset
from core.training.plan import plan_training

MakeProject = Callable[..., Path]
Snapshot = Callable[[Path], dict]


def save_image(path: Path, size: tuple[int, int] = (6, 4)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (9, 99, 199)).save(path)


def save_mask(path: Path, values: list[list[int]] | np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.array(values, np.uint8)).save(path)


def half(first: int, second: int) -> np.ndarray:
    """A 6 x 4 mask: left half ``first``, right half ``second``."""
    mask = np.full((4, 6), first, np.uint8)
    mask[:, 3:] = second
    return mask


def approve(project: Project, name: str, mask: np.ndarray) -> None:
    project.save_mask(name, mask, Review(name, Status.APPROVED))


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """Three photos, no masks."""
    for i in range(3):
        save_image(tmp_path / "photos" / f"{i}.png")
    return tmp_path / "photos"


# --- Opening -----------------------------------------------------------------------------------


def test_opening_writes_nothing(make_project: MakeProject, snapshot: Snapshot, tmp_path: Path):
    root = make_project(4, 2)
    before = snapshot(tmp_path)
    project = open_project(root)
    for name in project.names:
        project.status(name)
        project.read_image(name)
        project.read_mask(name)
    project.split(project.names)
    plan_training(project)
    open_project(root, tmp_path / "elsewhere")
    assert snapshot(tmp_path) == before


def test_an_empty_folder_says_what_can_be_opened(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(BadInput, match=r"No images in .*JPEG, PNG, TIFF"):
        open_project(tmp_path)


def test_a_bare_folder_is_a_pet_project(bare: Path):
    project = open_project(bare)
    assert project.settings.scheme == PET
    assert project.settings.mask_encoding is MaskEncoding.IDS
    assert project.names == ["0.png", "1.png", "2.png"]
    assert project.read_mask("0.png") is None
    assert {project.status(n) for n in project.names} == {Status.UNLABELLED}


def test_an_oxford_folder_is_a_trimap_project(tmp_path: Path):
    save_image(tmp_path / "images" / "beagle_1.jpg")
    save_mask(tmp_path / "annotations" / "trimaps" / "beagle_1.png", half(2, 3))
    project = open_project(tmp_path)
    assert project.settings.scheme == TRIMAP
    np.testing.assert_array_equal(project.read_mask("beagle_1.jpg"), half(0, 2))
    assert project.status("beagle_1.jpg") is Status.APPROVED


def test_official_masks_are_never_overwritten(tmp_path: Path):
    save_image(tmp_path / "images" / "beagle_1.jpg")
    official = tmp_path / "annotations" / "trimaps" / "beagle_1.png"
    save_mask(official, half(2, 3))
    before = official.read_bytes()
    project = open_project(tmp_path)
    approve(project, "beagle_1.jpg", half(1, 2))
    assert official.read_bytes() == before
    again = open_project(tmp_path)
    assert again.mask_source("beagle_1.jpg") == tmp_path / "masks" / "beagle_1.png"
    np.testing.assert_array_equal(again.read_mask("beagle_1.jpg"), half(1, 2))


@pytest.mark.parametrize(
    ("values", "encoding", "names"),
    [
        (half(0, 255), MaskEncoding.BINARY255, ["background", "object"]),
        (half(0, 1), MaskEncoding.BINARY1, ["background", "object"]),
        (half(1, 3), MaskEncoding.TRIMAP, ["background", "pet", "border"]),
        (half(0, 3), MaskEncoding.IDS, ["background", "class 1", "class 2", "class 3"]),
    ],
)
def test_the_masks_tell_their_encoding_and_classes(
    tmp_path: Path, values: np.ndarray, encoding: MaskEncoding, names: list[str]
):
    save_image(tmp_path / "images" / "a.png")
    save_mask(tmp_path / "masks" / "a.png", values)
    project = open_project(tmp_path)
    assert project.settings.mask_encoding is encoding
    assert project.settings.scheme.names == names
    assert project.read_mask("a.png") is not None


def test_masks_that_can_be_read_two_ways_are_asked_about(tmp_path: Path):
    save_image(tmp_path / "images" / "a.png")
    save_mask(tmp_path / "masks" / "a.png", half(1, 2))
    with pytest.raises(EncodingUnclear, match=r"--encoding ids or --encoding trimap"):
        open_project(tmp_path)
    trimap = open_project(tmp_path, encoding=MaskEncoding.TRIMAP)
    np.testing.assert_array_equal(trimap.read_mask("a.png"), half(1, 0))
    ids = open_project(tmp_path, encoding=MaskEncoding.IDS)
    np.testing.assert_array_equal(ids.read_mask("a.png"), half(1, 2))


def test_a_broken_mask_does_not_keep_a_folder_from_opening(tmp_path: Path):
    for name in "ab":
        save_image(tmp_path / "images" / f"{name}.png")
    save_mask(tmp_path / "masks" / "a.png", half(0, 255))
    (tmp_path / "masks" / "b.png").write_bytes(b"")
    project = open_project(tmp_path)
    assert project.settings.mask_encoding is MaskEncoding.BINARY255
    with pytest.raises(MaskError, match=r"^b\.png: the file is empty"):
        project.read_mask("b.png")


def test_a_mask_of_another_size_is_refused_when_it_is_asked_for(tmp_path: Path):
    save_image(tmp_path / "images" / "a.png", (8, 8))
    save_mask(tmp_path / "masks" / "a.png", half(0, 255))
    with pytest.raises(MaskError, match="6 x 4 pixels, its photo 8 x 8"):
        open_project(tmp_path).read_mask("a.png")


def test_a_mask_fits_its_photo_upright(tmp_path: Path):
    tags = Image.Exif()
    tags[0x0112] = 6
    (tmp_path / "images").mkdir()
    Image.new("RGB", (4, 6)).save(tmp_path / "images" / "a.jpg", exif=tags.tobytes())
    save_mask(tmp_path / "masks" / "a.png", half(0, 255))
    assert open_project(tmp_path).read_mask("a.jpg").shape == (4, 6)


# --- Settings ----------------------------------------------------------------------------------


def write_project_json(root: Path, text: str) -> None:
    (root / ".petseg").mkdir()
    (root / ".petseg" / "project.json").write_text(text)


def changed(**changes: object) -> str:
    """A good project.json in which something is otherwise; ``pet``: its second class."""
    pet = {"id": 1, "name": "pet", "colour": [1, 2, 3]} | dict(changes.pop("pet", {}))
    background = {"id": 0, "name": "background", "colour": [0, 0, 0]}
    good = {
        "format": 1,
        "scheme": {"name": "x", "classes": [background, pet]},
        "border_rule": "ignore",
        "mask_encoding": "binary255",
        "train_share": 0.7,
        "unpainted": "unlabelled",
        "model": "runs/a/best.safetensors",
    }
    return json.dumps(good | changes)


def test_settings_are_read(bare: Path):
    write_project_json(bare, changed())
    settings = open_project(bare).settings
    assert settings.scheme.names == ["background", "pet"]
    assert settings.scheme.classes[1].colour == (1, 2, 3)
    assert settings.border_rule is BorderRule.IGNORE
    assert settings.mask_encoding is MaskEncoding.BINARY255
    assert (settings.train_share, settings.unpainted) == (0.7, "unlabelled")
    assert settings.model == "runs/a/best.safetensors"


def test_a_project_of_a_newer_version_is_not_opened(bare: Path):
    write_project_json(bare, json.dumps({"format": 2, "what": "is this"}))
    with pytest.raises(BadInput, match=r"newer PetSeg \(format 2; this one reads 1\)"):
        open_project(bare)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "",
        "[]",
        "null",
        changed(format="one"),
        changed(format=None),
        changed(train_share=2),
        changed(train_share=float("nan")),
        changed(train_share="most"),
        changed(train_share=[]),
        changed(mask_encoding="morse"),
        changed(mask_encoding=[]),
        changed(border_rule={}),
        changed(unpainted="maybe"),
        changed(scheme=5),
        changed(scheme={"name": "x", "classes": []}),
        changed(scheme={"name": "x", "classes": [5, 6]}),
        changed(scheme={"name": "x", "classes": {"a": 1, "b": 2}}),
        changed(scheme={"name": "x", "classes": [{"id": 0}, {"id": 1}]}),
        changed(pet={"colour": [0, 0]}),
        changed(pet={"colour": [0, 0, 256]}),
        changed(pet={"colour": [0, 0, -1]}),
        changed(pet={"colour": "red"}),
        changed(pet={"id": 7}),
        changed(pet={"id": "first"}),
        changed(pet={"id": 1e400}),
        changed(pet={"name": "background"}),
        changed(pet={"name": ""}),
        changed(pet={"key": "two"}),
    ],
)
def test_damaged_settings_are_named_and_not_replaced(bare: Path, text: str):
    write_project_json(bare, text)
    with pytest.raises(BadInput, match=r"project\.json is damaged"):
        open_project(bare)
    assert (bare / ".petseg" / "project.json").read_text() == text


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"0.png": "holdout"}', '{"0.png": ["train"]}', '{"0.png": {}}']
)
def test_a_damaged_split_is_named(bare: Path, text: str):
    (bare / ".petseg").mkdir()
    (bare / ".petseg" / "split.json").write_text(text)
    with pytest.raises(BadInput, match=r"split\.json is damaged"):
        open_project(bare)


def test_settings_come_back_as_they_were_changed(bare: Path):
    project = open_project(bare)
    project.change_settings(scheme=TRIMAP, unpainted="unlabelled")
    project.adjust_settings(border_rule=BorderRule.IGNORE)
    project.keep_settings()
    assert open_project(bare).settings == project.settings
    assert project.settings.scheme == TRIMAP
    assert project.settings.border_rule is BorderRule.IGNORE


def test_settings_changed_while_others_are_written_are_kept(bare: Path, monkeypatch):
    project = open_project(bare)
    write = project_module.write_settings

    def slowly(path: Path, settings: ProjectSettings) -> None:
        project.adjust_settings(learn=True)  # another thread's, in the middle
        write(path, settings)

    monkeypatch.setattr(project_module, "write_settings", slowly)
    project.change_settings(model="runs/x/best.safetensors")
    project.keep_settings()
    kept = open_project(bare).settings
    assert kept.learn
    assert kept.model == "runs/x/best.safetensors"


def test_254_classes_with_their_keys_come_back(bare: Path):
    project = open_project(bare)
    names = ["background"] + [f"class {i}" for i in range(1, 254)]
    plain = scheme_of("custom", names)
    keyed = tuple(replace(c, key="q" if c.id == 200 else "") for c in plain.classes)
    project.change_settings(scheme=LabelScheme("custom", keyed))
    scheme = open_project(bare).settings.scheme
    assert scheme == plain
    assert scheme.keys == plain.keys | {200: "q"}


def test_a_class_added_behind_the_border_leaves_the_official_trimaps_as_they_are(tmp_path: Path):
    save_image(tmp_path / "images" / "beagle_1.jpg")
    save_mask(tmp_path / "annotations" / "trimaps" / "beagle_1.png", half(2, 3))
    project = open_project(tmp_path)
    before = project.read_mask("beagle_1.jpg")
    four = scheme_of("custom", ["background", "pet", "border", "collar"])
    project.change_settings(scheme=four)
    assert set(np.unique(before)) == {0, 2}
    assert (open_project(tmp_path).read_mask("beagle_1.jpg") == before).all()


def test_what_was_detected_is_kept_whatever_is_drawn_later(tmp_path: Path):
    for name in "ab":
        save_image(tmp_path / "images" / f"{name}.png")
    save_mask(tmp_path / "masks" / "a.png", half(0, 255))
    project = open_project(tmp_path)
    approve(project, "a.png", half(0, 0))  # now nothing tells the encoding any more
    again = open_project(tmp_path)
    assert again.settings.mask_encoding is MaskEncoding.BINARY255
    approve(again, "b.png", half(0, 1))
    assert read_values(tmp_path / "masks" / "b.png")[0].max() == 255


# --- Masks, reviews, predictions ---------------------------------------------------------------


def test_a_saved_mask_is_there_after_opening_again(bare: Path):
    project = open_project(bare)
    approve(project, "0.png", half(1, VOID))
    assert project.status("0.png") is Status.APPROVED
    again = open_project(bare)
    assert again.status("0.png") is Status.APPROVED
    np.testing.assert_array_equal(again.read_mask("0.png"), half(1, VOID))
    assert again.mask_source("0.png") == bare.resolve() / "masks" / "0.png"


def test_two_images_of_one_stem_keep_their_masks_apart(tmp_path: Path):
    save_image(tmp_path / "a.png")
    save_image(tmp_path / "a.bmp")
    project = open_project(tmp_path)
    approve(project, "a.png", half(0, 1))
    approve(project, "a.bmp", half(1, 0))
    again = open_project(tmp_path)
    np.testing.assert_array_equal(again.read_mask("a.png"), half(0, 1))
    np.testing.assert_array_equal(again.read_mask("a.bmp"), half(1, 0))
    assert sorted(os.listdir(tmp_path / "masks")) == ["a.bmp.png", "a.png.png"]


@pytest.mark.parametrize(
    "name", ["a b.png", "Käfer 猫 🐈.png", "x" * 200 + ".png", "sub dir/ä.png"]
)
def test_any_name_can_be_corrected(tmp_path: Path, name: str):
    save_image(tmp_path / name)
    project = open_project(tmp_path)
    approve(project, name, half(0, 1))
    project.save_prediction(name, half(1, 1), PredictionRecord(name, "m"))
    project.fix_split([name])
    again = open_project(tmp_path)
    assert again.names == [name]
    assert again.status(name) is Status.APPROVED
    np.testing.assert_array_equal(again.read_mask(name), half(0, 1))
    assert again.read_prediction(name, (6, 4)) is not None
    assert again.split([name]) == project.split([name])


@pytest.mark.skipif(os.name != "posix", reason="names are bytes on POSIX only")
def test_a_name_in_an_old_encoding_can_be_corrected(tmp_path: Path):
    save_image(tmp_path / "new.png")
    os.rename(tmp_path / "new.png", os.fsencode(tmp_path) + b"/caf\xe9.png")
    project = open_project(tmp_path)
    (name,) = project.names
    approve(project, name, half(0, 1))
    project.fix_split([name])
    again = open_project(tmp_path)
    assert again.status(name) is Status.APPROVED
    assert again.split([name]) == project.split([name])


def test_a_mask_that_came_with_the_folder_counts_as_approved(make_project: MakeProject):
    project = open_project(make_project(2, 1))
    assert project.status("animal-0.png") is Status.APPROVED
    assert project.status("animal-1.png") is Status.UNLABELLED
    assert project.named([Status.APPROVED]) == ["animal-0.png"]


@pytest.mark.parametrize("status", [Status.EDITED, Status.APPROVED, Status.REJECTED])
def test_what_a_person_says_of_a_mask_outweighs_that_it_came_along(
    make_project: MakeProject, status: Status
):
    root = make_project(1)
    open_project(root).add_review(Review("animal-0.png", status))
    assert open_project(root).status("animal-0.png") is status


def test_an_image_without_a_mask_can_be_rejected(bare: Path):
    open_project(bare).add_review(Review("0.png", Status.REJECTED))
    assert open_project(bare).status("0.png") is Status.REJECTED


def test_a_prediction_is_not_a_mask(bare: Path):
    project = open_project(bare)
    project.save_prediction("0.png", half(0, 1), PredictionRecord("0.png", "m"))
    again = open_project(bare)
    assert again.status("0.png") is Status.PREDICTED
    assert again.read_mask("0.png") is None
    np.testing.assert_array_equal(again.read_prediction("0.png", (6, 4)), half(0, 1))
    assert again.read_prediction("1.png", (6, 4)) is None
    assert not (bare / "masks").exists()
    assert plan_training(again).problem.startswith("No approved mask")


def test_an_approved_mask_that_was_deleted_is_no_longer_approved(bare: Path):
    project = open_project(bare)
    approve(project, "0.png", half(0, 1))
    (bare / "masks" / "0.png").unlink()
    assert open_project(bare).status("0.png") is Status.UNLABELLED


def test_a_torn_reviews_file_opens(bare: Path):
    approve(open_project(bare), "0.png", half(0, 1))
    with open(bare / ".petseg" / "reviews.jsonl", "ab") as file:
        file.write(b'{"image":"1.png","status":"appr')
    project = open_project(bare)
    assert project.status("0.png") is Status.APPROVED
    assert project.status("1.png") is Status.UNLABELLED


def test_a_mask_that_could_not_be_written_is_not_approved(
    bare: Path, monkeypatch: pytest.MonkeyPatch
):
    project = open_project(bare)
    project.add_review(Review("1.png", Status.EDITED))  # project.json is there already

    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    project.keep_settings()
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(WriteError):
        approve(project, "0.png", half(0, 1))
    monkeypatch.undo()
    assert project.status("0.png") is Status.UNLABELLED
    assert open_project(bare).status("0.png") is Status.UNLABELLED
    assert not list(bare.rglob("*.tmp"))


# --- Read-only folders -------------------------------------------------------------------------


@pytest.fixture
def read_only(bare: Path):
    """A folder whose write bits are gone (for root too that means: do not write here)."""
    bare.chmod(0o555)
    yield bare
    bare.chmod(0o755)


def refuse_everything(project: Project) -> None:
    name = project.names[0]
    for write in (
        lambda: approve(project, name, half(0, 1)),
        lambda: project.save_prediction(name, half(0, 1), PredictionRecord(name, "m")),
        lambda: project.add_review(Review(name, Status.APPROVED)),
        project.keep_settings,
        lambda: project.fix_split([name]),
    ):
        with pytest.raises(BadInput, match="read-only"):
            write()


def test_a_read_only_folder_is_shown_and_never_written_to(read_only: Path, snapshot: Snapshot):
    before = snapshot(read_only)
    project = open_project(read_only)
    assert not project.writable
    refuse_everything(project)
    assert project.read_image("0.png").pixels.shape == (4, 6, 3)
    assert snapshot(read_only) == before


def test_a_folder_that_became_read_only_later_is_not_written_to(bare: Path, snapshot: Snapshot):
    project = open_project(bare)
    project.keep_settings()
    bare.chmod(0o555)  # .petseg inside keeps its write bits, but masks/ cannot be made
    try:
        before = snapshot(bare)
        again = open_project(bare)
        assert not again.writable
        refuse_everything(again)
        assert snapshot(bare) == before
    finally:
        bare.chmod(0o755)


def test_the_project_of_a_read_only_folder_can_be_kept_elsewhere(
    read_only: Path, tmp_path: Path, snapshot: Snapshot
):
    before = snapshot(read_only)
    store = tmp_path / "elsewhere"
    project = open_project(read_only, store)
    assert project.writable
    approve(project, "0.png", half(0, 1))
    project.save_prediction("1.png", half(1, 1), PredictionRecord("1.png", "m"))
    project.fix_split(project.names)
    again = open_project(read_only, store)
    assert again.status("0.png") is Status.APPROVED
    assert again.status("1.png") is Status.PREDICTED
    np.testing.assert_array_equal(again.read_mask("0.png"), half(0, 1))
    assert again.mask_source("0.png") == store.resolve() / "masks" / "0.png"
    assert snapshot(read_only) == before


def test_masks_kept_elsewhere_go_before_those_of_the_folder(
    make_project: MakeProject, tmp_path: Path
):
    root = make_project(2)
    store = tmp_path / "elsewhere"
    project = open_project(root, store)
    drawn = np.ones((48, 48), np.uint8)
    approve(project, "animal-0.png", drawn)
    again = open_project(root, store)
    np.testing.assert_array_equal(again.read_mask("animal-0.png"), drawn)
    assert again.mask_source("animal-1.png") == root.resolve() / "masks" / "animal-1.png"


def test_a_place_elsewhere_that_is_read_only_is_not_written_to(bare: Path, tmp_path: Path):
    store = tmp_path / "elsewhere"
    store.mkdir()
    store.chmod(0o555)
    try:
        project = open_project(bare, store)
        assert not project.writable
        refuse_everything(project)
    finally:
        store.chmod(0o755)


def test_two_read_only_folders_of_one_name_are_kept_apart(tmp_path: Path, user_data: Path):
    places = [store_elsewhere(tmp_path / top / "photos") for top in "ab"]
    assert places[0] != places[1]
    assert all(place.is_relative_to(user_data) for place in places)


# --- Split -------------------------------------------------------------------------------------


def test_the_split_is_written_down_once_and_never_changes(bare: Path):
    project = open_project(bare)
    first = project.fix_split(["0.png", "1.png"])
    project.change_settings(train_share=0.01)
    again = open_project(bare)
    assert {n: again.split(project.names)[n] for n in first} == first
    assert json.loads((bare / ".petseg" / "split.json").read_text()) == first


def test_a_recipes_share_holds_only_where_there_is_no_split_yet(make_project: MakeProject):
    root = make_project(10)
    project = open_project(root)
    project.suggest_train_share(0.05)
    few = project.fix_split(project.names)
    assert list(few.values()).count(Subset.VAL) > 5
    again = open_project(root)
    assert again.settings.train_share == 0.05
    again.suggest_train_share(0.95)
    assert again.settings.train_share == 0.05


def test_official_test_images_never_train(tmp_path: Path):
    for name in ("a_1", "a_2", "a_3"):
        save_image(tmp_path / "images" / f"{name}.jpg")
        save_mask(tmp_path / "annotations" / "trimaps" / f"{name}.png", half(1, 2))
    (tmp_path / "annotations" / "test.txt").write_text("a_2 1 1 1\n")
    (tmp_path / "annotations" / "trainval.txt").write_text("a_1 1 1 1\na_3 1 1 1\n")
    project = open_project(tmp_path)
    assert project.split(project.names)["a_2.jpg"] is Subset.TEST
    plan = plan_training(project)
    assert sorted(plan.train + plan.val) == ["a_1.jpg", "a_3.jpg"]
    assert plan.problem == ""


def test_a_stray_number_in_one_mask_is_no_class(make_project: MakeProject):
    root = make_project(4)
    path = root / "masks" / "animal-0.png"
    stray = np.array(Image.open(path))
    stray[0, 0] = 77
    for other in (root / "masks").iterdir():
        Image.fromarray(np.array(Image.open(other))).save(other)  # grey, as other tools write
    Image.fromarray(stray).save(path)
    project = open_project(root)
    assert project.settings.scheme.names == ["background", "object"]
    with pytest.raises(MaskError, match="77"):
        project.read_mask("animal-0.png")


def test_soft_edged_masks_are_refused_not_taken_for_255_classes(make_project: MakeProject):
    root = make_project(2)
    soft = np.tile(np.linspace(0, 255, 48).astype(np.uint8), (48, 1))
    soft[0, :2] = 254, 255
    Image.fromarray(soft).save(root / "masks" / "animal-0.png")
    binary = np.zeros((48, 48), np.uint8)
    binary[10:20] = 255
    Image.fromarray(binary).save(root / "masks" / "animal-1.png")
    project = open_project(root)
    assert project.settings.mask_encoding is MaskEncoding.BINARY255
    assert project.read_mask("animal-1.png") is not None
    with pytest.raises(MaskError, match="no class"):
        project.read_mask("animal-0.png")


def test_the_place_chosen_for_a_read_only_folder_is_found_again(
    make_project: MakeProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    folder, other, chosen = make_project(1), make_project(1, folder="other"), tmp_path / "chosen"
    assert known_store(folder) is None
    chosen.mkdir()
    remember_store(folder, chosen)
    assert known_store(folder) == chosen
    store_elsewhere(other).mkdir(parents=True)
    assert known_store(other) == store_elsewhere(other)


def test_a_read_only_folder_that_holds_its_project_needs_no_other_place(make_project: MakeProject):
    with_project, without = make_project(1), make_project(1, folder="other")
    (with_project / ".petseg").mkdir()
    for folder in (with_project, without):
        folder.chmod(0o555)
    assert not needs_store(with_project)
    assert needs_store(without)
    for folder in (with_project, without):
        folder.chmod(0o755)
    assert not needs_store(without)


def test_an_edited_mask_never_stands_without_its_review(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
):
    root = make_project(1, masked=0)
    project = open_project(root)
    mask = np.ones((48, 48), np.uint8)

    def full(*_: object) -> None:
        raise WriteError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr("core.project.project.append_review", full)
        with pytest.raises(WriteError):
            project.save_mask("animal-0.png", mask, Review("animal-0.png", Status.EDITED))
    assert open_project(root).status("animal-0.png") is not Status.APPROVED


def test_a_folder_that_is_gone_is_no_deleted_mask(make_project):
    folder = make_project(images=1)
    project = open_project(folder)
    folder.rename(folder.with_name("elsewhere"))
    with pytest.raises(MaskError, match="not there any more"):
        project.mask_digest("animal-0.png")
    folder.with_name("elsewhere").rename(folder)
    assert project.mask_digest("animal-0.png")
