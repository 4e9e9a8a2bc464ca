"""Decoding: every kind of file a folder of photos can hold, and every way it can be broken."""

from __future__ import annotations

import contextlib
import io
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.images import (
    MAX_PIXELS,
    ImageError,
    encode_jpeg,
    image_size,
    read_image,
    read_thumbnail,
)

WIDTH, HEIGHT = 60, 40


def gradient() -> np.ndarray:
    """Red grows to the right, green downwards, blue is constant: a smooth, lopsided picture."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.dstack([x * 255 // (WIDTH - 1), y * 255 // (HEIGHT - 1), 0 * x + 90]).astype(np.uint8)


RGB = gradient()
GREY = RGB[..., 0]


def encoded(format_: str, image: Image.Image | None = None, **options: object) -> bytes:
    buffer = io.BytesIO()
    (image or Image.fromarray(RGB)).save(buffer, format_, **options)
    return buffer.getvalue()


def write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def exif(orientation: int) -> bytes:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags.tobytes()


def png_chunk(kind: bytes, data: bytes) -> bytes:
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def with_hole(mode: str) -> Image.Image:
    """The picture with its left half transparent."""
    alpha = np.full((HEIGHT, WIDTH), 255, np.uint8)
    alpha[:, : WIDTH // 2] = 0
    image = Image.fromarray(RGB).convert("L" if mode == "LA" else "RGB")
    image.putalpha(Image.fromarray(alpha))
    return image


def palette_with_hole() -> bytes:
    indices = np.zeros((HEIGHT, WIDTH), np.uint8)
    indices[:, WIDTH // 2 :] = 1
    image = Image.fromarray(indices).convert("P")
    image.putpalette([10, 20, 30, 200, 100, 50])
    return encoded("PNG", image, transparency=0)


def test_a_plain_picture_comes_back_as_it_was_saved(tmp_path: Path):
    decoded = read_image(write(tmp_path, "a.png", encoded("PNG")))
    assert decoded.pixels.dtype == np.uint8
    np.testing.assert_array_equal(decoded.pixels, RGB)
    assert decoded.notes == ()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.bmp", encoded("BMP")),
        ("a.webp", encoded("WEBP", lossless=True)),
        ("a.tif", encoded("TIFF")),
        ("a.tiff", encoded("TIFF", compression="tiff_lzw")),
        ("a.ppm", encoded("PPM")),
        ("a.JPG", encoded("JPEG", quality=98, subsampling=0)),
    ],
)
def test_every_usual_format_is_read(tmp_path: Path, name: str, data: bytes):
    decoded = read_image(write(tmp_path, name, data))
    assert decoded.pixels.shape == RGB.shape
    assert np.abs(decoded.pixels.astype(int) - RGB).max() <= 4
    assert decoded.notes == ()


def test_a_gif_is_read_within_its_palette(tmp_path: Path):
    decoded = read_image(write(tmp_path, "a.gif", encoded("GIF")))
    assert np.abs(decoded.pixels.astype(int) - RGB).mean() < 20
    assert decoded.notes == ()


@pytest.mark.parametrize("format_", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_used_and_that_is_said(tmp_path: Path, format_: str):
    other = Image.fromarray(np.zeros_like(RGB))
    extra = {"lossless": True} if format_ == "WEBP" else {}
    data = encoded(format_, save_all=True, append_images=[other, other], duration=50, **extra)
    decoded = read_image(write(tmp_path, f"a.{format_.lower()}", data))
    assert np.abs(decoded.pixels.astype(int) - RGB).mean() < 20
    assert any("first is used" in note for note in decoded.notes)


def test_of_a_tiff_with_pages_the_first_is_used_and_that_is_said(tmp_path: Path):
    black = Image.fromarray(np.zeros_like(RGB))
    data = encoded("TIFF", save_all=True, append_images=[black, black])
    decoded = read_image(write(tmp_path, "a.tif", data))
    np.testing.assert_array_equal(decoded.pixels, RGB)
    assert decoded.notes == ("several pages; the first is used",)


def test_a_png_named_jpg_works_and_is_noted(tmp_path: Path):
    decoded = read_image(write(tmp_path, "a.jpg", encoded("PNG")))
    np.testing.assert_array_equal(decoded.pixels, RGB)
    assert decoded.notes == ("holds PNG data",)


def test_grey_becomes_three_equal_channels(tmp_path: Path):
    pixels = read_image(write(tmp_path, "a.png", encoded("PNG", Image.fromarray(GREY)))).pixels
    np.testing.assert_array_equal(pixels, np.dstack([GREY] * 3))


def test_one_bit_becomes_black_and_white(tmp_path: Path):
    bits = Image.fromarray(GREY > 127)
    pixels = read_image(write(tmp_path, "a.png", encoded("PNG", bits))).pixels
    np.testing.assert_array_equal(pixels[..., 1], np.where(GREY > 127, 255, 0))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("format_", ["PNG", "TIFF"])
def test_transparency_is_laid_over_white(tmp_path: Path, mode: str, format_: str):
    pixels = read_image(write(tmp_path, "a.png", encoded(format_, with_hole(mode)))).pixels
    assert (pixels[:, : WIDTH // 2] == 255).all()
    half = pixels[:, WIDTH // 2 :]
    if mode == "RGBA":
        np.testing.assert_array_equal(half, RGB[:, WIDTH // 2 :])
    else:
        assert half.std() > 10


def test_a_palette_entry_that_is_transparent_is_white(tmp_path: Path):
    pixels = read_image(write(tmp_path, "a.png", palette_with_hole())).pixels
    assert (pixels[:, : WIDTH // 2] == 255).all()
    assert (pixels[:, WIDTH // 2 :] == (200, 100, 50)).all()


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "LA", "1", "CMYK"])
def test_an_image_of_many_bands_is_the_same_as_one_of_one(
    tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch
):
    values = np.random.default_rng(0).integers(0, 256, (37, 23, 4), dtype=np.uint8)
    image = Image.fromarray(values)
    image = image.convert("RGB").convert(mode) if mode in ("P", "CMYK") else image.convert(mode)
    path = tmp_path / "a.tif"
    image.save(path, "TIFF")
    whole = read_image(path).pixels
    monkeypatch.setattr("core.images._BAND_PIXELS", 100)
    assert np.array_equal(read_image(path).pixels, whole)


def test_cmyk_is_shown_in_its_colours(tmp_path: Path):
    cmyk = Image.fromarray(RGB).convert("CMYK")
    pixels = read_image(write(tmp_path, "a.tif", encoded("TIFF", cmyk))).pixels
    assert np.abs(pixels.astype(int) - RGB).max() <= 3


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32])
def test_more_than_8_bits_are_stretched_and_that_is_said(tmp_path: Path, dtype: type):
    values = (GREY.astype(np.float64) * 70 + 300).astype(dtype)
    format_, name = ("PNG", "a.png") if dtype is np.uint16 else ("TIFF", "a.tif")
    decoded = read_image(write(tmp_path, name, encoded(format_, Image.fromarray(values))))
    np.testing.assert_array_equal(decoded.pixels, np.dstack([GREY] * 3))
    assert any("8 bits" in note for note in decoded.notes)


def test_a_16_bit_tiff_is_stretched(tmp_path: Path):
    values = GREY.astype(np.uint16) * 7
    path = write(tmp_path, "a.tif", encoded("TIFF", Image.fromarray(values)))
    np.testing.assert_array_equal(read_image(path).pixels[..., 2], GREY)


def test_a_float_image_with_holes_and_infinities_is_shown(tmp_path: Path):
    values = np.linspace(0, 1, WIDTH * HEIGHT, dtype=np.float32).reshape(HEIGHT, WIDTH)
    values[0, 0], values[0, 1], values[0, 2] = np.nan, np.inf, -np.inf
    path = write(tmp_path, "a.tif", encoded("TIFF", Image.fromarray(values)))
    pixels = read_image(path).pixels
    assert pixels[0, :3].max() == 0
    assert pixels[-1, -1, 0] == 255


def test_a_flat_16_bit_image_is_no_division_by_zero(tmp_path: Path):
    flat = Image.fromarray(np.full((4, 5), 900, np.uint16))
    assert read_image(write(tmp_path, "a.png", encoded("PNG", flat))).pixels.shape == (4, 5, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format_", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_photos_stand_upright_and_the_header_agrees(tmp_path: Path, format_: str, orientation: int):
    # As a camera saves the upright picture: turned the other way, with a tag that turns it back.
    turns = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }
    stored = Image.fromarray(np.ascontiguousarray(turns[orientation](RGB)))
    options = {"JPEG": {"quality": 98, "subsampling": 0}, "WEBP": {"lossless": True}}
    data = encoded(format_, stored, exif=exif(orientation), **options.get(format_, {}))
    path = write(tmp_path, "a", data)
    pixels = read_image(path).pixels
    assert np.abs(pixels.astype(int) - RGB).max() <= 4
    assert image_size(path) == (WIDTH, HEIGHT)
    assert read_thumbnail(path, 30).shape == (20, 30, 3)


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "BMP", "TIFF", "GIF", "WEBP"])
def test_a_single_pixel_is_an_image(tmp_path: Path, format_: str):
    dot = Image.new("RGB", (1, 1), (200, 30, 60))
    path = write(tmp_path, "a", encoded(format_, dot))
    assert read_image(path).pixels.shape == (1, 1, 3)
    assert image_size(path) == (1, 1)
    assert read_thumbnail(path, 64).shape == (1, 1, 3)


def test_a_sliver_has_a_thumbnail(tmp_path: Path):
    path = write(tmp_path, "a.png", encoded("PNG", Image.new("RGB", (2000, 1), "red")))
    assert read_thumbnail(path, 64).shape == (1, 64, 3)


def test_an_empty_file_says_that_it_is_empty(tmp_path: Path):
    path = write(tmp_path, "a.jpg", b"")
    for read in (read_image, image_size, lambda p: read_thumbnail(p, 32)):
        with pytest.raises(ImageError, match=r"^a\.jpg: the file is empty"):
            read(path)


@pytest.mark.parametrize(
    "format_", ["JPEG", "PNG", "TIFF", "BMP", "WEBP", "GIF"], ids=lambda f: f.lower()
)
def test_a_truncated_file_is_refused(tmp_path: Path, format_: str):
    noise = np.random.default_rng(0).integers(0, 256, RGB.shape, dtype=np.uint8)
    data = encoded(format_, Image.fromarray(noise))
    path = write(tmp_path, "a.jpg", data[: len(data) * 2 // 3])
    with pytest.raises(ImageError, match=r"^a\.jpg: ") as caught:
        read_image(path)
    assert caught.value.reason
    assert caught.value.path == path


def test_a_text_file_named_png_is_refused(tmp_path: Path):
    path = write(tmp_path, "notes.png", b"buy cat food\n" * 20)
    with pytest.raises(ImageError, match=r"^notes\.png: not an image"):
        read_image(path)


def test_formats_that_run_programs_are_not_opened(tmp_path: Path):
    # Pillow hands PostScript to Ghostscript.
    path = write(tmp_path, "a.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EOF\n")
    with pytest.raises(ImageError):
        read_image(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path):
    (tmp_path / "b.png").mkdir()
    for name in ("gone.png", "b.png"):
        with pytest.raises(ImageError, match=rf"^{name}: "):
            read_image(tmp_path / name)


def huge_png() -> bytes:
    header = struct.pack(">IIBBBBB", 60_000, 50_000, 8, 2, 0, 0, 0)
    pixels = png_chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + pixels + png_chunk(b"IEND", b"")


def huge_bmp() -> bytes:
    info = struct.pack("<IiiHHIIiiII", 40, 60_000, 50_000, 1, 24, 0, 0, 2835, 2835, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + 100, 0, 0, 54) + info + bytes(100)


def huge_ppm() -> bytes:
    return b"P6 60000 50000 255\n" + bytes(100)


def huge_gif() -> bytes:
    data = bytearray(encoded("GIF"))
    data[6:10] = struct.pack("<HH", 60_000, 50_000)
    return bytes(data)


@pytest.mark.parametrize("make", [huge_png, huge_bmp, huge_ppm, huge_gif])
def test_an_enormous_size_is_refused_before_memory_is_taken(tmp_path: Path, make):
    path = write(tmp_path, "bomb.png", make())
    tracemalloc.start()
    try:
        for read in (read_image, image_size, lambda p: read_thumbnail(p, 64)):
            with pytest.raises(ImageError, match="60000 x 50000 pixels is more than the limit"):
                read(path)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_one_hundred_megapixels_are_within_the_limit():
    assert MAX_PIXELS >= 100_000_000


def test_a_very_large_image_gives_its_size_from_the_header(tmp_path: Path):
    path = tmp_path / "a.png"
    Image.new("1", (15_000, 10_000)).save(path)
    assert image_size(path) == (15_000, 10_000)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("rgb.jpg", encoded("JPEG", quality=95)),
        ("rgb.png", encoded("PNG")),
        ("grey.jpg", encoded("JPEG", Image.fromarray(GREY))),
        ("16bit.png", encoded("PNG", Image.fromarray(GREY.astype(np.uint16) * 9))),
        ("float.tif", encoded("TIFF", Image.fromarray(GREY.astype(np.float32) / 255))),
        ("palette.png", palette_with_hole()),
        ("rgba.png", encoded("PNG", with_hole("RGBA"))),
        ("la.png", encoded("PNG", with_hole("LA"))),
        ("colour-key.png", encoded("PNG", transparency=tuple(int(v) for v in RGB[20, 30]))),
        ("grey-key.png", encoded("PNG", Image.fromarray(GREY // 128), transparency=1)),
        ("cmyk.jpg", encoded("JPEG", Image.fromarray(RGB).convert("CMYK"))),
        ("bits.png", encoded("PNG", Image.fromarray(GREY > 127))),
        ("anim.gif", encoded("GIF", save_all=True, append_images=[Image.new("RGB", (60, 40))])),
        ("a.webp", encoded("WEBP")),
        ("a.bmp", encoded("BMP")),
    ],
)
def test_a_thumbnail_looks_like_its_image(tmp_path: Path, name: str, data: bytes):
    path = write(tmp_path, name, data)
    small = read_thumbnail(path, 30)
    assert small.shape == (20, 30, 3)
    assert small.dtype == np.uint8
    whole = Image.fromarray(read_image(path).pixels).resize((30, 20), Image.Resampling.BILINEAR)
    assert np.abs(small.astype(int) - np.asarray(whole)).mean() < 6


def test_a_thumbnail_is_never_larger_than_its_image(tmp_path: Path):
    assert read_thumbnail(write(tmp_path, "a.png", encoded("PNG")), 500).shape == RGB.shape


def test_a_phones_multi_picture_jpeg_is_a_plain_photo(tmp_path: Path):
    data = encoded("MPO", save_all=True, append_images=[Image.new("RGB", (30, 20))], quality=95)
    decoded = read_image(write(tmp_path, "a.jpg", data))
    assert decoded.pixels.shape == RGB.shape
    assert decoded.notes == ()


def test_jpeg_bytes_hold_the_picture(tmp_path: Path):
    decoded = read_image(write(tmp_path, "a.jpg", encode_jpeg(RGB)))
    assert np.abs(decoded.pixels.astype(int) - RGB).mean() < 4


# --- Damage of any kind is an ImageError, never anything else ----------------------------------

_SMALL = Image.fromarray(RGB[:9, :13])
_SEEDS = [
    encoded("JPEG", _SMALL, exif=exif(6)),
    encoded("PNG", _SMALL, exif=exif(6)),
    encoded("TIFF", _SMALL),
    encoded("TIFF", _SMALL, save_all=True, append_images=[_SMALL]),
    encoded("TIFF", _SMALL, compression="tiff_lzw"),
    encoded("BMP", _SMALL),
    encoded("GIF", _SMALL),
    encoded("WEBP", _SMALL, exif=exif(6)),
    encoded("PPM", _SMALL),
]


def read_all_ways(path: Path) -> None:
    for read in (read_image, image_size, lambda p: read_thumbnail(p, 8)):
        with contextlib.suppress(ImageError):
            read(path)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("images") / "any.png"


@given(st.sampled_from([b"", *(seed[:12] for seed in _SEEDS)]), st.binary(max_size=200))
def test_random_bytes_are_an_image_error(scratch: Path, magic: bytes, data: bytes):
    scratch.write_bytes(magic + data)
    read_all_ways(scratch)


@given(st.data())
def test_a_few_wrong_bytes_are_an_image_error(scratch: Path, data: st.DataObject):
    broken = bytearray(data.draw(st.sampled_from(_SEEDS)))
    for _ in range(data.draw(st.integers(1, 6))):
        broken[data.draw(st.integers(0, min(len(broken), 250) - 1))] = data.draw(
            st.integers(0, 255)
        )
    scratch.write_bytes(broken)
    read_all_ways(scratch)


def test_pages_after_the_first_are_not_read(tmp_path: Path):
    """To count many thousands takes minutes; here the second is damaged: it has no width."""
    first = encoded("TIFF", _SMALL)
    start = int.from_bytes(first[4:8], "little")
    entries = int.from_bytes(first[start : start + 2], "little")
    link = start + 2 + 12 * entries
    empty_page = struct.pack("<HHHIII", 1, 305, 2, 1, 0, 0)
    data = bytearray(first)
    data[link : link + 4] = struct.pack("<I", len(data))
    path = write(tmp_path, "a.tif", bytes(data) + empty_page)
    decoded = read_image(path)
    np.testing.assert_array_equal(decoded.pixels, np.asarray(_SMALL))
    assert decoded.notes == ("several pages; the first is used",)
    assert image_size(path) == _SMALL.size


def test_an_orientation_that_is_no_number_leaves_the_photo_as_it_is(tmp_path: Path):
    entry = struct.pack("<HHI4s", 0x0112, 2, 3, b"up")  # type 2: text
    tags = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 1) + entry + struct.pack("<I", 0)
    path = write(tmp_path, "a.png", encoded("PNG", exif=tags))
    assert image_size(path) == (WIDTH, HEIGHT)
    np.testing.assert_array_equal(read_image(path).pixels, RGB)
