"""The Realtime API as a provider: its codec, its socket, and the messages that configure it."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from rtfsm.adapters.livekit import provider as do
from rtfsm.adapters.livekit.frames import frame_of
from rtfsm.machines import Capabilities, Floor
from rtfsm.profiles import OPENAI, OPENAI_TRUSTED

from .causes import Cause, named
from .codec import RATE, CodecState, OpenAICodec
from .config import patch, session_of
from .endpoint import headers, websocket_url
from .options import Options
from .outgoing import messages_of
from .transport import WebSocketTransport

__all__ = ["OpenAIProvider"]


@attrs.frozen
class OpenAIProvider:
    """A server of the Realtime API, for any number of sessions; ``settings.options`` is an :class:`Options`.

    trusted: its word on a call's status is believed, so that a call runs before its response is done. beta: it speaks
    as the API did before GA.
    """

    trusted: bool = False
    beta: bool = False

    features = do.Features(
        items=True, commits=True, video=True, tool_choice=True, tools=True, usage=True, timed=False, defaults=True
    )
    input_rate = RATE
    output_rate = RATE

    @property
    def capabilities(self) -> Capabilities:
        return OPENAI_TRUSTED if self.trusted else OPENAI

    @property
    def codec(self) -> OpenAICodec:
        return OpenAICodec(self.beta)

    def connect(self, settings: do.Settings, epoch: int, sink: do.Sink) -> do.Transport:
        options: Options = settings.options
        return WebSocketTransport(websocket_url(options), headers(options), epoch, sink, options.http_session)

    def configure(self, settings: do.Settings) -> Sequence[str]:
        items = settings.history.items if settings.history is not None else []
        told = [
            frame_of(message)
            for place, item in enumerate(items)
            for message in messages_of(do.CreateItem(item), f"replay{place}", beta=self.beta)
        ]
        update = {"type": "session.update", "event_id": named(Cause.CONFIG, settings.config)}
        return (frame_of({**update, "session": session_of(settings)}), *told)

    def update(self, before: do.Settings, now: do.Settings) -> Sequence[str]:
        changes = patch(session_of(before), session_of(now))
        if not changes:
            return ()
        kind = {} if self.beta else {"type": "realtime"}
        update = {"type": "session.update", "event_id": named(Cause.CONFIG, now.config)}
        return (frame_of({**update, "session": {**kind, **changes}}),)

    def reset(self, settings: do.Settings) -> Sequence[str]:
        """Nothing: a conversation of this API begins anew on another connection alone."""
        return ()

    def configured(self, state: CodecState, settings: do.Settings, *, anew: bool) -> CodecState:
        return state

    def floor(self, settings: do.Settings) -> Floor:
        """The user's voice cuts: the server says that it hears it, and has cut its response or leaves that to us."""
        return Floor()

    def secrets(self, settings: do.Settings) -> Sequence[str]:
        options: Options = settings.options
        return tuple(secret for secret in (options.api_key, options.entra_token) if secret)

    def lifetime(self, settings: do.Settings) -> float | None:
        options: Options = settings.options
        return options.max_session_duration

    def answers_output(self, settings: do.Settings, tool: str) -> bool:
        return True
