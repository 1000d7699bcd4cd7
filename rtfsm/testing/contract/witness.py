"""A witness of one session: what it told, what it was asked, and what its streams carried. It interferes in nothing.

    witness = Witness(model.session())
    ...any ordering of provider and host...
    await witness.close()
    findings = judge(witness)

It knows no provider and no inside of a session. Its readers take from every stream as soon as something is there.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncIterable, Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, get_args

from livekit.agents import llm
from livekit.agents.llm.realtime import EventTypes

from rtfsm.testing.log_watch import LogWatch

from .seen import Called, SeenGeneration, SeenMessage, SeenRequest, Told

__all__ = ["PASSES", "Witness"]

PASSES = 8
"""Passes of the loop within which something counts as done at once: a reader needs some to see that a stream ended."""
CLOSE_LIMIT = 30.0
"""Seconds that ``aclose()`` is given before the witness goes on without it."""
SYNC = (
    "update_options", "push_audio", "push_video", "generate_reply", "say", "commit_audio", "clear_audio", "interrupt",
    "truncate", "start_user_activity",
)  # fmt: skip
ASYNC = ("update_instructions", "update_chat_ctx", "update_tools", "_update_session", "aclose")
REQUESTS = ("generate_reply", "say")
HEARS = inspect.Signature([inspect.Parameter("event", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None)])


class Witness:
    """Attached to a session from its construction on.

    reads: take from the streams at once. Without it nobody does until ``read()``; an AgentSession wants it that way.
    host: who calls. "direct" for a test that calls the session itself and cancels by ``cancel``; "agent_session" for
    LiveKit, whose cancelled futures cannot be told from those that the session cancelled.
    """

    def __init__(self, session: llm.RealtimeSession[Any], *, reads: bool = True, host: str = "direct") -> None:
        self.session = session
        self.told: list[Told] = []
        self.called: list[Called] = []
        self.generations: list[SeenGeneration] = []
        self.requests: list[SeenRequest] = []
        self.open_after_barge_in: list[SeenGeneration] = []
        """Generations that were open when the user's speech was told, and a few passes later still."""
        self.open_after_fatal: list[SeenGeneration] = []
        """The same for the error that ends the session."""
        self.open_beside_another: list[SeenGeneration] = []
        """The same for the announcement of another generation."""
        self.loop_errors: list[str] = []
        """Types of the errors that reached nobody but the loop."""
        self.tasks_left: list[str] = []
        """Tasks of the session that are there after everything has been closed: see ``look_for_tasks``."""
        self.resting = False
        """Nothing more is under way at the provider, and every wait of the session has had its time."""
        self.closed_at: float | None = None
        self.told_at_close = 0
        """How many events had been told when ``aclose()`` returned first."""
        self.log = LogWatch()
        self.reads = reads
        self._host = host
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._before = asyncio.all_tasks()
        self._readers: set[asyncio.Task[None]] = set()
        self._tick = 0
        self._ticking = False
        self._handler = self._loop.get_exception_handler()
        self.log.__enter__()
        self._loop.set_exception_handler(self._loop_failed)
        for name in get_args(EventTypes):
            session.on(name, self._ear(name))
        for name in SYNC:
            setattr(session, name, self._wrapped(name, getattr(session, name)))
        for name in ASYNC:
            setattr(session, name, self._wrapped_async(name, getattr(session, name)))

    # -- looking back ----------------------------------------------------------------------------------------------

    def named(self, name: str) -> list[Told]:
        """The events of one name, in order."""
        return [told for told in self.told if told.name == name]

    def calls_of(self, *names: str) -> list[Called]:
        """The calls of these methods, in order."""
        return [called for called in self.called if called.name in names]

    @property
    def messages(self) -> list[SeenMessage]:
        return [message for generation in self.generations for message in generation.messages]

    @property
    def calls(self) -> list[llm.FunctionCall]:
        """The tool calls that were handed over, in order of their generations."""
        return [call for generation in self.generations for _, call in generation.calls]

    @property
    def now(self) -> float:
        """The loop's clock."""
        return self._loop.time()

    @property
    def configured(self) -> float | None:
        """When the first ``_update_session`` had returned."""
        return next((called.ended for called in self.calls_of("_update_session")), None)

    @property
    def over(self) -> bool:
        """The session rests, or was closed: everything must have ended."""
        return self.resting or self.closed_at is not None

    # -- doing -----------------------------------------------------------------------------------------------------

    def read(self) -> None:
        """Read what nobody has read, and from now on everything."""
        self.reads = True
        for generation in self.generations:
            if not generation.read:
                self._read(generation)

    def cancel(self, request: SeenRequest) -> None:
        """Cancel a future, as the host may."""
        request.cancelled_by_host = True
        request.future.cancel()

    async def passes(self, count: int = PASSES) -> None:
        """Let the loop go round, without time passing."""
        for _ in range(count):
            await asyncio.sleep(0)

    async def at_rest(self) -> None:
        """Say that nothing is under way any more: what is open now will stay so."""
        await self.passes()
        self.resting = True

    async def close(self) -> None:
        """Close the session, as often as one likes."""
        with suppress(Exception):  # noted by the wrapper
            await asyncio.wait_for(self.session.aclose(), CLOSE_LIMIT)
        await self.passes()

    def look_for_tasks(self) -> None:
        """Note what is left of the session. To be called when the provider's end has been closed too."""
        me = asyncio.current_task()
        left = asyncio.all_tasks() - self._before - self._readers - {me}
        self.tasks_left = sorted(task.get_name() for task in left if not task.done())

    async def leave(self) -> None:
        """Stop reading and listening. What was seen stays."""
        for task in self._readers:
            task.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)
        self._loop.set_exception_handler(self._handler)
        self.log.__exit__(None, None, None)

    # -- listening -------------------------------------------------------------------------------------------------

    def _now(self) -> int:
        """The number of this pass of the loop, as far as anything happened in it."""
        if not self._ticking:
            self._ticking = True
            self._loop.call_soon(self._tick_over)
        return self._tick

    def _tick_over(self) -> None:
        self._tick += 1
        self._ticking = False

    def _ear(self, name: str) -> Callable[..., None]:
        """A handler of one event. LiveKit asks each handler for its signature, each time: this one has it at hand."""

        def hear(event: Any = None) -> None:
            self._hear(name, event)

        setattr(hear, "__signature__", HEARS)  # noqa: B010  mypy knows no such attribute of a function
        return hear

    def _hear(self, name: str, event: Any) -> None:
        in_loop = threading.get_ident() == self._thread
        self.resting = False
        self.told.append(Told(self._loop.time(), self._now() if in_loop else -1, name, event, in_loop))
        if not in_loop:
            return
        if name == "generation_created":
            self._look_again(self.open_beside_another)
            generation = SeenGeneration(event, self._loop.time())
            self.generations.append(generation)
            if self.reads:
                self._read(generation)
        elif name == "input_speech_started":
            self._look_again(self.open_after_barge_in)
        elif name == "error" and not getattr(event, "recoverable", True):
            self._look_again(self.open_after_fatal)

    def _look_again(self, suspects: list[SeenGeneration]) -> None:
        """A few passes from now, note which of the generations that are open now still are."""
        open_now = [generation for generation in self.generations if generation.read and not generation.ended]

        async def look() -> None:
            await self.passes()
            suspects.extend(generation for generation in open_now if not generation.ended)

        if open_now:
            self._start(look())

    def _loop_failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self.loop_errors.append(type(error).__name__ if error is not None else str(context.get("message")))

    # -- calls of the host -----------------------------------------------------------------------------------------

    def _wrapped(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **keywords: Any) -> Any:
            called = Called(name, self._loop.time())
            self.called.append(called)
            self.resting = False
            if name == "interrupt":
                for generation in self.generations:
                    if not generation.ended and generation.interrupted_at is None:
                        generation.interrupted_at = called.at
            try:
                result = method(*args, **keywords)
            except BaseException as error:
                called.raised = error
                raise
            finally:
                called.ended = self._loop.time()
            if name in REQUESTS and asyncio.isfuture(result):
                self._asked(name, result)
            return result

        return call

    def _wrapped_async(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        async def call(*args: Any, **keywords: Any) -> Any:
            called = Called(name, self._loop.time())
            self.called.append(called)
            self.resting = False
            try:
                result = await method(*args, **keywords)
            except BaseException as error:
                called.raised = error
                raise
            finally:
                called.ended = self._loop.time()
                if name == "aclose" and self.closed_at is None:
                    self.closed_at = called.ended
                    self.told_at_close = len(self.told)
            return result

        return call

    def _asked(self, kind: str, future: asyncio.Future[llm.GenerationCreatedEvent]) -> None:
        unknown = None if self._host == "agent_session" else False
        request = SeenRequest(kind, self._loop.time(), future, cancelled_by_host=unknown)
        self.requests.append(request)

        def settled(_: object) -> None:
            request.settled = self._loop.time()
            if not future.cancelled():
                future.exception()  # seen: a failure that the test does not await is no defect of the loop's

        future.add_done_callback(settled)

    # -- readers ---------------------------------------------------------------------------------------------------

    def _start(self, reader: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(reader)
        self._readers.add(task)
        task.add_done_callback(self._readers.discard)

    def _read(self, generation: SeenGeneration) -> None:
        generation.read_since = self._loop.time()
        self._start(self._read_messages(generation))
        self._start(self._read_calls(generation))

    async def _take(
        self, stream: AsyncIterable[Any], what: str, problems: list[str], take: Callable[[Any], None]
    ) -> float:
        try:
            async for item in stream:
                take(item)
        except Exception as error:
            problems.append(f"{what} raised {type(error).__name__}")
        return self._loop.time()

    async def _read_messages(self, generation: SeenGeneration) -> None:
        def take(announced: llm.MessageGeneration) -> None:
            message = SeenMessage(announced, self._loop.time())
            generation.messages.append(message)
            self._start(self._read_text(message))
            self._start(self._read_audio(message))
            self._start(self._await_modalities(message))

        stream = generation.event.message_stream
        generation.messages_ended = await self._take(stream, "message_stream", generation.problems, take)

    async def _read_calls(self, generation: SeenGeneration) -> None:
        def take(call: llm.FunctionCall) -> None:
            generation.calls.append((self._loop.time(), call))

        stream = generation.event.function_stream
        generation.calls_ended = await self._take(stream, "function_stream", generation.problems, take)

    async def _read_text(self, message: SeenMessage) -> None:
        def take(text: str) -> None:
            message.text.append((self._loop.time(), text))

        message.text_ended = await self._take(message.announced.text_stream, "text_stream", message.problems, take)

    async def _read_audio(self, message: SeenMessage) -> None:
        def take(frame: Any) -> None:
            message.frames.append((self._loop.time(), frame))

        message.audio_ended = await self._take(message.announced.audio_stream, "audio_stream", message.problems, take)

    async def _await_modalities(self, message: SeenMessage) -> None:
        modalities: Awaitable[Any] = message.announced.modalities
        try:
            if asyncio.isfuture(modalities):
                await asyncio.shield(modalities)
            else:
                await modalities
            message.modalities_known = self._loop.time()
            if not asyncio.isfuture(modalities):
                await modalities
        except asyncio.CancelledError:
            if asyncio.isfuture(modalities) and modalities.cancelled():
                message.problems.append("modalities were cancelled")
            raise
        except Exception as error:
            again = " the second time" if message.modalities_known is not None else ""
            message.problems.append(f"modalities raised {type(error).__name__}{again}")
        if inspect.iscoroutine(modalities):
            modalities.close()
