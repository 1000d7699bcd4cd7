"""The picture of a recording as SVG: one file, the same bytes for the same recording, told apart without colours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape

from .lanes import Bar, Lane, Look, legend_of
from .recording import Recording
from .text import grouped, shown, ticks

__all__ = ["svg"]

NARROWEST = 480
LABELS, MARGIN, ROW, GAP, TOP = 124, 16, 18, 10, 76
BAR = 14
TOLD = 10
LEGEND = 18

STYLE = """\
svg{--ink:#1b2330;--dim:#5b6675;--line:#d5dbe3;--back:#fff;--live:#0b5cad;--wait:#b9c6d6;--busy:#d98a00;--cut:#a3260f;--user:#00735c;
--tail:#7d8998;background:var(--back)}
@media (prefers-color-scheme:dark){svg{--ink:#e8edf4;--dim:#9aa7b8;--line:#2c3644;--back:#10151d;--live:#6cb2ff;
--wait:#3d4c5f;--busy:#f0b03f;--cut:#ff8a6b;--tail:#8996a6;--user:#4fd1ae}}
text{font:12px system-ui,sans-serif;fill:var(--ink)}.dim{fill:var(--dim)}.title{font-size:15px;font-weight:600}
.line{stroke:var(--line)}.LIVE{fill:var(--live)}.user{fill:var(--user)}.CUT{fill:url(#cut)}.BUSY{fill:url(#busy)}.WAIT{fill:url(#wait)}
.TAIL{fill:none;stroke:var(--tail)}.edge,.wrong{fill:var(--cut)}"""

PATTERNS = """\
<defs>
<pattern id="wait" width="6" height="6" patternUnits="userSpaceOnUse">
<path d="M0 0h6v6h-6z" style="fill:var(--wait)" opacity=".45"/><path d="M-1 7 7 -1" style="stroke:var(--tail)"/>
</pattern>
<pattern id="busy" width="6" height="6" patternUnits="userSpaceOnUse">
<path d="M0 0h6v6h-6z" style="fill:var(--busy)" opacity=".4"/><circle cx="3" cy="3" r="1.6" style="fill:var(--busy)"/>
</pattern>
<pattern id="cut" width="6" height="6" patternUnits="userSpaceOnUse">
<path d="M0 0h6v6h-6z" style="fill:var(--cut)" opacity=".2"/><path d="M0 0 6 6M6 0 0 6" style="stroke:var(--cut)"/>
</pattern>
</defs>"""


def svg(recording: Recording, width: int = 1200) -> str:
    """The recording as an SVG document, ``width`` pixels wide, 480 at least. Every text in it is escaped."""
    width = max(width, NARROWEST)
    body = list(_body(recording, width))
    height = _height(recording)
    said = f"{len(recording.records):,} events, {len(recording.problems)} wrong"
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img" aria-label="{_safe(recording.name)}: {said}">',
            f"<style>{STYLE}</style>",
            PATTERNS,
            *body,
            "</svg>\n",
        )
    )


def _safe(given: str, longest: int = 120) -> str:
    return escape(shown(given, longest), quote=True)


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _lanes_height(recording: Recording) -> int:
    return sum(lane.rows * ROW + GAP for lane in recording.lanes)


def _height(recording: Recording) -> int:
    told = min(len(list(grouped(recording.problems))), TOLD + 1)
    return TOP + _lanes_height(recording) + 28 + told * LEGEND + (len(recording.lanes) + 1) * LEGEND


def _body(recording: Recording, width: int) -> Iterator[str]:
    room = width - LABELS - MARGIN

    def x(time: float) -> float:
        return LABELS + time / recording.span * room

    wire = f"the tables of {recording.profile}" if recording.profile else "machines that are not shipped"
    title = f"{recording.span:.1f} s, {len(recording.records):,} events, {wire}"
    yield f'<text x="{MARGIN}" y="24" class="title">{_safe(recording.name, 60)}</text>'
    yield f'<text x="{MARGIN}" y="42" class="dim">{_safe(title)}</text>'
    bottom = TOP + _lanes_height(recording)
    step, count = ticks(recording.span, max(1, room // 80))
    for number in range(count + 1):
        mark = _number(x(number * step))
        yield f'<path d="M{mark} {TOP - 4}V{bottom}" class="line"/>'
        yield f'<text x="{mark}" y="{TOP - 8}" class="dim" text-anchor="middle">{number * step:g} s</text>'
    top = TOP
    for lane in recording.lanes:
        yield f'<text x="{MARGIN}" y="{top + 12}">{_safe(lane.label, 18)}</text>'
        for bar in lane.bars:
            yield from _bar(lane, bar, top + bar.row * ROW, x)
        top += lane.rows * ROW + GAP
    for problem in recording.problems:
        at = x(recording.records[problem.place].time)
        words = _safe(f"{problem.kind}: {problem.text}", 300)
        corners = f"{_number(at)} {bottom + 2} {_number(at - 5)} {bottom + 12} {_number(at + 5)} {bottom + 12}"
        yield f'<polygon points="{corners}" class="wrong"><title>{words}</title></polygon>'
    yield from _words(recording, bottom + 28, width)


def _bar(lane: Lane, bar: Bar, top: int, x: Callable[[float], float]) -> Iterator[str]:
    for segment in bar.segments:
        left, right = x(segment.begin), x(segment.end)
        wide = max(right - left, 1.0)
        words = f"{bar.instance}: {segment.state}, {segment.begin:.3f} to {segment.end:.3f} s"
        thin = segment.look is Look.TAIL
        y, high = (top + 4, BAR - 8) if thin else (top, BAR)
        seen = _class(lane, segment.look)
        yield (
            f'<rect x="{_number(left)}" y="{y}" width="{_number(wide)}" height="{high}" class="{seen}">'
            f"<title>{_safe(words)}</title></rect>"
        )
        if segment.cut:
            yield f'<rect x="{_number(left + wide - 3)}" y="{top - 2}" width="3" height="{BAR + 4}" class="edge"/>'


def _class(lane: Lane, look: Look) -> str:
    """The user's voice has a colour of its own."""
    return "LIVE user" if lane.machine == "user_turn" and look is Look.LIVE else look.name


def _words(recording: Recording, y: int, width: int) -> Iterator[str]:
    told = list(grouped(recording.problems))
    for problem, times in told[:TOLD]:
        time = recording.records[problem.place].time
        often = f" ({times} times)" if times > 1 else ""
        words = f"▲ {time:.3f} s, line {problem.place + 2}{often}: {problem.kind}: {problem.text}"
        yield f'<text x="{MARGIN}" y="{y}" class="wrong">{_safe(words, width // 7)}</text>'
        y += LEGEND
    if len(told) > TOLD:
        yield f'<text x="{MARGIN}" y="{y}" class="wrong">and {len(told) - TOLD} more</text>'
        y += LEGEND
    for lane in recording.lanes:
        yield f'<text x="{MARGIN}" y="{y}" class="dim">{_safe(lane.label, 18)}</text>'
        at = LABELS
        for state, look in legend_of(lane):
            thin = look is Look.TAIL
            y_of, high = (y - 7, 5) if thin else (y - 10, 11)
            yield f'<rect x="{at}" y="{y_of}" width="16" height="{high}" class="{_class(lane, look)}"/>'
            yield f'<text x="{at + 22}" y="{y}" class="dim">{_safe(state, 24)}</text>'
            at += 40 + 8 * len(shown(state, 24))
        y += LEGEND
    yield f'<rect x="{LABELS}" y="{y - 12}" width="3" height="15" class="edge"/>'
    yield f'<text x="{LABELS + 22}" y="{y}" class="dim">cut while it was live</text>'
