"""How a demo ended: what took place, what is missing, what must not be."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from rtfsm.machines.invariants import INVARIANTS

__all__ = ["Outcome"]


@attrs.frozen
class Outcome:
    """seconds: how long it took. missing: expectations that were not met. violations: invariant -> how often.
    details: invariant -> the first finding. wrong: everything else that must not be, one line each. warnings: log lines
    that are worth knowing. written: files."""

    seconds: float = 0.0
    agent_turns: int = 0
    caller_turns: int = 0
    barge_ins: int = 0
    tool_calls: int = 0
    events: int = 0
    ignored: Mapping[str, int] = attrs.field(factory=dict)
    missing: tuple[str, ...] = ()
    violations: Mapping[str, int] = attrs.field(factory=dict)
    details: Mapping[str, str] = attrs.field(factory=dict)
    wrong: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    written: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        return not (self.missing or self.violations or self.wrong)

    def lines(self) -> list[str]:
        """The summary; its last line is ``violations: N``."""
        ignored = ", ".join(f"{count} {reason}" for reason, count in self.ignored.items())
        rows = [
            ("time", f"{self.seconds:.1f} s"),
            ("turns", f"{self.agent_turns} of the agent, {self.caller_turns} of the caller"),
            ("barge-ins", str(self.barge_ins)),
            ("tool calls", str(self.tool_calls)),
            ("events", f"{self.events} taken by machines"),
            ("ignored", ignored or "none"),
            *(("log", line) for line in self.warnings),
            *(("written", path) for path in self.written),
            *(("missing", f"{name} (it did not happen)") for name in self.missing),
            *(("wrong", line) for line in self.wrong),
            *(("violated", self._violation(name, count)) for name, count in self.violations.items()),
        ]
        result = "the whole conversation took place" if self.good else "the conversation did not go as it should"
        return [
            f"summary: {result}",
            *(f"  {label:<11} {text}" for label, text in rows),
            f"violations: {sum(self.violations.values())}",
        ]

    def _violation(self, name: str, count: int) -> str:
        often = "once" if count == 1 else f"{count} times"
        found = f"; first: {self.details[name]}" if name in self.details else ""
        return f"{name} ({INVARIANTS[name].text}) {often}{found}"
