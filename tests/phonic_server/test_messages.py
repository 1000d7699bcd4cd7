"""The scripted server's vocabulary is that of the real SDK."""

from __future__ import annotations

import inspect
from typing import Any, get_args

import pytest
from phonic.conversations import socket_client
from phonic.core.unchecked_base_model import construct_type
from phonic.types import ConfigOptions

from rtfsm.testing.phonic_server import messages
from rtfsm.testing.phonic_server.client_fields import CONFIG_FIELDS, MESSAGES

EXAMPLES: dict[str, dict[str, Any]] = {
    message["type"]: message
    for message in (
        messages.ready_to_start_conversation(),
        messages.conversation_created("conv_1"),
        messages.input_text("hello", language="pt"),
        messages.input_cancelled(),
        messages.audio_chunk(b"\0\0", "hello", timings={"first_byte": 120.0}),
        messages.user_started_speaking(),
        messages.user_finished_speaking(),
        messages.assistant_started_speaking(),
        messages.assistant_finished_speaking(),
        messages.interrupted_response("I can"),
        messages.dtmf("12#", timings={"total": 3.0}),
        messages.tool_call("call_1", "weather", {"city": "Lisbon"}),
        messages.tool_call_output_processed("call_1", "weather", output="sunny", duration_ms=12.5),
        messages.tool_call_interrupted("call_1", "weather"),
        messages.assistant_chose_not_to_respond(),
        messages.assistant_ended_conversation(),
        messages.error("no", code="bad", param_errors={"voice_id": "unknown"}),
        messages.warning("mind the gap", code="gap"),
    )
}


def _sdk_types() -> dict[str, Any]:
    union = socket_client.ConversationsSocketClientResponse
    return {model.model_fields["type"].default: model for model in get_args(union)}


def test_there_is_a_builder_for_every_server_message_of_the_sdk() -> None:
    assert set(EXAMPLES) == set(_sdk_types())


@pytest.mark.parametrize("type_name", sorted(EXAMPLES))
def test_the_sdk_reads_what_a_builder_makes_without_extra_or_missing_fields(type_name: str) -> None:
    model = _sdk_types()[type_name]
    model.model_validate(EXAMPLES[type_name])
    required = {name for name, info in model.model_fields.items() if info.is_required()}
    assert required <= set(EXAMPLES[type_name]) <= set(model.model_fields)
    union: Any = socket_client.ConversationsSocketClientResponse
    parsed = construct_type(type_=union, object_=EXAMPLES[type_name])
    assert type(parsed) is model


def test_the_client_messages_are_those_that_the_sdk_can_send() -> None:
    senders = inspect.getmembers(socket_client.AsyncConversationsSocketClient, inspect.isfunction)
    names = {name.removeprefix("send_") for name, _ in senders if name.startswith("send_")}
    assert set(MESSAGES) == names


def test_the_configuration_fields_are_those_of_the_sdk() -> None:
    assert set(CONFIG_FIELDS) == set(ConfigOptions.model_fields)
