"""``python -m core.cli``: the same as ``petseg``, where only the interpreter is known."""

from __future__ import annotations

from core.cli.main import main

if __name__ == "__main__":
    main()
