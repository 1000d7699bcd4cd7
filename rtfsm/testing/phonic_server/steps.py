"""Scenarios as lists of steps: `script([Handshake(), Say("Hello"), Expect("generate_reply"), Close(1011)])`."""

from __future__ import annotations

import abc
from collections.abc import Awaitable, Callable, Sequence

from attrs import field, frozen

from rtfsm.testing.phonic_server.call import EXPECT_TIMEOUT_S, Call
from rtfsm.testing.phonic_server.messages import Message


class Step(abc.ABC):
    """One step of a script. Subclass it for steps of one's own."""

    __slots__ = ()

    @abc.abstractmethod
    async def run(self, call: Call) -> None:
        """Take the step."""


@frozen
class Handshake(Step):
    """Take the configuration, send conversation_created, and ready `ready_after` seconds later."""

    ready_after: float = 0.0

    async def run(self, call: Call) -> None:
        await call.handshake(ready_after=self.ready_after)


@frozen
class Expect(Step):
    """Wait for the next client message of this type, at most `timeout` seconds."""

    type: str
    timeout: float = EXPECT_TIMEOUT_S

    async def run(self, call: Call) -> None:
        await call.expect(self.type, timeout=self.timeout)


@frozen
class Send(Step):
    """Send a message `times` times."""

    message: Message = field(repr=lambda message: repr(message.get("type")))
    times: int = 1

    async def run(self, call: Call) -> None:
        for _ in range(self.times):
            await call.send(self.message)


@frozen
class Say(Step):
    """Send a whole assistant turn; `ahead` as in `Call.speak`."""

    text: str = field(repr=False)
    ahead: bool | None = None
    brackets: bool = True

    async def run(self, call: Call) -> None:
        await call.say(self.text, ahead=self.ahead, brackets=self.brackets)


@frozen
class Raw(Step):
    """Send a frame as it is: text for a str, binary for bytes."""

    frame: str | bytes

    async def run(self, call: Call) -> None:
        await call.raw(self.frame)


@frozen
class Delay(Step):
    """Let seconds pass."""

    seconds: float

    async def run(self, call: Call) -> None:
        await call.delay(self.seconds)


@frozen
class Close(Step):
    """Close the WebSocket with a code; None or 1005 for a close frame without one."""

    code: int | None = 1000
    reason: str = ""

    async def run(self, call: Call) -> None:
        await call.close(self.code, self.reason)


@frozen
class Drop(Step):
    """Abort the TCP connection without a close frame."""

    async def run(self, call: Call) -> None:
        await call.drop()


def script(steps: Sequence[Step]) -> Callable[[Call], Awaitable[None]]:
    """A scenario that takes these steps in order and then leaves the connection open."""
    fixed = tuple(steps)

    async def scenario(call: Call) -> None:
        for step in fixed:
            await step.run(call)

    return scenario
