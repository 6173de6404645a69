"""GitHub's REST API over HTTP, as far as the workflows use it: it keeps what is posted."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

NAME = "acme/platform"
TOKEN = "ghs_canary"


@dataclass
class GitHubServer:
    """What it holds, and what it was asked.

    Attributes:
        url: Its address.
        comments: Of the only pull request.
        pulls: The numbers of the open ones; the branch of 7 is `branch-7`.
        runs: Of workflows, newest first; each has succeeded, unless its `status` says otherwise.
        repeated: The runs whose failed jobs are run again.
        broken: How many requests are answered 502 before one is answered well.
        refuses: The status that each request is answered with; 0 for none.
        requests: Method and path of each.
    """

    url: str = ""
    comments: list[dict[str, Any]] = field(default_factory=list)
    pulls: list[int] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    broken: int = 0
    refuses: int = 0
    requests: list[str] = field(default_factory=list)

    def forget(self) -> None:
        """Be as new."""
        for held in (self.comments, self.pulls, self.runs, self.repeated, self.requests):
            held.clear()
        self.broken = self.refuses = 0

    def add_comment(self, body: str, kind: str = "Bot") -> dict[str, Any]:
        number = len(self.comments) + 1
        url = f"https://example.com/comments/{number}"
        made = {"id": number, "body": body, "html_url": url, "user": {"type": kind}}
        self.comments.append(made)
        return made

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        """Return the status and what is answered; a list is one of pages."""
        routes: dict[tuple[str, str], Callable[[], tuple[int, Any]]] = {
            ("GET", "issues/7/comments"): lambda: (200, self.comments),
            ("POST", "issues/7/comments"): lambda: (201, self.add_comment(body["body"])),
            ("PATCH", "issues/comments/#"): lambda: (200, self._change(path, body)),
            ("GET", "pulls"): lambda: (200, self._pulls(query)),
            ("GET", "actions/workflows/#/runs"): lambda: (200, self._runs(query)),
            ("POST", "actions/runs/#/rerun-failed-jobs"): lambda: (201, self._repeat(path)),
            ("GET", "/token"): lambda: (200, {"value": f"signed for {query['audience']}"}),
        }
        variable = r"(?<=/comments/)\d+|(?<=/workflows/)[\w.-]+|(?<=/runs/)\d+"
        route = re.sub(variable, "#", path.removeprefix(f"/repos/{NAME}/"))
        return routes.get((method, route), lambda: (404, {"message": "Not Found"}))()

    def _change(self, path: str, body: Any) -> dict[str, Any]:
        comment = self.comments[int(path.rpartition("/")[2]) - 1]
        comment["body"] = body["body"]
        return comment

    def _pulls(self, query: dict[str, str]) -> list[dict[str, int]]:
        assert query["state"] == "open"
        return [{"number": one, "head": {"ref": f"branch-{one}"}} for one in self.pulls]

    def _runs(self, query: dict[str, str]) -> dict[str, Any]:
        created = query.get("created", ">=").removeprefix(">=")
        found = [
            run
            for run in self.runs
            if run.get("status", "success") == query["status"]
            and run.get("head_branch", "main")
            == query.get("branch", run.get("head_branch", "main"))
            and run.get("created_at", "9999") >= created
        ]
        return {"workflow_runs": found[: int(query["per_page"])]}

    def _repeat(self, path: str) -> dict[str, Any]:
        self.repeated.append(path.split("/")[-2])
        return {}


@contextmanager
def serve_github() -> Iterator[GitHubServer]:
    """Serve it on a free port."""
    github = GitHubServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._serve()

        do_POST = do_PATCH = do_GET  # noqa: N815 - names of http.server

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def _serve(self) -> None:
            url = urlsplit(self.path)
            github.requests.append(f"{self.command} {url.path}")
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            if self.headers["Authorization"] != f"Bearer {TOKEN}":
                return self._send(401, {"message": "Bad credentials"}, {})
            if github.broken:
                github.broken -= 1
                return self._send(502, {"message": "Server Error"}, {})
            if github.refuses:
                message = "Resource not accessible by integration"
                return self._send(github.refuses, {"message": message}, {})
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            status, found = github.answer(self.command, url.path, query, body)
            return self._send(status, *_page(github.url, url.path, query, found))

        def _send(self, status: int, found: Any, headers: dict[str, str]) -> None:
            content = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    github.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield github
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _page(server: str, path: str, query: dict[str, str], found: Any) -> tuple[Any, dict[str, str]]:
    """Return one page of a list, and the header that names the next."""
    if not isinstance(found, list):
        return found, {}
    size, page = int(query["per_page"]), int(query.get("page", "1"))
    shown = found[(page - 1) * size : page * size]
    if page * size >= len(found):
        return shown, {}
    following = {**query, "page": str(page + 1)}
    text = "&".join(f"{name}={value}" for name, value in following.items())
    return shown, {"Link": f'<{server}{path}?{text}>; rel="next"'}
