"""The laws of a fuzzed conversation: the contract's watches, and what shows only to who sees both ends of the wire."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import attrs

from rtfsm.testing.contract import Probe, judge
from rtfsm.testing.contract.running import unreadable
from rtfsm.testing.contract.seen import SeenGeneration
from rtfsm.testing.contract.witness import Witness

from .dialect import KEY, Connection, Dialect, Talk, Wire
from .findings import Finding
from .host import Host
from .meaning import NOTHING, Meaning
from .moves import Move, Ordering

__all__ = ["LAWS", "Case", "Law", "Made", "Moment", "judged"]


PATIENCE = 50.0
"""Seconds for which a provider waits for an output for sure; after a minute it is told that there is none."""


class Moment(enum.Enum):
    """When a law is asked. REST: nothing more is under way. LAST_TURN: the agent has spoken once more. CLOSED: the
    host has closed every session, and the provider is gone."""

    REST = "at rest"
    LAST_TURN = "after one more turn"
    CLOSED = "after the close"


@attrs.frozen
class Made:
    """A move that was made, at ``at`` on the loop's clock. step: its number, from 1; what the provider says to bring
    everything to an end comes after the last."""

    at: float
    step: int
    move: Move


@attrs.define
class Case:
    """A conversation that was played, seen from both ends. log: what was logged, from INFO on."""

    ordering: Ordering
    dialect: Dialect
    wire: Wire
    host: Host
    log: Sequence[str]
    step: int = 0
    made: list[Made] = attrs.field(factory=list)
    kept: set[str] = attrs.field(factory=set)
    """Calls whose output the host gave, and the provider did not get then."""
    answered: set[int] = attrs.field(factory=set)
    """Steps in which the host gave an output that the provider got."""
    talks: dict[Connection, Talk] = attrs.field(factory=dict)
    last_words: list[str] = attrs.field(factory=list)

    @property
    def said(self) -> list[Move]:
        """What the provider sent, on any connection."""
        return [one.move for one in self.made if one.move.who == "server"]

    @property
    def live(self) -> list[tuple[int, Witness]]:
        """The sessions that nobody has closed, and that have not said that they are over; each with its number."""
        sessions = enumerate(self.host.witnesses)
        return [(n, one) for n, one in sessions if n not in self.host.closed and not over(self, n)]

    @property
    def ended(self) -> bool:
        """The provider said on some connection that the conversation is over."""
        return any(talk.ended for talk in self.talks.values())

    def words_said(self) -> Counter[str]:
        """How often the provider sent each text as words of the agent's, odd messages included."""
        meant = [self.dialect.means(move) for move in self.said]
        return Counter(one.words.strip() for one in meant if one.what == "says")

    def has(self, *kinds: str) -> bool:
        """Whether a move of one of these kinds was made."""
        return any(move.kind in kinds or f"{move.who} *" in kinds for move in self.ordering.moves)


def meaning(dialect: Dialect, move: Move) -> Meaning:
    """What a move means; nothing where it is not the provider's, or odd."""
    return dialect.means(move) if move.who == "server" and not move.is_odd else NOTHING


def over(case: Case, number: int) -> bool:
    """Whether the session has said that it is over: by an error that cannot be recovered from, or by rtfsm's event."""
    return number in case.host.over or fatal(case.host.witnesses[number])


def fatal(witness: Witness) -> bool:
    """Whether the session has told an error that cannot be recovered from."""
    return any(not getattr(told.event, "recoverable", True) for told in witness.named("error"))


Judge = Callable[[Case], Iterator[str]]


@attrs.frozen
class Law:
    """name: short and stable. text: what is demanded. moment: when. judge: a line for each thing that is wrong."""

    name: str
    text: str
    moment: Moment
    judge: Judge = attrs.field(repr=False)


LAWS: list[Law] = []


def law(name: str, text: str, moment: Moment) -> Callable[[Judge], Judge]:
    """The decorated judge becomes a law."""

    def add(judge: Judge) -> Judge:
        LAWS.append(Law(name, text, moment, judge))
        return judge

    return add


def judged(case: Case, laws: Sequence[Law], watches: Sequence[Probe], moment: Moment) -> list[Finding]:
    """What is wrong at this moment: by the laws, and by the contract's watches."""
    found = []
    for one in laws:
        if one.moment is moment:
            try:
                found += [Finding(one.name, detail) for detail in one.judge(case)]
            except Exception as error:
                found.append(Finding(one.name, unreadable(error)))
    if moment is not Moment.LAST_TURN:
        for witness in case.host.witnesses:
            found += [Finding(one.probe, one.detail, one.clause) for one in judge(witness, watches)]
    return found


# -- at rest -------------------------------------------------------------------------------------------------------


@law("a-lost-session-says-so", "A session whose connection is gone for good says so.", Moment.REST)
def _lost(case: Case) -> Iterator[str]:
    running = sum(one.open and one.running for one in case.wire.connections)
    if not case.ended and running < len(case.live):
        yield (
            "expected a session without a running connection to say that it cannot go on; "
            f"{len(case.live) - running} of {len(case.live)} say nothing"
        )


@law("only-a-lost-connection-ends-a-session", "No message ends a session, but the provider's goodbye.", Moment.REST)
def _gave_up(case: Case) -> Iterator[str]:
    if case.has("wire *") or case.ended or not case.ordering.handshake:
        return
    for number, witness in enumerate(case.host.witnesses):
        if number not in case.host.closed and fatal(witness):
            yield "expected the session to go on, since its connection was never lost; it said that it cannot"


@law("calls-return", "Every call of the host's returns.", Moment.REST)
def _returns(case: Case) -> Iterator[str]:
    for witness in case.host.witnesses:
        for called in witness.called:
            if called.ended is None:
                yield f"expected {called.name}() to return; it did not within two minutes"


@law("calls-do-not-raise", "No call of the host's raises where it may not.", Moment.REST)
def _raises(case: Case) -> Iterator[str]:
    for failure in case.host.failures:
        yield f"expected no error; {failure}"


@law("an-empty-generation-is-no-answer", "Sending an output announces nothing: the answer does.", Moment.REST)
def _speculative(case: Case) -> Iterator[str]:
    for place, one in enumerate(case.made):
        if one.step not in case.answered or not one.move.args["reply"] or case.made[place - 1].move.at_once:
            continue
        until = case.made[place + 1].at if place + 1 < len(case.made) else one.at + 1.0
        announced = [generation for witness in case.host.witnesses for generation in witness.generations]
        if any(one.at <= generation.at < until and _empty(generation) for generation in announced):
            yield "expected the provider's answer to be announced when it comes; an empty one was, at the output"


def _empty(generation: SeenGeneration) -> bool:
    sounding = any(message.frames or message.words.strip() for message in generation.messages)
    return not sounding and not generation.calls


@law("sessions-are-apart", "No session is configured with what another one was given.", Moment.REST)
def _apart(case: Case) -> Iterator[str]:
    for connection in case.wire.connections:
        told = [n for n, words in enumerate(case.host.personas) if any(connection.told(word) for word in words)]
        if len(told) > 1:
            yield "expected each connection to be told of one session's instructions; one was told of two sessions'"
    first = [words[0] for words in case.host.personas]
    for number, word in enumerate(first):
        holders = sum(connection.told(word) for connection in case.wire.connections)
        running = sum(connection.running for connection in case.wire.connections)
        if running >= len(first) and holders == 0 and not case.has("wire *") and number not in case.host.closed:
            yield "expected each session's instructions to reach the provider; those of one never did"


@law("options-reach-every-session", "A change of the model's options reaches every session of it.", Moment.REST)
def _options(case: Case) -> Iterator[str]:
    if not case.host.options or case.has("wire *") or not case.ordering.handshake or case.host.closed:
        return
    last = case.host.options[-1]
    live = [one for one in case.wire.connections if one.open and one.running]
    missing = sum(not one.told(last) for one in live)
    if missing and len(live) == len(case.host.witnesses):
        yield f"expected the change to reach the provider on {len(live)} connections; it is missing on {missing}"


@law("outputs-reach-the-provider", "The output of a call that still stands reaches the provider.", Moment.REST)
def _outputs(case: Case) -> Iterator[str]:
    if case.has("wire *", "host hands_over", "host closes", "host updates_options") or case.ended:
        return
    over = {one.of for move in case.said if (one := case.dialect.means(move)).what == "call over"}
    waited = sum(one.move.args["seconds"] for one in case.made if one.move.who == "time")
    if waited < PATIENCE and not any(fatal(one) for one in case.host.witnesses):
        for _ in case.kept - over:
            yield "expected the output of a tool call to be sent when it is given; it was not"


@law("the-context-is-what-was-spoken", "Words that were cut before they were spoken leave the context.", Moment.REST)
def _spoken(case: Case) -> Iterator[str]:
    if case.has("host interrupts"):
        return  # a turn that the host has cut is two messages there, and the provider speaks of the last
    withdrawn = [word for talk in case.talks.values() for word in talk.withdrawn_words()]
    for witness in case.host.witnesses:
        items = [item for item in witness.session.chat_ctx.items if item.type == "message"]
        said = " ".join(item.text_content or "" for item in items if item.role == "assistant").split()
        if any(word.strip() in said for word in withdrawn):
            yield "expected words that were never spoken to leave the context; they are in it"


@law("no-word-twice", "What the agent says is heard once.", Moment.REST)
def _twice(case: Case) -> Iterator[str]:
    sent = case.words_said()
    for witness in case.host.witnesses:
        heard = Counter(word for generation in witness.generations for word in generation.words.split())
        if any(heard[word] > count for word, count in sent.items() if word):
            yield "expected every word to be heard once; one is heard again"


# -- after one more turn -------------------------------------------------------------------------------------------


@law("the-next-turn-is-heard", "Whatever happened before, a session that lives hears the next turn.", Moment.LAST_TURN)
def _heard(case: Case) -> Iterator[str]:
    if case.ended:
        return
    for _, witness in case.live:
        heard = [one for one in witness.generations if any(words in one.words for words in case.last_words)]
        if case.last_words and len(heard) != 1:
            yield f"expected the next turn in one generation; it is in {len(heard)}"
        elif heard and not heard[0].ended:
            yield "expected the streams of the next turn to end; they did not"


# -- after the close -----------------------------------------------------------------------------------------------


@law("no-secret-shows", "The API key shows in no log line and in no error.", Moment.CLOSED)
def _secret(case: Case) -> Iterator[str]:
    if any(KEY in line for line in case.log):
        yield "expected the API key in no log line; it is in one"
    for witness in case.host.witnesses:
        for told in witness.named("error"):
            if KEY in f"{told.event!r} {getattr(told.event, 'error', '')}":
                yield "expected the API key in no error; it is in one that was told"


@law("the-client-keeps-the-protocol", "The client sends nothing that the provider does not take.", Moment.CLOSED)
def _protocol(case: Case) -> Iterator[str]:
    for connection in case.wire.connections:
        for problem in connection.errors:
            yield f"expected a correct client; the provider complains of {problem}"


@law("sound-waits-to-be-taken", "The user's sound is sent once the provider takes it, and not before.", Moment.CLOSED)
def _early(case: Case) -> Iterator[str]:
    if any(connection.early_sound for connection in case.wire.connections):
        yield "expected the user's sound to wait until the provider takes it; it was sent before, and is lost"


@law("no-error-goes-unseen", "No error ends in the event loop alone.", Moment.CLOSED)
def _unseen(case: Case) -> Iterator[str]:
    for witness in case.host.witnesses:
        for name in witness.loop_errors:
            yield f"expected every error to be handled; the loop was left with {name}"
