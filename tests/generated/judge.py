"""Reads the log of a played ordering, and compares what came of each act with what the account expects."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rtfsm.testing.generated.stage import Entry
from tests.generated.account import Account

__all__ = ["judge", "rendered"]


def rendered(entry: Entry) -> list[str]:
    """What came of an act, in words."""
    what, data = entry.what, entry.data
    if entry.who == "client":
        if what == "tool_call_output":
            message = data["message"]
            error = " error" if isinstance(message["output"], dict) else ""
            return [f"sends tool_call_output {message['tool_call_id']}{error}"]
        if what == "closes":
            return ["aborts" if data["abort"] else "closes"]
        return [what] if what in ("connects", "resumes") else [f"sends {what}"]
    told: dict[str, Callable[[], str]] = {
        "generation_created": lambda: "announced asked" if data["asked"] else "announced",
        "message ends": lambda: "message ends" if data["both"] else "a message ends in part",
        "words": lambda: "blank" if not data["text"].strip() else f"words {data['text']}",
        "call": lambda: f"call {data['id']}",
        "future": lambda: f"future {data['n']} {data['outcome']}",
        "input_speech_started": lambda: "started",
        "input_speech_stopped": lambda: "stopped",
        "input_audio_transcription_completed": lambda: f"transcript {data['text']}",
        "error": lambda: "error recoverable" if data["recoverable"] else "error fatal",
        "tool_call_ended": lambda: f"tool_call_ended {data['id']}",
        "tool_output_dropped": lambda: f"tool_output_dropped {data['id']}",
    }
    return [told[what]() if what in told else what]


def _take(account: Account, entry: Entry) -> None:
    data = entry.data
    if entry.who == "time":
        account.time_passes(data["due"] + 0.001)
        return
    account.time_passes(entry.at)
    if entry.who == "host" or entry.what in ("opened", "lost"):
        acts: dict[str, Any] = {
            "opened": lambda: account.opened(data),
            "lost": lambda: account.lost(data),
            "configures": lambda: account.configures(data),
            "closes": account.closes,
            "asks": lambda: account.asks(data["n"], data["say"]),
            "cancels": lambda: account.cancels(data["n"]),
            "interrupts": account.interrupts,
            "output": lambda: account.output(data["id"], data["reply"]),
            "hears": account.plays,
            "begins to hear": account.plays,
            "has heard": account.unheard.clear,
            "never hears": account.unheard.clear,
        }
        acts[entry.what]()
    else:
        _receive(account, data["message"])
    account.settle_down()


def _receive(account: Account, message: Mapping[str, Any]) -> None:
    kind, greets = message["type"], account.fresh
    spoken = kind == "audio_chunk" and message["text"]
    account.fresh &= not (spoken or kind in ("assistant_started_speaking", "user_started_speaking", "tool_call"))
    about_connection: dict[str, Any] = {
        "conversation_created": lambda: None,
        "conversation_reconnected": account.ready,
        "ready_to_start_conversation": account.ready,
        "assistant_ended_conversation": account.hung_up,
        "error": account.failed,
    }
    if kind in about_connection:
        about_connection[kind]()
        return
    if account.phase not in ("running", "ending") or account.gone:
        return  # nothing that was said before, or after, is of this conversation
    talk: dict[str, Any] = {
        "assistant_started_speaking": lambda: account.turn_begins(greets),
        "assistant_finished_speaking": account.turn_ends,
        "audio_chunk": lambda: account.words(message["text"]) if spoken else account.sound(),
        "interrupted_response": lambda: account.was_interrupted(message["text"]),
        "assistant_chose_not_to_respond": account.declined,
        "user_started_speaking": account.user_started,
        "user_finished_speaking": account.user_stopped,
        "input_cancelled": account.silence_user,
        "input_text": lambda: account.understood(message["text"]),
        "tool_call": lambda: account.called(message["tool_call_id"]),
        "tool_call_interrupted": lambda: account.withdrawn(message["tool_call_id"]),
        "tool_call_output_processed": lambda: account.end_call(message["tool_call_id"]),
    }
    talk[kind]()


def _early(entry: Entry) -> str | None:
    """What should have ended before the host was told this."""
    ends = entry.what == "conversation_ended" or (entry.what == "error" and not entry.data["recoverable"])
    if (ends or entry.what == "input_speech_started") and entry.data["open"]:
        return "a generation open"
    return "a future pending" if ends and entry.data["pending"] else None


def judge(
    log: Sequence[Entry], acts: Sequence[int], said: Sequence[tuple[str, str, bool]], account: Account
) -> list[str]:
    """Where what came of each act is not what must have come of it. said: the messages in the session's context at the
    end, as (role, text, interrupted)."""
    wrong: list[str] = []
    bounds = [*acts, len(log)]
    for number, (start, end) in enumerate(itertools.pairwise(bounds)):
        account.must.clear()
        came: list[str] = []
        for entry in log[start:end]:
            if entry.who in ("told", "client"):
                came += rendered(entry)
                if (early := _early(entry)) is not None:
                    wrong.append(f"act {number}: {entry.what} is told with {early}")
            elif entry.who != "nobody":
                _take(account, entry)
        missing, extra = Counter(account.must) - Counter(came), Counter(came) - Counter(account.must)
        if missing or extra:
            done = next((entry for entry in log[start:end] if entry.who not in ("told", "client")), None)
            wrong.append(f"act {number} ({done}): missing {sorted(missing)}, not due {sorted(extra)}")
            return wrong
    kept = Counter((one.role, one.text, one.cut) for one in account.said)
    if kept != Counter(said):
        wrong.append(f"the context has {sorted(said)}, but this was said: {sorted(kept.elements())}")
    return wrong
