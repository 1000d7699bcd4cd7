"""The laws of a fuzzed conversation in an AgentSession: how the agent is afterwards, what was heard and remembered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from rtfsm.testing.contract import WATCHES

from .agent_host import NET, AgentHost
from .laws import LAWS, Case, Law, Moment, fatal, over

__all__ = ["AGENT_LAWS", "AGENT_WATCHES"]

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

AGENT_WATCHES = tuple(one for one in WATCHES if one.name != "the-safety-net-is-never-needed")
"""The contract's watches. The one that is left out counts every line of the log; see ``nothing-is-logged``."""
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
    if host.closing or host.drains:
        yield "expected the session to have closed two minutes after it was told to; it has not"
        return
    session = host.call.session
    if session.agent_state != "listening" and not _left_thinking(case, host):
        yield f"expected the agent to be listening at rest; it is {session.agent_state}"
    if session.user_state != "listening":
        yield f"expected the user to be silent at rest; user_state is {session.user_state}"


def _left_thinking(case: Case, host: AgentHost) -> bool:
    """Whether LiveKit 1.8.9 goes on showing "thinking" whatever the session does, or nobody is there to listen."""
    if host.call.session.agent_state != "thinking" or not host.witnesses:
        return False
    # The application was told that the conversation is over, and is to close; the agent does not listen either.
    if over(case, len(host.witnesses) - 1):
        return True
    # The net cuts the tool's speech off without a look at the state, and a say() that fails does not look either.
    return bool(host.nets) and all(host.nets)


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
    # LiveKit's synchroniser shows words with their sound, and those of a message without any not at all.
    said = [(move, case.dialect.means(move)) for move in case.said]
    sounds = [meant for _, meant in said if meant.what == "says"]
    bent = any(move.is_odd for move, meant in said if meant.what == "says")
    silent = bent or not all(meant.seconds for meant in sounds)
    unseen = any(word not in seen for word in _flat(remembered))
    if unseen and not (case.ordering.synced and silent):
        yield "expected the history to hold words that were shown; it holds others"
    sent = [word for meant in sounds for word in meant.words.split()]
    if not bent and not _in_order(_flat(remembered), sent):
        yield "expected the history in the order in which the words were spoken, each once; it is not"
    whole = sum(segment.finished is not None and not segment.interrupted for segment in host.call.speaker.heard)
    kept = sum(bool(words) for words in remembered)
    if not silent and all(meant.words for meant in sounds) and kept < whole and not host.nets:
        yield f"expected what was heard to its end in the history; of {whole} messages it holds {kept}"
    if not _undisturbed(host):
        return
    if not unseen and [words for words in remembered if words] != [words for words in shown if words]:
        yield "expected the history to be what was shown, since nothing was interrupted; it is not"


@law("what-is-typed-reaches-the-provider", "Typed words that were answered had reached the provider.", Moment.REST)
def _typed(case: Case, host: AgentHost) -> Iterator[str]:
    for words, speech in host.typed.items():
        answered = speech.done() and not speech.interrupted and speech.exception() is None
        if answered and not any(connection.told(words) for connection in case.wire.connections):
            yield "expected typed words to reach the provider before they are answered; they never did"


@law("the-last-agent-rules", "The provider is told the instructions that were given last.", Moment.REST)
def _rules(case: Case, host: AgentHost) -> Iterator[str]:
    if not case.ordering.handshake or case.has("wire *") or case.ended or host.ended or not host.instructions:
        return
    if not any(connection.told(host.instructions[-1]) for connection in case.wire.connections):
        yield "expected the latest instructions to reach the provider; they never did"


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
    if case.ended or host.ended or not case.last_words:
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
        # While a session drains, LiveKit lets everything end by itself first, a request that nobody answers too.
        if took is None or (took >= CLOSE_LIMIT and not host.drains):
            spent = "it did not return" if took is None else f"it took {took:.1f} s"
            yield f"expected the session to be {how} within {CLOSE_LIMIT:g} s; {spent}"


@law("nothing-is-logged", "LiveKit and asyncio log no error, and nothing is left behind.", Moment.CLOSED)
def _logged(case: Case, host: AgentHost) -> Iterator[str]:
    for problem in host.call.problems:
        if any(part in problem and allowed(case, host) for part, allowed in TOLD_ON_PURPOSE.items()):
            continue
        yield f"expected LiveKit to find nothing wrong; {problem}"


TOLD_ON_PURPOSE: Mapping[str, Callable[[Case, AgentHost], bool]] = {
    # A request that nobody answers, or that ends with the connection, has to fail, and LiveKit logs each failure.
    "failed to generate a reply": lambda case, host: True,
    "failed to say text": lambda case, host: True,
    # A session that cannot go on has to say so. Whether it may is another law.
    "closing due to unrecoverable error": lambda case, host: True,
    # Nobody can keep the provider from speaking while another agent takes over, or while a session drains.
    "skipping new realtime generation": lambda case, host: (
        case.has("host hands_over", "host closes", "host drains") or any(fatal(one) for one in host.witnesses)
    ),
    # Arguments that do not fit the tool are answered with an error, and logged.
    "error parsing arguments for": lambda case, host: any(
        move.is_odd and case.dialect.means(move).what == "calls" for move in case.said
    ),
    # It takes a request while another agent takes over, and then has no session to ask.
    "Error in _realtime_reply_task (AssertionError)": lambda case, host: case.has("host hands_over"),
    # The output of a tool whose speech was interrupted waits until nothing else is said or asked for. Where that takes
    # longer than 5 s, for instance since the provider does not answer a request, the net cuts it off.
    NET: lambda case, host: all(host.nets),
}
"""What LiveKit 1.8.9 logs whatever a session does, and when."""
