"""Renders how models keep the contract, as a page of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .clauses import CLAUSES
from .probe import Outcome, Probe, Result

__all__ = ["conformance"]


def conformance(results: Mapping[str, Iterable[Result]], probes: Iterable[Probe] = ()) -> str:
    """A table of every clause and probe, with a column for each model. ``results``: by the column's title.

    probes: the rows; all of them by default.
    """
    from . import PROBES

    rows = tuple(probes) or PROBES
    columns = {title: {one.probe: one for one in ended} for title, ended in results.items()}
    lines = [
        "# What LiveKit expects of a realtime session, and who keeps it",
        "",
        "Each probe of `rtfsm.testing.contract` was run in virtual time against a scripted provider. Clauses are those",
        "of livekit-agents 1.8.9. *Not applicable* and its reasons are listed below the table.",
        "",
        "| | " + " | ".join(columns) + " |",
        "|---|" + "---|" * len(columns),
        *(_count(outcome, columns) for outcome in Outcome),
        "",
        "| clause | probe | " + " | ".join(columns) + " |",
        "|---|---|" + "---|" * len(columns),
    ]
    for clause in CLAUSES:
        of_clause = [probe for probe in rows if probe.clause == clause.number]
        if clause.why_no_probe:
            lines.append(f"| {clause.number}. {clause.text} | none: {clause.why_no_probe} |" + " |" * len(columns))
        for position, probe in enumerate(of_clause):
            shown = f"{clause.number}. {clause.text}" if position == 0 else ""
            cells = " | ".join(_cell(ended.get(probe.name)) for ended in columns.values())
            lines.append(f"| {shown} | `{probe.name}` | {cells} |")
    lines += ["", "## What each probe demands", ""]
    lines += [f"- `{probe.name}` ({'watch' if probe.is_watch else 'drill'}): {probe.text}" for probe in rows]
    for title, ended in columns.items():
        told = [one for one in ended.values() if one.detail]
        if told:
            lines += ["", f"## {title}", "", *(f"- `{one.probe}`, {one.outcome.value}: {one.detail}" for one in told)]
    return "\n".join(lines) + "\n"


def _count(outcome: Outcome, columns: Mapping[str, Mapping[str, Result]]) -> str:
    counts = (str(sum(one.outcome is outcome for one in ended.values())) for ended in columns.values())
    return f"| {outcome.value} | " + " | ".join(counts) + " |"


def _cell(result: Result | None) -> str:
    if result is None:
        return ""
    return f"**{result.outcome.value}**" if result.outcome is Outcome.BROKEN else result.outcome.value
