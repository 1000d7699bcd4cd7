"""The page, made: markup, style, scripts and the tables in one file that asks for nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from pathlib import Path
from typing import Any

import rtfsm
from rtfsm.language import Machine
from rtfsm.machines import compose
from rtfsm.profiles import PROFILES
from rtfsm.targets import births_of
from rtfsm.timeline.lanes import CUTTING, LANES, MOST_LANES, MOST_ROWS
from rtfsm.timeline.problems import MOST

from .tables import tables
from .whole import derived_states, routes

__all__ = ["SCRIPTS", "data", "page"]

HERE = Path(__file__).parent
SCRIPTS = (
    "machine.js",
    "read.js",
    "judge.js",
    "lanes.js",
    "paint.js",
    "dom.js",
    "machines_view.js",
    "words.js",
    "recording_view.js",
    "main.js",
)
"""In the order in which they are run: each uses those before it."""


def data(profile: str, trace: tuple[str, str] | None = None) -> dict[str, Any]:
    """What the page is about. trace: name and text of a file that it opens with."""
    wire = PROFILES[profile]
    composition = compose(wire)
    found: dict[str, Any] = {
        "rtfsm": rtfsm.__version__,
        "profile": profile,
        "machines": [tables(one, births_of(wire) if one.name == "generation" else ()) for one in composition.machines],
        "routes": routes(composition),
        "derived": derived_states(wire),
        "profiles": {name: _states(compose(other).machines) for name, other in PROFILES.items()},
        "lanes": [
            {"machine": machine, "label": label, "looks": {state: look.name for state, look in looks.items()}}
            for machine, (label, looks) in LANES.items()
        ],
        "cutting": list(CUTTING),
        "most": {"problems": MOST, "lanes": MOST_LANES, "rows": MOST_ROWS},
    }
    if trace is not None:
        found["trace"] = {"name": trace[0], "text": trace[1]}
    return found


def page(profile: str = "phonic", trace: tuple[str, str] | None = None) -> str:
    """The page as HTML. profile: whose machines. trace: name and text of a recording, or of a finding of rtfsm fuzz.

    The page may run its own script and apply its own style, by their hashes, and may ask no host for anything: its
    policy says so, and a browser holds it to that.
    """
    style = _read("style.css")
    script = "\n".join(_read(name) for name in SCRIPTS)
    # A script's text ends at the first "</script", wherever it stands; as \u003c no "<" stands in the data at all.
    facts = json.dumps(data(profile, trace), separators=(",", ":")).replace("<", "\\u003c")
    return (
        _read("page.html")
        .replace("@policy@", f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}")
        .replace("@profile@", escape(profile))
        .replace("@version@", escape(rtfsm.__version__))
        .replace("@style@", style)
        .replace("@script@", script)
        .replace("@data@", facts)
    )


def _states(machines: tuple[Machine, ...]) -> dict[str, list[str]]:
    return {one.name: [state.name for state in one.states] for one in machines}


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
