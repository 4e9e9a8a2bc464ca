"""What a training reads: fitted images and masks, in the run's classes; bad files left out."""

from __future__ import annotations

import errno
import mmap
import os
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core import files
from core.data import cache, decoding
from core.data.cache import delete_cache
from core.data.decoding import Decoding, with_border
from core.data.samples import Samples, SampleStore, load_samples
from core.errors import BadInput
from core.files import WriteError
from core.labels import PET, TRIMAP, VOID, BorderRule, LabelScheme, scheme_of
from core.masks import write_mask
from core.project.project import Project, open_project

MakeProject = Callable[..., Path]
RULE = BorderRule.FOREGROUND


def load(
    project: Project,
    size: int = 32,
    rule: BorderRule = RULE,
    scheme: LabelScheme | None = None,
    alive: Callable[[], None] = lambda: None,
    **options,
) -> Samples:
    """Every image of a project. options: of the store."""
    store = SampleStore(Decoding(size, scheme or project.settings.scheme, rule), **options)
    return load_samples([(project, n) for n in project.names], store, alive)


def everything(found: Samples) -> tuple[np.ndarray, np.ndarray]:
    images, masks = found.take(torch.arange(len(found)))
    return images.numpy(), masks.numpy()


def assert_same(one: Samples, other: Samples) -> None:
    for a, b in zip(everything(one), everything(other), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(one.counts, other.counts)
    assert one.loaded == other.loaded
    assert one.skipped == other.skipped


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The images that were really decoded, as they are."""
    names: list[str] = []
    real = Decoding.decode

    def decode(self: Decoding, project: Project, name: str) -> np.ndarray:
        names.append(name)
        return real(self, project, name)

    monkeypatch.setattr(Decoding, "decode", decode)
    return names


def test_images_and_masks_are_fitted_and_padded(make_project: MakeProject):
    project = open_project(make_project(2, width=80, height=40))
    images, masks = load(project).take(torch.arange(2))
    assert images.shape == (2, 3, 32, 32)
    assert images.dtype == masks.dtype == torch.uint8
    assert masks.shape == (2, 32, 32)
    # 80 x 40 becomes 32 x 16: a quarter of the square above and below is padding.
    assert (masks[:, :8] == VOID).all()
    assert (masks[:, 24:] == VOID).all()
    assert (masks[:, 8:24] != VOID).all()
    whole = project.read_mask(project.names[0])
    assert abs(whole.mean() - masks[0, 8:24].float().mean()) < 0.05


def test_images_stay_rgb(make_project: MakeProject):
    project = open_project(make_project(1, width=32, height=32))
    images, _ = load(project).take(torch.arange(1))
    pixels = project.read_image(project.names[0]).pixels
    np.testing.assert_array_equal(images[0].permute(1, 2, 0).numpy(), pixels)


@pytest.mark.parametrize("threads", [1, 3])
def test_bad_files_are_left_out_with_their_reason(make_project: MakeProject, threads: int):
    root = make_project(5)
    project = open_project(root)
    (root / "images" / "animal-0.png").write_bytes(b"")
    (root / "masks" / "animal-1.png").unlink()
    (root / "masks" / "animal-2.png").write_bytes(b"no mask")
    (root / "images" / "animal-3.png").unlink()
    found = load(project, threads=threads)
    assert [row.name for row in found.loaded] == ["animal-4.png"]
    assert found.loaded[0].index == 4
    assert [name for name, _ in found.skipped] == [f"animal-{i}.png" for i in range(4)]
    assert "empty" in found.skipped[0][1]
    assert found.skipped[1][1] == "its mask is gone"
    assert all(reason for _, reason in found.skipped)


def test_an_image_that_never_had_a_mask_is_left_out(make_project: MakeProject):
    project = open_project(make_project(2, 1))
    assert load(project).skipped == (("animal-1.png", "its mask is gone"),)


def test_a_project_of_other_classes_is_refused(make_project: MakeProject):
    project = open_project(make_project(1))
    with pytest.raises(BadInput, match="are not a, b, c, d"):
        load(project, scheme=scheme_of("x", list("abcd")))


@pytest.mark.parametrize("rule", BorderRule)
def test_the_border_rule_acts_on_what_is_trained(make_project: MakeProject, rule: BorderRule):
    def bordered(mask: np.ndarray) -> np.ndarray:
        return with_border(mask, 2)

    project = open_project(make_project(1, width=32, height=32, scheme=TRIMAP, change=bordered))
    project.settings = replace(project.settings, scheme=TRIMAP)
    drawn = project.read_mask("animal-0.png")
    assert (drawn == 2).any()
    _, (trained,) = everything(load(project, rule=rule))
    expected = {"foreground": 1, "ignore": VOID, "background": 0, "class": 2}[rule]
    assert (trained[drawn == 2] == expected).all()
    np.testing.assert_array_equal(trained[drawn != 2], drawn[drawn != 2])


def test_the_pixels_of_each_class_are_counted_and_void_is_none(make_project: MakeProject):
    found = load(open_project(make_project(3, width=80, height=40)))
    _, masks = everything(found)
    assert found.counts.tolist() == [[int((m == c).sum()) for c in (0, 1)] for m in masks]
    assert (found.counts.sum(1) == 32 * 16).all()


def test_it_says_which_files_it_read(make_project: MakeProject):
    root = make_project(2)
    first, second = load(open_project(root)).loaded
    assert first.content.photo == files.sha256((root / "images" / first.name).read_bytes())
    assert first.content.mask == files.sha256((root / "masks" / first.name).read_bytes())
    assert first.content != second.content


@pytest.mark.parametrize("threads", [1, 4])
def test_threads_and_the_disk_change_nothing(make_project: MakeProject, tmp_path, threads: int):
    project = open_project(make_project(12))
    plain = load(project)
    assert not np.array_equal(*everything(plain)[0][:2])
    on_disk = load(project, threads=threads, folder=tmp_path / "cache")
    assert_same(load(project, threads=threads), plain)
    assert_same(on_disk, plain)


@pytest.mark.parametrize("threads", [1, 2])
def test_what_a_person_asks_for_ends_the_loading_at_once(make_project: MakeProject, threads: int):
    project = open_project(make_project(30))
    calls = []

    class Asked(Exception):
        pass

    def alive() -> None:
        calls.append(1)
        if len(calls) == 3:
            raise Asked

    with pytest.raises(Asked):
        load(project, threads=threads, alive=alive)
    assert len(calls) == 3


def test_while_one_image_takes_long_others_are_read_and_it_says_that_it_lives(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
):
    """The first image is held up until the loading looked round five times and read another."""
    project = open_project(make_project(20))
    real = Decoding.decode
    looked, another = threading.Event(), threading.Event()
    calls: list[int] = []
    read: list[str] = []

    def decode(self: Decoding, project: Project, name: str) -> np.ndarray:
        if name == "animal-0.png":
            assert looked.wait(20)
            assert another.wait(20)
        read.append(name)
        if name != "animal-0.png":
            another.set()
        return real(self, project, name)

    def alive() -> None:
        calls.append(1)
        if len(calls) == 5:
            looked.set()

    monkeypatch.setattr(Decoding, "decode", decode)
    found = load(project, threads=2, alive=alive)
    assert read.index("animal-0.png") <= 4, "not all others meanwhile: they need memory"
    assert [row.name for row in found.loaded] == project.names


@pytest.mark.parametrize("which", ["photo", "mask"])
def test_a_file_that_changes_while_it_is_read_is_read_again(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch, which: str
):
    root = make_project(2)
    project = open_project(root)
    folder = {"photo": "images", "mask": "masks"}[which]
    other = (root / folder / "animal-1.png").read_bytes()
    real = Decoding.decode

    def decode(self: Decoding, project: Project, name: str) -> np.ndarray:
        planes = real(self, project, name)
        files.write_bytes(root / folder / "animal-0.png", other)
        return planes

    with monkeypatch.context() as patch:
        patch.setattr(Decoding, "decode", decode)
        found = load(project)
    assert_same(found, load(project))
    assert getattr(found.loaded[0].content, which) == files.sha256(other)


def test_more_samples_stand_behind_those_before(make_project: MakeProject, tmp_path: Path):
    project = open_project(make_project(5))
    decoding = Decoding(32, PET, RULE)
    # Room in memory for two: the later ones go to the disk.
    store = SampleStore(decoding, tmp_path / "cache", limit=2 * 4 * 32 * 32)
    pairs = [(project, n) for n in project.names]

    def some(start: int, stop: int) -> Samples:
        return load_samples(pairs[start:stop], store, lambda: None)

    first = some(0, 2)
    assert not (tmp_path / "cache").exists()
    grown = first + some(2, 2) + some(2, 3) + some(3, 5)
    assert (tmp_path / "cache").is_dir()
    assert len(first) == 2
    whole = load(project)
    assert [row.name for row in grown.loaded] == [row.name for row in whole.loaded]
    np.testing.assert_array_equal(grown.counts, whole.counts)
    order = torch.tensor([4, 0, 2, 2, 1, 3])
    for one, other in zip(grown.take(order), whole.take(order), strict=True):
        assert torch.equal(one, other)
    none = grown.take(torch.empty(0, dtype=torch.int64))
    assert none[0].shape == (0, 3, 32, 32)


def test_another_worker_of_the_run_decodes_only_what_is_new_or_changed(
    make_project: MakeProject, tmp_path: Path, decoded: list[str]
):
    root = make_project(6, 5)
    folder = tmp_path / "cache"
    first = load(open_project(root), folder=folder)
    assert decoded == [f"animal-{i}.png" for i in range(5)]
    decoded.clear()
    assert_same(load(open_project(root), folder=folder), first)
    assert decoded == []

    mask = open_project(root).read_mask("animal-2.png")
    write_mask(root / "masks" / "animal-2.png", 1 - mask, PET)
    (root / "images" / "animal-3.png").write_bytes((root / "images" / "animal-4.png").read_bytes())
    write_mask(root / "masks" / "animal-5.png", mask, PET)
    again = load(open_project(root), folder=folder)
    assert decoded == ["animal-2.png", "animal-3.png", "animal-5.png"]
    assert_same(again, load(open_project(root)))
    assert first.loaded[2].content.mask != again.loaded[2].content.mask


@pytest.mark.parametrize("change", ["size", "rule", "scheme", "encoding", "format"])
def test_entries_that_were_made_another_way_are_not_taken(
    make_project: MakeProject,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    decoded: list[str],
    change: str,
):
    project = open_project(make_project(1))
    folder = tmp_path / "cache"
    load(project, folder=folder)
    decoded.clear()
    options = {
        "size": {"size": 48},
        "rule": {"rule": BorderRule.CLASS},
        "scheme": {"scheme": TRIMAP},
    }.get(change, {})
    if change == "encoding":
        project.settings = replace(project.settings, mask_encoding="binary1")
    if change == "format":
        monkeypatch.setattr(decoding, "_FORMAT", 0)
    load(project, folder=folder, **options)
    assert decoded == ["animal-0.png"]


def cut_off_data(folder: Path) -> None:
    path = next(folder.glob("*.records"))
    os.truncate(path, path.stat().st_size - 7)


def cut_off_keys(folder: Path) -> None:
    path = next(folder.glob("*.keys"))
    os.truncate(path, path.stat().st_size - 7)


def garble(folder: Path) -> None:
    path = next(folder.glob("*.records"))
    with path.open("r+b") as file:
        file.seek(-100, os.SEEK_END)
        file.write(bytes(range(100)))


def lose_data(folder: Path) -> None:
    next(folder.glob("*.records")).unlink()


@pytest.mark.parametrize(
    ("damage", "lost"),
    [(cut_off_data, [2]), (cut_off_keys, [2]), (garble, [2]), (lose_data, [0, 1, 2])],
)
def test_what_a_crash_left_half_done_is_decoded_anew(
    make_project: MakeProject,
    tmp_path: Path,
    decoded: list[str],
    damage: Callable[[Path], None],
    lost: list[int],
):
    project = open_project(make_project(3))
    folder = tmp_path / "cache"
    whole = load(project)
    load(project, folder=folder)
    decoded.clear()
    damage(folder)
    assert_same(load(project, folder=folder), whole)
    assert decoded == [f"animal-{i}.png" for i in lost]
    assert_same(load(project, folder=folder), whole)
    assert len(decoded) == len(lost), "the damage is mended"


def test_a_full_disk_is_an_error_in_words_and_what_was_written_is_used(
    make_project: MakeProject, tmp_path: Path, decoded: list[str]
):
    """A real limit on the size of files: it refuses in the middle of the last record."""
    resource = pytest.importorskip("resource")
    signal = pytest.importorskip("signal")
    project = open_project(make_project(3))
    folder = tmp_path / "cache"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # At the limit the system sends a signal, which ends a process that does not ignore it.
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * 4 * 32 * 32 + 1000, before[1]))
    try:
        with pytest.raises(WriteError, match=r"Free some space.*smaller size") as refused:
            load(project, folder=folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert os.strerror(errno.EFBIG) in str(refused.value)
    decoded.clear()
    found = load(project, folder=folder)
    assert decoded == ["animal-2.png"]
    assert_same(found, load(project))


@pytest.mark.skipif(not hasattr(mmap, "MADV_DONTNEED"), reason="needs madvise")
@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="needs /proc")
def test_a_file_that_is_read_through_does_not_fill_the_memory(
    make_project: MakeProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def resident() -> int:
        """Bytes of the mapped cache that count as this process's memory."""
        words = Path("/proc/self/smaps").read_text()
        found = re.findall(r"\.records\n(?:[A-Z].*\n)*?Rss: +(\d+) kB", words)
        assert found, "it is mapped"
        return sum(map(int, found)) * 1024

    monkeypatch.setattr(cache, "_RESIDENT", 2**20)
    found = load(open_project(make_project(6)), size=512, folder=tmp_path / "cache")
    most = 0
    for i in range(6):
        found.take(torch.tensor([i]))
        most = max(most, resident())
    assert 0 < most <= 3 * 2**20  # of 6 MB


def test_memory_is_not_exceeded_by_the_loading(
    make_project: MakeProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """What goes to the disk is never in memory as a whole, whatever its number."""
    import tracemalloc

    project = open_project(make_project(2))
    pairs = [(project, n) for n in project.names] * 100
    store = SampleStore(Decoding(128, PET, RULE), tmp_path / "cache", limit=2**20)
    load_samples(pairs[:1], store, lambda: None)
    tracemalloc.start()
    found = load_samples(pairs, store, lambda: None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found) * 4 * 128 * 128 > 12 * 2**20
    assert peak < 2 * 2**20


def test_the_cache_goes_when_it_is_told_to(make_project: MakeProject, tmp_path: Path):
    folder = tmp_path / "cache"
    delete_cache(folder)
    load(open_project(make_project(1)), folder=folder)
    assert len(list(folder.iterdir())) == 2
    delete_cache(folder)
    assert not folder.exists()
