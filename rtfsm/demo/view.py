"""How a demo is shown: line by line where nobody watches, as a live table in a terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from .board import Board, Entry, What

__all__ = ["Lines", "Screen", "View"]


class View(Protocol):
    """Shows a board. ``update`` is called ten times a second, ``close`` once."""

    def update(self) -> None: ...

    def close(self) -> None: ...


def line_of(entry: Entry) -> str:
    """An entry as one line of text."""
    mark = {What.WRONG: "!! ", What.MET: "ok "}.get(entry.what, "")
    cause = f"  ({entry.cause})" if entry.cause else ""
    return f"{entry.time:6.2f}  {entry.subject:<22} {mark}{entry.text}{cause}".rstrip()


class Lines:
    """Every entry as a plain line, as it comes."""

    def __init__(self, board: Board, file: TextIO) -> None:
        self._board = board
        self._file = file
        self._shown = 0
        print(board.title, file=file, flush=True)

    def update(self) -> None:
        fresh = self._board.entries[self._shown :]
        self._shown += len(fresh)
        for entry in fresh:
            print(line_of(entry), file=self._file, flush=True)

    def close(self) -> None:
        self.update()


NARROWEST, LOWEST = 80, 24
"""Columns and rows below which a terminal gets plain lines."""
_LEFT = 39
_HIGHEST = 29

_STYLES = {
    "READY": "green",
    "SPEAKING": "bold green",
    "PLAYING": "bold green",
    "speaking": "bold green",
    "INTERRUPTED": "bold red",
    "TOOL_PENDING": "bold yellow",
    "PENDING": "bold yellow",
    "thinking": "bold yellow",
    "listening": "cyan",
    "CLOSED": "dim",
    "SILENT": "dim",
    "TAIL": "dim green",
}
_WAITS = "yellow"
_WHO = {What.CALLER: "cyan", What.AGENT: "green", What.TOOL: "yellow", What.WRONG: "bold red"}
_TALK = (What.CALLER, What.AGENT, What.TOOL, What.WRONG)


class Screen:
    """A live picture, drawn in place, which stays when the demo is over."""

    def __init__(self, board: Board, console: Console) -> None:
        self._board = board
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=False, vertical_overflow="crop")
        self._live.start()

    def update(self) -> None:
        self._live.update(self.picture(), refresh=True)

    def close(self) -> None:
        self._live.stop()

    def picture(self) -> RenderableType:
        """The picture of this moment; always of the same height."""
        board, width = self._board, self._console.width
        height = min(_HIGHEST, self._console.height - 1)
        scenario = height - 17
        left = [
            _panel("machines", self._machines(), 11),
            _panel("counted", self._counts(), 5),
            _panel("scenario", self._scenario(scenario - 2), scenario),
        ]
        steps = 9
        right_width = width - _LEFT
        right = [
            _panel("conversation", self._talk(right_width - 4, height - 1 - steps - 2), height - 1 - steps),
            _panel("last steps", self._steps(right_width - 4, steps - 2), steps),
        ]
        both = Table.grid(expand=True)
        both.add_column(width=_LEFT)
        both.add_column(ratio=1)
        both.add_row(Group(*left), Group(*right))
        head = Text(f" {board.title}  ", style="bold", no_wrap=True, overflow="ellipsis")
        head.append(f"{board.now:5.1f} s  ", style="bold cyan")
        head.append(board.url, style="dim")
        head.truncate(width)
        return Group(head, both)

    def _machines(self) -> Table:
        table = _grid(12)
        session = self._board.session
        if session is None:
            return table
        turn = session.turn
        for machine, states in (
            ("session", {"": turn.session}),
            ("generation", turn.generations),
            ("reply", turn.replies),
            ("tool_call", turn.calls),
            ("user_turn", {"": turn.user_turn}),
            ("playout", turn.playouts),
        ):
            shown = Text("-", style="dim") if not states else Text(no_wrap=True, overflow="ellipsis")
            for position, (id, state) in enumerate(states.items()):
                shown.append(", " if position else "")
                shown.append(state, style=_STYLES.get(state, _WAITS))
                number = id.rpartition("-")[2] if "-" in id else ""
                shown.append(f" {number}" if number else "", style="dim")
            table.add_row(Text(machine), shown)
        table.add_row(Text(""), Text(""))
        for name, state in (("agent_state", turn.agent_state), ("user_state", turn.user_state)):
            table.add_row(Text(name, style="italic"), Text(state, style=_STYLES.get(state, _WAITS)))
        return table

    def _counts(self) -> Text:
        session = self._board.session
        turn = session.turn if session is not None else None
        violations = sum(turn.violations.values()) if turn is not None else 0
        text = Text("violations ", style="dim")
        text.append(str(violations), style="not dim bold red" if violations else "not dim bold green")
        text.append("   events ").append(str(self._board.events), style="not dim").append("\nignored")
        for reason, count in turn.ignored.items() if turn is not None else ():
            # The blank inside belongs together: a line breaks between reasons only.
            text.append(f" {count}\N{NO-BREAK SPACE}", style="not dim").append(reason)
        return text

    def _scenario(self, height: int) -> Text:
        expected, met = self._board.expectations, self._board.met
        next_one = next((number for number, one in enumerate(expected) if one.name not in met), len(expected))
        text = Text(no_wrap=True, overflow="ellipsis")
        # Where not all fit, those around the next one are shown.
        first = max(0, min(next_one - height // 2, len(expected) - height))
        for number, one in list(enumerate(expected))[first : first + height]:
            mark, style = ("✓", "green") if one.name in met else (("▸", "bold") if number == next_one else ("·", "dim"))
            text.append("\n" if number > first else "").append(f"{mark} {one.name}", style=style)
        return text

    def _talk(self, width: int, height: int) -> Text:
        lines: list[Text] = []
        for entry in self._board.entries:
            if entry.what in _TALK:
                wrong = entry.what is What.WRONG
                who, said = ("!!", f"{entry.subject}: {entry.text}") if wrong else (entry.subject, entry.text)
                lines += _wrapped(self._console, who, said, _WHO[entry.what], width)
        current = self._board.speaking().strip()
        if current:
            lines += _wrapped(self._console, "agent", f"{current} …", "bold green", width)
        return Text("\n").join(lines[-height:])

    def _steps(self, width: int, height: int) -> Text:
        lines = []
        for entry in [one for one in self._board.entries if one.what is What.STATE][-height:]:
            before, _, after = entry.text.partition(" -> ")
            line = Text(f"{entry.time:5.2f} ", style="dim").append(f"{entry.subject[:18]:<18} ", style="not dim")
            line.append(f"{before} → ").append(after, style=f"not dim {_STYLES.get(after, _WAITS)}")
            if line.cell_len + len(entry.cause) + 3 <= width:
                line.append(f"  {entry.cause}", style="italic")
            line.truncate(width, overflow="ellipsis")
            lines.append(line)
        return Text("\n").join(lines)


def _panel(title: str, content: RenderableType, height: int) -> Panel:
    return Panel(content, title=title, title_align="left", border_style="bright_black", height=height)


def _grid(*widths: int) -> Table:
    table = Table.grid(padding=(0, 1), expand=True)
    for width in widths:
        table.add_column(width=width, no_wrap=True, overflow="ellipsis")
    table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    return table


def _wrapped(console: Console, who: str, text: str, style: str, width: int) -> list[Text]:
    """The lines of an utterance, indented behind its speaker."""
    indent = 8
    body = Text(text, style=style).wrap(console, max(10, width - indent))
    lines = []
    for number, line in enumerate(body):
        label = Text((who if number == 0 else "")[: indent - 1].ljust(indent), style="dim")
        lines.append(label.append_text(line))
    return lines


def view_for(board: Board, file: TextIO) -> View:
    """The live picture in a terminal that is large enough, plain lines everywhere else."""
    console = Console(file=file, highlight=False)
    watched: Callable[[], bool] = getattr(file, "isatty", lambda: False)
    if watched() and not console.is_dumb_terminal and console.width >= NARROWEST and console.height >= LOWEST:
        return Screen(board, console)
    return Lines(board, file)
