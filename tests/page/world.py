"""The program and a simulated organization, started for the checks of the status page, and what is asked of them."""

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

# How long a step may take before it has failed.
PATIENCE_S = 30

RULES = """\
routes:
  - {{name: alertmanager, kind: alertmanager, auth: {{bearer: {{env: SENDER_SECRET}}}}}}
  - {{name: grafana, kind: grafana, auth: {{bearer: {{env: SENDER_SECRET}}}}}}
  - {{name: checks, kind: any, auth: {{bearer: {{env: SENDER_SECRET}}}}}}
integrations:
  - name: main
    api_key: {{env: DEVIN_API_KEY}}
    endpoint: {api_url}/v3/organizations/{org_id}/sessions
access:
  read_token: [{{name: wall, token: {{env: READ_TOKEN}}}}]
  admin_token: [{{name: on-call, token: {{env: ADMIN_TOKEN}}}}]
limits: {{concurrent_sessions: 8, runs: [1000/1h]}}
default: {{poll_interval: 1s, per_alert: true, max_sessions: 1000, cooldown: 1h}}
rules:
  - {{id: checkout, match: {{labels: {{service: checkout}}}}, tag: ["scenario:pull-request"]}}
  - {{id: billing, match: {{labels: {{service: billing}}}}, tag: ["scenario:out-of-quota-once"]}}
  - {{id: search, match: {{labels: {{service: search}}}}, tag: ["scenario:blocked"]}}
  - {{id: batch, match: {{labels: {{service: batch}}}}, tag: ["scenario:never-ending"]}}
  - {{id: storage, match: {{labels: {{service: storage}}}}, storm: {{threshold: 5, window: 60s, immediate: 1}}}}
  - {{id: rest}}
"""

SENDER_SECRET = "Zq7wz3kfH5x2mt9Vbn4c8dj6"
READ_TOKEN = "r3adK8s2mPq9vXw4tZb7nLc5"
ADMIN_TOKEN = "adm1nH6f3jRk9sVt2yQe8wZx"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class World:
    """The two programs."""

    def __init__(self, binary: str, folder: Path, *sandbox_options: str, seconds: str = "2") -> None:
        self.binary, self.folder = binary, folder
        self.running: list[subprocess.Popen] = []
        arguments = [binary, "sandbox", "--session-seconds", seconds, "--sessions", "2", *sandbox_options]
        sandbox = self.start(arguments, stdout=subprocess.PIPE)
        assert sandbox.stdout is not None
        self.settings = json.loads(sandbox.stdout.readline())
        self.rules = folder / "relay.yaml"
        self.rules.write_text(RULES.format(**self.settings))
        self.url = f"http://127.0.0.1:{free_port()}"
        self.keys = {
            "DEVIN_API_KEY": self.settings["api_token"],
            "SENDER_SECRET": SENDER_SECRET,
            "READ_TOKEN": READ_TOKEN,
            "ADMIN_TOKEN": ADMIN_TOKEN,
        }
        try:
            self.start_bridge()
        except BaseException:
            self.stop()
            raise

    def start_bridge(self) -> None:
        listen = self.url.removeprefix("http://")
        self.start(
            [self.binary, "alert-relay", "serve", "--rules", "relay.yaml", "--listen", listen, "--store", "sqlite:relay.db"],
            env={**os.environ, **self.keys},
            stdout=(self.folder / "bridge.log").open("a"),
        )
        self.until("the bridge is ready", lambda: self.ask("/readyz")[0] == 200)

    def start(self, arguments: list[str], **options) -> subprocess.Popen:
        process = subprocess.Popen(arguments, cwd=self.folder, text=True, **options)
        self.running.append(process)
        return process

    def stop(self) -> None:
        for process in reversed(self.running):
            process.kill()
            process.wait()

    def stop_bridge(self) -> None:
        """Lets it end by itself, so that its store is whole in one file."""
        bridge = self.running.pop()
        bridge.terminate()
        bridge.wait()

    def ask(self, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> tuple[int, str]:
        """The status and the text of an answer; a redirection is not followed."""
        request = urllib.request.Request(self.url + path, body, headers or {})
        try:
            with urllib.request.build_opener(Stay).open(request, timeout=PATIENCE_S) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def fire(self, *alerts: dict[str, str]) -> None:
        """Delivers alerts as Alertmanager does, each by its labels and a summary."""
        listed = [
            {
                "status": "firing",
                "labels": {key: value for key, value in alert.items() if key not in ("summary", "url")},
                "annotations": {"summary": alert.get("summary", alert["alertname"])},
                "startsAt": "2026-11-28T10:00:00Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": alert.get("url", "http://prometheus.example.com/graph"),
                "fingerprint": f"{abs(hash(json.dumps(alert, sort_keys=True))):016x}",
            }
            for alert in alerts
        ]
        body = {
            "version": "4",
            "groupKey": f"{{}}:{{alertname={json.dumps(alerts[0]['alertname'])}}}",
            "status": "firing",
            "receiver": "relay",
            "groupLabels": {"alertname": alerts[0]["alertname"]},
            "commonLabels": {},
            "commonAnnotations": {},
            "externalURL": "http://alertmanager.example.com",
            "alerts": listed,
        }
        self.deliver("alertmanager", body)

    def deliver(self, route: str, body: dict) -> None:
        headers = {"authorization": f"Bearer {SENDER_SECRET}", "content-type": "application/json"}
        status, text = self.ask(f"/v1/hooks/{route}", json.dumps(body).encode(), headers)
        assert status == 202, f"{route} answers {status}: {text}"

    def until(self, what: str, is_so) -> None:
        """Waits until it is so; an error of a program that is starting is not."""
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                if is_so():
                    return
            except OSError:
                pass
            assert time.monotonic() < end, f"not within {PATIENCE_S} s: {what}"
            time.sleep(0.05)


class Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirection."""

    def redirect_request(self, *_):
        return None
