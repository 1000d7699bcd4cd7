"""Plays an ordering: every move is made, whatever comes of it is let come, and the laws are asked."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from rtfsm.targets import UsageError
from rtfsm.testing.contract import WATCHES, Probe
from rtfsm.testing.virtual_time import VirtualTimeError, run

from . import word_laws as _word_laws  # noqa: F401  they join LAWS
from .agent_host import AgentHost
from .agent_laws import AGENT_LAWS, AGENT_WATCHES
from .dialect import Connection, Dialect, Talk, Wire
from .direct_host import DirectHost
from .findings import Finding
from .host import Host
from .laws import LAWS, Case, Law, Made, Moment, judged
from .moves import Move, Ordering
from .target import Target

__all__ = ["HOSTS", "play"]

LIMIT = 3600.0
"""Virtual seconds that an ordering may take."""
REST = 130.0
"""Seconds after which every wait of a session has had its time: a tool call's minute twice, and some."""
LET_IN = 2.0
"""Seconds that a session is given to be configured and let in before the first move."""
Watch = Callable[[Move | None, Case], None]
"""Told of each move before it is made, and with None when the conversation is at rest and when it has been closed."""
HOSTS: Mapping[str, tuple[Callable[[Wire, Ordering], Host], Sequence[Law], Sequence[Probe]]] = {
    "direct": (DirectHost, LAWS, WATCHES),
    "agent": (AgentHost, AGENT_LAWS, AGENT_WATCHES),
}
"""Who may call the sessions, and what is demanded of a session then."""


def play(
    dialect: Dialect,
    target: Target,
    ordering: Ordering,
    *,
    host: str = "direct",
    memory: bool = True,
    watch: Watch | None = None,
) -> list[Finding]:
    """What is wrong under this ordering, in virtual time; empty where nothing is.

    memory: without sockets, where the target can. host: who calls the session, ``direct`` or ``agent``. Raises
    UsageError where the target cannot be used at all.
    """
    try:
        return run(_play(dialect, target, ordering, memory, watch, host), limit=LIMIT, leftover="cancel")
    except VirtualTimeError as error:
        return [Finding("the-run-ends", f"the run ended in {type(error).__name__}")]


async def _play(
    dialect: Dialect, target: Target, ordering: Ordering, memory: bool, watch: Watch | None, who: str
) -> list[Finding]:
    loop = asyncio.get_running_loop()
    make, laws, watches = HOSTS[who]
    log = _Log()
    root = logging.getLogger()
    level = root.level
    root.addHandler(log)
    root.setLevel(min(level, logging.INFO) or logging.INFO)
    findings: list[Finding] = []
    try:
        async with dialect.open(target, handshake=ordering.handshake, memory=memory) as wire:
            host = make(wire, ordering)
            case = Case(ordering, dialect, wire, host, log.records)
            player = _Player(case, watch)
            try:
                await player.run()
                findings += judged(case, laws, watches, Moment.REST)
                if watch is not None:
                    watch(None, case)
                await player.last_turn()
                findings += judged(case, laws, watches, Moment.LAST_TURN)
            finally:
                await host.ends()
        await asyncio.sleep(0.05)
        await host.leaves()
        findings += judged(case, laws, watches, Moment.CLOSED)
        if watch is not None:
            watch(None, case)
    finally:
        root.removeHandler(log)
        root.setLevel(level)
    # What a session forgot in its tasks shows when they are collected; the laws have been asked already.
    loop.set_exception_handler(lambda *_: None)
    return list(dict.fromkeys(findings))


class _Log(logging.Handler):
    """Everything that is logged from INFO on, with its traceback."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.records: list[str] = []
        self._formatter = logging.Formatter("%(name)s %(levelname)s: %(message)s")

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(self._formatter.format(record))


class _Player:
    def __init__(self, case: Case, watch: Watch | None) -> None:
        self.case = case
        self.wire: Wire = case.wire
        self._watch = watch

    async def run(self) -> None:
        """Open a session, make every move, and let it come to rest."""
        case, loop = self.case, asyncio.get_running_loop()
        await case.host.begins()
        if case.ordering.handshake:
            until = loop.time() + LET_IN
            while not any(one.running for one in self.wire.connections) and loop.time() < until:
                await self.wire.settle()
        await self.wire.settle()
        for move in case.ordering.moves:
            if self._watch is not None:
                self._watch(move, case)
            case.step += 1
            case.made.append(Made(loop.time(), case.step, move))
            try:
                if move.kind == "host outputs":
                    await self._output(move)
                    continue
                await self._make(move)
            except (AttributeError, KeyError, TypeError) as error:
                # What a target raises is taken where it is called. This is a file that somebody has edited.
                raise UsageError(f"move {case.step} cannot be made: nobody knows {move} ({error})") from error
            if not move.at_once:
                await self.wire.settle()
        for connection in self._open():
            for move in self._talk(connection).last_words():
                await self._finish(connection, move)
        case.host.reads_all()
        await asyncio.sleep(REST)
        for number, witness in enumerate(case.host.witnesses):
            if number not in case.host.closed:
                await witness.at_rest()

    async def last_turn(self) -> None:
        """Whatever happened: on each connection the agent speaks once more."""
        case = self.case
        for number, connection in enumerate(self._open()):
            words = f"last-{number}-"
            case.last_words.append(words)
            for move in self._talk(connection).whole_turn(words):
                await self._finish(connection, move)
                await self.wire.settle()
        await asyncio.sleep(1.0)

    @property
    def _outputs(self) -> int:
        return sum(len(one.outputs) for one in self.wire.connections)

    async def _output(self, move: Move) -> None:
        """The host gives an output; does the provider get it?"""
        case = self.case
        given, before = set(case.host.given), self._outputs
        await self._make(move)
        if not move.at_once:
            await self.wire.settle()
            if self._outputs > before:
                case.answered.add(case.step)
            else:
                case.kept |= set(case.host.given) - given

    def _open(self) -> list[Connection]:
        return [one for one in self.wire.connections if one.open]

    def _talk(self, connection: Connection) -> Talk:
        talks = self.case.talks
        if connection not in talks:
            # Numbers of its own: what brings an ordering to its end is about nothing that a move has named.
            talks[connection] = self.case.dialect.talk(begun=self.case.ordering.handshake, number=100 + len(talks))
        return talks[connection]

    async def _make(self, move: Move) -> None:
        if move.who == "time":
            await asyncio.sleep(move.args["seconds"])
        elif move.who == "host":
            await self.case.host.do(move)
        else:
            connections = self._open()
            connection = connections[min(move.on, len(connections) - 1)] if connections else None
            if move.who == "wire":
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self.wire.befall(connection, move), 30.0)
            elif connection is not None:
                await self._say(connection, move)

    async def _finish(self, connection: Connection, move: Move) -> None:
        self.case.made.append(Made(asyncio.get_running_loop().time(), self.case.step + 1, move))
        await self._say(connection, move)

    async def _say(self, connection: Connection, move: Move) -> None:
        self._talk(connection).said(move)
        await self.wire.deliver(connection, move)
