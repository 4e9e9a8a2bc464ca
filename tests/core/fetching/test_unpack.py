"""Archives that mean harm, or are broken: nothing leaves the folder, nothing fills the disk."""

from __future__ import annotations

import gzip
import re
import tarfile
import tracemalloc
from pathlib import Path

import pytest

from core.errors import BadInput
from core.fetching import unpack as unpacking
from core.fetching.unpack import unpack
from core.files import WriteError
from tests.core.fetching.conftest import packed

ANYTHING = re.compile(r"(?s:.*)")
LIMIT = 4_000_000


@pytest.fixture
def spread(tmp_path: Path):
    """spread(archive's bytes, wanted) -> the names of the files that it left."""

    def run(archive: bytes, wanted: re.Pattern[str] = ANYTHING, limit: int = LIMIT) -> set[str]:
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / "a.tar.gz").write_bytes(archive)
        into = tmp_path / "out" / "new"
        steps = list(unpack(tmp_path / "in" / "a.tar.gz", into, wanted, limit))
        assert steps == sorted(steps)
        assert steps[-1] <= len(archive)
        return {str(p.relative_to(into)) for p in into.rglob("*") if p.is_file()}

    return run


def special(name: str, kind: bytes, target: str = "") -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info, b""


def outside(tmp_path: Path) -> list[Path]:
    """What stands outside the folder that was unpacked to."""
    inside = tmp_path / "out" / "new"
    usual = {tmp_path / "out", inside, tmp_path / "in", tmp_path / "in" / "a.tar.gz"}
    found = [p for p in tmp_path.rglob("*") if p not in usual]
    return [p for p in found if not p.is_relative_to(inside)]


def test_only_what_is_wanted_is_written(spread, tmp_path: Path):
    archive = packed(
        ("images/a.jpg", b"A"), ("./images/b.jpg", b"B"), ("images/._a.jpg", b"x"), ("c.sh", b"x")
    )
    assert spread(archive, re.compile(r"images/\w+\.jpg")) == {"images/a.jpg", "images/b.jpg"}
    assert (tmp_path / "out" / "new" / "images" / "b.jpg").read_bytes() == b"B"


@pytest.mark.parametrize(
    "member",
    [
        ("../evil", b"x"),
        ("images/../../evil", b"x"),
        ("/tmp/petseg-evil", b"x"),
        special("images/link", tarfile.SYMTYPE, "/etc/passwd"),
        special("images/link", tarfile.SYMTYPE, "a.jpg"),
        special("images/link", tarfile.LNKTYPE, "../../evil"),
        special("images/device", tarfile.CHRTYPE),
        special("images/device", tarfile.BLKTYPE),
        special("images/pipe", tarfile.FIFOTYPE),
        special("images/sparse", tarfile.GNUTYPE_SPARSE),
    ],
    ids=lambda m: f"{m[0].name}-{m[0].type!r}" if isinstance(m[0], tarfile.TarInfo) else m[0],
)
@pytest.mark.parametrize("wanted", [ANYTHING, re.compile("images/a.jpg")])
def test_what_leads_out_or_is_no_plain_file_condemns_the_archive(
    spread, tmp_path: Path, member, wanted: re.Pattern[str]
):
    with pytest.raises(BadInput, match="is a link, a device or leads out"):
        spread(packed(("images/a.jpg", b"A"), member, ("images/z.jpg", b"Z")), wanted)
    assert outside(tmp_path) == []
    assert not Path("/tmp/petseg-evil").exists()
    assert not (tmp_path / "out" / "new" / "images" / "z.jpg").exists()


def test_a_name_that_goes_through_a_file_is_refused(spread, tmp_path: Path):
    with pytest.raises(BadInput, match="twice"):
        spread(packed(("images", b"a file"), ("images/a.jpg", b"A")))
    assert outside(tmp_path) == []


def test_a_file_that_comes_twice_is_not_overwritten(spread, tmp_path: Path):
    with pytest.raises(BadInput, match="twice"):
        spread(packed(("a.jpg", b"first"), ("a.jpg", b"second")))
    assert (tmp_path / "out" / "new" / "a.jpg").read_bytes() == b"first"


@pytest.mark.parametrize("wanted", [ANYTHING, re.compile("nothing")])
def test_a_bomb_is_stopped_at_its_limit(spread, tmp_path: Path, wanted: re.Pattern[str]):
    bomb = packed(("small", b"x"), *((f"zeros-{i}", bytes(1_000_000)) for i in range(50)))
    assert len(bomb) < 100_000
    with pytest.raises(BadInput, match="unpacks to more than 4 MB"):
        spread(bomb, wanted)
    written = sum(p.stat().st_size for p in (tmp_path / "out").rglob("*") if p.is_file())
    assert written <= LIMIT


def test_one_file_that_claims_more_than_may_come(spread, tmp_path: Path):
    with pytest.raises(BadInput, match="unpacks to more than"):
        spread(packed(("zeros", bytes(5_000_000))))


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_that_claims_gigabytes_takes_no_memory(spread, kind: bytes):
    header = tarfile.TarInfo("header")
    header.type, header.size = kind, 50_000_000
    bomb = gzip.compress(header.tobuf() + bytes(50_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(BadInput, match="header that is too long"):
            spread(bomb, limit=1_000_000_000)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_too_many_files(spread, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(unpacking, "MOST_MEMBERS", 10)
    with pytest.raises(BadInput, match="more than 10 files"):
        spread(packed(*((f"f{i}", b"") for i in range(11))))


def _headers_without_end() -> bytes:
    """One header before the other, each of which speaks of the next."""
    pax = tarfile.TarInfo("h").create_pax_global_header({"comment": "x"})
    return gzip.compress(pax * 5000)


def _of_negative_size() -> bytes:
    block = bytearray(tarfile.TarInfo("a").tobuf())
    block[124:136] = b"\xff" * 10 + b"\xfe\x00"  # base 256: -512
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return gzip.compress(bytes(block) * 3 + bytes(1024))


@pytest.mark.parametrize(
    "archive",
    [
        b"",
        b"<html>Log in to the network</html>",
        packed(("a.jpg", bytes(range(256)) * 100))[:-300],
        gzip.compress(b"no tar file" * 1000),
        gzip.compress(packed(("a.jpg", b"A")))[:20],
        _headers_without_end(),
        _of_negative_size(),
    ],
    ids=["empty", "html", "cut", "no tar", "cut at once", "headers without end", "negative size"],
)
def test_what_is_broken_is_said_to_be(spread, archive: bytes):
    with pytest.raises(BadInput, match=r"damaged|leads out"):
        spread(archive)


def test_a_disk_that_is_full_is_named(spread, tmp_path: Path):
    resource = pytest.importorskip("resource")
    archive = packed(("a.jpg", bytes(600_000)))
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, usual[1]))
    try:
        with pytest.raises(WriteError, match=r"a\.jpg.*Free some space"):
            spread(archive)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
