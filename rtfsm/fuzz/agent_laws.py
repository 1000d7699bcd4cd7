"""The laws of a fuzzed conversation in an AgentSession: how the agent is afterwards, what was heard and remembered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from .agent_host import AgentHost
from .laws import LAWS, Case, Law, Moment

__all__ = ["AGENT_LAWS"]

SHARED = (
    "a-lost-session-says-so",
    "only-a-lost-connection-ends-a-session",
    "calls-return",
    "the-context-is-what-was-spoken",
    "no-secret-shows",
    "the-client-keeps-the-protocol",
    "no-error-goes-unseen",
)
"""Laws that ask for nothing but what shows here too."""
CLOSE_LIMIT = 5.0
"""Seconds that closing may take: LiveKit's own safety net takes as long, and nobody may need it."""

AGENT_LAWS: list[Law] = [one for one in LAWS if one.name in SHARED]
AgentJudge = Callable[[Case, AgentHost], Iterator[str]]


def law(name: str, text: str, moment: Moment) -> Callable[[AgentJudge], AgentJudge]:
    """The decorated judge becomes a law of conversations in an AgentSession."""

    def add(judge: AgentJudge) -> AgentJudge:
        def asked(case: Case) -> Iterator[str]:
            assert isinstance(case.host, AgentHost)
            yield from judge(case, case.host)

        AGENT_LAWS.append(Law(name, text, moment, asked))
        return judge

    return add


# -- at rest -------------------------------------------------------------------------------------------------------


@law("the-agent-listens", "Once everything is over the agent listens, or the session has closed.", Moment.REST)
def _listens(case: Case, host: AgentHost) -> Iterator[str]:
    if host.ended:
        return
    if host.closing:
        yield "expected the session to have closed two minutes after it was told to; it has not"
        return
    session = host.call.session
    if session.agent_state != "listening":
        yield f"expected the agent to be listening at rest; it is {session.agent_state}"
    if session.user_state != "listening":
        yield f"expected the user to be silent at rest; user_state is {session.user_state}"


@law("nothing-runs", "Once everything is over no speech is waiting, being made or being played.", Moment.REST)
def _idle(case: Case, host: AgentHost) -> Iterator[str]:
    if not host.ended and not host.call.is_idle:
        yield "expected the AgentSession to be idle at rest; it is not"
    waiting = sum(not speech.done() for speech in host.speeches)
    if waiting:
        yield f"expected every speech that was asked for to be done; {waiting} of {len(host.speeches)} wait"


@law("what-was-heard-is-remembered", "The history holds what was heard, and nothing else, in order.", Moment.REST)
def _remembered(case: Case, host: AgentHost) -> Iterator[str]:
    remembered = [text.split() for role, text, _ in host.call.history() if role == "assistant"]
    shown = [segment.split() for segment in (*host.call.transcript.segments, host.call.transcript.current)]
    seen = set(_flat(shown))
    if any(word not in seen for word in _flat(remembered)):
        yield "expected the history to hold words that were shown; it holds others"
    sent = [word for move in case.said if move.what == "audio_chunk" for word in str(move.args.get("text")).split()]
    if not _in_order(_flat(remembered), sent):
        yield "expected the history in the order in which the words were spoken, each once; it is not"
    if not _undisturbed(host):
        return
    if [words for words in remembered if words] != [words for words in shown if words]:
        yield "expected the history to be what was shown, since nothing was interrupted; it is not"


def _undisturbed(host: AgentHost) -> bool:
    """Nothing of what was announced was cut or skipped."""
    return not any(witness.calls_of("interrupt") for witness in host.witnesses) and not host.ended


def _flat(texts: Sequence[Sequence[str]]) -> list[str]:
    return [word for words in texts for word in words]


def _in_order(words: Sequence[str], sent: Sequence[str]) -> bool:
    """Whether these can be had from the other ones by leaving some out."""
    rest = iter(sent)
    return all(word in rest for word in words)


# -- after one more turn -------------------------------------------------------------------------------------------


@law("the-next-turn-is-heard", "Whatever happened before, the next turn is heard and remembered.", Moment.LAST_TURN)
def _heard(case: Case, host: AgentHost) -> Iterator[str]:
    if case.ended or host.ended or host.closing or not case.last_words:
        return
    call = host.call
    remembered = [text for role, text, cut in call.history() if role == "assistant" and not cut]
    for words in case.last_words:
        found = sum(words in text for text in remembered)
        if found != 1:
            yield f"expected the next turn once in the history; it is there {found} times"
        if words not in call.transcript.text:
            yield "expected the next turn to be shown; it was not"
    if call.session.agent_state != "listening":
        yield f"expected the agent to be listening after the next turn; it is {call.session.agent_state}"


# -- after the close -----------------------------------------------------------------------------------------------


@law("the-session-closes", "AgentSession.aclose() returns before LiveKit's own timer of 5 s.", Moment.CLOSED)
def _closes(case: Case, host: AgentHost) -> Iterator[str]:
    for how, took in host.closing:
        if took is None or took >= CLOSE_LIMIT:
            spent = "it did not return" if took is None else f"it took {took:.1f} s"
            yield f"expected the session to be {how} within {CLOSE_LIMIT:g} s; {spent}"


@law("nothing-is-logged", "LiveKit and asyncio log no error, and nothing is left behind.", Moment.CLOSED)
def _logged(case: Case, host: AgentHost) -> Iterator[str]:
    for problem in host.call.problems:
        if any(part in problem and allowed(case) for part, allowed in TOLD_ON_PURPOSE.items()):
            continue
        yield f"expected LiveKit to find nothing wrong; {problem}"


TOLD_ON_PURPOSE: Mapping[str, Callable[[Case], bool]] = {
    # A request that nobody answers, or that ends with the connection, has to fail, and LiveKit logs each failure.
    "failed to generate a reply": lambda case: True,
    "failed to say text": lambda case: True,
    # A session that cannot go on has to say so. Whether it may is another law.
    "closing due to unrecoverable error": lambda case: True,
    # Nobody can keep the provider from speaking while another agent takes over, or while a session drains.
    "skipping new realtime generation": lambda case: case.has("host hands_over", "host closes", "host drains"),
}
"""What LiveKit 1.8.9 logs whatever a session does, and when."""
