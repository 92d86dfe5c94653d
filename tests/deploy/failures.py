#!/usr/bin/env python3
"""Runs the bridge as deploy/ starts it in containers, and tries the table "When something fails" of docs/deploy.md.

tests/postgres/with unshare --mount tests/deploy/failures.py BINARY: beside a PostgreSQL, and with mounts of its own, so that
files have the places that they have in a container. Devin is the sandbox. Needs root.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from look import bridge_of_compose, bridge_of_kubernetes

ROOT = Path(__file__).resolve().parents[2]
# How long a step may take before it has failed.
PATIENCE_S = 60
TOKEN = "a-token-of-a-test-7ujm8ik9"
# As whom the image runs, which is all that may be needed.
USER = 1000


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def mount(*arguments: object) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True)


def database(action: str) -> None:
    """Stops or starts it, as tests/postgres/with says how."""
    subprocess.run(["sh", "-c", os.environ[f"RELAY_POSTGRES_{action}"]], check=True, stdout=subprocess.DEVNULL)


class World:
    """Devin, one or more bridges, and what is asked of them."""

    def __init__(self, binary: str, folder: Path) -> None:
        self.folder = folder
        # Where any user may run it.
        self.binary = shutil.copy(binary, "/run/source-devin-ai")
        self.running: list[subprocess.Popen] = []
        self.devin_port = free_port()
        self.settings: dict[str, str] = {}
        self.devin = self.start_devin()
        self.logs = 0

    def start(self, arguments: list[str], **options) -> subprocess.Popen:
        process = subprocess.Popen([self.binary, *arguments], cwd="/", text=True, **options)
        self.running.append(process)
        return process

    def end(self, process: subprocess.Popen, how: int = signal.SIGTERM) -> int:
        process.send_signal(how)
        self.running.remove(process)
        return process.wait(timeout=PATIENCE_S)

    def start_devin(self) -> subprocess.Popen:
        arguments = ["sandbox", "--session-seconds", "inf", "--port", str(self.devin_port)]
        devin = self.start(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.settings = json.loads(devin.stdout.readline())
        return devin

    def set_up(self, rules: Path, secrets: str, mode: int) -> None:
        """The rules as they are, but for the organization and a place for each session; and the secrets where they say.

        They are root's, with a mode and the group of the program, as engines mount them.
        """
        organization = f"{self.settings['api_url']}/v3/organizations/{self.settings['org_id']}/sessions"
        text = rules.read_text().replace(
            "    provider: devin\n", f"    provider: devin\n    endpoint: {organization}\n"
        )
        text = text.replace("concurrent_sessions: 5", "concurrent_sessions: 50")
        Path("/etc/alert-relay/relay.yaml").write_text(text)
        Path(secrets).mkdir(exist_ok=True)
        for name, secret in [("devin-api-key", self.settings["api_token"]), ("alertmanager-token", TOKEN)]:
            file = Path(secrets, name)
            file.write_text(secret + "\n")
            file.chmod(mode)
            os.chown(file, 0, USER)

    def bridge(self, arguments: list[str], environment: dict[str, str] | None = None) -> "Bridge":
        port = free_port()
        # Several stand side by side on this machine.
        who = {"user": USER, "group": USER, "extra_groups": [], "env": {"PATH": "/bin", **(environment or {})}}
        subprocess.run([self.binary, *arguments, "--check"], check=True, stdout=subprocess.DEVNULL, **who)
        arguments = [argument.replace("0.0.0.0:8080", f"0.0.0.0:{port}") for argument in arguments]
        self.logs += 1
        log = self.folder / f"bridge-{self.logs}.log"
        process = self.start(arguments, stdout=log.open("w"), stderr=subprocess.STDOUT, **who)
        return Bridge(process, port, log)

    def stop(self) -> None:
        for process in reversed(self.running):
            process.kill()
            process.wait()

    def until(self, what: str, is_so) -> None:
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                if is_so():
                    print(f"ok      {what}", flush=True)
                    return
            except (OSError, ValueError, KeyError, TypeError):
                pass
            time.sleep(0.1)
        for log in sorted(self.folder.glob("bridge-*.log")):
            print(f"{log.name}:\n{log.read_text()[-3000:]}", file=sys.stderr)
        sys.exit(f"FAILED  {what}")


class Bridge:
    """One process, and requests to it."""

    def __init__(self, process: subprocess.Popen, port: int, log: Path) -> None:
        self.process, self.port, self.log = process, port, log

    def ask(self, path: str, body: bytes | None = None, host: str = "127.0.0.1") -> tuple[int, dict]:
        headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
        request = urllib.request.Request(f"http://{host}:{self.port}{path}", body, headers if body else {})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def deliver(self, name: str) -> int:
        alert = {"status": "firing", "labels": {"alertname": name}, "startsAt": "2026-03-01T09:58:12Z"}
        return self.ask("/v1/hooks/alertmanager", json.dumps({"status": "firing", "alerts": [alert]}).encode())[0]

    def job(self, name: str) -> dict:
        alerts = self.ask("/api/v1/alerts")[1]["alerts"]
        return next((alert["job"] for alert in alerts if name in alert["title"]), {})

    def is_ready(self) -> bool:
        return self.ask("/readyz")[0] == 200

    def stands(self, state: str) -> bool:
        status, answer = self.ask("/readyz")
        return status == 200 and answer["integrations"][0]["state"] == state


def places(folder: Path) -> None:
    """What only this process and its children see: an empty /run, and an /etc that may be written to."""
    url = os.environ["RELAY_POSTGRES"]
    mount("-t", "tmpfs", "tmpfs", "/run")
    etc = folder / "etc"
    etc.mkdir()
    mount("-t", "tmpfs", "tmpfs", etc)
    for name in ("upper", "work"):
        (etc / name).mkdir()
    mount("-t", "overlay", "overlay", "-o", f"lowerdir=/etc,upperdir={etc}/upper,workdir={etc}/work", "/etc")
    Path("/etc/alert-relay").mkdir()
    Path("/run/postgresql").mkdir()
    mount("--bind", url.rpartition("host=")[2], "/run/postgresql")
    # As in PostgreSQL's image.
    Path("/run/postgresql").chmod(0o3775)
    subprocess.run(["createdb", "--host=/run/postgresql", "--username=relay", "relay"], check=True)


def compose(world: World) -> None:
    world.set_up(ROOT / "deploy/compose/rules/relay.yaml", "/run/secrets", 0o644)
    bridge = world.bridge(bridge_of_compose())
    nowhere = world.bridge(
        [argument.replace("host=/run/postgresql", "host=/run/nothing") for argument in bridge_of_compose()]
    )
    world.until("Compose: the bridge is ready, without a password for its database", bridge.is_ready)
    assert bridge.deliver("First") == 202
    world.until("Compose: an alert has a session", lambda: bridge.job("First")["session_id"])

    database("STOP")
    world.until("database gone: deliveries are answered with 503", lambda: bridge.deliver("Second") == 503)
    world.until("database gone: unready, and alive", lambda: not bridge.is_ready() and bridge.ask("/healthz")[0] == 200)
    database("START")
    world.until("database back: the delivery that is sent again is taken", lambda: bridge.deliver("Second") == 202)
    world.until("database back: it has a session", lambda: bridge.job("Second")["session_id"])

    world.end(world.devin, signal.SIGKILL)
    assert bridge.deliver("Third") == 202
    world.until("Devin gone: ready and paused, and deliveries are kept", lambda: bridge.stands("paused"))
    # A simulated organization forgets: only what was not created yet goes on.
    world.devin = world.start_devin()
    world.until("Devin back: what was kept has a session", lambda: bridge.job("Third")["session_id"])
    assert world.end(bridge.process) == 0, "it stops in good order"
    assert nowhere.process.wait(timeout=PATIENCE_S) == 1
    assert "cannot open the store" in nowhere.log.read_text()
    world.running.remove(nowhere.process)
    print("ok      database gone: a process that is started ends with an error")

    Path("/run/secrets/devin-api-key").write_text("cog_another_key_of_a_test_0\n")
    bridge = world.bridge(bridge_of_compose())
    world.until("key refused: ready and paused", lambda: bridge.stands("paused"))
    assert bridge.deliver("Fourth") == 202
    assert not bridge.job("Fourth")["session_id"]
    world.end(bridge.process)
    world.set_up(ROOT / "deploy/compose/rules/relay.yaml", "/run/secrets", 0o644)
    bridge = world.bridge(bridge_of_compose())
    world.until("key right after a restart: what was kept has a session", lambda: bridge.job("Fourth")["session_id"])
    world.end(bridge.process)


def kubernetes(world: World) -> None:
    world.set_up(ROOT / "deploy/kubernetes/relay.yaml", "/run/alert-relay", 0o440)
    arguments, names = bridge_of_kubernetes()
    values = dict(zip(names, ["%2Frun%2Fpostgresql", "5432", "relay", "relay", "unused"], strict=True))
    for name, value in values.items():
        arguments = [argument.replace(f"$({name})", value) for argument in arguments]
    one, other = (world.bridge(arguments, values) for _ in range(2))
    world.until("Kubernetes: two replicas are ready", lambda: one.is_ready() and other.is_ready())
    outside = subprocess.run(["hostname", "-I"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    if outside:
        for path in ("/readyz", "/healthz"):
            assert one.ask(path, host=outside[0])[0] == 200, "a probe comes from the node"
    assert (one.deliver("Fifth"), other.deliver("Fifth")) == (202, 202)
    world.until("Kubernetes: an alert by both has one session", lambda: other.job("Fifth")["session_id"])
    assert one.job("Fifth")["session_id"] == other.job("Fifth")["session_id"]
    world.end(one.process, signal.SIGKILL)
    assert other.deliver("Sixth") == 202
    world.until("a replica killed: the other takes and works on alerts", lambda: other.job("Sixth")["session_id"])
    assert world.end(other.process) == 0


def full_disk(world: World) -> None:
    disk = Path("/run/disk")
    disk.mkdir()
    mount("-t", "tmpfs", "-o", f"size=4m,uid={USER}", "tmpfs", disk)
    arguments = [
        f"--store=sqlite:{disk}/relay.db" if argument.startswith("--store") else argument
        for argument in bridge_of_compose()
    ]
    bridge = world.bridge(arguments)
    world.until("SQLite: the bridge is ready", bridge.is_ready)
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass
    world.until("disk full: unready", lambda: bridge.ask("/readyz")[0] == 503)
    world.until("disk full: deliveries are answered with 503", lambda: bridge.deliver("Seventh") == 503)
    ballast.unlink()
    world.until("disk free: the delivery that is sent again is taken", lambda: bridge.deliver("Seventh") == 202)


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: failures.py BINARY")
    binary = str(Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as folder:
        places(Path(folder))
        world = World(binary, Path(folder))
        try:
            compose(world)
            kubernetes(world)
            full_disk(world)
            logs = "".join(log.read_text() for log in Path(folder).glob("bridge-*.log"))
            assert TOKEN not in logs and world.settings["api_token"] not in logs, "no secret is shown"
        finally:
            world.stop()
            for place in (Path("/etc"), Path(folder, "etc")):
                subprocess.run(["umount", "--lazy", place], check=False, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
