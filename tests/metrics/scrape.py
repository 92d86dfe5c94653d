#!/usr/bin/env python3
"""A real Prometheus scrapes `alert-relay serve` on the sandbox: scrape.py BINARY

What the bridge says is checked by promtool, as are the alert rules with their tests. Then alerts are sent, and once Prometheus has
seen what became of them, it is asked for every panel of the dashboard and for every alert rule: none is an error, and all that
should show something do. It starts what it needs on ports that the system picks, and stops it.
"""

import http.server
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
RULES_OF_PROMETHEUS = ROOT / "deploy/prometheus/alert-relay.rules.yml"
DASHBOARD = ROOT / "deploy/grafana/alert-relay.json"

# How long a step may take before it has failed.
PATIENCE_S = 50

RULES = """\
routes:
  - {name: generic, kind: generic, auth: {bearer: {env: METRICS_SENDER}}}
  - {name: auto, auth: {bearer: {env: METRICS_SENDER}}}
access: {read_token: {env: METRICS_READ}}
limits: {concurrent_sessions: 5, runs: [50/1h, 200/1d], acu_per_day: 500}
notify:
  targets:
    - {name: team, kind: webhook, url: {env: METRICS_HOOK}, secret: {env: METRICS_HOOK_KEY}}
default:
  poll_interval: 1s
  max_acu_limit: 5
  notify: [{target: team, on: [created, pull_request, done]}]
"""

SENDER = "Zq7wz3kfH5x2mt9Vbn4c8dj6"
READER = "Xq9vT2kLmZ4wXq9vT2kLmZ4w"


class Target(http.server.BaseHTTPRequestHandler):
    """Takes every notification."""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(what: str, ask):
    """Asks until there is an answer."""
    begun = time.monotonic()
    while time.monotonic() - begun < PATIENCE_S:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.1)
    raise SystemExit(f"FAILED  {what}: not within {PATIENCE_S} s")


def promtool(*arguments: str, stdin: str | None = None) -> None:
    ran = subprocess.run(["promtool", *arguments], input=stdin, capture_output=True, text=True)
    said = ran.stdout + ran.stderr
    assert ran.returncode == 0, f"promtool {' '.join(arguments)}:\n{said}"
    # What it only advises against is no failure of its own.
    assert "SUCCESS" in said or not said.strip(), said


class Prometheus:
    def __init__(self, port: int):
        self.base = f"http://127.0.0.1:{port}/api/v1"

    def get(self, path: str, **parameters) -> dict | None:
        """The data of an answer; `None` while nobody answers."""
        url = f"{self.base}/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            if error.code == 503:
                return None
            raise SystemExit(f"FAILED  {parameters}: {error.read().decode()}") from error
        except OSError:
            return None

    def values(self, expression: str) -> list[float]:
        """What it is now, without what is no number: a quantile of nothing."""
        found = self.get("query", query=expression)
        return [float(one["value"][1]) for one in found["result"] if one["value"][1] != "NaN"] if found else []

    def series(self, expression: str) -> list[float]:
        """The same of the last ten seconds."""
        now = time.time()
        found = self.get("query_range", query=expression, start=now - 10, end=now, step=1)
        points = [point for one in found["result"] for point in one["values"]] if found else []
        return [float(value) for _, value in points if value != "NaN"]


def expressions_of_dashboard() -> list[tuple[str, str, bool]]:
    """The title, the query and whether it asks for one moment, of each panel's targets."""
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) > 15
    taken: set[tuple[int, int]] = set()
    found = []
    for panel in panels:
        assert panel["title"] and panel["description"] and panel["fieldConfig"]["defaults"]["unit"], panel
        place = panel["gridPos"]
        covered = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not covered & taken and max(x for x, _ in covered) < 24, f"{panel['title']} lies on another panel"
        taken |= covered
        for target in panel["targets"]:
            assert target["datasource"]["uid"] == "${DS_PROMETHEUS}", panel["title"]
            query = target["expr"].replace("$job", "alert-relay").replace("$__rate_interval", "10s").replace("$__range", "1m")
            assert "$" not in query, query
            found.append((panel["title"], query, target.get("instant", False)))
    return found


def names_of(text: str) -> set[str]:
    return {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")}


def look_at_names(exposed: set[str]) -> None:
    """What the dashboard and the rules ask for is what the bridge says, also where it says nothing yet."""
    # Only shown with --tls-cert.
    exposed |= {"alert_relay_tls_certificate_expiry_timestamp_seconds"}
    asked = DASHBOARD.read_text(encoding="utf-8") + RULES_OF_PROMETHEUS.read_text(encoding="utf-8")
    for name in set(re.findall(r"\balert_relay_\w+", asked)):
        assert re.sub(r"_(bucket|sum|count)$", "", name) in exposed or name in exposed, f"{name} is no metric"


def send(bridge: str, route: str, body: dict | str, token: str) -> int:
    data = (body if isinstance(body, str) else json.dumps(body)).encode()
    request = urllib.request.Request(f"{bridge}/v1/hooks/{route}", data, {"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def deliver(bridge: str) -> None:
    for number in range(3):
        alert = {"title": f"The disk of db-{number} is full", "severity": "high", "dedup_key": f"disk-{number}"}
        assert send(bridge, "generic", alert, SENDER) == 202
    assert send(bridge, "auto", {"title": "Checkout is slow", "dedup_key": "checkout"}, SENDER) == 202
    assert send(bridge, "generic", {"title": "x"}, "another-token") == 401
    assert send(bridge, "generic", "no JSON", SENDER) == 400


def exposition(bridge: str) -> str:
    request = urllib.request.Request(f"{bridge}/metrics", headers={"Authorization": f"Bearer {READER}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


def ask_for_everything(prometheus: Prometheus) -> None:
    for title, query, is_instant in expressions_of_dashboard():
        # The first rates need two scrapes.
        until(f"{title}: {query}", lambda: prometheus.values(query) if is_instant else prometheus.series(query))
    print(f"ok      all {len(expressions_of_dashboard())} queries of the dashboard show something")
    groups = until("the rules", lambda: (prometheus.get("rules") or {}).get("groups"))
    rules = [rule for group in groups for rule in group["rules"]]
    written = [rule for group in yaml.safe_load(RULES_OF_PROMETHEUS.read_text())["groups"] for rule in group["rules"]]
    assert [rule["name"] for rule in rules] == [rule["alert"] for rule in written]
    for rule in written:
        prometheus.get("query", query=rule["expr"])
    health = lambda: {rule["health"] for group in prometheus.get("rules")["groups"] for rule in group["rules"]}
    until("every rule is evaluated", lambda: health() == {"ok"})
    # A stranger's delivery and one that is no JSON: the two that should be noticed, and no other.
    noticed = lambda: {alert["labels"]["alertname"] for alert in prometheus.get("alerts")["alerts"]}
    until("what is wrong is noticed", lambda: noticed() == {"AlertRelayWrongKey", "AlertRelayUnrecognized"})
    print(f"ok      all {len(rules)} alert rules are evaluated, and notice only what is wrong: {', '.join(sorted(noticed()))}")


def run(binary: str, folder: Path, started: list) -> None:
    promtool("check", "rules", str(RULES_OF_PROMETHEUS))
    promtool("test", "rules", str(ROOT / "deploy/prometheus/alert-relay.tests.yml"))
    print("ok      the alert rules and their tests")
    hook = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Target)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    rules = RULES.replace("notify:\n  targets", "notify:\n  allow_internal: [127.0.0.1]\n  targets")
    (folder / "relay.yaml").write_text(rules)
    known = {"METRICS_SENDER": SENDER, "METRICS_READ": READER, "METRICS_HOOK": f"http://127.0.0.1:{hook.server_port}/",
             "METRICS_HOOK_KEY": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"}  # fmt: skip
    bridge_port, port = free_port(), free_port()
    bridge = f"http://127.0.0.1:{bridge_port}"
    with open(folder / "bridge.log", "wb") as log:
        started.append(subprocess.Popen([binary, "alert-relay", "serve", "--sandbox", "--rules", "relay.yaml", "--store", "sqlite:relay.db", "--listen", f"127.0.0.1:{bridge_port}"], cwd=folder, env=os.environ | known, stdout=log, stderr=log))  # fmt: skip

    def answers():
        assert started[0].poll() is None, (folder / "bridge.log").read_text()
        try:
            return exposition(bridge)
        except OSError:
            return None

    first = until("the bridge answers", answers)
    (folder / "token").write_text(READER)
    config = yaml.safe_load((ROOT / "deploy/prometheus/scrape.yml").read_text())
    (job,) = config["scrape_configs"]
    job["static_configs"] = [{"targets": [f"127.0.0.1:{bridge_port}"]}]
    job["authorization"] = {"credentials_file": str(folder / "token")}
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(RULES_OF_PROMETHEUS)]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    promtool("check", "config", str(folder / "prometheus.yml"))
    with open(folder / "prometheus.log", "wb") as log:
        started.append(subprocess.Popen(["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb", f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log))  # fmt: skip
    prometheus = Prometheus(port)
    # Before the first delivery, so that the first of everything is seen to be one more than none.
    until("Prometheus scrapes the bridge", lambda: prometheus.values('up{job="alert-relay"} == 1'))
    deliver(bridge)
    until("pull requests are seen", lambda: prometheus.values("sum(alert_relay_pull_requests_total) >= 3"))
    until("notifications are sent", lambda: prometheus.values('sum(alert_relay_notifications_total{result="sent"}) > 0'))
    # So that there is something to be shown as long as it takes to ask for it.
    stop = threading.Event()

    def go_on():
        number = 10
        while not stop.wait(1):
            number += 1
            send(bridge, "generic", {"title": f"The disk of db-{number} is full", "severity": "high", "dedup_key": f"disk-{number}"}, SENDER)  # fmt: skip

    going = threading.Thread(target=go_on, daemon=True)
    going.start()
    text = exposition(bridge)
    promtool("check", "metrics", stdin=text)
    assert READER not in text and SENDER not in text
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    vanished = {line.split(" ")[0] for line in first.splitlines() if not line.startswith("#")} - {line.split(" ")[0] for line in lines}
    assert not vanished, vanished
    print(f"ok      {len(names_of(text))} metrics, {len(lines)} series: promtool check metrics")
    look_at_names(names_of(text))
    ask_for_everything(prometheus)
    stop.set()
    going.join()


def main() -> None:
    started: list[subprocess.Popen] = []
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        try:
            run(os.path.realpath(sys.argv[1]), Path(folder), started)
        except BaseException:
            for name in ("bridge.log", "prometheus.log"):
                log = Path(folder) / name
                if log.exists():
                    print(f"{name}:", *log.read_text().splitlines()[-15:], sep="\n  ", file=sys.stderr)
            raise
        finally:
            for process in started:
                process.terminate()
            for process in started:
                process.wait(30)
    print(f"ok      a real Prometheus shows the bridge ({time.monotonic() - begun:.0f} s)")


if __name__ == "__main__":
    main()
