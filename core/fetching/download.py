"""Downloading one large file: it goes on where it broke off, and is checked as a whole."""

from __future__ import annotations

import hashlib
import http.client
import io
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from core.errors import BadInput, PetSegError
from core.files import WriteError

_CHUNK = 1 << 18
_LONGEST_SILENCE = 60.0  # seconds
_WAITS = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0)
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_BUSY = (408, 429)  # as 5xx: the same request may succeed later


@dataclass(frozen=True)
class Remote:
    """A file on a server: its address, its exact size in bytes, its SHA-256 (hex)."""

    url: str
    size: int
    sha256: str


def require_web_address(url: str) -> None:
    """Raises BadInput where ``url`` is no address of a web server (http or https)."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
        usable = usable and url.isascii()
    except ValueError:
        usable = False
    if not usable:
        raise BadInput(f"{url} is no address of a server: write it as https://SERVER/FOLDER.")


def download(remote: Remote, path: Path, waits: Sequence[float] = _WAITS) -> Iterator[int]:
    """Fetch what ``path`` does not hold yet of a file; ``check`` then tells if it is the right one.

    Yields the bytes that are there, after each piece. A connection that breaks is taken up again,
    after each of ``waits`` (seconds) until more comes than ever before; the first contact must
    succeed. Whatever ends it, the next call goes on from what is there. Raises PetSegError (no
    connection, a file of another size), WriteError.
    """
    have = _usable(path, remote.size)
    yield have
    most = have
    left: Iterator[float] = iter(())
    while have < remote.size:
        try:
            for received in _receive(remote, path, have):
                have = received
                if have > most:
                    most, left = have, iter(waits)
                yield have
        except (OSError, http.client.HTTPException) as error:
            wait = next(left, None)
            if wait is None:
                raise _lost(remote, error) from error
            time.sleep(wait)


def check(remote: Remote, path: Path) -> Iterator[int]:
    """Whether a file that was downloaded is the right one: yields the bytes that were looked at.

    Raises PetSegError where it is another; it is then deleted, since nothing can go on from it.
    """
    digest, done = hashlib.sha256(), 0
    with open(path, "rb") as file:
        while data := file.read(_CHUNK):
            digest.update(data)
            done += len(data)
            yield done
    if digest.hexdigest() != remote.sha256:
        path.unlink()
        raise PetSegError(
            f"What came from {remote.url} is not the file that was expected (its SHA-256 is "
            "another one): it was deleted. Run the same command again; if that ends here too, "
            "name another server: --mirror URL."
        )


def _usable(path: Path, size: int) -> int:
    """The bytes that are there of a file of that size; more than it has are of another one."""
    have = path.stat().st_size if path.exists() else 0
    if have > size:
        path.unlink()
        return 0
    return have


def _receive(remote: Remote, path: Path, have: int) -> Iterator[int]:
    """One connection's worth: yields the bytes there are. Raises OSError where it breaks off."""
    with _opened(remote, have) as response:
        have = _start(remote, response, have)
        with _writable(path, have) as file:
            while have < remote.size:
                # What has arrived, rather than a full piece: nothing is lost when it breaks off.
                data = response.read1(min(_CHUNK, remote.size - have))
                if not data:
                    raise ConnectionError("the connection broke off")
                _write(path, file, data)
                have += len(data)
                yield have


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows ten at most, as urllib does, and none from https to anything else."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        allowed = ("https",) if urlsplit(req.full_url).scheme == "https" else ("https", "http")
        if urlsplit(newurl).scheme not in allowed:
            raise urllib.error.HTTPError(newurl, code, "leads to an unsafe address", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@contextmanager
def _opened(remote: Remote, have: int) -> Iterator[http.client.HTTPResponse]:
    """The server's answer, from byte ``have`` on if it can. Raises OSError, PetSegError."""
    request = urllib.request.Request(remote.url, headers={"User-Agent": "petseg"})  # noqa: S310 (checked: https or http)
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        response = urllib.request.build_opener(_Redirects).open(request, timeout=_LONGEST_SILENCE)
    except urllib.error.HTTPError as error:
        with error:
            reason = " ".join(str(error.reason).split())  # urllib's may have several lines
            answer = f"the server answers {error.code} {reason}"
            if error.code >= 500 or error.code in _BUSY:
                raise ConnectionError(answer) from error
            raise PetSegError(
                f"{remote.url} cannot be fetched: {answer.rstrip('.')}. "
                "Try again later, or another server: --mirror URL."
            ) from error
    with response:
        yield response


def _start(remote: Remote, response: http.client.HTTPResponse, have: int) -> int:
    """The byte that an answer begins with. Raises PetSegError: it is of another file."""
    if response.status == http.client.PARTIAL_CONTENT:
        found = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if found and int(found[1]) == have and found[2] in (str(remote.size), "*"):
            return have
    elif response.status == http.client.OK and response.length in (remote.size, None):
        return 0  # a server that sends whole files only
    raise PetSegError(
        f"{remote.url} is not the file that was expected ({remote.size:,} bytes). "
        "Name another server: --mirror URL."
    )


@contextmanager
def _writable(path: Path, have: int) -> Iterator[io.FileIO]:
    """The file, behind its first ``have`` bytes; unbuffered, so that a crash loses nothing."""
    try:
        file = io.FileIO(path, "ab" if have else "wb")
    except OSError as error:
        raise _full(path, error) from error
    with file:
        yield file


def _write(path: Path, file: io.FileIO, data: bytes) -> None:
    left = memoryview(data)
    try:
        while left:
            left = left[file.write(left) :]
    except OSError as error:
        raise _full(path, error) from error


def _full(path: Path, error: OSError) -> WriteError:
    return WriteError(
        f"Cannot write {path}: {error.strerror or error}. "
        "Free some space and run the same command again: it goes on from here."
    )


def _lost(remote: Remote, error: Exception) -> PetSegError:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    reason = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return PetSegError(
        f"{urlsplit(remote.url).hostname} does not send the file ({reason}). Check the connection "
        "and run the same command again: it goes on from here. Another server: --mirror URL."
    )
