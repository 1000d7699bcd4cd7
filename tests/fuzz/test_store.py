"""Failures on disk: written, read, told apart, and left alone where they cannot be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rtfsm.fuzz.findings import Finding
from rtfsm.fuzz.moves import Move, Ordering
from rtfsm.fuzz.search import Defect
from rtfsm.fuzz.store import Saved, Store, load
from rtfsm.targets import UsageError

DEFECT = Defect(
    Finding("generations-end", "expected every stream to end; 1 is open", 11),
    Ordering((Move("server", "audio_chunk", {"text": "w1 ", "ms": 20}),), obeys=False),
    (Finding("no-empty-words", "there is one", 19),),
)
SAVED = Saved("my.plugin:Model", "phonic", "direct", True, DEFECT)


def test_a_failure_is_read_back_as_it_was(tmp_path: Path) -> None:
    path = Store(tmp_path / "new").save(SAVED)
    assert load(path) == SAVED
    assert path.name == f"{SAVED.id}.json"
    assert path.name.startswith("generations-end-")


def test_a_store_hands_out_what_belongs_to_a_target(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save(SAVED)
    assert list(store.saved("my.plugin:Model", "phonic", "direct")) == [SAVED]
    assert list(store.saved("my.plugin:Model", "phonic", "agent")) == []
    assert list(store.saved("another:Model", "phonic", "direct")) == []
    store.heal(SAVED)
    assert list(store.saved("my.plugin:Model", "phonic", "direct")) == []
    store.heal(SAVED)


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "nowhere")
    assert (list(store.saved("a:B", "phonic", "direct")), store.unread()) == ([], [])


def bent(**changes: Any) -> str:
    return json.dumps({**SAVED.to_json(), **changes})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "holds no ordering; expected a file that rtfsm fuzz has written"),
        (bent(format="other"), "holds no ordering"),
        (bent(version=2), "is of version 2; this rtfsm reads version 1"),
        (bent(ordering={"moves": [{"who": "host"}]}), "cannot be replayed: move 1: "),
        (bent(target=7), "cannot be replayed: target is a int; expected str"),
        (bent(finding=None), "cannot be replayed: a finding is no object"),
        (bent(finding={"law": "x"}), "cannot be replayed: lacks 'detail'"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "odd.json"
    path.write_text(text)
    with pytest.raises(UsageError) as refused:
        load(path)
    assert str(refused.value).startswith(f"{path} {says}")
    assert Store(tmp_path).unread() == [str(refused.value)]
    assert list(Store(tmp_path).saved("my.plugin:Model", "phonic", "direct")) == []


def test_a_file_that_is_not_there_or_no_text_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gone\.json cannot be read: No such file"):
        load(tmp_path / "gone.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=r"binary\.json is no text"):
        load(tmp_path / "binary.json")
