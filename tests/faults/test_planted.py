"""Defects that are planted in the adapter: the judge sees each of them."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from rtfsm.adapters.livekit.host import HostSide
from rtfsm.adapters.livekit.line import WireSide
from rtfsm.adapters.livekit.shell import Shell
from rtfsm.adapters.livekit.streams import HostMessage
from rtfsm.adapters.phonic.transport import WebSocketTransport
from tests.adapter.stage import KEY

from .conversation import at
from .faults import named
from .judge import Verdict, judged


def _judged(moment: str, fault: str) -> Verdict:
    return judged(at(moment), named(fault))


def _is_reported(verdict: Verdict, *, seen: str | None = None, complaint: str = "") -> None:
    assert not verdict.holds
    assert seen is None or verdict.seen == seen, str(verdict)
    assert any(complaint in one for one in ("", *verdict.complaints)), str(verdict)


def test_a_close_that_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = WebSocketTransport._ended

    def deaf(transport: WebSocketTransport, task: Any) -> None:
        if task.cancelled() or task.result()[1] != 4500:
            ended(transport, task)

    monkeypatch.setattr(WebSocketTransport, "_ended", deaf)
    assert _judged("the end of the answer", "4600").holds
    _is_reported(_judged("the end of the answer", "4500"), seen="nothing came of it: READY")


def test_a_failure_that_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HostSide, "_report_fatal", lambda *_: None)
    _is_reported(_judged("the configuration", "1008"), seen="closed without a word")


def test_an_end_that_is_told_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    told = HostSide._report_ended

    def twice(*order: Any) -> None:
        told(*order)
        told(*order)

    monkeypatch.setattr(HostSide, "_report_ended", twice)
    _is_reported(_judged("a tool call", "1000"), seen="the end was told 2 times")


def test_a_future_that_is_left_pending(monkeypatch: pytest.MonkeyPatch) -> None:
    def forget(host: HostSide, _: Any, instance: Any, __: Any) -> None:
        host.requests.pop(instance.id)

    monkeypatch.setattr(HostSide, "_fail_reply", forget)
    _is_reported(_judged("a request for a reply", "dropped"), complaint="a future is pending")


def test_a_word_that_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    push = HostMessage.push_text

    def forgetful(message: HostMessage, text: str, seconds: float | None) -> None:
        if text.strip() != "moment,":
            push(message, text, seconds)

    monkeypatch.setattr(HostMessage, "push_text", forgetful)
    _is_reported(_judged("the second word of the answer", "reset in flight"), complaint="(1 lost)")


def test_a_configuration_that_is_sent_to_a_conversation_that_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Shell.opened

    def eager(shell: Shell, epoch: int) -> None:
        opened(shell, epoch)
        if epoch > 1:
            shell.line._put(shell.line._provider.configure(shell.line.accepted))

    monkeypatch.setattr(Shell, "opened", eager)
    _is_reported(_judged("the user's words", "1012"), seen="resumed with a configuration")


def test_a_new_conversation_that_knows_nothing_of_the_old_one(monkeypatch: pytest.MonkeyPatch) -> None:
    now = WireSide._now
    monkeypatch.setattr(WireSide, "_now", lambda side: _without_history(now(side)))
    _is_reported(_judged("the user's words", "1011"), complaint="does not know what was said")


def _without_history(settings: Any) -> Any:
    settings.history.items.clear()
    return settings


def test_an_error_that_shows_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    async def talkative(transport: WebSocketTransport) -> Any:
        outcome, code, detail = await talk(transport)
        return outcome, code, f"{detail}; {dict(transport._headers)}"

    talk = WebSocketTransport._talk
    monkeypatch.setattr(WebSocketTransport, "_talk", talkative)
    verdict = _judged("the end of the welcome", "4010")
    _is_reported(verdict, seen="failed", complaint="the API key is in an error")
    assert KEY not in str(verdict)


LEFT = {"timer": "timers are left", "task": "forgotten", "socket": "sockets are left"}


@pytest.mark.parametrize("what", LEFT)
def test_what_is_left_behind(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    end = Shell._end
    left: list[asyncio.Task[None]] = []
    pair = socket.socketpair()

    def careless(shell: Shell) -> None:
        end(shell)
        loop = asyncio.get_running_loop()
        if what == "timer":
            loop.call_later(60, shell.closed.set)
        elif what == "task":
            left.append(loop.create_task(asyncio.sleep(60), name="forgotten"))
        else:
            loop.add_reader(pair[0], print)

    monkeypatch.setattr(Shell, "_end", careless)
    _is_reported(_judged("the consent", "1000"), complaint=LEFT[what])
    for one in pair:
        one.close()


def test_a_connection_that_is_replaced_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    emit = HostSide.emit

    def discreet(host: HostSide, name: str, *payload: object) -> None:
        if name != "session_reconnected":
            emit(host, name, *payload)

    monkeypatch.setattr(HostSide, "emit", discreet)
    _is_reported(_judged("the consent", "dropped"), complaint="session_reconnected was told 0 times, 1 expected")


def test_a_new_connection_on_which_nothing_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    received = Shell.received

    def deaf(shell: Shell, epoch: int, got: Any) -> None:
        if "input_text" not in got and (epoch == 1 or "audio_chunk" not in got):
            received(shell, epoch, got)

    monkeypatch.setattr(Shell, "received", deaf)
    verdict = _judged("the consent", "dropped")
    _is_reported(verdict, seen="resumed", complaint="the user's words after the fault")
    _is_reported(verdict, complaint="the answer after the fault")


def test_garbage_that_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shell, "_note", lambda *_: None)
    _is_reported(_judged("a tool call", "no JSON"), complaint="0 frames are counted as unreadable")


def test_a_close_that_waits_for_the_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    aclose = Shell.wait_closed

    async def patient(shell: Shell) -> None:
        await asyncio.sleep(3)
        await aclose(shell)

    monkeypatch.setattr(Shell, "wait_closed", patient)
    _is_reported(_judged("the host's farewell", "stall"), complaint="the close took")
