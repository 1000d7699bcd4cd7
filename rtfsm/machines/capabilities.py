"""What a wire can do. A flag picks arms when the tables are built; nothing asks for it at run time.

So each profile has its own, smaller tables and diagrams, and the checker sees which cells a profile can reach.
"""

from __future__ import annotations

from enum import Enum

import attrs

__all__ = ["Capabilities", "Ids", "Match"]


class Ids(Enum):
    WIRE = "every event names its response"
    MINTED = "the wire names no response; the router mints ids as the tables decide"


class Match(Enum):
    ECHO = "a response names the request that it answers"
    NEXT = "the next response is taken to answer the oldest request"


@attrs.frozen
class Capabilities:
    """The flags that the machines read.

    ids, match: see the Enums. cancel: a response can be cancelled. auto_reply: the provider answers a tool output
    unasked. result_taken: it says when it took an output. tool_cancel: it can withdraw a call. hold_calls: a call is
    trusted only once its response is done. out_of_band: responses outside the conversation, in parallel. say: it can
    speak given words. resettable: the conversation can begin anew on the same connection. going_away: connections are
    cut by a limit that is known beforehand. request_errors: a request can be refused. resumable: another connection can
    go on with the conversation of one that was lost. takes_back: what was said can be taken out of the provider's
    conversation, wholly or from a moment on.
    """

    ids: Ids
    match: Match
    cancel: bool = False
    auto_reply: bool = False
    result_taken: bool = False
    tool_cancel: bool = False
    hold_calls: bool = False
    out_of_band: bool = False
    say: bool = False
    resettable: bool = False
    going_away: bool = False
    request_errors: bool = False
    resumable: bool = False
    takes_back: bool = False

    @property
    def minted(self) -> bool:
        return self.ids is Ids.MINTED
