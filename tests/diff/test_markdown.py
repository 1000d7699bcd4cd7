"""A difference as a comment on a pull request, with a picture of what changed."""

from __future__ import annotations

import re

from rtfsm.diff import Difference, markdown
from rtfsm.diff.markdown import MARK
from tests.diff.doors import Data, compared, door, edited


def rebuild(data: Data) -> None:
    """A new state, a way that leads elsewhere, a way with another effect, a timer that lasts longer."""
    data["states"].append({"name": "AJAR", "meaning": "neither"})
    data["rests"]["AJAR"] = "it may"
    data["cells"]["AJAR"] = {event: [{"kind": "REFUSE", "why": "nobody"}] for event in data["events"]}
    data["cells"]["AJAR"]["Push"] = [{"kind": "TO", "target": "SHUT"}]
    data["cells"]["OPEN"]["Pull"][0]["target"] = "AJAR"
    data["cells"]["OPEN"]["Saw"][0]["effects"] = [{"name": "Ring"}]
    data["timers"]["OPEN"]["seconds"] = 4


def test_the_whole_of_a_small_comment() -> None:
    assert markdown(compared(door(), edited(rebuild))) == (
        """<!-- rtfsm diff -->
## State machines: `old` → `new`

machines: 1 changed.

### `door`

```mermaid
---
config:
  flowchart:
    nodeSpacing: 90
    rankSpacing: 100
    curve: linear
---
flowchart TB
    m0("SHUT")
    m1("~ OPEN<br/>− waits draught 2.5 s (at most 9 s), if locked wedge 60 s<br/>"""
        """+ waits draught 4 s (at most 9 s), if locked wedge 60 s")
    m2[["GONE"]]
    m3("+ AJAR")
    begin_(( )) --> m0
    m0 --> m1
    m0 --> m2
    m1 ==>|"+ Pull"| m3
    m1 -->|"~ Saw / Ring"| m2
    m1 -.-> m0
    m1 -.->|"− Pull"| m0
    m3 ==>|"+ Push"| m0
    legend_["how to read#58;<br/>solid border#58; may wait for ever<br/>dashed border#58; a timer ends the wait<br/>"""
        """double or thick border#58; the end<br/>solid arrow#58; an event<br/>dotted arrow#58; time alone<br/>"""
        """thick, +#58; new<br/>dashed, −#58; gone<br/>~#58; changed"]
    style legend_ fill:#ffffff,stroke:#9ca3af,color:#111827,text-align:left
    classDef rests fill:#dbeafe,stroke:#1d4ed8,color:#111827
    class m0,m3 rests
    classDef waits fill:#fef3c7,stroke:#b45309,color:#111827,stroke-dasharray:6 4
    class m1 waits
    classDef final fill:#e5e7eb,stroke:#374151,color:#111827,stroke-width:4px
    class m2 final
    style m3 stroke:#2f81f7,stroke-width:5px
    linkStyle 3,7 stroke:#2f81f7,stroke-width:5px
    linkStyle 6 stroke:#d55e00,stroke-width:2px,stroke-dasharray:8 6
```

**States added**

| | where | before | after |
|---|---|---|---|
| ➕ | `AJAR` |  | `neither` |

**Cells added**

| | where | before | after |
|---|---|---|---|
| ➕ | `AJAR × Pull, Saw` |  | `refused: nobody` |
| ➕ | `AJAR × Push` |  | `→ SHUT` |

**Cells retargeted**

| | where | before | after |
|---|---|---|---|
| ✏️ | `OPEN × Pull` | `→ SHUT` | `→ AJAR` |

**Effects changed**

| | where | before | after |
|---|---|---|---|
| ✏️ | `OPEN × Saw` | `nothing` | `Ring` |

**Timers changed**

| | where | before | after |
|---|---|---|---|
| ✏️ | `OPEN` | `draught 2.5 s (at most 9 s), if locked wedge 60 s` | `draught 4 s (at most 9 s), if locked wedge 60 s` |
"""
    )


def links(text: str) -> list[str]:
    """The arrows of a flowchart, in the order that linkStyle counts them by."""
    return [line.strip() for line in text.split("flowchart TB")[1].splitlines() if re.search(r"==>|-->|-\.->", line)]


def test_each_style_is_that_of_the_arrow_with_its_sign() -> None:
    text = markdown(compared(door(), edited(rebuild)))
    arrows = links(text)
    (new,), (gone,) = (re.findall(rf"linkStyle ([\d,]+) stroke:{colour}", text) for colour in ("#2f81f7", "#d55e00"))
    assert [one for one in arrows if '"+ ' in one] == [arrows[int(number)] for number in new.split(",")]
    assert [one for one in arrows if '"− ' in one] == [arrows[int(number)] for number in gone.split(",")]


def test_a_change_that_no_arrow_shows_has_no_picture() -> None:
    text = markdown(compared(door(), edited(lambda data: data["rests"].update(SHUT="why not"))))
    assert "mermaid" not in text
    assert "| ✏️ | `SHUT rests` | `doors may stay shut` | `why not` |" in text


def test_no_difference_is_a_comment_too() -> None:
    text = markdown(compared(door(), door()))
    assert text == f"{MARK}\n## State machines: `old` → `new`\n\nno difference in 1 machine.\n"


def test_nothing_in_a_file_is_a_link_a_mention_or_a_tag() -> None:
    why = "@everyone <img src=x> [here](http://x) | `code` ```\n## big\x1b[31m"
    text = markdown(compared(door(), edited(lambda data: data["rests"].update(SHUT=why))))
    (row,) = [line for line in text.splitlines() if "@everyone" in line]
    cells = re.split(r"(?<!\\)\|", row)
    assert cells[4].strip() == "```` @everyone <img src=x> [here](http://x) \\| `code` ``` ## big [31m ````"
    assert len(cells) == 6


def many(count: int) -> Difference:
    def edit(data: Data) -> None:
        for number in range(count):
            data["cells"]["SHUT"][f"Event{number}"] = [{"kind": "TO", "target": "GONE"}]
            data["events"][f"Event{number}"] = {"why": [f"{number}"]}

    return compared(door(), edited(edit))


def test_a_comment_that_would_be_too_long_loses_its_pictures_and_then_its_tables_and_says_so() -> None:
    found = many(40)
    whole = markdown(found)
    assert "```mermaid" in whole
    smaller = markdown(found, len(whole) - 1)
    assert "```mermaid" not in smaller
    assert "The pictures are left out" in smaller
    assert "Event39" in smaller
    least = markdown(found, 500)
    assert len(least) <= 500
    assert "1 of the sections below are left out too" in least
