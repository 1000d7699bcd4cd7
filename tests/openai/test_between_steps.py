"""Orderings between two steps of the client, on a connection made of memory."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from livekit.agents import llm

from rtfsm.adapters.openai import RealtimeModel
from rtfsm.testing.memory_openai import MemoryOpenAISession
from rtfsm.testing.openai_server import messages
from rtfsm.testing.virtual_time import run
from rtfsm.vocabulary import wire
from tests.adapter.host import Host


class Play:
    """A session, its host and its wire."""

    def __init__(self, *, trusted: bool = True) -> None:
        self.session = MemoryOpenAISession(RealtimeModel(api_key="key", base_url="ws://nowhere"), trusted=trusted)
        self.host = Host(self.session)

    @property
    def wire(self) -> Any:
        return self.session.wire

    async def configure(self) -> None:
        await self.session._update_session(instructions="Be brief.", chat_ctx=llm.ChatContext.empty(), tools=[])

    async def begin(self) -> None:
        await self.configure()
        self.wire.accept()
        self.host.check()

    async def end(self) -> None:
        closing = asyncio.ensure_future(self.session.aclose())
        await asyncio.sleep(0)
        self.wire.lose(1000)
        await closing
        self.host.check_closed()
        for one in self.session.provider.transports:
            assert one.protocol.errors == []


def test_what_comes_before_the_consent_is_kept_message_by_message() -> None:
    async def main() -> None:
        play = Play()
        await play.configure()
        play.wire.open()
        play.wire.created("r")
        play.wire.words("r", "m", "One ")
        play.wire.words("r", "m", "moment.")
        play.wire.words("r", "n", "It is noon.")
        play.wire.done("r")
        assert play.host.generations == []
        play.wire.deliver(messages.session_updated({}))
        play.host.check()
        (generation,) = play.host.generations
        assert [(one.id, one.text) for one in generation.messages] == [("m", "One moment."), ("n", "It is noon.")]
        assert dict(play.session.turn.playouts) == {"n": "PLAYING"}  # a message is played once the one before is over
        await play.end()

    run(main())


def test_sound_in_an_open_message_is_looked_up_and_asks_no_machine() -> None:
    async def main() -> None:
        play = Play()
        await play.begin()
        play.wire.created("r")
        play.wire.words("r", "m", "One ")
        play.wire.words("r", "m", "two ")
        conversation = play.session.conversation
        sound = wire.AudioDelta(b"\0\0", "r", "m")
        assert conversation.lookup(sound, conversation.epoch, 0.0) is not None
        assert conversation.lookup(wire.AudioDelta(b"\0\0", "r", "n"), conversation.epoch, 0.0) is None
        assert conversation.lookup(wire.AudioDelta(b"\0\0", "s", "m"), conversation.epoch, 0.0) is None
        await play.end()

    run(main())


def test_a_request_given_up_in_the_tick_in_which_its_answer_begins_is_cancelled_once() -> None:
    async def main() -> None:
        play = Play()
        await play.begin()
        play.host.generate_reply()
        request = play.wire.last("response.create")
        play.host.cancel()
        play.wire.created("r", request["response"]["metadata"])
        await asyncio.sleep(0)
        play.wire.words("r", "m", "Never heard.")
        play.wire.done("r", "cancelled")
        play.host.check()
        cancels = [one["response_id"] for one in play.wire.sent if one["type"] == "response.cancel"]
        assert len(cancels) <= 1
        assert [one.text for one in play.host.generations if one.text] == []
        await play.end()

    run(main())


def test_content_of_a_response_that_was_never_announced_is_counted_and_dropped() -> None:
    async def main() -> None:
        play = Play()
        await play.begin()
        play.wire.words("nobody", "m", "Whose?")
        play.wire.done("nobody")
        play.host.check()
        assert play.host.generations == []
        assert play.session.turn.ignored["LATE"] == 3
        await play.end()

    run(main())


def test_a_message_id_that_the_wire_uses_twice_is_the_hosts_once() -> None:
    async def main() -> None:
        play = Play()
        await play.begin()
        for response in ("r", "s"):
            play.wire.created(response)
            play.wire.words(response, "m", f"Of {response}.")
            play.wire.done(response)
        play.host.check()
        ids = [message.id for one in play.host.generations for message in one.messages]
        assert ids[0] == "m"
        assert len(set(ids)) == 2
        await play.end()

    run(main())


def test_frames_of_any_kind_are_survived_and_shown_to_who_listens() -> None:
    async def main() -> None:
        play = Play()
        raw: list[Any] = []
        play.session.on("openai_server_event_received", raw.append)
        play.session.on("openai_client_event_queued", raw.append)
        await play.begin()
        before = len(raw)
        for frame in ("{", b"\0", "[]", json.dumps({"type": "something.new", "x": 1})):
            play.wire.deliver(frame)
        assert raw[before:] == [[], {"type": "something.new", "x": 1}]
        assert sum(play.session.turn.malformed.values()) == 4
        play.session.send_event({"type": "response.create", "event_id": "mine"})
        assert raw[-1] == {"type": "response.create", "event_id": "mine"}
        await play.end()

    run(main())
