"""Who speaks: runs the assistant's jobs one after another, and cuts them when the user barges in."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from rtfsm.testing.phonic_server import messages
from rtfsm.testing.phonic_server.call import Call
from rtfsm.testing.phonic_server.turns import AssistantTurn

Job = Callable[[], Awaitable[None]]


class Floor:
    """The assistant's side of the floor: at most one job runs, later ones wait for it.

    Being interrupted is judged by what a listener has heard by now, not by what has been sent: audio that was streamed
    ahead is cut where its playback stands.
    """

    def __init__(self, call: Call, *, finish_when_played: bool) -> None:
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Gets the exception of a job that failed."""
        # A conversation that is already being torn down no longer waits for it: that is no defect of the loop's.
        self.failed.add_done_callback(lambda failed: failed.cancelled() or failed.exception())
        self._call = call
        self._finish_when_played = finish_when_played
        self._jobs: deque[Job] = deque()
        self._running: asyncio.Task[None] | None = None
        self._turn: AssistantTurn | None = None
        self._bracket_open = False

    def add(self, job: Job) -> None:
        """Run a job after those that are there already."""
        self._jobs.append(job)
        if self._running is None:
            self._running = asyncio.create_task(self._drain(), name="phonic-server-floor")
            self._running.add_done_callback(self._ended)

    async def speak(self, text: str, *, interruptible: bool = True, until_played: bool = True) -> None:
        """Within a job: say a turn. Returns when a listener has heard it, or else as soon as it is sent."""
        turn = self._call.turn(text, interruptible=interruptible)
        if not turn.words:
            return
        self._turn = turn
        self._bracket_open = True
        await self._call.speak(turn, finish_when_played=self._finish_when_played)
        self._bracket_open = False
        if until_played:
            await self._call.played(turn)

    async def played(self) -> None:
        """Within a job: wait until a listener has heard what was said."""
        if self._turn is not None:
            await self._call.played(self._turn)

    @property
    def interruptible(self) -> bool:
        """Whether the user's voice may cut what is being said now."""
        playing = self._turn is not None and self._turn.playing(self._call.now)
        return not playing or self._turn is None or self._turn.interruptible

    def cut(self) -> str | None:
        """Stop everything. Returns the words heard of the turn that was cut, or None if nothing was being heard."""
        turn, self._turn = self._turn, None
        now = self._call.now
        heard = turn.heard(now) if turn is not None and turn.playing(now) else None
        self._jobs.clear()
        if self._running is not None:
            self._running.cancel()
            self._running = None
        self._call.stop_playing()
        return heard

    async def close_bracket(self) -> None:
        """Send the closing bracket of a turn that was cut before it had one."""
        if self._bracket_open:
            self._bracket_open = False
            await self._call.send(messages.assistant_finished_speaking())

    def forget_bracket(self) -> None:
        """Leave the cut turn without its closing bracket."""
        self._bracket_open = False

    async def _drain(self) -> None:
        while self._jobs:
            await self._jobs.popleft()()

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task is self._running:
            self._running = None
        if not task.cancelled() and (error := task.exception()) is not None and not self.failed.done():
            self.failed.set_exception(error)
