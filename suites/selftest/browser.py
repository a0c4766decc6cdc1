"""A headless browser with one page, spoken to by the DevTools protocol: what a reader sees and does.

Rule: nothing waits for a fixed time; what does not come within SECONDS fails by name.
"""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import websocket

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
]
SECONDS = 15.0
KEYS = {"Escape": 27}  # their virtual codes


class Browser:
    """One page of a headless browser, spoken to by the DevTools protocol."""

    def __init__(self, program: str, profile: Path) -> None:
        options = [*FLAGS, f"--user-data-dir={profile}", "about:blank"]
        self.process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.asked: list[str] = []  # every address that the page asked for
        self.number = 0
        port = until(lambda: (profile / "DevToolsActivePort").read_text().split()[0], "the browser's port")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=SECONDS) as answer:
            target = next(one for one in json.load(answer) if one["type"] == "page")
        self.socket = websocket.create_connection(target["webSocketDebuggerUrl"], timeout=SECONDS)
        self.do("Network.enable")

    def do(self, method: str, **parameters: Any) -> Any:
        """Sends a command and returns its result."""
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            told = json.loads(self.socket.recv())
            if told.get("method") == "Network.requestWillBeSent":
                self.asked.append(told["params"]["request"]["url"])
            if told.get("id") == self.number:
                return told["result"]

    def value(self, script: str) -> Any:
        """What that JavaScript expression is."""
        return self.do("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def text(self, wanted: str) -> str:
        """What the page says, once it says `wanted`."""
        script = "document.body ? document.body.innerText : ''"
        return str(until(lambda: wanted in self.value(script) and self.value(script), f"the page's text {wanted!r}"))

    def open(self, path: Path, width: int, height: int) -> str:
        """Loads the report in a window of that size and returns its text."""
        return self.go(path, width, height, "GETFLOW-ERR-10")

    def go(self, path: Path, width: int, height: int, wanted: str) -> str:
        """Loads a page in a window of that size and returns its text, once it says `wanted`."""
        shape = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.do("Emulation.setDeviceMetricsOverride", **shape)
        self.do("Page.navigate", url=path.as_uri())
        return self.text(wanted)

    def key(self, name: str) -> None:
        """Presses a key that has a name."""
        for kind in ("rawKeyDown", "keyUp"):
            self.do("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=KEYS[name])


def until(attempt: Any, wanted: str) -> Any:
    """What `attempt` returns once it is something; fails after SECONDS."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        try:
            if found := attempt():
                return found
        except (OSError, IndexError):
            pass
        time.sleep(0.05)
    raise TimeoutError(f"{wanted} did not come within {SECONDS:g} s")
