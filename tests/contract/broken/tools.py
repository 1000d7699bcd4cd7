"""How tool calls go wrong."""

from __future__ import annotations

from typing import Any

from livekit.agents import llm

from tests.contract.broken.book import breaks
from tests.contract.minimal import MinimalSession
from tests.contract.minimal_parts import Response


@breaks("calls-are-well-formed")
class HandsOverLists(MinimalSession):
    def hand_over(self, call_id: str, name: str, arguments: str) -> None:
        super().hand_over(call_id, name, "[]")


@breaks("a-call-is-the-hosts-to-change")
class SharesItsCalls(MinimalSession):
    def deliver_call(self, out: Response, call: llm.FunctionCall) -> None:
        out.functions.send_nowait(call)


@breaks("a-call-is-complete")
class HandsOverPieces(MinimalSession):
    def on_piece(self, call_id: str, tool: str, piece: str, last: bool) -> None:
        self.hand_over(call_id, tool, piece)


@breaks("outputs-in-one-update-all-arrive", "an-orphaned-call-is-answered", "two-tools-are-answered-together")
class AnswersTheLastCallOnly(MinimalSession):
    def give_output(self, item: llm.FunctionCallOutput, made_up: set[str]) -> None:
        if item.call_id == list(self.calls)[-1]:
            super().give_output(item, made_up)

    def give_up(self, call_id: str) -> None: ...


@breaks("an-output-can-want-no-reply")
class AlwaysWantsAReply(MinimalSession):
    def give_output(self, item: llm.FunctionCallOutput, made_up: set[str]) -> None:
        super().give_output(item, made_up)
        self.request("reply")


@breaks(
    "silence-after-an-output-releases-the-host",
    "a-withdrawn-call-leaves-no-thought",
    "a-lost-call-leaves-no-thought",
)
class WaitsForAnAnswer(MinimalSession):
    def release(self) -> None: ...


@breaks("a-long-answer-is-the-answer")
class ReleasesWhateverHappens(MinimalSession):
    def expect_answer(self) -> None:
        self.later(10.0, lambda: self.announce(Response(False)))


@breaks("a-cough-costs-no-answer", "the-output-of-a-withdrawn-call-is-dropped")
class MisjudgesWithdrawals(MinimalSession):
    def on_user_started(self) -> None:
        super().on_user_started()
        self.calls = dict.fromkeys(self.calls, "withdrawn")

    def on_withdrawn(self, call_id: str) -> None: ...


@breaks("a-made-up-call-is-not-dropped")
class DropsMadeUpCalls(MinimalSession):
    def give_output(self, item: llm.FunctionCallOutput, made_up: set[str]) -> None:
        super().give_output(item, set())


@breaks("tools-can-be-read-back")
class ForgetsItsTools(MinimalSession):
    @property
    def tools(self) -> llm.ToolContext:
        return llm.ToolContext.empty()


@breaks("a-tool-choice-cuts-nothing")
class StartsAnewOnAToolChoice(MinimalSession):
    def update_options(self, **_: Any) -> None:
        self.seal(cut=True)
