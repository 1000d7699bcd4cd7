"""What can be chosen: legal values, defaults as the official plugin has them on the wire, addresses, secrets."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from livekit.agents import llm
from livekit.plugins.openai.realtime import RealtimeModel as OfficialModel
from openai.types import realtime
from openai.types.beta.realtime.session import TurnDetection
from pydantic import BaseModel

from rtfsm.adapters.livekit.provider import Settings
from rtfsm.adapters.openai import RealtimeModel
from rtfsm.adapters.openai.config import session_of
from rtfsm.adapters.openai.endpoint import headers, is_trusted, websocket_url
from rtfsm.adapters.openai.options import Options, warn_without_effect
from rtfsm.adapters.openai.provider import OpenAIProvider
from rtfsm.testing.openai_server import ClientProtocol
from rtfsm.testing.virtual_time import run
from tests.openai.stage import weather

KEY = "sk-secret-0123456789"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_VERSION", "AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_API_KEY",
    ):  # fmt: skip
        monkeypatch.delenv(name, raising=False)


def model(**options: Any) -> RealtimeModel:
    return RealtimeModel(api_key=KEY, **options)


CHOICES: list[dict[str, Any]] = [
    {},
    {"modalities": ["text"], "voice": "cedar", "speed": 1.25},
    {"turn_detection": None, "input_audio_transcription": None},
    {"input_audio_noise_reduction": "near_field", "tool_choice": "required"},
    {
        "turn_detection": realtime.realtime_audio_input_turn_detection.ServerVad(type="server_vad", threshold=0.4),
        "input_audio_transcription": realtime.AudioTranscription(model="whisper-1", language="de"),
        "reasoning": realtime.RealtimeReasoning(effort="low"),
        "truncation": "disabled",
        "tracing": "auto",
    },
    {"turn_detection": TurnDetection(type="semantic_vad", eagerness="high", create_response=True)},
]


@pytest.mark.parametrize("options", CHOICES, ids=range(len(CHOICES)))
def test_the_configuration_is_the_official_plugins(options: dict[str, Any]) -> None:
    async def main() -> None:
        mine = session_of(Settings(options=model(**options)._options))
        session = OfficialModel(api_key=KEY, base_url="http://127.0.0.1:1/v1", **options).session()
        event = session._create_session_update_event()
        assert isinstance(event, BaseModel)
        theirs = event.model_dump(by_alias=True, exclude_unset=True)["session"]
        session._main_atask.cancel()
        assert mine.pop("tools") == []
        assert mine == theirs

    run(main())


def test_every_configuration_is_one_that_the_service_takes() -> None:
    for options in CHOICES:
        tools = llm.ToolContext([weather])
        settings = Settings(instructions="Be brief.", tools=tools, options=model(**options)._options, config="1")
        judge = ClientProtocol()
        for frame in OpenAIProvider().configure(settings):
            judge.receive(frame)
        assert judge.errors == []


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"modalities": []}, "modalities"),
    ({"modalities": ["video"]}, "modalities"),
    ({"speed": 9.0}, "speed"),
    ({"speed": "fast"}, "speed"),
    ({"voice": ""}, "voice"),
    ({"turn_detection": "server_vad"}, "turn_detection"),
    ({"input_audio_transcription": 3}, "input_audio_transcription"),
    ({"max_session_duration": -1}, "max_session_duration"),
    ({"base_url": "ftp://example.com"}, "base_url"),
    ({"base_url": "https://me:secret@example.com/v1"}, "base_url"),
]


@pytest.mark.parametrize(("options", "named"), REFUSED, ids=str)
def test_a_value_that_cannot_be_is_refused_by_name(options: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named) as refused:
        model(**options)
    assert "secret" not in str(refused.value)


def test_a_keyword_that_nobody_knows_is_refused() -> None:
    with pytest.raises(TypeError, match="modality"):
        model(modality="audio")


def test_a_model_that_refuses_an_update_keeps_its_options() -> None:
    mine = model()
    with pytest.raises(ValueError, match="max_response_output_tokens"):
        mine.update_options(voice="cedar", max_response_output_tokens=0)
    assert mine._options.voice == "marin"


def test_a_key_is_asked_for_by_name() -> None:
    with pytest.raises(ValueError, match="OPENAI_API_KEY"):
        RealtimeModel()
    with pytest.raises(ValueError, match="AZURE_OPENAI_API_KEY"):
        RealtimeModel.with_azure(azure_deployment="mine", azure_endpoint="https://me.openai.azure.com")
    with pytest.raises(ValueError, match="AZURE_OPENAI_ENDPOINT"):
        RealtimeModel.with_azure(azure_deployment="mine", api_key="k")
    with pytest.raises(ValueError, match="not both"):
        RealtimeModel.with_azure(azure_deployment="mine", api_key="k", azure_endpoint="https://a", base_url="https://b")


def test_no_secret_is_shown() -> None:
    options = model()._options
    assert KEY not in repr(options) + repr(headers(options))
    assert headers(options)["Authorization"] == f"Bearer {KEY}"


ADDRESSES: list[tuple[dict[str, Any], str]] = [
    ({}, "wss://api.openai.com/v1/realtime?model=gpt-realtime"),
    ({"base_url": "http://127.0.0.1:8000", "model": "a b"}, "ws://127.0.0.1:8000/realtime?model=a+b"),
    ({"base_url": "https://gateway.example.com/v1/"}, "wss://gateway.example.com/v1/realtime?model=gpt-realtime"),
    ({"base_url": "wss://x.example.com/my/socket?model=own&k=1"}, "wss://x.example.com/my/socket?model=own&k=1"),
    (
        {"base_url": "https://me.openai.azure.com/openai", "azure_deployment": "mine"},
        "wss://me.openai.azure.com/openai/v1/realtime?model=mine",
    ),
    (
        {
            "base_url": "https://me.openai.azure.com/openai",
            "azure_deployment": "mine",
            "api_version": "2025-04-01-preview",
        },
        "wss://me.openai.azure.com/openai/realtime?api-version=2025-04-01-preview&deployment=mine",
    ),
]


@pytest.mark.parametrize(("options", "url"), ADDRESSES, ids=str)
def test_the_address_is_the_official_plugins(options: dict[str, Any], url: str) -> None:
    assert websocket_url(model(**options)._options) == url


def test_only_openais_and_azures_own_servers_are_trusted() -> None:
    trusted = {
        "https://api.openai.com/v1": True,
        "https://eu.api.openai.com/v1": True,
        "https://me.openai.azure.com/openai": True,
        "https://notopenai.com/v1": False,
        "https://openai.com.example.com/v1": False,
        "http://127.0.0.1:8000/v1": False,
    }
    assert {url: is_trusted(model(base_url=url)._options) for url in trusted} == trusted


def test_azure_takes_a_token_or_a_key() -> None:
    options = RealtimeModel.with_azure(
        azure_deployment="mine", azure_endpoint="https://me.openai.azure.com", entra_token="token"
    )._options
    assert headers(options)["Authorization"] == "Bearer token"
    assert options.turn_detection is not None
    assert options.turn_detection["type"] == "server_vad"
    assert options.input_audio_transcription == {"model": "whisper-1"}


def test_what_the_api_does_not_honour_any_more_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    warn_without_effect.cache_clear()
    with caplog.at_level(logging.WARNING, "rtfsm"):
        for _ in range(2):
            model(temperature=0.8).update_options(temperature=0.6)
            model(azure_deployment="mine", base_url="https://me.openai.azure.com", api_version="2024-10-01-preview")
    assert [record.message.split()[0] for record in caplog.records] == ["temperature", "api_version"]


def test_turns_that_are_handed_over_by_half_are_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "rtfsm"):
        model(turn_detection={"type": "server_vad", "create_response": False})
        model(turn_detection={"type": "server_vad", "create_response": False, "interrupt_response": False})
    assert len(caplog.records) == 1


def test_a_dated_version_of_azures_is_configured_as_it_wants() -> None:
    options = model(
        azure_deployment="mine", base_url="https://me.openai.azure.com", api_version="2024-10-01-preview"
    )._options
    history = llm.ChatContext.empty()
    history.add_message(role="assistant", content="Hello.")
    provider = OpenAIProvider(beta=options.beta)
    config, item = (json.loads(frame) for frame in provider.configure(Settings(options=options, history=history)))
    assert config["session"]["modalities"] == ["audio", "text"]
    assert config["session"]["turn_detection"]["type"] == "semantic_vad"
    assert "audio" not in config["session"]
    assert item["item"]["content"] == [{"type": "text", "text": "Hello."}]


def test_options_own_what_they_hold() -> None:
    detection = {"type": "server_vad", "threshold": 0.5}
    options = Options(api_key=KEY, base_url="https://a", turn_detection=detection)
    detection["threshold"] = 0.9
    assert options.turn_detection == {"type": "server_vad", "threshold": 0.5}
    assert options.changed() is options
    assert options.changed(voice="marin") is options
