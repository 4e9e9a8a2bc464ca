"""The data set from a small mirror: a folder that opens as Oxford-IIIT Pet in the end."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from core.errors import BadInput, PetSegError
from core.fetching.oxford_pet import ARCHIVES, Archive, Step, fetch, is_complete
from core.files import WriteError
from core.labels import TRIMAP
from core.project.project import open_project
from core.project.reviews import Status
from core.project.split import Subset
from tests.core.fetching.conftest import LISTS, PHOTOS, Mirror, described, packed


def run(mirror: Mirror, folder: Path, archives: Sequence[Archive]) -> list[Step]:
    return list(fetch(folder, mirror.url, archives))


def files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_the_folder_opens_as_oxford_pets_with_every_photo_and_mask(
    mirror: Mirror, archives, tmp_path: Path, animal
):
    folder = tmp_path / "new" / "pets"
    assert not is_complete(folder)
    steps = run(mirror, folder, archives)
    assert is_complete(folder)
    assert [f.name for f in sorted(folder.iterdir())] == ["annotations", "images"]
    project = open_project(folder)
    assert project.names == [f"{name}.jpg" for name in PHOTOS]
    assert project.settings.scheme == TRIMAP
    assert {project.status(name) for name in project.names} == {Status.APPROVED}
    for seed, name in enumerate(project.names):
        np.testing.assert_array_equal(project.read_mask(name), animal(seed)[1])
    tested = {n for n, subset in project.split(project.names).items() if subset is Subset.TEST}
    assert tested == {f"{name}.jpg" for name in LISTS["test"]}
    for archive in archives:
        for title in ("Downloading", "Checking", "Unpacking"):
            done = [s.done for s in steps if s.title == f"{title} {archive.name}"]
            assert done == sorted(done)
            assert 0 < done[-1] <= archive.size


def test_what_the_makers_left_in_the_archives_stays_out(mirror: Mirror, archives, tmp_path: Path):
    run(mirror, tmp_path, archives)
    assert not [f for f in files(tmp_path) if "/._" in f or f.endswith(".mat")]
    assert {"annotations/README", "annotations/xmls/beagle_1.xml"} <= files(tmp_path)


def test_the_real_archives_names_are_all_wanted():
    wanted = {archive.folder: archive.wanted for archive in ARCHIVES}
    for stem in ("Abyssinian_100", "american_pit_bull_terrier_1", "Egyptian_Mau_99"):
        assert wanted["images"].fullmatch(f"images/{stem}.jpg")
        assert wanted["annotations"].fullmatch(f"annotations/trimaps/{stem}.png")
        assert wanted["annotations"].fullmatch(f"annotations/xmls/{stem}.xml")
        assert not wanted["annotations"].fullmatch(f"annotations/trimaps/._{stem}.png")


def _stops(steps: Sequence[Step]) -> list[int]:
    """The first and the last step of each kind: the states that an interruption can leave."""
    numbers: dict[str, list[int]] = {}
    for number, step in enumerate(steps):
        numbers.setdefault(step.title, []).append(number)
    return sorted({n for found in numbers.values() for n in (found[0], found[-1])})


def test_stopped_anywhere_the_same_call_goes_on(mirror: Mirror, archives, tmp_path: Path):
    whole = tmp_path / "whole"
    stops = _stops(run(mirror, whole, archives))
    assert len(stops) >= 8
    for stop in stops:
        folder = tmp_path / f"stopped-{stop}"
        for number, _ in enumerate(fetch(folder, mirror.url, archives)):
            if number == stop:
                break
        assert not is_complete(folder)
        run(mirror, folder, archives)
        assert is_complete(folder)
        assert files(folder) == files(whole)


@pytest.mark.parametrize("moved", [["annotations"], ["annotations", "images"]])
def test_killed_at_the_very_end_it_goes_on_without_the_network(
    mirror: Mirror, archives, tmp_path: Path, moved: list[str]
):
    run(mirror, tmp_path, archives)
    work = tmp_path / ".fetching"
    work.mkdir()
    for name in {"annotations", "images"} - set(moved):
        shutil.move(tmp_path / name, work / name)
    assert not is_complete(tmp_path)
    mirror.asked.clear()
    assert run(mirror, tmp_path, archives) == []
    assert is_complete(tmp_path)
    assert mirror.asked == []


def test_a_broken_connection_leaves_what_the_next_call_goes_on_from(
    mirror: Mirror, archives, tmp_path: Path
):
    mirror.statuses, mirror.cut_after = [200, 404], [1000]
    with pytest.raises(PetSegError, match="404"):
        run(mirror, tmp_path, archives)
    assert files(tmp_path) == {".fetching/annotations.tar.gz", ".fetching/lock"}
    run(mirror, tmp_path, archives)
    assert mirror.asked[2] == ("/annotations.tar.gz", "bytes=1000-")
    assert is_complete(tmp_path)


def test_an_archive_that_was_changed_is_never_unpacked(mirror: Mirror, archives, tmp_path: Path):
    right = mirror.files["/annotations.tar.gz"]
    mirror.files["/annotations.tar.gz"] = right[:-1] + bytes([right[-1] ^ 1])
    with pytest.raises(PetSegError, match="SHA-256"):
        run(mirror, tmp_path, archives)
    assert files(tmp_path) <= {".fetching/lock"}
    mirror.files["/annotations.tar.gz"] = right
    run(mirror, tmp_path, archives)
    assert is_complete(tmp_path)


@pytest.mark.parametrize(
    ("content", "most_bytes", "problem"),
    [
        (packed(("../evil.jpg", b"x")), 10**6, "leads out"),
        (packed(("images/a.jpg", bytes(10**6))), 10**5, "unpacks to more than"),
        (packed(("photos/a.jpg", b"x")), 10**6, "holds no images/"),
    ],
)
def test_of_an_archive_that_means_harm_nothing_appears(
    mirror: Mirror, small_pets, tmp_path: Path, content: bytes, most_bytes: int, problem: str
):
    mirror.files |= small_pets | {"/images.tar.gz": content}
    folder = tmp_path / "pets"
    with pytest.raises(BadInput, match=problem):
        run(mirror, folder, described(mirror.files, most_bytes))
    assert list(tmp_path.iterdir()) == [folder]
    assert [f.name for f in folder.iterdir()] == [".fetching"]


def test_a_folder_with_other_files_is_left_alone(
    mirror: Mirror, archives, tmp_path: Path, snapshot
):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "mine.jpg").write_bytes(b"photo")
    before = snapshot(tmp_path)
    with pytest.raises(BadInput, match=r"holds other files \(images\); name a new folder"):
        run(mirror, tmp_path, archives)
    with pytest.raises(BadInput, match="is a file"):
        run(mirror, tmp_path / "images" / "mine.jpg", archives)
    assert snapshot(tmp_path) == before
    assert mirror.asked == []


def test_a_data_set_that_lost_a_photo_or_a_mask_is_not_complete(
    mirror: Mirror, archives, tmp_path: Path
):
    run(mirror, tmp_path, archives)
    for name in ("images/beagle_3.jpg", "annotations/trimaps/Abyssinian_1.png"):
        lost = tmp_path / name
        content = lost.read_bytes()
        lost.unlink()
        assert not is_complete(tmp_path)
        lost.write_bytes(content)
        assert is_complete(tmp_path)


def test_without_the_space_for_it_nothing_begins(mirror: Mirror, archives, tmp_path: Path):
    folder = tmp_path / "a" / "b"
    huge = [replace(archive, most_bytes=1 << 60) for archive in archives]
    with pytest.raises(WriteError, match=r"Not enough space in .*GB are needed, \d.*Free some"):
        run(mirror, folder, huge)
    assert list(tmp_path.iterdir()) == []
    assert mirror.asked == []


def test_only_what_is_still_to_come_needs_space(mirror: Mirror, archives, tmp_path: Path):
    for step in fetch(tmp_path, mirror.url, archives):
        if step.title.endswith("images.tar.gz"):
            break
    annotations, images = archives
    run(mirror, tmp_path, [replace(annotations, most_bytes=1 << 60), images])
    assert is_complete(tmp_path)


def test_two_at_once_do_not_disturb_each_other(mirror: Mirror, archives, tmp_path: Path):
    (tmp_path / ".fetching").mkdir()
    with (
        FileLock(tmp_path / ".fetching" / "lock"),
        pytest.raises(BadInput, match="Another petseg fetch is at work"),
    ):
        run(mirror, tmp_path, archives)
    run(mirror, tmp_path, archives)


def test_a_folder_that_cannot_be_made_is_named(mirror: Mirror, archives, tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match=r"Cannot write to .*Name another folder"):
        run(mirror, tmp_path / "file" / "pets", archives)


def test_a_real_tar_of_the_makers_style_is_read(tmp_path: Path):
    """Names with ./ before them, as tar writes them when it packs a folder's inside."""
    from core.fetching.unpack import unpack

    folder = tarfile.TarInfo("./images/")
    folder.type = tarfile.DIRTYPE
    (tmp_path / "a.tar.gz").write_bytes(packed((folder, b""), ("./images/a.jpg", b"A")))
    list(unpack(tmp_path / "a.tar.gz", tmp_path / "out", ARCHIVES[1].wanted, 10**6))
    assert files(tmp_path / "out") == {"images/a.jpg"}
