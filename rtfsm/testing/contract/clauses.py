"""The 82 clauses: what livekit-agents 1.8.9 expects of a realtime session, in one table.

Read from livekit-agents 1.8.9 and livekit 1.1.21, and mostly seen by breaking them in a headless AgentSession. A clause
with a reason has no probe: no adapter can break it.
"""

from __future__ import annotations

from .probe import Clause

__all__ = ["CLAUSES"]

CLAUSES: tuple[Clause, ...] = tuple(
    Clause(number, *row)
    for number, row in enumerate(
        (
            ("One response is one generation_created, from the event loop's thread.",),
            ("user_initiated says exactly whether the response answers a request of the host.",),
            ("Only the adapter resolves the futures of requests.",),
            ("A pending future ends by itself: by time, close, reconnection or rejection.",),
            ("A future fails with RealtimeError alone; anything else leaves the agent in thought.",),
            ("Asking never raises.",),
            ("The host may cancel a future; the answer that comes late is dropped.",),
            ("An answer that resolved in the instant of an interruption is read by nobody.",),
            ("A pending say() is settled by interrupt(): nobody else ends the wait.",),
            ("Requests follow each other; one that was cancelled may still be answered first.",),
            ("Both streams of a generation end, always.",),
            ("After interrupt() the streams end at once.",),
            ("After a barge-in into a half played answer they end too, or a task waits for ever.",),
            ("The user's speech is told in the step that ends the old generation.",),
            ("Modalities wait for nothing that may not come.",),
            ("Modalities can be awaited again.",),
            ("The text and the sound of a message both end.",),
            ("A message's text has content, and ends before its sound has been played.",),
            ("An empty chunk of text is not neutral.",),
            ("Streams do not raise.",),
            ("Streams take everything, whether or not somebody reads.",),
            ("One generation ends before the next is announced.",),
            ("Nothing is announced before the session has been configured.",),
            ("What is announced during a handoff is heard by nobody.",),
            (
                "What is emitted after the close is lost.",
                "the handlers are gone: whatever is emitted then disturbs nobody",
            ),
            ("A response id serves traces and metrics.", "it is optional; what it must match is clause 82"),
            ("Ids of messages are unique in the life of the session.",),
            ("A response may be nothing but tool calls.",),
            ("Messages that nobody heard are the adapter's to forget.",),
            ("A placeholder without content means: keep what you have.",),
            (
                "A generation that is interrupted in the queue is dropped without a word.",
                "the framework tells the adapter nothing then; that the streams end is clause 12",
            ),
            ("interrupt() is safe in every state.",),
            ("interrupt() does not mean that the user interrupted.",),
            (
                "interrupt() may end the streams by itself.",
                "it is a permission, and the simplest way to keep clauses 12 to 14",
            ),
            ("The user's speech is told as started and as stopped.",),
            ("Where interruptions are disallowed the framework plays on, so streams stay valid.",),
            ("truncate() comes late or with nothing heard, and does not raise.",),
            ("The framework's own timer of 5 s ends speech badly; it must never have to.",),
            ("Before a fatal error is told, all streams have ended.",),
            ("Interim transcripts accumulate.",),
            ("An item has exactly one final transcript, and it is not empty.",),
            ("A late transcript says when its turn began.",),
            ("remote_item_added is optional, appends, and keeps the type of the item.",),
            ("chat_ctx mirrors what the provider holds, under the ids that are used elsewhere.",),
            ("update_chat_ctx() makes the provider equal to what is pushed, whatever is in it.",),
            ("Updates are bounded by the adapter.",),
            ("Updates fail with RealtimeError alone.",),
            ("Updates may run at the same time.",),
            ("Typed words come as an update of the context and a request.",),
            ("A tool call is unique, well formed, and the host's own copy.",),
            ("A tool call is handed over once it is complete, and runs at once.",),
            ("Outputs come together, in one update.",),
            ("An output may want no reply.",),
            ("Where the provider answers outputs by itself, something must follow every output that wants a reply.",),
            (
                "After a handoff by a tool the new agent's context replaces all.",
                "it tells what the framework skips; what the adapter owes is in clauses 24 and 71",
            ),
            ("Tools are not cancelled by an interruption; their answer may be lost on the way.",),
            ("Some outputs belong to calls that the framework made up.",),
            ("Some calls are never answered; the adapter ends them at the provider.",),
            ("A tool cannot be stopped; the output of a withdrawn call is dropped.",),
            ("Without tool choice per reply, options and tools are set and restored around every tool reply.",),
            (
                "The number of tool steps is bounded.",
                "the framework counts them, and only ever sends another tool_choice",
            ),
            ("Configuration waits for no connection.",),
            ("When the configuration fails, nobody closes the session.",),
            ("Pushing sound or pictures never raises.",),
            ("Nobody listens to session_reconnected: the adapter restores everything.",),
            ("error carries a RealtimeModelError.",),
            ("The first unrecoverable error closes the session; it comes once.",),
            ("A response that fails is no error.",),
            (
                "The close has a fixed order.",
                "the order is the framework's; aclose() comes when everything else has ended",
            ),
            ("aclose() is idempotent, bounded and complete.",),
            ("On a handoff the session is reused, or another one of the same model takes over.",),
            (
                "The model's aclose() is never called.",
                "a session that needs it leaves something behind, which is clause 70",
            ),
            ("A handler's TypeError comes out of emit().",),
            ("Without turn detection the host commits and then asks.",),
            ("start_user_activity() comes with every inference.",),
            ("clear_audio() comes at any time.",),
            ("A message has one sample rate and channel count.",),
            ("Frames without samples hang a room.",),
            ("Frames may come faster than they sound.", "it is a permission: the sink sets the pace"),
            ("Times of words count from the start of the message.",),
            ("A message is a segment.",),
            ("Metrics name model, provider and response.",),
        ),
        1,
    )
)
