#!/usr/bin/env python3
"""A real Prometheus Alertmanager delivers to `alert-relay serve`, which creates sessions in the sandbox: run.py BINARY

Groups, repeats, a new alert in a group whose session is at work, a bridge that is down, and resolved alerts. It starts what it
needs on ports that the system picks, and stops it.
"""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import datetime, timedelta, timezone
from pathlib import Path

# How long a step may take before it has failed.
PATIENCE_S = 60

CONFIG = """\
route:
  receiver: relay
  group_by: [alertname]
  group_wait: 1s
  group_interval: 2s
  repeat_interval: 4s
receivers:
  - name: relay
    webhook_configs:
      - url: http://{bridge}/v1/hooks/alertmanager
        send_resolved: true
        http_config: {{authorization: {{credentials: {secret}}}}}
"""

RULES = """\
routes:
  - name: alertmanager
    kind: alertmanager
    auth: {{bearer: {{env: ALERTMANAGER_SECRET}}}}
integrations:
  - name: main
    api_key: {{env: DEVIN_API_KEY}}
    endpoint: {api_url}/v3/organizations/{org_id}/sessions
default: {{poll_interval: 1s}}
"""

SECRET = "Zq7wz3kfH5x2mt9Vbn4c8dj6"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(url: str) -> dict:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


class World:
    """The three programs, and what is asked of them."""

    def __init__(self, binary: str, folder: Path) -> None:
        self.binary, self.folder = binary, folder
        self.running: list[subprocess.Popen] = []
        self.began: dict[tuple[str, str], datetime] = {}
        arguments = [binary, "sandbox", "--session-seconds", "inf", "--sessions", "2"]
        sandbox = self.start(arguments, stdout=subprocess.PIPE)
        assert sandbox.stdout is not None
        self.settings = json.loads(sandbox.stdout.readline())
        self.bridge_address = f"127.0.0.1:{free_port()}"
        (folder / "relay.yaml").write_text(RULES.format(**self.settings))
        (folder / "alertmanager.yml").write_text(CONFIG.format(bridge=self.bridge_address, secret=SECRET))
        self.alertmanager = f"http://127.0.0.1:{free_port()}"
        self.bridge = self.start_bridge()
        self.start(
            ["prometheus-alertmanager", "--config.file=alertmanager.yml", "--storage.path=data", "--cluster.listen-address=",
             f"--web.listen-address={self.alertmanager.removeprefix('http://')}"],
            stderr=(folder / "alertmanager.log").open("w"),
        )  # fmt: skip
        self.until("Alertmanager is ready", lambda: bool(get(f"{self.alertmanager}/api/v2/status")))

    def start(self, arguments: list[str], **options) -> subprocess.Popen:
        process = subprocess.Popen(arguments, cwd=self.folder, text=True, **options)
        self.running.append(process)
        return process

    def start_bridge(self) -> subprocess.Popen:
        keys = {"DEVIN_API_KEY": self.settings["api_token"], "ALERTMANAGER_SECRET": SECRET}
        arguments = [self.binary, "alert-relay", "serve", "--rules", "relay.yaml", "--listen", self.bridge_address]
        log = (self.folder / "bridge.log").open("a")
        bridge = self.start(arguments, env={**os.environ, **keys}, stdout=log)
        self.until("the bridge is ready", lambda: get(f"http://{self.bridge_address}/readyz")["ready"])
        return bridge

    def stop(self) -> None:
        for process in reversed(self.running):
            process.kill()
            process.wait()

    def fire(self, name: str, host: str, over: bool = False) -> None:
        now = datetime.now(timezone.utc)
        # Without it, Alertmanager lets an alert begin when it ends.
        began = self.began.setdefault((name, host), now)
        ends = now if over else now + timedelta(hours=1)
        times = {"startsAt": began.isoformat(), "endsAt": ends.isoformat()}
        alert = {"labels": {"alertname": name, "host": host}, **times}
        body = json.dumps([alert]).encode()
        request = urllib.request.Request(
            f"{self.alertmanager}/api/v2/alerts", body, {"content-type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=10).close()

    def until(self, what: str, is_so) -> None:
        """Waits until it is so; an error of a program that is starting is not."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                if is_so():
                    print(f"ok: {what}")
                    return
            except (OSError, ValueError, KeyError):
                pass
            time.sleep(0.1)
        print((self.folder / "bridge.log").read_text()[-4000:], file=sys.stderr)
        sys.exit(f"failed: {what}")

    def lines(self, event: str) -> list[dict]:
        found = (self.folder / "bridge.log").read_text().splitlines()
        return [line for line in map(json.loads, found) if line["event"] == event]

    def alert(self, title: str) -> dict:
        alerts = get(f"http://{self.bridge_address}/api/v1/alerts")["alerts"]
        return next((alert for alert in alerts if title in alert["title"]), {})

    def sessions(self, title: str) -> int:
        """How many sessions Devin has for an alert, whoever made them."""
        org_id, key = self.settings["org_id"], self.settings["api_token"]
        url = f"{self.settings['api_url']}/v3/organizations/{org_id}/sessions?first=200"
        request = urllib.request.Request(url, headers={"authorization": f"Bearer {key}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            items = json.load(answer)["items"]
        return sum(1 for item in items if re.search(title, item["title"] or ""))


def tell(world: World) -> None:
    world.fire("DiskFull", "a")
    world.until("a group that fires has a session", lambda: world.alert("DiskFull")["job"]["session_id"])
    deliveries = len(world.lines("delivery"))
    world.until("it is repeated", lambda: len(world.lines("delivery")) >= deliveries + 2)
    assert world.sessions("DiskFull") == 1, "a repeat starts nothing"

    world.fire("DiskFull", "b")
    told = lambda: [line for line in world.lines("session_messaged") if line["sent"]]  # noqa: E731
    world.until("the session is told of an alert that joins its group", told)
    assert world.sessions("DiskFull") == 1

    world.bridge.terminate()
    assert world.bridge.wait() == 0
    world.fire("CpuHot", "a")
    time.sleep(float(os.environ.get("DOWN_S", "5")))
    world.bridge = world.start_bridge()
    world.until("what fired while the bridge was down has a session", lambda: world.alert("CpuHot")["job"]["session_id"])
    assert (world.sessions("CpuHot"), world.sessions("DiskFull")) == (1, 1)

    for name, host in [("DiskFull", "a"), ("DiskFull", "b"), ("CpuHot", "a")]:
        world.fire(name, host, over=True)
    world.until("resolved groups are known", lambda: all(
        world.alert(name)["state"] == "resolved" for name in ["DiskFull", "CpuHot"]
    ))  # fmt: skip
    assert world.lines("alert_resolved"), "its job is told"
    refused = [line for line in world.lines("delivery") if line["status"] != 202]
    assert not refused, refused


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: run.py BINARY")
    binary = str(Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as folder:
        world = World(binary, Path(folder))
        try:
            tell(world)
        finally:
            world.stop()


if __name__ == "__main__":
    main()
