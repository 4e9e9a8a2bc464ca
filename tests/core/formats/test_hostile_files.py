"""Files that would fill memory or disk: refused by name, in little memory, writing nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOM = 400 << 20
"""Bytes that reading may take beyond what the program takes anyway."""

READ = """
import sys
from pathlib import Path
from core.formats import registry
from core.formats.source import FormatError, ReadOptions
known = registry.format_of(sys.argv[1])
known.detects(Path(sys.argv[2]))  # its module is there from here on
try:
    import resource
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + int(sys.argv[3]),) * 2)
except (ImportError, OSError):
    pass  # not on this system; then only the refusal counts
try:
    for entry in known.read(Path(sys.argv[2]), ReadOptions()).entries:
        entry.read((20, 10))
except FormatError as error:
    print(error)
"""


def save(folder: Path, name: str, head: bytes, filling: bytes, times: int) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        file.write(head)
        for _ in range(times):
            file.write(filling)
    return path


def sparse(folder: Path, name: str, head: bytes) -> Path:
    path = save(folder, name, head, b"", 0)
    os.truncate(path, 2_100_000_000)
    return path


MEGABYTE = 1 << 20
COCO_HEAD = b'{"images":[{"id":1,"file_name":"a"}],"annotations":[{"id":1,"image_id":1,'
POINTS = b"1.5,2.5," * (MEGABYTE // 8)

CASES: dict[str, tuple[str, Callable[[Path], Path], str]] = {
    "a JSON of 2 GB": (
        "coco",
        lambda folder: sparse(folder, "a.json", COCO_HEAD),
        "a.json: 2.1 GB is more",
    ),
    "an XML of 2 GB": (
        "cvat",
        lambda folder: sparse(folder, "a.xml", b"<annotations>"),
        "a.xml: 2.1 GB is more",
    ),
    "a COCO polygon without end": (
        "coco",
        lambda f: save(f, "a.json", COCO_HEAD + b'"segmentation":[[', POINTS, 40),
        "a.json, annotation 1, or what follows: longer",
    ),
    "a text without end": (
        "coco",
        lambda f: save(f, "a.json", b'{"info":"', b"x" * MEGABYTE, 40),
        "a.json, or what follows: longer",
    ),
    "lists without end": (
        "coco",
        lambda f: save(f, "a.json", b'{"annotations":[{"id":', b"[" * MEGABYTE, 20),
        "nested more than",
    ),
    "a labelme polygon without end": (
        "labelme",
        lambda f: save(f, "a.json", b'{"shapes":[{"points":[', b"[1,2]," * MEGABYTE, 10),
        "longer than anything",
    ),
    "a YOLO polygon without end": (
        "yolo",
        lambda f: (
            save(f, "labels/a.txt", b"0 ", b"0.5 " * MEGABYTE, 6)
            and save(f, "data.yaml", b"names: [cat]", b"", 0)
        ),
        "labels/a.txt, line 1: more than 500,000 points",
    ),
    "a CVAT polygon without end": (
        "cvat",
        lambda f: save(f, "a.xml", b'<annotations><image name="a"><polygon points="', POINTS, 40),
        "a.xml: after a: longer than any shape",
    ),
    "entities that unfold": (
        "cvat",
        lambda f: save(
            f,
            "a.xml",
            b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
            b"<annotations>&b;",
            b"&b;",
            1000,
        ),
        "a.xml: has a document type",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused_by_name_and_nothing_is_written(case: str, tmp_path: Path) -> None:
    format_id, make, words = CASES[case]
    path = make(tmp_path)
    there = sorted(tmp_path.rglob("*"))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", READ, format_id, str(path), str(ROOM)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert words in done.stdout
    assert sorted(tmp_path.rglob("*")) == there
