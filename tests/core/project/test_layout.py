"""Which images a folder holds and which mask is whose, in every arrangement people have."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput
from core.project.layout import (
    LayoutKind,
    find_layout,
    find_masks,
    list_images,
    mask_names,
    official_split,
    unpaired_masks,
)


def touch(root: Path, *names: str) -> Path:
    """Files with a byte in them; the listing never looks inside."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return root


def pairs(root: Path) -> dict[str, str]:
    layout = find_layout(root)
    found = find_masks(layout, list_images(layout))
    return {name: path.relative_to(root).as_posix() for name, path in found.items()}


def lonely(root: Path) -> set[str]:
    layout = find_layout(root)
    used = find_masks(layout, list_images(layout)).values()
    return {p.relative_to(root).as_posix() for p in unpaired_masks(layout, list(used))}


def test_a_bare_folder_keeps_its_masks_in_masks(tmp_path: Path):
    root = touch(tmp_path, "a.jpg", "b.PNG", "sub/c.webp", "notes.txt", "masks/a.png")
    layout = find_layout(root)
    assert layout.kind is LayoutKind.BARE
    assert list_images(layout) == ["a.jpg", "b.PNG", "sub/c.webp"]
    assert pairs(root) == {"a.jpg": "masks/a.png"}


def test_images_and_masks_side_by_side(tmp_path: Path):
    root = touch(tmp_path, "images/a.jpg", "images/sub/b.jpg", "masks/a.png", "masks/sub/b.png")
    assert find_layout(root).kind is LayoutKind.PAIRED
    assert pairs(root) == {"a.jpg": "masks/a.png", "sub/b.jpg": "masks/sub/b.png"}


def test_oxford_pets_and_corrections_before_official_masks(tmp_path: Path):
    names = ("images/Abyssinian_1.jpg", "images/beagle_2.jpg")
    trimaps = ("annotations/trimaps/Abyssinian_1.png", "annotations/trimaps/beagle_2.png")
    root = touch(tmp_path, *names, *trimaps, "annotations/trimaps/._beagle_2.png")
    assert find_layout(root).kind is LayoutKind.OXFORD
    assert pairs(root)["beagle_2.jpg"] == "annotations/trimaps/beagle_2.png"
    touch(root, "masks/beagle_2.png")
    assert pairs(root) == {
        "Abyssinian_1.jpg": "annotations/trimaps/Abyssinian_1.png",
        "beagle_2.jpg": "masks/beagle_2.png",
    }


def test_the_same_name_in_two_folders_is_two_images(tmp_path: Path):
    root = touch(tmp_path, "images/x/a.jpg", "images/y/a.jpg", "masks/y/a.png")
    assert pairs(root) == {"y/a.jpg": "masks/y/a.png"}
    assert mask_names(["x/a.jpg", "y/a.jpg"]) == {"x/a.jpg": "x/a.png", "y/a.jpg": "y/a.png"}


def test_two_images_of_one_stem_get_two_mask_names(tmp_path: Path):
    root = touch(tmp_path, "a.jpg", "a.png", "b.jpg", "masks/a.jpg.png", "masks/a.png.png")
    assert mask_names(["a.jpg", "a.png", "b.jpg"]) == {
        "a.jpg": "a.jpg.png",
        "a.png": "a.png.png",
        "b.jpg": "b.png",
    }
    assert pairs(root) == {"a.jpg": "masks/a.jpg.png", "a.png": "masks/a.png.png"}


def test_a_mask_that_could_be_either_images_is_no_ones_and_is_named(tmp_path: Path):
    root = touch(tmp_path, "a.jpg", "a.png", "masks/a.png", "masks/a_mask.png", "masks/zebra.png")
    assert pairs(root) == {}
    assert lonely(root) == {"masks/a.png", "masks/a_mask.png", "masks/zebra.png"}


def test_images_that_differ_in_case_only_do_not_share_a_mask():
    names = mask_names(["Cat.jpg", "cat.png"])
    assert names == {"Cat.jpg": "Cat.jpg.png", "cat.png": "cat.png.png"}


NAMES = st.lists(
    st.builds(
        lambda folder, stem, ends: folder + stem + ends,
        st.sampled_from(["", "x/"]),
        st.sampled_from(["a", "A", "b.c"]),
        st.sampled_from([".jpg", ".png", ".PNG", ".jpg.png", ".png.jpg", ".jpg.jpg", ".png.png"]),
    ),
    unique_by=str.casefold,
)


@given(NAMES)
def test_no_two_images_ever_share_a_mask_file(names: list[str]):
    written = mask_names(names)
    assert list(written) == names
    # Also on a file system that ignores case.
    assert len({w.casefold() for w in written.values()}) == len(names)


@pytest.mark.parametrize("suffix", ["_mask", "_segmentation"])
def test_masks_with_a_suffix_are_paired(tmp_path: Path, suffix: str):
    root = touch(tmp_path, "images/a.jpg", f"masks/a{suffix}.png")
    assert pairs(root) == {"a.jpg": f"masks/a{suffix}.png"}


@pytest.mark.parametrize("suffix", ["_mask", "_segmentation"])
def test_a_mask_beside_its_image_is_no_image(tmp_path: Path, suffix: str):
    root = touch(tmp_path, "a.jpg", f"a{suffix}.png", f"lone{suffix}.png")
    layout = find_layout(root)
    assert list_images(layout) == ["a.jpg", f"lone{suffix}.png"]
    assert pairs(root) == {"a.jpg": f"a{suffix}.png"}


def test_our_own_mask_name_goes_before_others(tmp_path: Path):
    root = touch(tmp_path, "a.jpg", "a_mask.png", "masks/a_mask.png", "masks/a.png")
    assert pairs(root) == {"a.jpg": "masks/a.png"}
    (root / "masks/a.png").unlink()
    assert pairs(root) == {"a.jpg": "masks/a_mask.png"}


def test_of_two_mask_formats_the_png_is_read(tmp_path: Path):
    root = touch(tmp_path, "images/a.jpg", "masks/a.tif", "masks/a.png", "masks/a.bmp")
    assert pairs(root) == {"a.jpg": "masks/a.png"}


def test_a_mask_that_keeps_its_images_extension_is_found(tmp_path: Path):
    root = touch(tmp_path, "images/a.jpg", "masks/a.jpg.png")
    assert pairs(root) == {"a.jpg": "masks/a.jpg.png"}


@pytest.mark.parametrize(
    "stem",
    ["with some spaces", "Käfer", "猫の写真", "🐈", "a" * 196, "ünï" * 20, "100% [1] {x} #'\""],
)
def test_any_name_is_listed_and_paired(tmp_path: Path, stem: str):
    root = touch(tmp_path, f"images/{stem}.jpg", f"masks/{stem}.png")
    assert pairs(root) == {f"{stem}.jpg": f"masks/{stem}.png"}


def test_images_come_in_the_order_that_people_count(tmp_path: Path):
    root = touch(tmp_path, "a10.jpg", "a2.jpg", "a1.jpg", "B1.jpg", "2.jpg", "10.jpg", "²3.jpg")
    listed = list_images(find_layout(root))
    assert [n for n in listed if n[0] in "aB"] == ["a1.jpg", "a2.jpg", "a10.jpg", "B1.jpg"]
    assert listed.index("2.jpg") < listed.index("10.jpg")
    assert len(listed) == 7


def test_hidden_files_and_folders_are_left_out(tmp_path: Path):
    root = touch(tmp_path, "a.jpg", ".b.jpg", "._a.jpg", ".petseg/predictions/a.png", ".git/x.png")
    assert list_images(find_layout(root)) == ["a.jpg"]


def test_masks_are_not_listed_as_images(tmp_path: Path):
    root = touch(tmp_path, "a.jpg", "masks/a.png", "masks/sub/b.png")
    assert list_images(find_layout(root)) == ["a.jpg"]


def test_a_missing_folder_a_file_and_a_locked_folder_are_named(tmp_path: Path):
    with pytest.raises(BadInput, match="gone does not exist"):
        find_layout(tmp_path / "gone")
    with pytest.raises(BadInput, match=r"a\.jpg is a file; open the folder that holds it"):
        find_layout(touch(tmp_path, "a.jpg") / "a.jpg")
    locked = tmp_path / "locked"
    touch(locked, "a.jpg")
    locked.chmod(0o000)
    try:
        with pytest.raises(BadInput, match=r"may not read .*locked"):
            find_layout(locked)
    finally:
        locked.chmod(0o755)


def test_the_official_lists_are_read(tmp_path: Path):
    root = touch(tmp_path, "images/a_1.jpg", "annotations/trimaps/a_1.png")
    (root / "annotations/trainval.txt").write_text("# name class\na_1 1 1 1\n\nb_2 1 1 1\n")
    (root / "annotations/test.txt").write_text("c_3 1 1 1\n")
    split = official_split(find_layout(root))
    assert split == {"a_1": "trainval", "b_2": "trainval", "c_3": "test"}


def test_lists_of_other_layouts_mean_nothing(tmp_path: Path):
    root = touch(tmp_path, "images/a_1.jpg", "annotations/test.txt")
    assert official_split(find_layout(root)) == {}
