"""What the wires of known providers can do, in the machines' own flags. One row a provider, nothing else.

Sources: the providers' public protocol descriptions and SDKs, September 2026.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from rtfsm.machines.capabilities import Capabilities, Ids, Match

__all__ = ["GEMINI", "OPENAI", "OPENAI_TRUSTED", "PHONIC", "PROFILES", "WIDEST"]

PHONIC = Capabilities(
    Ids.MINTED,
    Match.NEXT,
    auto_reply=True,
    result_taken=True,
    tool_cancel=True,
    say=True,
    resettable=True,
    resumable=True,
)
OPENAI = Capabilities(
    Ids.WIRE,
    Match.ECHO,
    cancel=True,
    hold_calls=True,
    out_of_band=True,
    going_away=True,
    request_errors=True,
    takes_back=True,
)
"""OpenAI's protocol, as anybody may serve it: no call is trusted before its response is done."""
OPENAI_TRUSTED = attrs.evolve(OPENAI, hold_calls=False)
"""The same at OpenAI's own servers, whose word on the status of a call is to be believed."""
GEMINI = Capabilities(Ids.MINTED, Match.NEXT, auto_reply=True, tool_cancel=True, going_away=True)
WIDEST = Capabilities(
    Ids.WIRE,
    Match.ECHO,
    cancel=True,
    auto_reply=True,
    result_taken=True,
    tool_cancel=True,
    hold_calls=True,
    out_of_band=True,
    say=True,
    resettable=True,
    going_away=True,
    request_errors=True,
    resumable=True,
    takes_back=True,
)
"""Every capability of a wire with response ids."""

PROFILES: Mapping[str, Capabilities] = {
    "phonic": PHONIC,
    "openai": OPENAI,
    "openai-trusted": OPENAI_TRUSTED,
    "gemini": GEMINI,
    "widest": WIDEST,
}
