"""Formats of one mask file an image: what is written is read back exactly, or refused by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.formats.items import Item, WriteOptions
from core.formats.planning import read_source
from core.formats.registry import format_of
from core.formats.source import FormatError, ReadOptions, Source
from core.formats.voc import colour_2012
from core.labels import PET, TRIMAP, VOID, LabelClass, LabelScheme, scheme_of

ZOO = scheme_of("zoo", ["background", "cat", "dog", "axolotl"])
SIZE = (48, 36)
Masks = dict[str, np.ndarray]


def masks_of(scheme: LabelScheme, number: int = 3, void: bool = True) -> Masks:
    """Every class somewhere, with holes, specks and (in the first) void."""
    rng = np.random.default_rng(7)
    masks = {}
    for i in range(number):
        mask = np.kron(rng.integers(0, len(scheme.classes), (6, 8)), np.ones((6, 6), int))
        mask[rng.random(mask.shape) < 0.02] = len(scheme.classes) - 1
        if void and i == 0:
            mask[:3] = VOID
        masks[f"deep/photo-{i}"] = mask.astype(np.uint8)
    return masks


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    Image.new("RGB", SIZE, (90, 120, 30)).save(path)
    return path


def write(
    format_id: str, masks: Masks, scheme: LabelScheme, target: Path, photo: Path, **options: bool
) -> Path:
    known = format_of(format_id)
    assert known.write is not None
    subsets = ["train", "val", ""]
    items = [
        Item(f"{stem}.jpg", photo, SIZE, lambda m=m: m, f"{stem}.png", subsets[i % 3])
        for i, (stem, m) in enumerate(masks.items())
    ]
    target = target.with_name(target.name + known.suffix)
    if not known.suffix:
        target.mkdir()
    done = list(known.write(items, scheme, target, WriteOptions(**options)))
    assert done == [item.name for item in items]
    return target


def read_all(source: Source, size: tuple[int, int] = SIZE) -> Masks:
    return {e.image.rpartition(".")[0]: e.read(size) for e in source.entries}


def names(source: Source) -> list[str]:
    return [c.name for c in source.classes]


@pytest.mark.parametrize("scheme", [PET, TRIMAP, ZOO], ids=lambda s: s.name)
@pytest.mark.parametrize("format_id", ["png", "png-colours", "voc"])
def test_masks_come_back_exactly_with_their_classes(format_id, scheme, tmp_path, photo):
    masks = masks_of(scheme)
    target = write(format_id, masks, scheme, tmp_path / "out", photo, photos=True)
    source = read_source(target)
    assert names(source) == scheme.names
    assert [c.colour for c in source.classes] == [c.colour for c in scheme.classes]
    back = read_all(source)
    assert back.keys() == masks.keys()
    for name, mask in masks.items():
        np.testing.assert_array_equal(back[name], mask)
    assert {entry.size for entry in source.entries} == {SIZE}


def test_trimaps_are_official_ones_and_come_back(tmp_path: Path, photo: Path):
    masks = masks_of(TRIMAP, void=False)
    target = write("oxford", masks, TRIMAP, tmp_path / "out", photo)
    raw = np.asarray(Image.open(target / "annotations/trimaps/deep/photo-0.png"))
    np.testing.assert_array_equal(raw, np.array([2, 1, 3])[masks["deep/photo-0"]])
    source = read_source(target)
    assert source.format == "oxford"
    assert names(source) == ["background", "pet", "border"]
    np.testing.assert_array_equal(read_all(source)["deep/photo-1"], masks["deep/photo-1"])


def test_0_and_255_hold_one_object_and_no_void_which_is_said(tmp_path: Path, photo: Path):
    masks = masks_of(ZOO)
    target = write("png-255", masks, ZOO, tmp_path / "out", photo)
    source = read_source(target)
    assert names(source) == ["background", "object"]
    for name, mask in masks.items():
        np.testing.assert_array_equal(read_all(source)[name], (mask > 0) & (mask != VOID))
    told = " ".join(format_of("png-255").losses(ZOO, WriteOptions()))
    assert "cat, dog, axolotl" in told
    assert "Unlabelled" in told


def test_voc_has_lists_and_photos_that_its_readers_look_for(tmp_path: Path, photo: Path):
    target = write("voc", masks_of(PET), PET, tmp_path / "out", photo, photos=True)
    lists = target / "ImageSets" / "Segmentation"
    assert (lists / "train.txt").read_text().split() == ["deep/photo-0"]
    assert (lists / "val.txt").read_text().split() == ["deep/photo-1"]
    assert len((lists / "trainval.txt").read_text().split()) == 3
    for stem in (lists / "trainval.txt").read_text().split():
        # As torchvision's VOCSegmentation opens them.
        mask = Image.open(target / "SegmentationClass" / f"{stem}.png")
        assert mask.mode == "P"
        assert Image.open(target / "JPEGImages" / f"{stem}.jpg").size == mask.size


def test_vocs_own_masks_have_vocs_own_classes(tmp_path: Path):
    folder = tmp_path / "VOCdevkit" / "VOC2012" / "SegmentationClass"
    folder.mkdir(parents=True)
    mask = np.full((36, 48), 8, np.uint8)  # cat
    mask[:5], mask[5:9] = VOID, 0
    image = Image.fromarray(mask, "P")
    image.putpalette([v for i in range(256) for v in colour_2012(i)])
    image.save(folder / "2007_000129.png")
    assert colour_2012(8) == (64, 0, 0)  # the development kit's own table
    for path in (tmp_path / "VOCdevkit", folder, folder.parent):
        source = read_source(path)
        assert names(source)[8] == "cat"
        np.testing.assert_array_equal(read_all(source)["2007_000129"], mask)
    (folder / "2007_000001.png").write_bytes(b"no image")  # spoils no other
    assert names(read_source(tmp_path))[8] == "cat"
    (folder / "2007_000001.png").unlink()
    image.convert("RGB").save(folder / "2007_000129.png")
    np.testing.assert_array_equal(read_all(read_source(tmp_path))["2007_000129"], mask)


@pytest.mark.parametrize(
    "lines",
    [
        "background: 0,0,0\ncat: 200, 10, 20\nvoid: 224,224,192\n",
        "# label:color_rgb:parts\nbackground:0,0,0::\ncat:200,10,20::\nvoid:224,224,192::\n",
        "200 10 20\tcat\n0 0 0\tbackground\n224 224 192\tVoid\n",
        "name,r,g,b\ncat,200,10,20\nvoid,224,224,192\n",
    ],
    ids=["simple", "cvat", "camvid", "csv"],
)
def test_colours_mean_what_a_file_says(lines, tmp_path: Path):
    folder = tmp_path / "rgb"
    folder.mkdir()
    pixels = np.zeros((36, 48, 3), np.uint8)
    pixels[10:20] = 200, 10, 20
    pixels[20:] = 224, 224, 192
    Image.fromarray(pixels).save(folder / "a.png")
    written = tmp_path / "colours.txt"
    written.write_text(lines)
    source = read_source(folder, "png", ReadOptions(colours=written))
    assert names(source) == ["background", "cat"]
    wanted = np.zeros((36, 48), np.uint8)
    wanted[10:20], wanted[20:] = 1, VOID
    np.testing.assert_array_equal(source.entries[0].read(SIZE), wanted)


def test_palettes_in_an_order_of_their_own_are_read_by_their_colours(tmp_path: Path):
    """As image editors save them: the numbers mean something else in each file."""
    (tmp_path / "labelmap.txt").write_text("background: 0,0,0\ncat: 200,10,20\ndog: 10,200,20\n")
    pixels = np.zeros((36, 48, 3), np.uint8)
    pixels[5:9], pixels[9:20] = (200, 10, 20), (10, 200, 20)
    swapped = pixels.copy()
    swapped[5:20] = 200, 10, 20
    for name, picture in (("a", pixels), ("b", swapped)):
        Image.fromarray(picture).quantize(3).save(tmp_path / f"{name}.png")
    source = read_source(tmp_path, "png")
    assert names(source) == ["background", "cat", "dog"]
    found = read_all(source)
    wanted = np.zeros((36, 48), np.uint8)
    wanted[5:9], wanted[9:20] = 1, 2
    np.testing.assert_array_equal(found["a"], wanted)
    np.testing.assert_array_equal(found["b"], wanted > 0)


def test_a_file_that_names_ids_may_lie_elsewhere(tmp_path: Path):
    (tmp_path / "masks").mkdir()
    Image.fromarray(np.full((36, 48), 2, np.uint8)).save(tmp_path / "masks" / "a.png")
    written = tmp_path / "names.txt"
    written.write_text("background\ncat\ndog\n")
    source = read_source(tmp_path / "masks", "png", ReadOptions(colours=written))
    assert names(source) == ["background", "cat", "dog"]


def test_colours_that_nothing_explains_are_asked_about_or_taken_as_they_are(tmp_path: Path):
    pixels = np.zeros((36, 48, 3), np.uint8)
    pixels[10:20], pixels[20:] = (200, 10, 20), (0, 0, 250)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    with pytest.raises(FormatError, match=r"in colours.*--colours"):
        read_source(tmp_path, "png")
    source = read_source(tmp_path, "png", ReadOptions(any_colours=True))
    assert names(source) == ["background", "#0000fa", "#c80a14"]
    assert source.entries[0].read(SIZE)[[0, 15, 30], 0].tolist() == [0, 2, 1]


def test_ids_without_names_are_numbered(tmp_path: Path):
    mask = np.zeros((36, 48), np.uint8)
    mask[:9], mask[9:12], mask[12:30] = 3, VOID, 7
    Image.fromarray(mask).save(tmp_path / "a.png")
    source = read_source(tmp_path)
    assert names(source) == ["background", "class 3", "class 7"]
    assert source.notes
    assert source.entries[0].read(SIZE)[[0, 10, 20, 35], 0].tolist() == [1, VOID, 2, 0]


def _photo_in_place_of_a_mask(path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (36, 48, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)


def _of_another_size(path: Path) -> None:
    Image.new("L", (36, 48), 1).save(path)


def _strange_value(path: Path) -> None:
    Image.new("L", SIZE, 77).save(path)


def _not_an_image(path: Path) -> None:
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"nonsense" * 20)


def _bomb(path: Path) -> None:
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        whole = kind + data
        return struct.pack(">I", len(data)) + whole + struct.pack(">I", zlib.crc32(whole))

    header = struct.pack(">IIBBBBB", 200_000, 200_000, 8, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IEND", b""))


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (_photo_in_place_of_a_mask, "colours"),
        (_of_another_size, "36 x 48"),
        (_strange_value, "77"),
        (_not_an_image, "damaged|not an image"),
        (_bomb, "megapixels"),
    ],
)
def test_one_bad_mask_is_named_and_the_others_are_read(
    spoil: Callable[[Path], None], why: str, tmp_path: Path, photo: Path
):
    masks = masks_of(ZOO)
    target = write("png", masks, ZOO, tmp_path / "out", photo)
    spoil(target / "deep" / "photo-1.png")
    entries = {entry.image: entry for entry in read_source(target).entries}
    with pytest.raises(FormatError, match=rf"photo-1\.png: .*({why})"):
        entries["deep/photo-1.png"].read(SIZE)
    np.testing.assert_array_equal(entries["deep/photo-2.png"].read(SIZE), masks["deep/photo-2"])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("cat: 300, 0, 0\n", "line 1.*255"),
        ("a" * 200 + ": 1, 2, 3\n", "100 characters"),
        ("".join(f"c{i}: 1,2,3\n" for i in range(300)), "more than 254"),
        ("# nothing\n", "no class"),
        ("x" * (1 << 21), "larger than 1 MB"),
    ],
)
def test_a_list_of_classes_that_cannot_be_one_is_refused_by_line(text, why, tmp_path: Path):
    Image.new("RGB", SIZE, (200, 10, 20)).save(tmp_path / "a.png")
    (tmp_path / "labelmap.txt").write_text(text)
    with pytest.raises(FormatError, match=rf"labelmap\.txt.*{why}"):
        read_source(tmp_path, "png")


def test_two_classes_of_one_colour_cannot_be_written_in_colours(tmp_path: Path, photo: Path):
    twins = LabelScheme("t", (*ZOO.classes[:2], LabelClass(2, "lynx", ZOO.classes[1].colour)))
    with pytest.raises(FormatError, match="lynx and cat have the same colour"):
        write("png-colours", masks_of(PET), twins, tmp_path / "out", photo)


def test_what_is_no_annotation_at_all_is_refused_with_what_there_is(tmp_path: Path):
    with pytest.raises(FormatError, match="does not exist"):
        read_source(tmp_path / "gone")
    (tmp_path / "task.zip").write_bytes(b"PK")
    with pytest.raises(FormatError, match="an archive: unpack it"):
        read_source(tmp_path / "task.zip", "cvat")
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(FormatError, match=r"--format: .*png, .*voc"):
        read_source(tmp_path)
    with pytest.raises(FormatError, match="can only be written"):
        read_source(tmp_path, "cutout")
    with pytest.raises(FormatError, match="dicom is no format"):
        read_source(tmp_path, "dicom")
