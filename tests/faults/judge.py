"""Plays one fault at one moment, and says what came of it and what was wrong on the way."""

from __future__ import annotations

import asyncio
import logging
import traceback
import warnings
from typing import Any

import attrs

from rtfsm.testing.log_watch import LogWatch
from rtfsm.testing.virtual_time import VirtualTimeError, run
from tests.adapter.stage import KEY

from .conversation import NEXT_TURN, Moment
from .expected import CLOSE_LIMIT, SECONDS, TABLE, End, Kind, Stretch
from .faults import Fault
from .playing import DOORS, Playing
from .stage import WELCOME

__all__ = ["Verdict", "applies", "judged"]

LIMIT = 900.0
"""Virtual seconds for everything."""
STUCK = "nothing came of it"


@attrs.frozen
class Verdict:
    """seen: how it ended, in the words of :class:`End`, or what happened in place of any of them. complaints: what
    else was wrong. seconds: virtual ones, from the fault to its end."""

    moment: Moment
    fault: Fault
    expected: End
    seen: str
    complaints: tuple[str, ...]
    seconds: float

    @property
    def holds(self) -> bool:
        return self.seen == self.expected.value and not self.complaints

    def __str__(self) -> str:
        head = f"after {self.moment.name}: {self.fault.name}: expected {self.expected.value!r}, seen {self.seen!r}"
        return "\n    ".join([head, *self.complaints])


def applies(moment: Moment, fault: Fault) -> bool:
    """Whether there is such a pair."""
    if fault.kind not in TABLE[moment.stretch] or not (fault.everywhere or moment.is_notable):
        return False
    if moment.stretch in DOORS:
        return fault.at_a_handshake
    # In flight: there is something that was sent, and it can be read or not.
    return fault.strike is not None and (not fault.in_flight or moment.stretch in (Stretch.OPENING, Stretch.RUNNING))


class _Watch(LogWatch):
    """What the client's side logs. ``shown``: all warnings and errors, to be searched for what must not be shown."""

    def __init__(self) -> None:
        super().__init__(loggers=("rtfsm", "asyncio", "livekit.agents", "websockets"))
        self.shown: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith(("rtfsm.testing", "websockets.server")):
            self.shown.append(logging.Formatter().format(record))
            super().emit(record)


def judged(moment: Moment, fault: Fault) -> Verdict:
    """Play it, in virtual time."""
    judging = _Judging(moment, fault)
    complaints = judging.complaints
    watch = _Watch()
    with watch, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", ResourceWarning)
        try:
            run(judging.main(), limit=LIMIT)
        except VirtualTimeError as error:
            complaints.append(f"{type(error).__name__}: {error}")
    complaints += watch.violations
    complaints += [f"left open: {one.message}" for one in warned if issubclass(one.category, ResourceWarning)]
    if any(KEY in line for line in watch.shown):
        complaints.append("the API key is in the log")
    expected = TABLE[moment.stretch][fault.kind]
    return Verdict(moment, fault, expected, judging.seen, tuple(dict.fromkeys(complaints)), judging.seconds)


class _Judging:
    def __init__(self, moment: Moment, fault: Fault) -> None:
        self.moment = moment
        self.fault = fault
        self.seen = STUCK
        self.seconds = 0.0
        self.complaints: list[str] = []

    async def main(self) -> None:
        self.played = played = Playing(self.moment, self.fault)
        self.stage = stage = played.stage
        async with stage.server:
            try:
                await played.play()
                self.seen, self.seconds = self._name(), played.seconds
                await self._check_end()
            except Exception as error:  # whatever it is: the run has to be cleared up, and is a difference
                place = traceback.extract_tb(error.__traceback__)[-1]
                self.complaints.append(f"{type(error).__name__}: {error} ({place.name}, line {place.lineno})")
                if played.struck and self.seen == STUCK:
                    self.seen = self._name()
            if hasattr(stage, "session"):
                await self._end()
        for connection in stage.server.connections:
            self.complaints += [f"connection {connection.number}, {error}" for error in connection.client_errors]
        await asyncio.sleep(0)
        self._look_for_leaks()

    # -- what came of it -------------------------------------------------------------------------------------------

    @property
    def _fatal(self) -> list[Any]:
        return [error for error in self.stage.host.named("error") if not error.recoverable]

    def _name(self) -> str:
        """How it ended: by what the host was told, and by what the server saw."""
        stage = self.stage
        fatal, ended = len(self._fatal), len(stage.host.named("conversation_ended"))
        if fatal + ended > 1:
            return f"the end was told {fatal + ended} times"
        if stage.state == "CLOSED":
            if self.moment.stretch is Stretch.CLOSING and not fatal + ended:
                return End.CLOSED.value
            return End.FAILED.value if fatal else End.ENDED.value if ended else "closed without a word"
        if fatal or ended:
            return f"told as the end, and {stage.state}"
        if stage.state != "READY":
            return f"{STUCK}: {stage.state}"
        if len(stage.server.connections) == self.played.connections and self.moment.stretch is not Stretch.RESUMING:
            there = self.played.connections and not stage.connection.closed.is_set()
            return End.GOES_ON.value if there else f"{STUCK}: {stage.state}"
        configured = "config" in stage.connection.received_types()
        if "reconnect_conv_id" in stage.connection.query:
            same = stage.connection.conversation_id == stage.server.connections[0].conversation_id
            if configured:
                return "resumed with a configuration"
            return End.RESUMED.value if same else "resumed as another conversation"
        return End.AGAIN.value if configured else "connected again and not configured"

    def _demand(self, fact: object, otherwise: str) -> None:
        if not fact:
            self.complaints.append(otherwise)

    async def _check_end(self) -> None:
        stage, host = self.stage, self.stage.host
        limit, special = SECONDS[self.moment.stretch]
        limit = special.get(self.fault.kind, limit)
        if self.seen in (End.RESUMED.value, End.AGAIN.value, End.ENDED.value, End.FAILED.value, End.CLOSED.value):
            self._demand(self.seconds <= limit, f"it took {self.seconds:.2f} s, and {limit:.2f} at most was expected")
        recoverable = [error for error in host.named("error") if error.recoverable]
        self._demand(
            len(recoverable) <= self.fault.error, f"{len(recoverable)} errors were told that can be recovered from"
        )
        for error in host.named("error"):
            self._demand(KEY not in f"{error!r} {error.error!r} {error.error}", "the API key is in an error")
        if self.seen == End.FAILED.value and self.fault.code is not None:
            self._demand(str(self.fault.code) in str(self._fatal[0].error), "the error does not say the code")
        if self.seen == End.ENDED.value and self.moment.stretch is not Stretch.ENDING:
            self._demand(host.named("conversation_ended") == [self.fault.code], "the end is told with another code")
        if self.seen == End.GOES_ON.value and self.fault.kind is Kind.GARBAGE:
            counted = sum(stage.session.turn.malformed.values())
            self._demand(counted == self.fault.unreadable, f"{counted} frames are counted as unreadable")
        reconnected = len(host.named("session_reconnected"))
        again = stage.consents - 1 if stage.consents and self.played.ran else 0
        self._demand(reconnected == again, f"session_reconnected was told {reconnected} times, {again} expected")
        if stage.state == "READY":
            await self._check_new_life()

    async def _check_new_life(self) -> None:
        """The conversation runs again, or still: what was pending has ended, and the next turn is heard."""
        stage, host = self.stage, self.stage.host
        if self.seen != End.GOES_ON.value:
            asked = [name for name in stage.connection.received_types() if name in ("say", "generate_reply")]
            pending = sum(not future.done() for future in host.futures)
            # What was not sent yet may be asked for on the new connection; what was, has ended with the old one.
            self._demand(pending == len(asked), f"a future is pending: {pending} are, and {len(asked)} are asked for")
            self._demand(not host.open, "a stream of the lost connection is open")
            self._demand(not host.speaking, "the host believes that the user still speaks")
            ended = [id for id, _ in host.named("tool_call_ended")]
            open_calls = [call.call_id for call in host.owed if call.call_id not in stage.given]
            self._demand(
                ended == open_calls, f"the ends of {len(ended)} tool calls are told, {len(open_calls)} were open"
            )
        if self.seen == End.AGAIN.value:
            self._check_configuration()
        self.complaints += await stage.answer_requests()
        self.complaints += await stage.user_turn(*NEXT_TURN)
        await self._give_late_outputs()
        sound = any(record.type == "audio_chunk" for record in stage.connection.received)
        self._demand(sound, "the user's sound does not arrive")

    def _check_configuration(self) -> None:
        """A new conversation knows what was said in the old one, and greets nobody again."""
        stage = self.stage
        (config,) = [record.message or {} for record in stage.connection.received if record.type == "config"]
        self._demand(
            config.get("welcome_message") == (None if self.played.ran else WELCOME), "the welcome is the wrong one"
        )
        prompt = config.get("system_prompt", "")
        said = [one.text.strip() for one in stage.host.generations]
        said += [heard.transcript for heard in stage.host.named("input_audio_transcription_completed")]
        self._demand(all(text in prompt for text in said), "the new conversation does not know what was said")

    async def _give_late_outputs(self) -> None:
        """What a tool returns after the fault is sent, or told as dropped."""
        stage, host = self.stage, self.stage.host
        for call in host.owed:
            if call.call_id not in stage.given:
                await host.output(call)
                await stage.settle()
                sent = "tool_call_output" in stage.connection.received_types()
                self._demand(sent or call.call_id in host.named("tool_output_dropped"), "a tool's output is lost")

    # -- the end ---------------------------------------------------------------------------------------------------

    async def _end(self) -> None:
        stage = self.stage
        await stage.closed()
        self._demand(stage.close_took <= CLOSE_LIMIT + 0.1, f"the close took {stage.close_took:.2f} s")
        stage.push()
        try:
            stage.host.check_closed()
        except AssertionError as error:
            self.complaints.append(f"after the close: {error}")
        if stage.heard != stage.read:
            lost = len(stage.read) - len(stage.heard)
            self.complaints.append(f"{len(stage.read)} words were read and {len(stage.heard)} heard ({lost} lost)")
        self._demand(not stage.session._shell.host.requests, "a request is still held")

    def _look_for_leaks(self) -> None:
        loop: Any = asyncio.get_running_loop()
        # One registered file is the loop's own wake-up pipe.
        self._demand(len(loop._selector.get_map()) <= 1, f"{len(loop._selector.get_map()) - 1} sockets are left")
        timers = [getattr(one._callback, "__qualname__", "?") for one in loop._scheduled if not one.cancelled()]
        self._demand(not timers, f"timers are left: {', '.join(timers)}")
