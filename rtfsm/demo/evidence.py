"""What the host's side can show for itself: what the speaker played, what the history remembers, what the tool did."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from rtfsm.testing.headless import Call

from .caller import Voice

__all__ = ["Evidence", "Exchange", "Spoken", "gather"]


@attrs.frozen
class Spoken:
    """A message of the agent. text: as the history has it. cut: the history says that it was interrupted. heard:
    seconds that sounded. ended: when it sounded no more, on the loop's clock, or None. stopped: the speaker was told to
    stop before its end."""

    text: str = attrs.field(repr=False)
    cut: bool
    heard: float
    ended: float | None
    stopped: bool

    @property
    def whole(self) -> bool:
        """It was heard to its end."""
        return self.ended is not None and not self.stopped and not self.cut and self.heard > 0


@attrs.frozen
class Exchange:
    """What the caller said, None before the first time, and what the agent said until the caller's next words."""

    caller: str | None = attrs.field(repr=False)
    agent: tuple[Spoken, ...]


@attrs.frozen
class Evidence:
    """exchanges: the conversation as the agent's history has it. unmatched: messages that were heard and are not in
    the history, or the other way round. outputs: what the tool returned. hung_up: the provider ended the call."""

    exchanges: tuple[Exchange, ...] = ()
    unmatched: int = 0
    outputs: tuple[str, ...] = attrs.field(default=(), repr=False)
    asked: bool = False
    """The reply that the agent asked for was given."""
    hung_up: bool = False
    voice: tuple[float, ...] = ()
    """When the caller began each utterance so far, on the loop's clock."""

    def answers(self, caller: int) -> Sequence[Spoken]:
        """What the agent said after the caller's words with this number, from 1; 0 is before any."""
        return self.exchanges[caller].agent if caller < len(self.exchanges) else ()

    @property
    def spoken(self) -> list[Spoken]:
        return [spoken for exchange in self.exchanges for spoken in exchange.agent]


def gather(call: Call, voice: Voice, *, outputs: Sequence[str], asked: bool, hung_up: bool) -> Evidence:
    """The evidence so far. The nth message of the agent in the history is the nth that the speaker played."""
    history = call.history()
    heard = list(call.speaker.heard)
    exchanges: list[tuple[str | None, list[Spoken]]] = [(None, [])]
    said = 0
    for role, text, interrupted in history:
        if role == "user":
            exchanges.append((text, []))
        elif role == "assistant":
            segment = heard[said] if said < len(heard) else None
            said += 1
            if segment is not None:
                spoken = Spoken(text.strip(), interrupted, segment.position, segment.finished, segment.interrupted)
                exchanges[-1][1].append(spoken)
    sounding = sum(segment.finished is None for segment in heard)
    return Evidence(
        exchanges=tuple(Exchange(caller, tuple(agent)) for caller, agent in exchanges),
        unmatched=abs(len(heard) - sounding - said),
        outputs=tuple(outputs),
        asked=asked,
        hung_up=hung_up,
        voice=_begun(call, voice),
    )


def _begun(call: Call, voice: Voice) -> tuple[float, ...]:
    """By the frames as they were sent: a busy machine sends them late."""
    sent = call.microphone.sent if call.microphone is not None else []
    if not sent:
        return ()
    size = len(sent[0].samples)
    frames = [int(start * voice.rate) // size for start, _ in voice.utterances]
    return tuple(sent[frame].at for frame in frames if frame < len(sent))
