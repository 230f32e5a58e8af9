"""A service in a process of its own, and Chromium on its page; what the console complains of is kept."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import httpx

PATIENCE_SECONDS = 300.0
"""The one deadline of everything here: a slow machine makes the tests slower, not red."""
_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
)  # fmt: skip
_OFFLINE = "ERR_INTERNET_DISCONNECTED"
"""A test cut the line."""
_AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@contextmanager
def service(folder: Path, *options: str) -> Iterator[str]:
    """Run `capitate serve` on a free port until the context ends; gives its address."""
    command = [sys.executable, "-m", "capitate", "serve", "--port", "0", "--workers", "1", "--folder", str(folder)]
    command += ["--rate-per-minute", "0", "--film-seconds", str(PATIENCE_SECONDS)]
    command += ["--wait-seconds", str(PATIENCE_SECONDS)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    with (folder.parent / "serve.log").open("w") as log:
        process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            found = re.search(r"http://\S+", said)
            assert found, (folder.parent / "serve.log").read_text()
            yield found[0]
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE_SECONDS)


@dataclass
class Reader:
    """Somebody at the page.

    Attributes:
        page: of the browser.
        url: of the service.
        expected: statuses that a test provokes; the console tells every other one.
        complaints: what the console said, and errors that nobody caught.
    """

    page: Any
    url: str
    expected: set[int] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)

    def drop(self, *files: tuple[str, bytes]) -> None:
        """Let files fall on the page, once it has begun."""
        self.page.locator("#items li, #no-items:not(:empty)").first.wait_for()
        self.page.evaluate(
            """(files) => {
              const transfer = new DataTransfer();
              const bytes = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
              for (const [name, text] of files) transfer.items.add(new File([bytes(text)], name));
              const event = { dataTransfer: transfer, bubbles: true, cancelable: true };
              for (const kind of ["dragenter", "dragover", "drop"])
                document.body.dispatchEvent(new DragEvent(kind, event));
            }""",
            [[name, base64.b64encode(content).decode("ascii")] for name, content in files],
        )

    def await_age(self) -> str:
        """Wait until the open film is read; gives the age."""
        age = self.page.locator("#ages .age").first
        age.wait_for()
        self.page.locator("#reading:not(:empty)").wait_for()
        return str(age.inner_text())

    def await_saved(self) -> None:
        """Wait until every correction is stored."""
        self.page.locator("#saving.saved").wait_for()

    def open_id(self) -> str:
        """The assessment that is open, by the page's address."""
        return str(self.page.evaluate("location.hash")).lstrip("#").split("/")[0]

    def record(self) -> dict[str, Any]:
        """The assessment that is open, as the service has it."""
        return dict(httpx.get(f"{self.url}/v1/assessments/{self.open_id()}", timeout=PATIENCE_SECONDS).json())

    def axe(self) -> list[str]:
        """What axe-core finds wrong with the page as it stands."""
        source = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
        self.page.evaluate(f"{source};0")
        found = self.page.evaluate("(tags) => axe.run(document, { runOnly: tags })", _AXE_TAGS)
        assert len(found["passes"]) > 20, "axe looked at nothing"
        return [f"{one['id']}: {node['html'][:200]}" for one in found["violations"] for node in one["nodes"]]


@contextmanager
def chromium(program: str) -> Iterator[Any]:
    """Run Chromium until the context ends; gives Playwright's browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=list(_FLAGS), timeout=1000 * PATIENCE_SECONDS
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def reader(url: str, browser: Any, **context: Any) -> Iterator[Reader]:
    """Open the page with storage of its own; complaints of its console fail the test at the end."""
    settings = {"viewport": {"width": 1440, "height": 900}, "locale": "en-GB", "accept_downloads": True} | context
    own = browser.new_context(**settings)
    try:
        own.set_default_timeout(1000 * PATIENCE_SECONDS)
        page = own.new_page()
        one = Reader(page, url)
        page.on("console", lambda said: _heard(one, said))
        page.on("pageerror", lambda error: one.complaints.append(str(error)))
        page.goto(url)
        yield one
        assert not one.complaints
    finally:
        own.close()


def _heard(one: Reader, said: Any) -> None:
    """Keep errors, and refusals by the content security policy, which the console tells as errors."""
    if said.type != "error" or _OFFLINE in said.text:
        return
    status = re.search(r"status of (\d{3})", said.text)
    if status is None or int(status[1]) not in one.expected:
        one.complaints.append(said.text)
