"""What an import of the adapters says when the packages around it do not fit."""

from __future__ import annotations

import importlib
import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest

import rtfsm.adapters
from rtfsm.adapters._requirements import LIVEKIT, OPENAI, PHONIC, require_livekit, require_openai, require_phonic


def installed(monkeypatch: pytest.MonkeyPatch, distribution: str, version: str | None) -> None:
    """Make `distribution` look installed in `version`, or missing when it is None."""
    real = importlib.metadata.version

    def simulated(name: str) -> str:
        if name != distribution:
            return real(name)
        if version is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return version

    monkeypatch.setattr(importlib.metadata, "version", simulated)


def test_the_installed_packages_fit() -> None:
    require_livekit()
    require_phonic()
    require_openai()


@pytest.mark.parametrize("version", ["1.8.9", "1.8.9.post1", "1.8.10", "1.8.42", "1.8.10rc1", "1.8.9+local"])
def test_a_livekit_of_the_same_minor_release_fits(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    installed(monkeypatch, "livekit-agents", version)
    require_livekit()


@pytest.mark.parametrize("version", ["1.8.8", "1.7.99", "0.12.0", "1.9.0", "1.9", "1.10.1", "2.0.0", "1.9.0rc1"])
def test_another_livekit_is_refused_with_the_command_that_helps(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    installed(monkeypatch, "livekit-agents", version)
    with pytest.raises(ImportError) as raised:
        require_livekit()
    assert f"version {version} is installed" in str(raised.value)
    assert "livekit-agents>=1.8.9,<1.9" in str(raised.value)
    assert "pip install 'livekit-agents>=1.8.9,<1.9'" in str(raised.value)


@pytest.mark.parametrize("version", ["1.8.9rc1", "1.8.9.dev3", "1.8.9b2", "unknown"])
def test_a_livekit_from_before_the_release_is_refused(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    installed(monkeypatch, "livekit-agents", version)
    with pytest.raises(ImportError, match=re.escape(version)):
        require_livekit()


def test_a_missing_livekit_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, "livekit-agents", None)
    with pytest.raises(ImportError, match=re.escape("pip install 'rtfsm[phonic]'")) as raised:
        require_livekit()
    assert raised.value.name == "livekit-agents"


@pytest.mark.parametrize("distribution", ["phonic", "websockets", "msgspec", "numpy"])
def test_a_missing_package_of_the_phonic_adapter_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, distribution: str
) -> None:
    installed(monkeypatch, distribution, None)
    with pytest.raises(ImportError, match=re.escape("pip install 'rtfsm[phonic]'")) as raised:
        require_phonic()
    assert raised.value.name == distribution


@pytest.mark.parametrize("distribution", ["aiohttp", "msgspec", "numpy"])
def test_a_missing_package_of_the_openai_adapter_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, distribution: str
) -> None:
    installed(monkeypatch, distribution, None)
    with pytest.raises(ImportError, match=re.escape("pip install 'rtfsm[openai]'")) as raised:
        require_openai()
    assert raised.value.name == distribution


def test_the_openai_adapter_needs_neither_the_phonic_nor_the_openai_package() -> None:
    program = (
        "import sys, rtfsm.adapters.openai, rtfsm.adapters.openai.session; "
        "print(*sorted({'phonic', 'openai', 'websockets'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    # livekit-agents may bring the openai package along for itself; ours never asks for it.
    assert set(ran.stdout.split()) <= {"openai"}


def test_importing_the_adapters_beside_another_livekit_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, "livekit-agents", "1.9.0")
    with pytest.raises(ImportError, match=re.escape("livekit-agents>=1.8.9,<1.9")):
        importlib.reload(rtfsm.adapters)


def test_the_versions_are_those_that_the_package_declares() -> None:
    declared = {
        normalised(line.split(";")[0])
        for line in importlib.metadata.requires("rtfsm") or []
        if re.search(r"extra == ['\"]phonic['\"]", line)
    }
    ours = {normalised(str(requirement)) for requirement in (*LIVEKIT, *PHONIC)}
    # rich is for the command line; no adapter imports it.
    assert {requirement for requirement in declared if requirement[0] != "rich"} == ours


def test_the_versions_of_the_openai_adapter_are_those_that_the_project_declares() -> None:
    project = (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    declared = re.search(r"^openai = \[(.*?)^\]", project, flags=re.DOTALL | re.MULTILINE)
    assert declared is not None
    listed = {normalised(one) for one in re.findall(r'"([^"]+)"', declared.group(1))}
    assert listed == {normalised(str(requirement)) for requirement in (*LIVEKIT, *OPENAI)}


def normalised(requirement: str) -> tuple[str, frozenset[str]]:
    """("name", {">=1", "<2"}) from "name<2,>=1", in whichever order the specifiers stand."""
    name, specifiers = re.findall(r"^([\w-]+)\s*(.*)$", requirement.strip())[0]
    return name, frozenset(specifiers.split(","))
