"""Virtual time: the clock jumps, the sockets and threads are real, and nothing is left behind in silence."""

from __future__ import annotations

import asyncio
import gc
import itertools
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from rtfsm.testing.virtual_time import (
    EPOCH,
    LeftBehind,
    VirtualDeadlock,
    VirtualTimeError,
    VirtualTimeout,
    hold,
    run,
)

CLOCKS = ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns")


def _clocks() -> list[object]:
    return [getattr(time, name) for name in CLOCKS]


def test_an_hour_passes_and_all_clocks_agree() -> None:
    async def main() -> tuple[float, float, float, float, int]:
        loop = asyncio.get_running_loop()
        at = loop.time(), time.time(), time.monotonic(), time.perf_counter(), time.time_ns()
        for _ in range(50):
            await asyncio.sleep(0.02)
        await asyncio.sleep(3598)
        assert loop.time() == time.monotonic()
        return (
            loop.time() - at[0],
            time.time() - at[1],
            time.monotonic() - at[2],
            round(time.perf_counter() - at[3], 6),
            time.time_ns() - at[4],
        )

    assert run(main()) == (3599.0, 3599.0, 3599.0, 3599.0, 3_599_000_000_000)


def test_the_run_starts_at_the_given_moment() -> None:
    async def now() -> float:
        return time.time()

    assert run(now()) == EPOCH
    assert run(now(), start=12.5) == 12.5


def test_no_two_readings_of_the_counter_are_equal() -> None:
    async def main() -> list[int]:
        return [time.perf_counter_ns() for _ in range(1000)]

    readings = run(main())
    assert all(one < other for one, other in itertools.pairwise(readings))


def test_the_clocks_are_restored_after_success_and_failure() -> None:
    async def succeed() -> bool:
        return time.time is not real[0]

    async def fail() -> None:
        raise ValueError("wrong")

    async def wait_for_ever() -> None:
        await asyncio.Event().wait()

    real = _clocks()
    assert run(succeed())
    assert _clocks() == real
    with pytest.raises(ValueError, match="wrong"):
        run(fail())
    assert _clocks() == real
    with pytest.raises(VirtualDeadlock):
        run(wait_for_ever(), deadlock_after=0.01)
    assert _clocks() == real


def test_a_clock_bound_during_a_run_tells_real_time_after_it() -> None:
    async def main() -> Callable[[], float]:
        return time.time

    bound = run(main())
    assert bound() >= time.time() - 60 > EPOCH + 60
    assert run(_read(bound), start=5.0) == 5.0


async def _read(clock: Callable[[], float]) -> float:
    return clock()


def test_five_hundred_websocket_round_trips_of_three_seconds_miss_no_deadline() -> None:
    async def answer_late(connection: ServerConnection) -> None:
        async for message in connection:
            await asyncio.sleep(3)
            await connection.send(message)

    async def main() -> list[float]:
        loop = asyncio.get_running_loop()
        moments = [loop.time()]
        async with serve(answer_late, "127.0.0.1", 0, ping_interval=None) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            async with connect(f"ws://127.0.0.1:{port}", ping_interval=None) as connection:
                for number in range(500):
                    await connection.send(str(number))
                    assert await asyncio.wait_for(connection.recv(), 3.05) == str(number)
                    moments.append(loop.time())
        return [round(later - earlier, 9) for earlier, later in itertools.pairwise(moments)]

    assert run(main()) == [3.0] * 500


def _two_talkers(log: list[tuple[float, str]]) -> Coroutine[Any, Any, None]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            log.append((time.time(), f"server {line.decode().strip()}"))
            await asyncio.sleep(0.03)
            writer.write(line)
        writer.close()

    async def talk(name: str, port: int, pause: float) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in range(40):
            writer.write(f"{name}{number}\n".encode())
            log.append((time.time(), f"client {(await reader.readline()).decode().strip()}"))
            await asyncio.sleep(pause)
        writer.close()
        await writer.wait_closed()

    async def main() -> None:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        await asyncio.gather(talk("a", port, 0.02), talk("b", port, 0.05))
        server.close()
        await server.wait_closed()

    return main()


def test_two_runs_over_sockets_happen_in_the_same_order_at_the_same_moments() -> None:
    first: list[tuple[float, str]] = []
    second: list[tuple[float, str]] = []
    run(_two_talkers(first))
    run(_two_talkers(second))
    assert len(first) == 160
    assert first == second


def test_too_much_virtual_time_names_who_is_still_waiting() -> None:
    async def tick() -> None:
        for _ in itertools.count():
            await asyncio.sleep(1)

    async def main() -> None:
        await asyncio.create_task(tick(), name="metronome")

    with pytest.raises(
        VirtualTimeout, match=r"10 virtual seconds(.|\n)*main: .*(.|\n)*metronome: .*tick at .*test_virtual"
    ):
        run(main(), limit=10)


def test_a_deadlock_names_who_waits_for_whom() -> None:
    async def main() -> None:
        one, other = asyncio.Event(), asyncio.Event()

        async def first() -> None:
            await one.wait()
            other.set()

        async def second() -> None:
            await other.wait()
            one.set()

        await asyncio.gather(asyncio.create_task(first(), name="hen"), asyncio.create_task(second(), name="egg"))

    with pytest.raises(VirtualDeadlock, match=r"egg: (.|\n)*hen: "):
        run(main(), deadlock_after=0.01)


def test_an_idle_open_socket_does_not_hide_a_deadlock() -> None:
    async def main() -> None:
        accepted: list[asyncio.StreamWriter] = []
        server = await asyncio.start_server(lambda _reader, writer: accepted.append(writer), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
        try:
            await reader.read()
        finally:
            server.close()
            for stream in (writer, *accepted):
                stream.close()
                await stream.wait_closed()

    with pytest.raises(VirtualDeadlock, match="main: "):
        run(main(), deadlock_after=0.01)


def test_a_spinning_task_is_a_deadlock(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        for _ in itertools.count():
            await asyncio.sleep(0)

    monkeypatch.setattr("rtfsm.testing.virtual_time.BUSY_LIMIT", 1000)
    with pytest.raises(VirtualDeadlock, match="spins"):
        run(main())


def _leave_a_task(ends: Callable[[], Coroutine[Any, Any, None]]) -> Coroutine[Any, Any, asyncio.Task[None]]:
    async def main() -> asyncio.Task[None]:
        return asyncio.create_task(ends(), name="forgotten")

    return main()


def test_a_task_left_pending_is_reported_by_name() -> None:
    async def later() -> None:
        await asyncio.sleep(0.001)

    with pytest.raises(LeftBehind, match=r"still pending(.|\n)*forgotten: .*later"):
        run(_leave_a_task(later))
    assert run(_leave_a_task(later), leftover="cancel").cancelled()


def test_a_task_that_needs_no_time_to_end_is_not_left_behind() -> None:
    async def soon() -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    assert run(_leave_a_task(soon)).done()


def test_a_task_that_ignores_its_cancellation_is_reported_though_leftovers_are_cancelled() -> None:
    async def stubborn() -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue

    with pytest.raises(LeftBehind, match=r"did not end when cancelled(.|\n)*forgotten"):
        run(_leave_a_task(stubborn), leftover="cancel", deadlock_after=0.01)


def test_an_error_that_nobody_saw_is_raised_at_the_end() -> None:
    async def fail() -> None:
        raise KeyError("lost")

    async def main() -> None:
        task = asyncio.create_task(fail(), name="careless")
        await asyncio.sleep(1)
        assert task.done()

    with pytest.raises(LeftBehind, match=r"exception was never retrieved \(careless: ") as caught:
        run(main())
    assert isinstance(caught.value.__cause__, KeyError)


def test_a_task_destroyed_while_pending_is_raised_at_the_end() -> None:
    async def wait_for_nothing() -> None:
        await asyncio.get_running_loop().create_future()

    async def main() -> None:
        task = asyncio.create_task(wait_for_nothing(), name="garbage")
        await asyncio.sleep(1)
        del task
        gc.collect()

    with pytest.raises(LeftBehind, match=r"destroyed but it is pending! \(garbage: "):
        run(main())


def test_a_job_in_a_thread_takes_no_virtual_time() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        go = threading.Event()
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        ticker = asyncio.create_task(tick())
        await asyncio.sleep(1.005)
        began, before = loop.time(), ticks
        job = loop.run_in_executor(None, go.wait)
        threading.Timer(0.05, go.set).start()
        await job
        assert ticks == before
        ticker.cancel()
        return loop.time() - began

    assert run(main()) == 0.0


def test_a_job_may_wait_for_a_timer_of_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()

        def ask_the_loop() -> None:
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0.03), loop).result()

        await loop.run_in_executor(None, ask_the_loop)
        return loop.time() - began

    monkeypatch.setattr("rtfsm.testing.virtual_time.PATIENCE", 0.01)
    assert round(run(main()), 6) >= 0.03


def test_time_stands_still_while_a_foreign_thread_is_waited_for() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        answer = loop.create_future()
        thread = threading.Timer(0.05, loop.call_soon_threadsafe, [answer.set_result, None])
        began = loop.time()
        with hold():
            thread.start()
            await asyncio.wait_for(answer, 10)
        return loop.time() - began

    assert run(main()) == 0.0


def test_a_job_that_is_about_to_end_is_waited_for() -> None:
    async def main() -> None:
        go = threading.Event()
        asyncio.get_running_loop().run_in_executor(None, go.wait)
        threading.Timer(0.05, go.set).start()

    run(main())


def test_a_job_that_goes_on_after_the_end_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()

    async def main() -> None:
        asyncio.get_running_loop().run_in_executor(None, go.wait)

    monkeypatch.setattr("rtfsm.testing.virtual_time.PATIENCE", 0.01)
    try:
        with pytest.raises(LeftBehind, match=r"thread: Event\.wait"):
            run(main())
    finally:
        go.set()


def test_a_job_that_nothing_can_unblock_is_a_deadlock(monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()

    async def main() -> None:
        await asyncio.get_running_loop().run_in_executor(None, go.wait)

    monkeypatch.setattr("rtfsm.testing.virtual_time.PATIENCE", 0.01)
    monkeypatch.setattr("rtfsm.testing.virtual_time.THREAD_LIMIT", 0.02)
    try:
        with pytest.raises(VirtualDeadlock, match=r"main: (.|\n)*thread: Event\.wait"):
            run(main())
    finally:
        go.set()


def test_runs_cannot_be_nested() -> None:
    async def nothing() -> None:
        raise AssertionError("must not run")

    async def main() -> None:
        run(nothing())

    with pytest.raises(VirtualTimeError, match="nested"):
        run(main())


def test_importing_the_library_imports_none_of_the_test_kit() -> None:
    code = "import sys, rtfsm; print([m for m in sys.modules if m.startswith(('rtfsm.testing', 'livekit', 'numpy'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
