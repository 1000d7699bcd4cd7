"""A real browser, driven over plain WebDriver HTTP: Debian's chromium with its chromedriver, and no package besides."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")
MISSING = [name for name, path in (("chromium", CHROMIUM), ("chromedriver", DRIVER)) if path is None]
LACKING = f"no {' and no '.join(MISSING)} on this machine; apt-get install chromium chromium-driver"
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"left": "\ue012", "up": "\ue013", "right": "\ue014", "down": "\ue015", "home": "\ue011", "end": "\ue010",
        "tab": "\ue004", "enter": "\ue007", "control": "\ue009", "shift": "\ue008", "space": " "}  # fmt: skip
"""As WebDriver writes them: https://www.w3.org/TR/webdriver2/#keyboard-actions"""


class Browser:
    """One window of 1280 by 800. Every request that the page makes is noted, and so is what its console says."""

    def __init__(self, url: str) -> None:
        self._url = url
        arguments = [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,800", "--hide-scrollbars",
            "--disable-background-networking", "--disable-component-update", "--no-first-run",
            "--disable-dev-shm-usage", "--force-device-scale-factor=1",
        ]  # fmt: skip
        options = {"binary": CHROMIUM, "args": arguments}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options,
                  "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}  # fmt: skip
        answer = self._ask("POST", f"{url}/session", {"capabilities": {"alwaysMatch": wanted}})
        self._session = f"{url}/session/{answer['sessionId']}"
        self.command("POST", "/timeouts", {"script": 30_000})
        size = {"width": 1280, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        self._tell_browser("Emulation.setDeviceMetricsOverride", size)

    def _ask(self, method: str, url: str, data: Any = None) -> Any:
        body = None if data is None else json.dumps(data).encode()
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.load(response)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {url}: {json.load(error)['value']['message']}") from None

    def command(self, method: str, path: str, data: Any = None) -> Any:
        return self._ask(method, self._session + path, {} if data is None and method == "POST" else data)

    def open(self, page: Path) -> None:
        """Open a page, with the console and the network log begun anew."""
        self.logs()
        self.requests()
        self.command("POST", "/url", {"url": page.as_uri()})

    def run(self, script: str, *arguments: Any) -> Any:
        """What the body of a function returns in the page."""
        return self.command("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def run_later(self, script: str, *arguments: Any) -> Any:
        """What the body of a function gives to ``done``."""
        body = f"const done = arguments[arguments.length - 1]; {script}"
        return self.command("POST", "/execute/async", {"script": body, "args": list(arguments)})

    def find(self, selector: str) -> str:
        found = self.command("POST", "/element", {"using": "css selector", "value": selector})
        return str(found[ELEMENT])

    def click(self, selector: str) -> None:
        """Click as a person does: it must be in view, with nothing above it."""
        self.command("POST", f"/element/{self.find(selector)}/click")

    def type(self, selector: str, text: str) -> None:
        self.command("POST", f"/element/{self.find(selector)}/value", {"text": text})

    def press(self, *keys: str) -> None:
        """Press keys one after the other; those joined by + at once."""
        actions: list[dict[str, str]] = []
        for chord in keys:
            pressed = [KEYS.get(key, key) for key in (chord.split("+") if len(chord) > 1 else [chord])]
            actions += [{"type": "keyDown", "value": key} for key in pressed]
            actions += [{"type": "keyUp", "value": key} for key in reversed(pressed)]
        self.command("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def drag(self, selector: str, start: tuple[int, int], end: tuple[int, int], steps: int = 10) -> None:
        """Press at one place of an element, counted from its top left corner, move to another, and let go."""
        box = self.run(
            "const b = document.querySelector(arguments[0]).getBoundingClientRect(); return [b.x, b.y]", selector
        )
        places = [
            tuple(
                round(box[axis] + a + (b - a) * step / steps)
                for axis, (a, b) in enumerate(zip(start, end, strict=True))
            )
            for step in range(steps + 1)
        ]
        moves = [{"type": "pointerMove", "duration": 0, "x": x, "y": y} for x, y in places]
        actions = [moves[0], {"type": "pointerDown", "button": 0}, *moves[1:], {"type": "pointerUp", "button": 0}]
        self.command("POST", "/actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": actions}]})

    def text(self, selector: str) -> str:
        return str(self.run("return document.querySelector(arguments[0]).textContent", selector))

    def settle(self) -> None:
        """Let the page render what it was told."""
        self.run_later("requestAnimationFrame(() => requestAnimationFrame(() => done(null)))")

    def emulate(self, **media: str) -> None:
        """prefers_color_scheme="dark", and the like."""
        features = [{"name": name.replace("_", "-"), "value": value} for name, value in media.items()]
        self._tell_browser("Emulation.setEmulatedMedia", {"features": features})

    def _tell_browser(self, command: str, parameters: Mapping[str, Any]) -> None:
        self.command("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def logs(self) -> list[str]:
        """What the console said since the last time."""
        return [f"{one['level']} {one['message']}" for one in self.command("POST", "/se/log", {"type": "browser"})]

    def requests(self) -> list[str]:
        """The addresses that were asked for since the last time."""
        messages = [
            json.loads(one["message"])["message"] for one in self.command("POST", "/se/log", {"type": "performance"})
        ]
        asked = [one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"]
        return asked + [one["params"]["url"] for one in messages if one["method"] == "Network.webSocketCreated"]

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.command("GET", "/screenshot")))

    def close(self) -> None:
        self.command("DELETE", "")


def browser() -> Iterator[Browser]:
    """A browser of one's own, ended with all its files."""
    assert DRIVER is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        environment: Mapping[str, str] = {**os.environ, "TMPDIR": home, "HOME": home}
        process = subprocess.Popen(
            [DRIVER, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
        )
        try:
            yield from _driven(process)
        finally:
            process.terminate()
            process.wait(20)


def _driven(process: subprocess.Popen[str]) -> Iterator[Browser]:
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if "started successfully on port" in line:
            port = int(line.rstrip(".\n").rpartition(" ")[2])
            break
    else:
        raise AssertionError(f"chromedriver did not start: {said}")
    one = Browser(f"http://127.0.0.1:{port}")
    try:
        yield one
    finally:
        one.close()
