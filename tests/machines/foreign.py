"""Two wires that are not ours, as pure folds ``(state, message) -> (state, events)``: just enough to try the machines.

The shapes follow the published message types of the OpenAI Realtime API (GA) and of the Gemini Live API.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from rtfsm.language import Effect, Event
from rtfsm.vocabulary import wire
from rtfsm.vocabulary.wire import GenerationStatus

from .talk import Talk

Message = Mapping[str, Any]
Fold = Callable[[Any, Message], tuple[Any, list[Event]]]

STATUS = {
    "completed": GenerationStatus.COMPLETED,
    "cancelled": GenerationStatus.CANCELLED,
    "incomplete": GenerationStatus.INCOMPLETE,
    "failed": GenerationStatus.FAILED,
}
CREATE = "create:"
"""A client's response.create carries this and the request as its event_id, and the request as metadata."""


def strict_object(text: str) -> bool:
    """Whether a text is one JSON object, complete and without repair."""
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


@attrs.frozen
class OpenAIState:
    """configured: the provider has accepted the first configuration; later acknowledgements say nothing new."""

    configured: bool = False


def openai(state: OpenAIState, message: Message) -> tuple[OpenAIState, list[Event]]:
    """The wire with ids: every message names its response and its item."""
    kind = message["type"]
    of, item = message.get("response_id"), message.get("item_id")
    events: list[Event] = []
    if kind == "session.created":
        events = [wire.TransportOpened()]
    elif kind == "session.updated":
        events = [] if state.configured else [wire.ProviderReady()]
        state = OpenAIState(configured=True)
    elif kind == "error":
        events = _openai_error(message)
    elif kind == "response.created":
        response = message["response"]
        request = (response.get("metadata") or {}).get("request")
        events = [wire.GenerationCreated(response["id"], request, stored=response["conversation_id"] is not None)]
    elif kind in ("response.output_audio_transcript.delta", "response.output_text.delta"):
        events = [wire.TextDelta(message["delta"], of, item)]
    elif kind == "response.output_audio.delta":
        events = [wire.AudioDelta(base64.b64decode(message["delta"]), of, item)]
    elif kind == "response.output_item.done":
        events = _openai_item(of, message["item"])
    elif kind == "response.done":
        response = message["response"]
        events = [wire.GenerationDone(STATUS[response["status"]], response["id"])]
    elif kind == "input_audio_buffer.speech_started":
        events = [wire.UserSpeechStarted(item)]
    elif kind == "input_audio_buffer.speech_stopped":
        events = [wire.UserSpeechStopped(item)]
    elif kind == "input_audio_buffer.cleared":
        events = [wire.UserTurnCancelled()]
    elif kind == "conversation.item.input_audio_transcription.completed":
        events = [wire.UserTranscript(message["transcript"], item)]
    return state, events


def _openai_error(message: Message) -> list[Event]:
    error = message["error"]
    cause = error.get("event_id") or ""
    if cause.startswith(CREATE):
        return [wire.RequestRejected(cause[len(CREATE) :], error.get("code"))]
    if error.get("code") == "session_expired":
        return [wire.GoingAway(0.0)]
    return [wire.Fault(False, error.get("code"))]


def _openai_item(response: str | None, item: Message) -> list[Event]:
    """A finished item. It also comes when the response was cut, so a call is believed by its status and its JSON."""
    if item["type"] == "message":
        return [wire.MessageDone(response, item["id"])]
    whole = item["type"] == "function_call" and item["status"] == "completed" and strict_object(item["arguments"])
    return [wire.ToolCallReady(item["call_id"], item["name"], item["arguments"], response)] if whole else []


@attrs.frozen
class GeminiState:
    """speaking: a turn of the model is open on the wire. interrupted: it was cut."""

    speaking: bool = False
    interrupted: bool = False


def gemini(state: GeminiState, message: Message) -> tuple[GeminiState, list[Event]]:
    """The wire without ids: a turn begins with the model's own output. A transcript, which may come at any time, begins
    and ends nothing."""
    events: list[Event] = []
    if "setupComplete" in message:
        events.append(wire.ProviderReady())
    if "goAway" in message:
        events.append(wire.GoingAway(float(message["goAway"]["timeLeft"].rstrip("s"))))
    for call in message.get("toolCall", {}).get("functionCalls", ()):
        events.append(wire.ToolCallReady(call["id"], call["name"], json.dumps(call["args"])))
    for call in message.get("toolCallCancellation", {}).get("ids", ()):
        events.append(wire.ToolCallCancelled(call))
    content = message.get("serverContent", {})
    if "inputTranscription" in content:
        events.append(wire.UserTranscript(content["inputTranscription"]["text"]))
    for part in content.get("modelTurn", {}).get("parts", ()):
        if not state.speaking:
            state = GeminiState(speaking=True)
            events.append(wire.GenerationCreated())
        events.append(wire.AudioDelta(base64.b64decode(part["inlineData"]["data"])))
    if "outputTranscription" in content:
        events.append(wire.TextDelta(content["outputTranscription"]["text"]))
    if content.get("interrupted"):
        state = attrs.evolve(state, interrupted=True)
        events.append(wire.GenerationInterrupted())
    if content.get("turnComplete"):
        if state.speaking:
            events.append(wire.GenerationDone(STATUS["cancelled" if state.interrupted else "completed"]))
        state = GeminiState()
    return state, events


class Wire:
    """A talk whose wire speaks a provider's own messages."""

    def __init__(self, talk: Talk, fold: Fold, state: object) -> None:
        self.talk, self.fold, self.state = talk, fold, state

    def brings(self, *messages: dict[str, Any]) -> list[Effect]:
        told: list[Effect] = []
        for message in messages:
            self.state, events = self.fold(self.state, message)
            told += self.talk.hears(*events)
        return told
