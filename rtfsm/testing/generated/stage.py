"""A Phonic session whose connections do nothing by themselves, and a host that writes down all it is told.

The codec, the shell, the machines and LiveKit's streams are the real ones. Everything that is done to them and
everything that comes of it goes into one log, in the order in which it happens.
"""

from __future__ import annotations

import asyncio
from typing import Any

import attrs
from livekit.agents import llm
from livekit.agents.utils.aio.channel import ChanClosed, ChanEmpty

from rtfsm.adapters import livekit
from rtfsm.adapters.livekit.provider import Settings, Sink
from rtfsm.adapters.phonic import RealtimeModel, RealtimeSession
from rtfsm.adapters.phonic.provider import PhonicProvider
from rtfsm.machines import Conversation, Timing
from rtfsm.testing.memory import MemoryTransport

__all__ = ["Entry", "Host", "Line", "StagedSession"]

TOLD = (
    "generation_created", "input_speech_started", "input_speech_stopped", "input_audio_transcription_completed",
    "error", "session_reconnected", "conversation_ended", "tool_call_ended", "tool_output_dropped",
)  # fmt: skip


@attrs.frozen
class Entry:
    """at: seconds on the loop's clock. who: ``wire`` (the server, or the connection), ``host``, ``time``, ``client`` (a
    frame was sent) or ``told`` (the host was told something). what: its name. data: what belongs to it."""

    at: float
    who: str
    what: str
    data: dict[str, Any]

    def __str__(self) -> str:
        shown = " ".join(f"{name}={value!r}" for name, value in self.data.items())
        return f"{self.at:9.3f} {self.who:6} {self.what} {shown}"


class Line(MemoryTransport):
    """A connection that closes only when it is told that it is lost: a client's wish is noted, and that is all."""

    def __init__(self, epoch: int, sink: Sink, host: Host, resumes: str | None, earlier: Line | None) -> None:
        super().__init__(epoch, sink, resumes, earlier)
        self._host = host

    @property
    def opened(self) -> bool:
        return self._opened

    def send(self, frame: str, *, droppable: bool = False) -> None:
        count = len(self.sent)
        super().send(frame, droppable=droppable)
        for message in self.sent[count:]:
            self._host.note("client", message["type"], epoch=self.epoch, message=message)

    def close(self, *, abort: bool = False) -> None:
        self.closing = True
        self._host.note("client", "closes", epoch=self.epoch, abort=abort)


class _Provider(PhonicProvider):
    def __init__(self, host: Host) -> None:
        self.lines: list[Line] = []
        self._host = host

    def connect(self, settings: Settings, epoch: int, sink: Sink) -> Line:  # type: ignore[override]
        self._host.note("client", "connects" if settings.resumes is None else "resumes", epoch=epoch)
        self.lines.append(Line(epoch, sink, self._host, settings.resumes, self.lines[-1] if self.lines else None))
        return self.lines[-1]


class StagedSession(RealtimeSession):
    """A session of Phonic's on such connections. timing: the machines' durations."""

    def __init__(self, model: RealtimeModel, host: Host, *, timing: Timing, retries: int) -> None:
        self.provider = _Provider(host)
        conversation = Conversation(self.provider.capabilities, timing, retries=retries)
        livekit.RealtimeSession.__init__(self, model, self.provider, conversation, model._options.copy())

    @property
    def line(self) -> Line:
        """The present connection."""
        return self.provider.lines[-1]

    @property
    def sink(self) -> Sink:
        """What a connection reports to, for reports that no decent connection makes."""
        return self._shell

    @property
    def failed_effects(self) -> int:
        return self._shell.failed_effects


def _drain(channel: Any) -> list[Any]:
    items = []
    while True:
        try:
            items.append(channel.recv_nowait())
        except (ChanEmpty, ChanClosed):
            return items


class Host:
    """Listens as LiveKit does, reads all words at once, and the sound when it is told to. log: everything in order."""

    def __init__(self) -> None:
        self.log: list[Entry] = []
        self.futures: list[asyncio.Future[llm.GenerationCreatedEvent]] = []
        self._generations: list[llm.GenerationCreatedEvent] = []
        self._messages: list[tuple[int, llm.MessageGeneration]] = []
        self._ended: set[tuple[str, int]] = set()

    def attend(self, session: StagedSession) -> None:
        """Listen from now on."""
        for name in TOLD:
            session.on(name, self._recorder(name))  # type: ignore[arg-type]

    def note(self, who: str, what: str, **data: Any) -> None:
        """Write something down."""
        self.log.append(Entry(asyncio.get_running_loop().time(), who, what, data))

    def _recorder(self, name: str) -> Any:
        def told(*payload: Any) -> None:
            opened = len(self.open)
            if name == "generation_created":
                self._generations.append(payload[0])
                self.note("told", name, n=len(self._generations) - 1, asked=payload[0].user_initiated, open=opened)
            elif name == "error":
                self.note("told", name, recoverable=payload[0].recoverable, open=opened, pending=self.pending)
            elif name == "input_audio_transcription_completed":
                self.note("told", name, text=payload[0].transcript)
            elif name == "conversation_ended":
                self.note("told", name, code=payload[0], open=opened, pending=self.pending)
            else:
                known = payload[0] if payload and isinstance(payload[0], str) else None
                self.note("told", name, open=opened, **({} if known is None else {"id": known}))

        return told

    @property
    def open(self) -> list[int]:
        """Generations whose streams have not ended."""
        return [n for n, one in enumerate(self._generations) if not _sealed(one)]

    @property
    def pending(self) -> int:
        """Futures that have not ended."""
        return sum(not future.done() for future in self.futures)

    def read(self) -> None:
        """Take all words and calls that are there, and note which streams and futures have ended."""
        for n, event in enumerate(self._generations):
            for message in _drain(event.message_stream):
                self._messages.append((n, message))
                self.note("told", "message", generation=n, m=len(self._messages) - 1)
            for call in _drain(event.function_stream):
                self.note("told", "call", generation=n, id=call.call_id, name=call.name)
        for m, (n, message) in enumerate(self._messages):
            text: Any = message.text_stream
            for words in _drain(text):
                self.note("told", "words", generation=n, m=m, text=str(words))
            if text.closed and self._first("message", m):
                self.note("told", "message ends", m=m, both=bool(message.audio_stream.closed))  # type: ignore[attr-defined]
        for n, event in enumerate(self._generations):
            if _sealed(event) and self._first("generation", n):
                self.note("told", "generation ends", n=n)
        for f, future in enumerate(self.futures):
            if future.done() and self._first("future", f):
                self.note("told", "future", n=f, **self._outcome(future))

    def hear(self) -> None:
        """Take all sound that is there, the oldest message first: that is how the host begins to play."""
        for _, message in self._messages:
            _drain(message.audio_stream)

    def _first(self, kind: str, n: int) -> bool:
        first = (kind, n) not in self._ended
        self._ended.add((kind, n))
        return first

    def _outcome(self, future: asyncio.Future[llm.GenerationCreatedEvent]) -> dict[str, Any]:
        if future.cancelled():
            return {"outcome": "cancelled"}
        error = future.exception()
        if error is not None:
            return {"outcome": type(error).__name__, "why": str(error)}
        event = future.result()
        streams = [one.message_stream for one in self._generations]
        known = [n for n, stream in enumerate(streams) if stream is event.message_stream]
        return {"outcome": "answered", "generation": known[0] if known else None}


def _sealed(event: llm.GenerationCreatedEvent) -> bool:
    streams: Any = (event.message_stream, event.function_stream)
    return all(stream.closed for stream in streams)
