"""What else the provider tells the minimal session: of the user, of tools, of errors and of the connection."""

from __future__ import annotations

import time

from livekit.agents import llm

from tests.contract.minimal_parts import Response
from tests.contract.minimal_speech import Speech

__all__ = ["ProviderSide"]

ANSWER_LIMIT, TOOL_LIMIT, RETRY = 10.0, 60.0, 1.0


class ProviderSide(Speech):
    # -- the user --------------------------------------------------------------------------------------------------

    def on_user_started(self) -> None:
        self.speaking_since = self.began = time.time()
        self.barge_in()
        self.tell("input_speech_started", llm.InputSpeechStartedEvent())

    def barge_in(self) -> None:
        self.seal(cut=True)

    def on_user_stopped(self) -> None:
        if self.speaking_since is not None:
            self.speaking_since = None
            self.tell("input_speech_stopped", llm.InputSpeechStoppedEvent(user_transcription_enabled=True))

    def on_heard(self, delta: str, final: bool) -> None:
        self.heard += delta
        self.item = self.item or self.new_id()
        if final:
            self.finish_item()
        else:
            self.tell_transcript(self.heard, final=False)

    def finish_item(self) -> None:
        if self.heard.strip():
            assert self.item is not None
            self.user_said(self.item, self.heard)
            self.tell_transcript(self.heard, final=True)
        self.heard, self.item, self.began = "", None, None

    def user_said(self, item: str, text: str) -> None:
        self.ctx.add_message(id=item, role="user", content=text, created_at=self.began or time.time())
        self.ctx.items.sort(key=lambda one: one.created_at)
        self.last_item = item

    def tell_transcript(self, text: str, *, final: bool) -> None:
        assert self.item is not None
        event = llm.InputTranscriptionCompleted(self.item, text, final, turn_started_at=self.began)
        self.tell("input_audio_transcription_completed", event)

    # -- tools -----------------------------------------------------------------------------------------------------

    def on_piece(self, call_id: str, tool: str, piece: str, last: bool) -> None:
        self.pieces[call_id] = self.pieces.get(call_id, "") + piece
        if last:
            self.hand_over(call_id, tool, self.pieces.pop(call_id))

    def hand_over(self, call_id: str, name: str, arguments: str) -> None:
        alone = self.out is None
        if self.out is None:
            self.out = Response(False)
            self.announce(self.out)
        call = llm.FunctionCall(id=self.new_id(), call_id=call_id, name=name, arguments=arguments)
        self.calls[call_id] = "open"
        self.later(TOOL_LIMIT, lambda: self.give_up(call_id))
        self.ctx.items.append(call)
        self.deliver_call(self.out, call)
        if alone:
            self.seal(cut=False)

    def deliver_call(self, out: Response, call: llm.FunctionCall) -> None:
        out.functions.send_nowait(call.model_copy())

    def give_up(self, call_id: str) -> None:
        if self.calls.get(call_id) == "open":
            self.output(call_id, "the tool was not run")

    def on_withdrawn(self, call_id: str) -> None:
        self.calls[call_id] = "withdrawn"

    def output(self, call_id: str, text: str) -> None:
        self.calls[call_id] = "answered"
        self.wire.send(self, "output", call_id=call_id, text=text)

    def expect_answer(self) -> None:
        announced = self.wire_count()
        self.later(ANSWER_LIMIT, lambda: self.release() if self.wire_count() == announced else None)

    def wire_count(self) -> int:
        return len(self.ctx.items)

    def release(self) -> None:
        if self.out is None and not self.closed:
            empty = Response(False)
            self.close_streams(empty)
            self.announce(empty)

    # -- errors and the connection ---------------------------------------------------------------------------------

    def on_complaint(self) -> None:
        self.report(recoverable=True)

    def report(self, *, recoverable: bool) -> None:
        error = llm.RealtimeError("the provider reported an error")
        self.tell(
            "error",
            llm.RealtimeModelError(
                timestamp=time.time(), label=self.realtime_model.label, error=error, recoverable=recoverable
            ),
        )

    def on_lost(self, for_good: bool) -> None:
        self.ready = False
        self.let_go()
        if for_good:
            self.dead = True
            self.report(recoverable=False)
        else:
            self.later(RETRY, self.reconnect)

    def let_go(self) -> None:
        """End everything that the connection carried."""
        self.seal(cut=True)
        for request in list(self.requests):
            self.fail(request, "the connection was lost")
        self.on_user_stopped()
        if self.item is not None:
            self.finish_item()
        self.calls = {}

    def reconnect(self) -> None:
        self.wire.connect(self)
        self.send_config()

    def send_config(self) -> None:
        history = [item.text_content or "" for item in self.ctx.items if isinstance(item, llm.ChatMessage)]
        tools = [tool.id for tool in self.tool_ctx.flatten()]
        self.wire.send(self, "config", instructions=self.instructions, tools=tools, history=history)
