"""Laws on what is said: the words of an undisturbed turn, of a cut one, of the user, of a tool call, and of the log.

They judge conversations of one session on one connection that runs from the beginning: there the provider's messages
say by themselves what the host has to be told.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from .dialect import Dialect
from .laws import Case, Made, Moment, fatal, law, meaning
from .meaning import Meaning
from .moves import ODD

__all__: list[str] = []

PAUSE = 1.5
"""Seconds within a turn that nobody takes for its end."""
SOON = 0.5
"""Seconds within which a word that was sent can be read, where the host reads."""
QUIET = ("quiet", "hears", "unheard")
"""Meanings of messages that change nothing in a turn of the agent's, whenever they come."""
ASKING_CALLS = ("asks", "says", "outputs", "cancels")
"""Calls of the host's that lead to turns which answer them."""
SILENT_CALLS = ("sounds", "types", "commits")
"""Calls of the host's that change nothing in a turn either."""


def plain(case: Case) -> bool:
    """One session, let in at once, whose connection nothing befell and which nobody closed."""
    return (
        case.ordering.handshake
        and len(case.host.witnesses) == 1
        and not case.has("wire *", "host closes")
        and not case.host.over
        and not fatal(case.host.witnesses[0])
    )


def is_quiet(dialect: Dialect, one: Made, since: float) -> bool:
    """Nothing of what was said or is being said is touched by this."""
    move = one.move
    if one.at - since > PAUSE:
        return False
    if move.who == "time":
        return bool(move.args["seconds"] <= PAUSE)
    if move.who == "server":
        return meaning(dialect, move).what in QUIET
    return move.who == "host" and move.what in SILENT_CALLS


@attrs.frozen
class Spoken:
    """A turn of the agent's that nothing disturbed, as the provider sent it. seconds: of sound."""

    chunks: Sequence[tuple[Made, Meaning]]

    @property
    def words(self) -> list[str]:
        return "".join(meant.words for _, meant in self.chunks).split()

    @property
    def seconds(self) -> float:
        return sum(meant.seconds for _, meant in self.chunks)


def undisturbed(made: Sequence[Made], dialect: Dialect) -> Iterator[Spoken]:
    """The turns that begin, go on and end with nothing between, while the user is silent.

    Until the host first asks for something: a turn may answer a request that was given up, and then nobody hears it.
    """
    chunks: list[tuple[Made, Meaning]] | None = None
    last, user, turn = 0.0, False, ""
    for one in made:
        meant = meaning(dialect, one.move)
        if one.move.who == "host" and one.move.what in ASKING_CALLS:
            return
        if meant.what == "begins":
            chunks, last, turn = (None if user else []), one.at, meant.of
            continue
        if meant.what == "says" and meant.of == turn and chunks is not None and one.at - last <= PAUSE:
            chunks.append((one, meant))
            last = one.at
            continue
        if meant.what == "ends" and meant.of == turn and chunks is not None:
            yield Spoken(chunks)
            chunks = None
            continue
        user = {"user begins": True, "user ends": False}.get(meant.what, user)
        if chunks is not None and not is_quiet(dialect, one, last):
            chunks = None


@law("what-is-said-is-heard-whole", "An undisturbed turn is heard whole, in order, in one generation.", Moment.REST)
def _whole(case: Case) -> Iterator[str]:
    if not plain(case):
        return
    witness = case.host.witnesses[0]
    times = case.words_said()
    for turn in undisturbed(case.made, case.dialect):
        words = turn.words
        own = Counter(meant.words.strip() for _, meant in turn.chunks)
        if not words or any(times[text] > count for text, count in own.items() if text):
            continue  # what is repeated elsewhere may be heard there too
        holding = [one for one in witness.generations if {words[0], words[-1]} & {*one.words.split()}]
        if len(holding) != 1 or holding[0].words.split() != words:
            yield "expected an undisturbed turn to be heard whole, in order, in one generation; it is not"
            continue
        heard = sum(message.seconds for message in holding[0].messages)
        if abs(heard - turn.seconds) > 0.001:
            yield "expected all the sound of an undisturbed turn to be heard; there is more of it or less"
        if not case.ordering.reads:
            continue
        for count, (chunk, _) in enumerate(turn.chunks, 1):
            said = "".join(Spoken(turn.chunks[:count]).words)
            read = "".join(text for m in holding[0].messages for at, text in m.text if at <= chunk.at + SOON)
            if not "".join(read.split()).startswith(said):
                yield "expected each word to be heard when it is said; one came later"
                break


PAUSE = 1.0
"""Seconds after which what comes may be a turn of its own."""


@law(
    "what-was-cut-stays-cut", "Words that come after the user began to speak over the agent are not heard.", Moment.REST
)
def _cut(case: Case) -> Iterator[str]:
    if not plain(case):
        return
    heard = [word for one in case.host.witnesses[0].generations for word in one.words.split()]
    late: set[str] = set()
    fine: set[str] = set()
    speaking = cut = user = False
    last, turn = 0.0, ""
    for one in case.made:
        meant = meaning(case.dialect, one.move)
        kind, word = meant.what, meant.words.strip()
        if kind == "says" and speaking and meant.of == turn:
            # After a pause nobody can tell what is left of the turn that was cut from a new one.
            (late if cut and one.at - last < PAUSE else fine).add(word)
            last = one.at
        elif kind == "says":
            fine.add(word)
            if not is_quiet(case.dialect, one, last):
                speaking = cut = False
        elif kind == "begins":
            speaking, cut, last, turn = True, False, one.at, meant.of
        elif kind == "user begins":
            cut, user = cut or not user, True
        elif kind == "user ends":
            user = False
        elif not is_quiet(case.dialect, one, last):
            speaking = cut = False
    if any(word in heard for word in late - fine - {""}):
        yield "expected what the agent says on after it was cut to be dropped; it is heard"


@law("the-user-is-told-once", "Every transcript of the user's with words in it is told once, in order.", Moment.REST)
def _transcribed(case: Case) -> Iterator[str]:
    if not plain(case) or case.ended:
        return
    said = [(move, case.dialect.means(move)) for move in case.said]
    sent = [(move, one) for move, one in said if one.what in ("hears", "unheard")]
    # Of an item without words at its end, what was told of it on the way may be all there is.
    if any(move.is_odd or one.what == "unheard" or (one.of and not one.words.strip()) for move, one in sent):
        return
    told: list[Any] = [one.event for one in case.host.witnesses[0].named("input_audio_transcription_completed")]
    final = [one.transcript for one in told if one.is_final]
    first: dict[str, str] = {}
    for place, (_, one) in enumerate(sent):
        if one.words.strip():
            first.setdefault(one.of or str(place), one.words)
    words = [*first.values()]
    if final != words:
        yield "expected each transcript to be told once and in order; one is missing, or there again, or another"


@law(
    "a-call-has-its-arguments", "A tool is called with the name and the arguments that the provider gave.", Moment.REST
)
def _arguments(case: Case) -> Iterator[str]:
    sent: dict[str, list[Any]] = {}
    bent: set[str] = set()
    """What messages are about that should not have been sent as they were: the client may have taken such a call."""
    for move in case.said:
        meant = meaning(case.dialect, move)
        if any(odd in move.args for odd in ODD):
            bent |= {value for value in move.args.values() if isinstance(value, str)}
        if meant.what == "calls":
            sent.setdefault(meant.of, []).append((meant.name, meant.arguments))
    for witness in case.host.witnesses:
        for call in witness.calls:
            try:
                given = (call.name, json.loads(call.arguments))
            except ValueError:
                continue  # the contract says so
            if call.call_id in sent and call.call_id not in bent and given not in sent[call.call_id]:
                yield "expected a tool call with the arguments that the provider gave; it has others"


@law("asked-once", "The provider is asked to speak as often as the host asks, and no more.", Moment.REST)
def _asked(case: Case) -> Iterator[str]:
    wanted = sum(len(witness.requests) for witness in case.host.witnesses)
    asked = sum(connection.asked for connection in case.wire.connections)
    if asked > wanted:
        yield f"expected the provider to be asked to speak {wanted} times at most; it was asked {asked} times"


@law("no-word-shows", "What was said shows in no log line.", Moment.CLOSED)
def _logged(case: Case) -> Iterator[str]:
    spoken = {case.dialect.means(move).words.strip() for move in case.said}
    words = [f"{quote}{word}" for word in spoken if word for quote in (" ", '"', "'")]
    if any(word in line for line in case.log for word in words):
        yield "expected what was said in no log line; it is in one"
