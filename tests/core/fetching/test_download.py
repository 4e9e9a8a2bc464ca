"""One file from a server that behaves badly: real sockets on loopback, real files."""

from __future__ import annotations

import hashlib
import socket
from pathlib import Path

import pytest

from core.errors import BadInput, PetSegError
from core.fetching.download import Remote, check, download, require_web_address
from core.files import WriteError
from tests.core.fetching.conftest import Mirror

CONTENT = bytes(range(256)) * 4000


@pytest.fixture
def remote(mirror: Mirror) -> Remote:
    mirror.files["/file"] = CONTENT
    return Remote(f"{mirror.url}/file", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


def fetch(remote: Remote, path: Path, waits: tuple[float, ...] = ()) -> list[int]:
    """Download and check; the bytes there were on the way."""
    steps = list(download(remote, path, waits))
    assert list(check(remote, path))[-1] == remote.size
    return steps


def test_a_file_comes_whole_and_its_progress_is_told(remote: Remote, tmp_path: Path):
    steps = fetch(remote, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert steps[0] == 0
    assert steps == sorted(steps)
    assert steps[-1] == len(CONTENT)
    assert len(steps) > 3


def test_a_broken_connection_is_taken_up_where_it_broke(
    remote: Remote, mirror: Mirror, tmp_path: Path
):
    mirror.cut_after = [300_000, 0, 200_000]
    fetch(remote, tmp_path / "file", waits=(0, 0))
    assert (tmp_path / "file").read_bytes() == CONTENT
    ranges = ["", "bytes=300000-", "bytes=300000-", "bytes=500000-"]
    assert [wanted for _, wanted in mirror.asked] == ranges


def test_the_next_call_goes_on_from_what_is_there(remote: Remote, mirror: Mirror, tmp_path: Path):
    mirror.cut_after = [300_000, 0, 0]
    with pytest.raises(PetSegError, match=r"broke off.*run the same command again"):
        fetch(remote, tmp_path / "file", waits=(0,))
    assert (tmp_path / "file").read_bytes() == CONTENT[:300_000]
    mirror.cut_after, mirror.asked = [], []
    assert fetch(remote, tmp_path / "file")[0] == 300_000
    assert mirror.asked == [("/file", "bytes=300000-")]
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_one_that_is_dropped_midway_goes_on_too(remote: Remote, mirror: Mirror, tmp_path: Path):
    for have in download(remote, tmp_path / "file"):
        if have > 0:
            break
    assert (tmp_path / "file").stat().st_size == have < len(CONTENT)
    fetch(remote, tmp_path / "file")
    assert mirror.asked[-1] == ("/file", f"bytes={have}-")
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_what_is_there_already_asks_nobody(remote: Remote, mirror: Mirror, tmp_path: Path):
    (tmp_path / "file").write_bytes(CONTENT)
    fetch(remote, tmp_path / "file")
    assert mirror.asked == []


def test_more_than_the_file_has_is_of_another_one(remote: Remote, tmp_path: Path):
    (tmp_path / "file").write_bytes(CONTENT + b"more")
    fetch(remote, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT


@pytest.mark.parametrize("with_length", [True, False])
def test_a_server_that_sends_whole_files_only(
    remote: Remote, mirror: Mirror, tmp_path: Path, with_length: bool
):
    (tmp_path / "file").write_bytes(b"wrong" * 100)
    mirror.ranges, mirror.with_length = False, with_length
    fetch(remote, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_server_that_always_breaks_off_at_one_place_is_given_up(
    remote: Remote, mirror: Mirror, tmp_path: Path
):
    mirror.ranges, mirror.cut_after = False, [1000] * 9
    with pytest.raises(PetSegError, match="broke off"):
        fetch(remote, tmp_path / "file", waits=(0, 0))
    assert len(mirror.asked) == 3


def test_a_wrong_checksum_deletes_the_file_and_says_what_to_do(remote: Remote, tmp_path: Path):
    (tmp_path / "file").write_bytes(b"wrong")
    list(download(remote, tmp_path / "file"))
    with pytest.raises(PetSegError, match=r"SHA-256.*deleted. Run the same command again"):
        list(check(remote, tmp_path / "file"))
    assert not (tmp_path / "file").exists()


@pytest.mark.parametrize("there", [b"", CONTENT[:500]])
def test_a_file_of_another_size_is_refused_before_it_is_fetched(
    remote: Remote, mirror: Mirror, tmp_path: Path, there: bytes
):
    (tmp_path / "file").write_bytes(there)
    mirror.files["/file"] = CONTENT[:-1]
    with pytest.raises(PetSegError, match=r"not the file that was expected \(1,024,000 bytes\)"):
        list(download(remote, tmp_path / "file"))
    assert (tmp_path / "file").read_bytes() == there


@pytest.mark.parametrize("status", [403, 404, 416])
def test_what_the_server_refuses_is_not_asked_again(
    remote: Remote, mirror: Mirror, tmp_path: Path, status: int
):
    mirror.statuses = [status]
    with pytest.raises(PetSegError, match=f"answers {status} .*--mirror"):
        list(download(remote, tmp_path / "file", waits=(0, 0)))
    assert len(mirror.asked) == 1


def test_a_server_that_is_busy_for_a_while_is_waited_for(
    remote: Remote, mirror: Mirror, tmp_path: Path
):
    mirror.cut_after, mirror.statuses = [1000], [200, 503, 429]
    fetch(remote, tmp_path / "file", waits=(0, 0, 0))
    assert len(mirror.asked) == 4


def test_a_server_that_is_busy_from_the_start_is_named(
    remote: Remote, mirror: Mirror, tmp_path: Path
):
    mirror.statuses = [503]
    with pytest.raises(PetSegError, match="answers 503"):
        list(download(remote, tmp_path / "file", waits=(0,)))


def test_without_a_network_one_line_says_what_to_do(mirror: Mirror, tmp_path: Path):
    with socket.socket() as unused:  # bound, but nobody listens
        unused.bind(("127.0.0.1", 0))
        remote = Remote(f"http://127.0.0.1:{unused.getsockname()[1]}/file", 5, "")
        with pytest.raises(PetSegError, match=r"Connection refused.*Check the connection") as told:
            list(download(remote, tmp_path / "file"))
    assert "\n" not in str(told.value)


def test_an_address_that_moved_is_followed_with_the_range(
    remote: Remote, mirror: Mirror, tmp_path: Path
):
    (tmp_path / "file").write_bytes(CONTENT[:7])
    mirror.files["/moved"] = b""
    mirror.moved = {"/moved": "/file"}
    fetch(Remote(f"{mirror.url}/moved", remote.size, remote.sha256), tmp_path / "file")
    assert mirror.asked == [("/moved", "bytes=7-"), ("/file", "bytes=7-")]


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("/file", "redirect error"),  # round and round
        ("file:///etc/hostname", "not allowed"),
        ("ftp://127.0.0.1/file", "unsafe address"),
    ],
)
def test_where_it_must_not_lead_it_does_not_go(
    remote: Remote, mirror: Mirror, tmp_path: Path, target: str, reason: str
):
    mirror.moved = {"/file": target}
    with pytest.raises(PetSegError, match=f"answers 302.*{reason}") as told:
        list(download(remote, tmp_path / "file"))
    assert "\n" not in str(told.value)
    assert not (tmp_path / "file").exists()
    assert len(mirror.asked) <= 11


def test_a_disk_that_is_full_keeps_what_came(remote: Remote, tmp_path: Path):
    resource = pytest.importorskip("resource")
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, usual[1]))
    try:
        with pytest.raises(WriteError, match=r"Cannot write .*Free some space"):
            list(download(remote, tmp_path / "file"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert (tmp_path / "file").read_bytes() == CONTENT[:400_000]
    fetch(remote, tmp_path / "file")


@pytest.mark.parametrize(
    "url",
    [
        *("", "pets", "ftp://a/b", "file:///tmp", "https://", "http://[::1"),
        *("http://a:99999/b", "http://a:b/c", "http://a/\u00fc"),
    ],
)
def test_what_is_no_web_address_is_refused(url: str):
    with pytest.raises(BadInput, match="no address of a server"):
        require_web_address(url)


def test_from_https_nothing_leads_to_plain_http():
    from http.client import HTTPMessage
    from io import BytesIO
    from urllib.error import HTTPError
    from urllib.request import Request

    from core.fetching.download import _Redirects

    moved = "http://elsewhere.example/file"
    with pytest.raises(HTTPError, match="unsafe"):
        _Redirects().redirect_request(
            Request("https://server.example/file"), BytesIO(), 302, "", HTTPMessage(), moved
        )
