"""Plays a conversation up to a moment, lets the fault strike, and serves whatever the client does then."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from rtfsm.testing.phonic_server import CallEnded

from .conversation import Moment, rest_after, way_to
from .expected import Kind, Stretch
from .faults import Fault
from .stage import Stage, Stuck

__all__ = ["Playing"]

SILENT = 40.0
"""Seconds for which a silent server is silent: longer than a turn may stay open without content."""
LATE = 16.0
"""Seconds between two attempts where an outage is to outlast the time in which a conversation can be taken up: two of
them do."""

DOORS = (Stretch.DOOR, Stretch.RESUMING_DOOR, Stretch.LATE_DOOR, Stretch.EVERY_DOOR, Stretch.GONE)
"""Stretches in which a fault strikes at a handshake."""
_EACH = (Stretch.EVERY_DOOR, Stretch.EVERY_OPENING, Stretch.GONE)


class Playing:
    """One fault at one moment. struck: whether it has struck. seconds: from then on, until something came of it.

    connections, ran: how many connections there had been then, and whether the conversation had run.
    """

    def __init__(self, moment: Moment, fault: Fault) -> None:
        self.moment = moment
        self.fault = fault
        self.stage = Stage(retry_interval=LATE if moment.stretch is Stretch.LATE_DOOR else None)
        self.struck = False
        self.seconds = 0.0
        self.connections = 0
        self.ran = False

    async def play(self) -> None:
        stage, stretch = self.stage, self.moment.stretch
        *way, last = way_to(self.moment)
        at_the_door = stretch in (Stretch.DOOR, Stretch.EVERY_DOOR)
        if at_the_door:
            self._knock()
        stage.open()
        await stage.configure()
        if not at_the_door:
            await stage.until(lambda: stage.server.connections)
            for moment in way:
                await stage.arrives(moment.play, pause=moment.pauses)
            if stretch in DOORS:
                await stage.settle()
                self._knock()
            self._before()
            await last.play(stage)
            if not self.fault.in_flight and stretch is not Stretch.CLOSING and stretch not in DOORS:
                await stage.settle()
        self._before()
        self._began = asyncio.get_running_loop().time()
        self.struck = True
        if stretch in DOORS:
            await self._pass_the_door()
        else:
            await self._strike()
            await self._see()
        self.seconds = asyncio.get_running_loop().time() - self._began

    def _before(self) -> None:
        """What is so when the fault strikes."""
        stage = self.stage
        self.connections, self.attempts = len(stage.server.connections), stage.server.attempts
        self.ran = stage.consents > 0

    def _knock(self) -> None:
        self.stage.always = self.moment.stretch in _EACH
        self.stage.knocked = self.fault
        if self.fault.nobody:
            self.stage.server.stop_listening()

    async def _pass_the_door(self) -> None:
        """At the door: the fault strikes by itself. Where nothing listens, somebody does after the first attempt."""
        stage = self.stage
        if self.fault.nobody and not stage.always:
            await stage.until(lambda: self._refused() > stage.outages)
            await stage.settle()
            await stage.server.listen()
        await self._see()

    def _refused(self) -> int:
        """How many connections and attempts were lost. A refusal takes no time: only what was told shows it."""
        told = ["", *(turn.session for turn in self.stage.host.turns)]
        return sum(now == "RECONNECTING" != before for before, now in itertools.pairwise(told))

    async def _strike(self) -> None:
        strike = self.fault.strike
        assert strike is not None
        if self.moment.stretch is Stretch.CLOSING:
            await asyncio.sleep(0)
        try:
            await strike(self.stage.connection)
        except CallEnded:
            if self.moment.stretch is not Stretch.CLOSING:
                raise

    async def _see(self) -> None:
        """Wait until something has come of it, and let the server do its part."""
        stage, kind = self.stage, self.fault.kind
        if self.moment.stretch is Stretch.CLOSING:
            await stage.closed()
        elif kind is Kind.GARBAGE:
            await stage.settle()
            await self._go_on()
        elif kind is Kind.SILENCE and self.moment.stretch is Stretch.RUNNING:
            await stage.passes(SILENT)
        else:
            await self._follow()

    async def _go_on(self) -> None:
        """The server goes on as if nothing had happened."""
        stage = self.stage
        if self.moment.stretch is Stretch.ENDING:
            await self._until(lambda: stage.state == "CLOSED")
            return
        if self.moment.stretch is Stretch.RESUMING:
            await stage.consent()
        elif self._is_untouched():
            for moment in rest_after(self.moment):
                await stage.arrives(moment.play, pause=moment.pauses)
                if not self._is_untouched():
                    break
        await stage.settle()

    def _is_untouched(self) -> bool:
        return self.stage.server.attempts == self.attempts and self.stage.state not in ("CLOSED", "CLOSING")

    async def _follow(self) -> None:
        """Serve every connection that the client makes, until it runs or is over."""
        stage = self.stage
        served = self.connections
        while True:
            if not await self._arrives(served) or stage.state == "CLOSED":
                return
            served += 1
            if self.moment.stretch is Stretch.EVERY_OPENING:
                await stage.call.expect("config")
                await self._strike()
            elif await stage.consent():
                await self._until(lambda: stage.state in ("READY", "CLOSED"))
                return

    async def _arrives(self, served: int) -> bool:
        """Wait for the connection after so many, or for the end."""
        stage = self.stage
        return await self._until(lambda: len(stage.server.connections) > served or stage.state == "CLOSED")

    async def _until(self, predicate: Any) -> bool:
        try:
            await self.stage.until(predicate, 100.0)
        except Stuck:
            return False
        return True
