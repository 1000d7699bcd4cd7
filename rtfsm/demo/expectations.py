"""What has to happen in a demo. Each expectation is asked of the evidence again and again until it is met."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from .evidence import Evidence, Spoken
from .script import ANSWERS, GREETING

__all__ = ["Expectation", "expected_of_own_voice", "expected_of_shipped_caller"]


PROMPT = 0.8
"""Seconds from the caller's first sound to the agent's silence, at most."""


@attrs.frozen
class Expectation:
    """name: what has to happen, in a few words that hold no speech. met: whether it has."""

    name: str
    met: Callable[[Evidence], bool] = attrs.field(repr=False)


def _same(spoken: Spoken, text: str) -> bool:
    return spoken.whole and spoken.text.split() == text.split()


def _only(evidence: Evidence, caller: int, text: str) -> bool:
    answers = evidence.answers(caller)
    return len(answers) == 1 and _same(answers[0], text)


def _barged_in(evidence: Evidence) -> bool:
    answers = evidence.answers(2)
    if len(answers) != 1 or len(evidence.voice) < 3:
        return False
    (cut,) = answers
    if not (cut.cut and cut.stopped and cut.heard > 0.5) or cut.ended is None:
        return False
    began = evidence.voice[2]
    # The last word of those that are kept may be heard in part, and written in part then.
    kept, whole = cut.text.split(), ANSWERS[1].split()
    return began < cut.ended < began + PROMPT and 1 < len(kept) < len(whole) and kept[:-1] == whole[: len(kept) - 1]


def _murmured(evidence: Evidence) -> bool:
    answers = evidence.answers(4)
    return bool(answers) and answers[0].whole and not answers[0].text


def _spoke_output(evidence: Evidence) -> bool:
    answers = evidence.answers(4)
    return bool(answers and evidence.outputs) and _same(answers[-1], ANSWERS[3].format(output=evidence.outputs[-1]))


def expected_of_shipped_caller() -> tuple[Expectation, ...]:
    """The conversation of the shipped recording, step by step."""
    return (
        Expectation("the agent greets the caller", lambda e: e.asked and _only(e, 0, GREETING)),
        Expectation("the caller's hello is answered", lambda e: _only(e, 1, ANSWERS[0])),
        Expectation("the caller cuts the agent short", _barged_in),
        Expectation("the caller is answered after that", lambda e: _only(e, 3, ANSWERS[2])),
        Expectation("a murmur without words is heard", _murmured),
        Expectation("the tool is called once", lambda e: len(e.outputs) == 1),
        Expectation("its result is spoken", _spoke_output),
        Expectation("the goodbye is heard to its end", lambda e: _only(e, 5, ANSWERS[4])),
        Expectation("the assistant hangs up", lambda e: e.hung_up),
        Expectation("all that was heard is remembered", lambda e: e.hung_up and not e.unmatched),
    )


def expected_of_own_voice(utterances: int) -> tuple[Expectation, ...]:
    """Every utterance is answered, whatever it was."""
    greeting = Expectation("the agent greets the caller", lambda e: e.asked and _only(e, 0, GREETING))
    return (greeting, *(_answered(number, last=number == utterances) for number in range(1, utterances + 1)))


def _answered(number: int, *, last: bool) -> Expectation:
    def met(evidence: Evidence) -> bool:
        answers = evidence.answers(number)
        return any(one.whole or (one.heard > 0 and not last) for one in answers)

    return Expectation(f"utterance {number} is answered", met)
