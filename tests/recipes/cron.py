"""Runs the line of a crontab as cron does, with an environment of its own and through `sh -c`: with what is in order, with
an API that refuses the messages of one session, and with one that takes no key. Started by run.py, in the folder where a
recipe has left sync.sh.

    cron.py CRONTAB
"""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

API = os.environ["DEVIN_API_URL"]


class Crontab:
    """A crontab whose places are in a folder of this run."""

    def __init__(self, text: str, folder: Path):
        self.folder = folder
        self.data, self.log = folder / "lib" / "devin", folder / "log" / "devin-sync.log"
        programs = folder / "bin"
        for place in [programs, self.data, self.log.parent]:
            place.mkdir(parents=True)
        for program in [Path(shutil.which("source-devin-ai")), Path("sync.sh").resolve()]:
            (programs / program.name).symlink_to(program)
        text = text.replace("/usr/local/bin", str(programs))
        text = text.replace("/var/lib/devin", str(self.data)).replace("/var/log", str(self.log.parent))
        variables = re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE)
        [self.command] = re.findall(r"^(?:\S+ ){5}(.*)$", text, re.MULTILINE)
        # What cron gives by itself, and then what the crontab says.
        self.environment = {"PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "HOME": str(folder), **dict(variables)}

    def run(self, api: str) -> int:
        environment = {**self.environment, "DEVIN_API_URL": api}
        return subprocess.run(["/bin/sh", "-c", self.command], env=environment, cwd=self.folder).returncode

    def files(self) -> list[str]:
        """What is in the folder, without the parts of names that are different each time."""
        return sorted(re.sub(r"^\d+T\d+Z-\d+", "RUN", path.name) for path in self.data.iterdir())

    def records(self) -> list[dict]:
        """Those of all runs."""
        lines = [line for path in self.data.glob("*.jsonl.gz") for line in gzip.decompress(path.read_bytes()).splitlines()]
        return [json.loads(line) for line in lines]


@contextmanager
def refusing(status_of):
    """The address of an API that answers a path with another status, where there is one, and like the other API else."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            status, body = status_of(self.path), b"{}"
            if status is None:
                request = urllib.request.Request(API + self.path, headers={"Authorization": self.headers["Authorization"]})
                with urllib.request.urlopen(request) as answer:
                    status, body = answer.status, answer.read()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        Thread(target=server.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def same(is_, expected):
    assert is_ == expected, f"is {is_!r}, expected {expected!r}"


def sessions_of_messages(records: list[dict]) -> set[str]:
    return {record["session_id"] for record in records if record["_stream"] == "session_messages"}


def in_order(crontab: Crontab) -> None:
    assert "cog_" not in crontab.command
    (crontab.data / "interrupted.part").touch()
    same(crontab.run(API), 0)
    same(crontab.files(), ["RUN.jsonl.gz", "lock", "state.json"])
    same(crontab.run(API), 0)
    same(crontab.files(), ["RUN.jsonl.gz", "RUN.jsonl.gz", "lock", "state.json"])
    same(crontab.log.read_text(), "")


def one_session_refuses(crontab: Crontab) -> None:
    refused = []

    def status_of(path):
        session = re.search(r"/sessions/([^/]+)/messages", path)
        if session and not refused:
            refused.append(session[1])
        return 403 if session and session[1] == refused[0] else None

    with refusing(status_of) as api:
        same(crontab.run(api), 1)
    same(crontab.files(), ["RUN.jsonl.gz", "lock", "state.json"])
    assert "session_messages" in crontab.log.read_text()
    some = crontab.records()
    same({record["_stream"] for record in some}, {"sessions", "sessions_insights", "session_messages"})
    same(crontab.run(API), 0)
    late = sessions_of_messages(crontab.records()) - sessions_of_messages(some)
    assert len(late) == 1 and len(sessions_of_messages(some)) > 30, (late, len(sessions_of_messages(some)))


def no_key_is_taken(crontab: Crontab) -> None:
    with refusing(lambda _: 401) as api:
        same(crontab.run(api), 1)
    same([name for name in crontab.files() if "jsonl" in name], [])
    same((crontab.data / "state.json").read_text(), "[]\n")
    same(crontab.run(API), 0)
    same(crontab.files(), ["RUN.jsonl.gz", "lock", "state.json"])


for case in [in_order, one_session_refuses, no_key_is_taken]:
    with tempfile.TemporaryDirectory() as folder:
        case(Crontab(Path(sys.argv[1]).read_text(encoding="utf-8"), Path(folder)))
