"""What a provider's message means, whoever the provider is: so much of it as a law asks for."""

from __future__ import annotations

from typing import Any

import attrs

__all__ = ["NOTHING", "QUIET", "Meaning"]


@attrs.frozen
class Meaning:
    """what: one of these, or nothing for a message of which no law knows more than that it came.

    - ``begins``, ``says``, ``ends``: a turn of the agent's; ``words`` are those of this message alone, ``seconds``
      those of its sound;
    - ``user begins``, ``user ends``: of speech; ``hears``: all the ``words`` of it; ``unheard``: there are none;
    - ``calls``: a tool call is complete, with its ``name`` and its ``arguments``; ``call over``: nobody waits for its
      output any more;
    - ``quiet``: nothing of the agent's turn or of the user's changes.

    of: the id of the turn or of the call, as the host is told it; empty where the provider gives it none.
    """

    what: str = ""
    of: str = ""
    words: str = ""
    seconds: float = 0.0
    name: str = ""
    arguments: Any = None


NOTHING, QUIET = Meaning(), Meaning("quiet")
