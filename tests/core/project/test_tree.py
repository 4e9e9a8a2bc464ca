"""The folders below a folder: their order, links, what cannot be read, what is read again."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.project import tree as tree_module
from core.project.layout import find_layout, list_images
from core.project.tree import in_order, read_tree


def _everything(files: list[str], folders: list[str]) -> list[str]:
    return in_order(files, folders)


def _touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    return root


def _rested(root: Path) -> None:
    """As if nothing had changed for a minute."""
    before = time.time() - 60
    for path in [root, *(p for p in root.rglob("*") if p.is_dir())]:
        os.utime(path, (before, before))


def _counted(name: str) -> tuple[list[tuple[int, int]], str]:
    """A name as people sort it: numbers by value, where digits are; capitals as small letters."""
    parts = re.findall(r"[0-9]+|[^0-9]", name.casefold())
    return [(ord("0"), int(p)) if p.isdigit() else (ord(p), 0) for p in parts], name


NAMES = st.text(st.sampled_from("aBÅ19_ .é"), min_size=1, max_size=8).filter(
    lambda name: not name.startswith(".")
)


@given(st.lists(NAMES, unique=True, max_size=12))
@example([f"{'1' * length}a" for length in range(240, 0, -1)])
def test_names_come_in_the_order_in_which_people_count(names: list[str]):
    assert in_order(names) == sorted(names, key=_counted)


def test_an_order_holds_over_the_stretches_that_are_sorted_alone(monkeypatch):
    monkeypatch.setattr(tree_module, "_CHUNK", 7)
    names = [f"a{n * 37 % 100}" for n in range(100)]
    assert in_order(names) == [f"a{n}" for n in range(100)]


def test_files_and_folders_are_mixed_as_their_paths_are(tmp_path: Path):
    root = _touch(
        tmp_path, "a.jpg", "b10/1.jpg", "b9/1.jpg", "b.jpg", "c/z.jpg", "c.jpg", "a/1.jpg"
    )
    told: list[str] = []
    tree = read_tree(root, _everything, told=told.extend)
    assert tree.names == told
    wanted = ["a.jpg", "a/1.jpg", "b.jpg", "b9/1.jpg", "b10/1.jpg", "c.jpg", "c/z.jpg"]
    assert tree.names == wanted


def test_a_linked_folder_elsewhere_is_followed_once(tmp_path: Path):
    elsewhere = _touch(tmp_path / "elsewhere", "a.jpg", "sub/b.jpg")
    root = _touch(tmp_path / "photos", "own.jpg")
    (root / "first").symlink_to(elsewhere / "sub", target_is_directory=True)
    (root / "second").symlink_to(elsewhere, target_is_directory=True)
    (root / "third").symlink_to(elsewhere, target_is_directory=True)
    assert list_images(find_layout(root)) == ["first/b.jpg", "own.jpg", "second/a.jpg"]


def test_links_that_lead_back_or_nowhere_end_nothing(tmp_path: Path):
    elsewhere = _touch(tmp_path / "elsewhere", "a.jpg")
    root = _touch(tmp_path / "photos", "own.jpg", "sub/b.jpg")
    (root / "round").symlink_to(root, target_is_directory=True)
    (root / "sub" / "up").symlink_to(tmp_path, target_is_directory=True)
    (root / "twice").symlink_to(root / "sub", target_is_directory=True)
    (elsewhere / "round").symlink_to(elsewhere, target_is_directory=True)
    (root / "nowhere").symlink_to(tmp_path / "gone", target_is_directory=True)
    (root / "itself").symlink_to(root / "itself")
    (root / "broken.jpg").symlink_to(tmp_path / "gone.jpg")
    (root / "link.jpg").symlink_to(elsewhere / "a.jpg")
    os.link(root / "own.jpg", root / "own again.jpg")
    assert list_images(find_layout(root)) == [
        "broken.jpg",
        "link.jpg",
        "own again.jpg",
        "own.jpg",
        "sub/b.jpg",
        "sub/up/elsewhere/a.jpg",
    ]


def test_very_deep_folders_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    depth = 1100  # deeper than Python calls itself, also to remove it
    monkeypatch.chdir(tmp_path)
    for _ in range(depth):
        os.mkdir("d")
        os.chdir("d")
    try:
        Path("a.jpg").write_bytes(b"x")
        assert read_tree(tmp_path, _everything).names == ["d/" * depth + "a.jpg"]
    finally:
        Path("a.jpg").unlink()
        for _ in range(depth):
            os.chdir("..")
            os.rmdir("d")


def test_a_folder_that_cannot_be_read_is_named_once(tmp_path: Path):
    root = _touch(tmp_path, "a.jpg", "locked/deep/b.jpg")
    os.chmod(root / "locked", 0o000)
    try:
        tree = read_tree(root, _everything)
    finally:
        os.chmod(root / "locked", 0o755)
    assert tree.names == ["a.jpg"]
    assert tree.problems == ("locked: Permission denied",)


def test_only_folders_that_changed_are_read_again(tmp_path: Path):
    root = _touch(tmp_path, "a.jpg", "one/b.jpg", "two/c.jpg")
    _rested(root)
    read: list[list[str]] = []

    def pick(files: list[str], folders: list[str]) -> list[str]:
        read.append(files)
        return in_order(files, folders)

    before = read_tree(root, pick)
    read.clear()
    assert read_tree(root, pick, before=before) is before
    assert read == []
    _touch(root, "two/d.jpg")
    after = read_tree(root, pick, before=before)
    assert read == [["c.jpg", "d.jpg"]] or read == [["d.jpg", "c.jpg"]]
    assert after.names == ["a.jpg", "one/b.jpg", "two/c.jpg", "two/d.jpg"]


def test_a_folder_that_has_just_changed_is_read_again_whatever_its_clock_says(tmp_path: Path):
    root = _touch(tmp_path, "a.jpg")
    before = read_tree(root, _everything)
    stamp = root.stat().st_mtime_ns
    _touch(root, "b.jpg")
    os.utime(root, ns=(stamp, stamp))  # a disk whose clock ticks slowly
    assert read_tree(root, _everything, before=before).names == ["a.jpg", "b.jpg"]


@pytest.mark.parametrize("gone", ["sub", "."])
def test_a_folder_that_is_gone_is_empty(tmp_path: Path, gone: str):
    root = _touch(tmp_path / "photos", "a.jpg", "sub/b.jpg")
    before = read_tree(root, _everything)
    (root / gone).rename(tmp_path / "away")
    wanted = ["a.jpg"] if gone == "sub" else []
    assert read_tree(root, _everything, before=before).names == wanted
