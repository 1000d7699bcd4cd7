"""Plays every story with the official plugin and with ours: ``python -m tests.peers --write docs/peers.md``."""

from __future__ import annotations

import sys

from .report import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
