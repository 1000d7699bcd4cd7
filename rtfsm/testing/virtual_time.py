"""Virtual time with real sockets: an hour of conversation in a second, and the same one each time.

``run(main())`` drives a coroutine on an event loop that never waits. When nothing is ready, the clock jumps to the
next timer. Sockets stay real: the kernel carries every byte, and the clock may only jump once the kernel has nothing
to hand over. So client and server have to share the loop.

What follows the virtual clock: ``loop.time()`` and, process-wide while a run lasts, ``time.time``, ``time.monotonic``
and ``time.perf_counter`` with their ``_ns`` twins. What does not: ``datetime.now()``, ``time.sleep``, and functions
bound before the run (``from time import monotonic``, ``default_factory=time.time``).

Threads: while a job of ``run_in_executor`` is under way the clock stands still, so its result arrives at the instant it
was asked for. A job that takes longer than ``PATIENCE`` lets the clock run as fast as real time and no faster, so that
a job which waits for a timer of the loop can end. For a thread started in another way, wrap the wait in ``hold()``.
"""

from __future__ import annotations

import asyncio
import gc
import os
import selectors
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Literal, TypeVar

from rtfsm.testing.clock import VirtualClock

T = TypeVar("T")

EPOCH = 1_700_000_000.0
"""What ``time.time()`` tells at the start of a run by default, in seconds."""
GRACE = 0.0005
"""Real seconds that the kernel gets to deliver what a socket has just sent, before the clock jumps."""
PATIENCE = 1.0
"""Real seconds for which a job in a thread may hold the clock."""
THREAD_LIMIT = 60.0
"""Real seconds after which a job that nothing else can unblock counts as a deadlock."""
BUSY_LIMIT = 1_000_000
"""Passes of the loop at one instant, without any input, after which the program is spinning."""
CLEANUP_LIMIT = 60.0
"""Virtual seconds that cancelled tasks may take to end."""

_ASYNCIO = os.path.dirname(asyncio.__file__)
_real_clock = time.perf_counter
_real_sleep = time.sleep
# The clocks belong to the process, so one run at a time.
_gate = threading.Lock()


class VirtualTimeError(RuntimeError):
    """A virtual run could not go on, or did not end cleanly."""


class VirtualTimeout(VirtualTimeError):
    """The coroutine was still running when the virtual time was up."""


class VirtualDeadlock(VirtualTimeError):
    """Nothing can happen any more (or the loop spins at one instant), and the coroutine has not returned."""


class LeftBehind(VirtualTimeError):
    """The coroutine returned, but left tasks pending or errors that nobody saw."""


_Ready = list[tuple[selectors.SelectorKey, int]]


class _Selector(selectors.DefaultSelector):
    """Polls the kernel, and moves the clock where another selector would wait."""

    def __init__(self, clock: VirtualClock, limit: float, deadlock_after: float) -> None:
        super().__init__()
        self.clock = clock
        self.limit = limit
        self.jobs: dict[object, str] = {}
        self.when_quiet: Callable[[], None] | None = None
        self._deadlock_after = deadlock_after
        self._thread_time = 0.0
        self._passes = 0

    @property
    def _asks_kernel(self) -> bool:
        return bool(self.jobs) or len(self.get_map()) > 1

    def select(self, timeout: float | None = None) -> _Ready:
        # With nothing but the loop's own wake-up pipe to ask, and work at hand, the kernel has nothing to say.
        ready = [] if timeout == 0 and not self._asks_kernel else super().select(0)
        if ready:
            self._passes = 0
            return ready
        if timeout == 0:
            self._passes += not self.jobs
            if self._passes > BUSY_LIMIT:
                self._passes = 0
                raise VirtualDeadlock(f"the loop spins without letting time pass; {_who_waits(self.jobs)}")
            return ready
        if self.jobs:
            return self._follow_threads(timeout)
        self._thread_time = 0.0
        # One registered file is the loop's own wake-up pipe.
        ready = self._poll_for(GRACE) if len(self.get_map()) > 1 else []
        if ready:
            return ready
        if self.when_quiet is not None:
            self.when_quiet()
        elif timeout is None:
            ready = super().select(self._deadlock_after)
            if not ready:
                raise VirtualDeadlock(f"no timer, no input, nothing scheduled; {_who_waits(self.jobs)}")
        else:
            self._advance(timeout)
        return ready

    def _advance(self, seconds: float) -> None:
        self._passes = 0
        if self.clock.elapsed + seconds > self.limit:
            raise VirtualTimeout(f"more than {self.limit:g} virtual seconds; {_who_waits(self.jobs)}")
        self.clock.advance(seconds)

    def _poll_for(self, seconds: float) -> _Ready:
        # Not select(seconds): epoll counts in whole milliseconds.
        until = _real_clock() + seconds
        while not (ready := super().select(0)) and _real_clock() < until:
            _real_sleep(0.0001)
        return ready

    def _follow_threads(self, timeout: float | None) -> _Ready:
        began = _real_clock()
        ready = super().select(0.01)
        waited = _real_clock() - began
        self._thread_time += waited
        if ready or self._thread_time < PATIENCE:
            return ready
        if self.when_quiet is not None:
            self.when_quiet()
        elif timeout is not None:
            self._advance(min(waited, timeout))
        elif self._thread_time > THREAD_LIMIT:
            raise VirtualDeadlock(f"threads did not end in {THREAD_LIMIT:g} real seconds; {_who_waits(self.jobs)}")
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """The loop under ``run``: its clock is virtual, its sockets and threads are real."""

    def __init__(self, *, start: float = EPOCH, limit: float = 3600.0, deadlock_after: float = 0.5) -> None:
        self.clock = VirtualClock(start)
        self.unseen: list[tuple[str, BaseException | None]] = []
        self._virtual = _Selector(self.clock, limit, deadlock_after)
        super().__init__(self._virtual)
        self._threads = ThreadPoolExecutor(thread_name_prefix="virtual-time")
        self.set_default_executor(self._threads)
        self.set_exception_handler(self._collect)

    def time(self) -> float:
        return self.clock.monotonic()

    # The base class types ``args`` with a TypeVarTuple, which Python 3.10 lacks.
    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        future = super().run_in_executor(executor, func, *args)
        self._virtual.jobs[future] = getattr(func, "__qualname__", type(func).__name__)
        future.add_done_callback(lambda done: self._virtual.jobs.pop(done, None))
        return future

    @contextmanager
    def hold(self) -> Iterator[None]:
        token = object()
        self._virtual.jobs[token] = "hold()"
        try:
            yield
        finally:
            del self._virtual.jobs[token]

    def settle(self) -> list[str]:
        """Run whatever can run without time passing; name what is pending then."""
        self._virtual.when_quiet = self.stop
        try:
            self.run_forever()
        finally:
            self._virtual.when_quiet = None
        tasks = [_describe(task) for task in asyncio.all_tasks(self)]
        return sorted(tasks + [f"thread: {job}" for job in self._virtual.jobs.values()])

    def cancel_all(self) -> list[str]:
        """Cancel every task and wait for the ends; name the tasks that would not end."""
        self._virtual.limit = max(self._virtual.limit, self.clock.elapsed + CLEANUP_LIMIT)
        for _ in range(3):  # a task may start another one while it ends
            tasks = asyncio.all_tasks(self)
            if not tasks:
                break
            for task in tasks:
                task.cancel()
            try:
                self._run_until_done(tasks)
            except VirtualTimeError:
                break
            for task in tasks:
                if not task.cancelled() and (error := task.exception()) is not None:
                    self.unseen.append((f"failed when it was cancelled: {_describe(task)}", error))
        stuck = asyncio.all_tasks(self)
        for task in stuck:
            # Reported here; asyncio would do it again in the middle of some later test. Typeshed lacks the flag.
            task._log_destroy_pending = False  # type: ignore[attr-defined]
        return sorted(_describe(task) for task in stuck)

    def _run_until_done(self, tasks: set[asyncio.Task[Any]]) -> None:
        # Not asyncio.wait: it would be one more task, and left pending itself if these never end.
        pending = set(tasks)

        def ended(task: asyncio.Task[Any]) -> None:
            pending.discard(task)
            if not pending:
                self.stop()

        for task in tasks:
            task.add_done_callback(ended)
        self.run_forever()

    def dispose(self) -> None:
        try:
            self.run_until_complete(self.shutdown_asyncgens())
        except VirtualTimeError as error:
            self.unseen.append(("an asynchronous generator did not close", error))
        # A running job cannot be ended, and waiting for one that was given up may take for ever.
        self._threads.shutdown(wait=False, cancel_futures=True)
        # asyncio reports a lost error or a lost task when the object dies, so let them die here.
        gc.collect()
        self.close()

    def _collect(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.default_exception_handler(context)
        task = context.get("task") or context.get("future")
        where = f" ({_describe(task)})" if isinstance(task, asyncio.Task) else ""
        self.unseen.append((f"{context.get('message', 'unknown error')}{where}", context.get("exception")))


@contextmanager
def hold() -> Iterator[None]:
    """Let the clock of the running virtual loop stand still, while a foreign thread works for the caller.

    The same rules as for executor jobs apply. Does nothing on any other loop.
    """
    loop = asyncio.get_running_loop()
    if isinstance(loop, VirtualTimeLoop):
        with loop.hold():
            yield
    else:
        yield


def run(
    main: Coroutine[Any, Any, T],
    *,
    start: float = EPOCH,
    limit: float = 3600.0,
    leftover: Literal["error", "cancel"] = "error",
    deadlock_after: float = 0.5,
) -> T:
    """Run a coroutine in virtual time and return its result.

    ``start`` is the first ``time.time()``, ``limit`` the virtual seconds it may take, ``deadlock_after`` the real
    seconds without any possible progress after which to give up. Once ``main`` has returned, whatever can still run
    without time passing does; a task that is pending after that is cancelled and, unless ``leftover`` is "cancel",
    reported. So is every error that asyncio would only have logged.

    Raises:
        VirtualTimeout: ``limit`` was reached. Names the pending tasks.
        VirtualDeadlock: nothing could wake the loop, or it spun at one instant. Names the pending tasks.
        LeftBehind: tasks were left pending, or errors went unseen. Caused by the first such error.
        VirtualTimeError: another run is active, or the caller is itself inside a running loop.
    """
    if asyncio._get_running_loop() is not None or not _gate.acquire(blocking=False):
        main.close()
        raise VirtualTimeError("the clocks are process-wide: virtual runs can be neither nested nor concurrent")
    try:
        loop = VirtualTimeLoop(start=start, limit=limit, deadlock_after=deadlock_after)
        with loop.clock.installed(), _young_garbage_only():
            return _drive(loop, main, leftover)
    finally:
        _gate.release()


def _drive(loop: VirtualTimeLoop, main: Coroutine[Any, Any, T], leftover: Literal["error", "cancel"]) -> T:
    pending: list[str] = []
    try:
        result = loop.run_until_complete(loop.create_task(main, name="main"))
        pending = loop.settle()
    except BaseException as error:
        loop.cancel_all()
        loop.dispose()
        # add_note came with Python 3.11. An unseen error is often why main failed.
        note = getattr(error, "add_note", None)
        if note is not None and loop.unseen:
            note(_listing("errors that nobody saw", [text for text, _ in loop.unseen]))
        raise
    stuck = loop.cancel_all()
    loop.dispose()
    complaints = []
    if pending and leftover == "error":
        complaints.append(_listing("still pending when main returned", pending))
    if stuck:
        complaints.append(_listing("did not end when cancelled", stuck))
    if loop.unseen:
        complaints.append(_listing("errors that nobody saw", [text for text, _ in loop.unseen]))
    if complaints:
        raise LeftBehind("\n".join(complaints)) from next((e for _, e in loop.unseen if e is not None), None)
    return result


@contextmanager
def _young_garbage_only() -> Iterator[None]:
    """Spare the collector everything that is older than the run: 70 ms a run with livekit imported."""
    mine = gc.get_freeze_count() == 0
    if mine:
        gc.freeze()
    try:
        yield
    finally:
        if mine:
            gc.unfreeze()


def _listing(title: str, items: list[str]) -> str:
    return "\n  - ".join([f"{title}:", *items])


def _who_waits(jobs: dict[object, str]) -> str:
    names = sorted(_describe(task) for task in asyncio.all_tasks())
    return _listing("pending", names + [f"thread: {job}" for job in jobs.values()])


def _describe(task: asyncio.Task[Any]) -> str:
    """A task's name, its coroutine, and the innermost line outside asyncio at which it waits."""
    coroutine: Any = task.get_coro()
    text = f"{task.get_name()}: {getattr(coroutine, '__qualname__', coroutine)}"
    where = ""
    while (frame := getattr(coroutine, "cr_frame", None)) is not None:
        if not frame.f_code.co_filename.startswith(_ASYNCIO):
            where = f" at {frame.f_code.co_filename}:{frame.f_lineno}"
        coroutine = coroutine.cr_await
    return text + where
