"""The machines on one page that anybody can click through, without a network: see docs/explore.md.

The page runs no Python. It interprets tables that are made here from the declarations, and a test proves in a real
browser that it does what :func:`rtfsm.language.step` does.
"""

from .page import page
from .tables import tables

__all__ = ["page", "tables"]
