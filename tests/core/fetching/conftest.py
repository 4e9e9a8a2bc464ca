"""A small mirror on loopback that behaves badly when told to, and archives to put there."""

from __future__ import annotations

import hashlib
import io
import signal
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.fetching.oxford_pet import ARCHIVES, Archive

PHOTOS = ("Abyssinian_1", "Abyssinian_2", "beagle_1", "beagle_2", "beagle_3")
LISTS = {"trainval": PHOTOS[:3], "test": PHOTOS[3:]}


@dataclass
class Mirror:
    """What a server holds, and how it behaves. asked: (path, Range header or "")."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    cut_after: list[int] = field(default_factory=list)  # bytes of each next body; then whole ones
    statuses: list[int] = field(default_factory=list)  # of each next answer; then 200
    moved: dict[str, str] = field(default_factory=dict)  # path -> where it is now
    with_length: bool = True
    interrupt: Path | None = None  # Ctrl+C when what was cut has been written to this file
    asked: list[tuple[str, str]] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    mirror: Mirror

    def do_GET(self) -> None:
        mirror, wanted = self.mirror, self.headers.get("Range", "")
        mirror.asked.append((self.path, wanted))
        body = mirror.files.get(self.path)
        status = mirror.statuses.pop(0) if mirror.statuses else 200 if body is not None else 404
        if self.path in mirror.moved:
            self.send_response(302)
            self.send_header("Location", mirror.moved[self.path])
            self.end_headers()
        elif status != 200 or body is None:
            self.send_error(status)
        else:
            self._send(body, int(wanted[6:-1]) if wanted and mirror.ranges else None)

    def _send(self, body: bytes, start: int | None) -> None:
        self.send_response(200 if start is None else 206)
        if start is not None:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        body = body[start or 0 :]
        if self.mirror.with_length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not self.mirror.cut_after:
            self.wfile.write(body)
            return
        cut = body[: self.mirror.cut_after.pop(0)]
        self.wfile.write(cut)
        file = self.mirror.interrupt
        if file is not None and len(cut) < len(body):
            while not file.exists() or file.stat().st_size < len(cut):
                time.sleep(0.001)  # a signal in the middle of making the connection may get lost
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            self.rfile.read(1)  # until the other side has gone

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """A running server; its files and manners are attributes."""
    monkeypatch.setenv("no_proxy", "*")
    mirror = Mirror()
    handler = type("Handler", (_Handler,), {"mirror": mirror})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        mirror.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield mirror
        server.shutdown()
        thread.join()


def packed(*members: tuple[tarfile.TarInfo | str, bytes]) -> bytes:
    """A .tar.gz of (name, or a whole header; content)."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for header, content in members:
            info = tarfile.TarInfo(header) if isinstance(header, str) else header
            info.size = len(content) if info.isreg() else 0
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def _encoded(pixels: np.ndarray, kind: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


@pytest.fixture(scope="session")
def small_pets(animal: Callable[..., tuple[np.ndarray, np.ndarray]]) -> dict[str, bytes]:
    """Both archives of a data set of five, with what lies about in the real ones."""
    drawn = {name: animal(seed) for seed, name in enumerate(PHOTOS)}
    photos = [(f"images/{n}.jpg", _encoded(pixels, "JPEG")) for n, (pixels, _) in drawn.items()]
    # 1 pet, 2 background
    trimaps = {n: _encoded((2 - mask).astype(np.uint8), "PNG") for n, (_, mask) in drawn.items()}
    folder = tarfile.TarInfo("images")
    folder.type = tarfile.DIRTYPE
    return {
        "/images.tar.gz": packed((folder, b""), *photos, ("images/Abyssinian_100.mat", b"x" * 99)),
        "/annotations.tar.gz": packed(
            ("annotations/README", b"Licence"),
            *((f"annotations/{k}.txt", _listing(names)) for k, names in LISTS.items()),
            *((f"annotations/trimaps/{n}.png", data) for n, data in trimaps.items()),
            *((f"annotations/trimaps/._{n}.png", b"resource fork") for n in PHOTOS),
            ("annotations/xmls/beagle_1.xml", b"<annotation/>"),
        ),
    }


def _listing(names: tuple[str, ...]) -> bytes:
    return "".join(f"{name} 1 {1 + name[0].islower()} 1\n" for name in names).encode()


def described(files: dict[str, bytes], most_bytes: int = 1_000_000) -> list[Archive]:
    """The real archives' description, with the size and checksum of these."""
    return [
        Archive(
            name=real.name,
            size=len(files[f"/{real.name}"]),
            sha256=hashlib.sha256(files[f"/{real.name}"]).hexdigest(),
            folder=real.folder,
            wanted=real.wanted,
            most_bytes=most_bytes,
        )
        for real in ARCHIVES
    ]


@pytest.fixture
def archives(mirror: Mirror, small_pets: dict[str, bytes]) -> list[Archive]:
    """What the mirror holds: the small data set."""
    mirror.files |= small_pets
    return described(small_pets)
