"""What a run notes of itself, so that its numbers can be understood and had again."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import torch

from core import files
from core.data.samples import Loaded

_LIBRARIES = ("torchvision", "numpy", "onnxruntime")


def versions() -> dict[str, str]:
    """Of the program, Python, the libraries that numbers depend on, and the system."""
    known = {"petseg": version("petseg"), "python": platform.python_version()}
    known["torch"] = str(torch.__version__)  # with its build: for CPU, for CUDA
    known |= {name: version(name) for name in _LIBRARIES}
    known["opencv"] = version("opencv-python-headless")
    return known | {"platform": platform.platform()}


def fingerprint(train: Sequence[Loaded], val: Sequence[Loaded]) -> str:
    """SHA-256 over the images' names and the hashes of their mask files, as they were read."""
    lines = [
        f"{subset} {s.content.mask} {s.name}\n"
        for subset, loaded in (("train", train), ("val", val))
        for s in loaded
    ]
    return files.sha256("".join(lines).encode(errors="surrogateescape"))


def peak_memory(device: torch.device) -> int:
    """The most bytes that this process has held so far, those on a CUDA device included.

    0 where the system does not tell.
    """
    on_device = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else 0
    return _peak_resident() + on_device


def _peak_resident() -> int:
    # Not getrusage on Linux: it counts what the parent held before this program was started.
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    if sys.platform == "darwin":
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return 0
