"""A bridge whose mail server refuses some of what it is handed: bridge.py BINARY

A refusal for now (451) is tried again, and comes once; a final one (550) is shown as given up, with what the server said, and comes
when a person has it sent again.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from server import PASSWORD, USER, Keeper, certificate, serve

# How long a step may take before it has failed.
PATIENCE_S = 30

RULES = """\
routes: [{name: generic, kind: generic, auth: none}]
notify:
  targets:
    - {name: later, kind: email, server: 'SERVER', username: USER, password: {env: MAIL_PASSWORD}, from: USER, to: later@example.com}
    - {name: gone, kind: email, server: 'SERVER', username: USER, password: {env: MAIL_PASSWORD}, from: USER, to: gone@example.com}
  allow_internal: [localhost]
default:
  poll_interval: 1s
  notify: [{target: later, on: created}, {target: gone, on: created}]
"""


class Refusing(Keeper):
    """Refuses one for now, and one for good until it is mended."""

    def __init__(self):
        super().__init__()
        self.refused = []
        self.is_mended = False

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address == "gone@example.com" and not self.is_mended:
            self.refused.append(address)
            return "550 5.1.1 no such mailbox"
        if address == "later@example.com" and address not in self.refused:
            self.refused.append(address)
            return "451 4.7.1 graylisted, come again"
        envelope.rcpt_tos.append(address)
        return "250 known"


def until(what, ask):
    """Asks until there is an answer."""
    begun = time.monotonic()
    while time.monotonic() - begun < PATIENCE_S:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.1)
    raise SystemExit(f"FAILED  {what}: not within {PATIENCE_S} s")


def check(program, keeper, server, chain, folder):
    (folder / "relay.yaml").write_text(RULES.replace("SERVER", server).replace("USER", USER))
    environment = os.environ | {"MAIL_PASSWORD": PASSWORD, "SSL_CERT_FILE": chain}
    bridge = subprocess.Popen(
        [program, "alert-relay", "serve", "--rules", "relay.yaml", "--sandbox", "--listen", "127.0.0.1:0"],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )
    try:
        first = json.loads(bridge.stdout.readline())["message"]
        base = "http://" + first.split("://")[1].split(",")[0]

        def relay(*words):
            ran = subprocess.run(
                [program, "alert-relay", *words, "--bridge", base], env=environment, capture_output=True, text=True
            )
            assert ran.returncode == 0, ran.stdout + ran.stderr
            return ran.stdout

        def rows(name, query=""):
            with urllib.request.urlopen(f"{base}/api/v1/{name}{query}", timeout=10) as answer:
                return json.load(answer)[name]

        def notifications(state):
            return rows("notifications", f"?state={state}")

        def arrived(address):
            return [one for one in keeper.arrived if one["to"] == [address]]

        body = json.dumps({"title": "the disk is full", "dedup_key": "disk"}).encode()
        request = urllib.request.Request(f"{base}/v1/hooks/generic", body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 202
        [tag] = [alert["tag"] for alert in rows("alerts")]
        dead = until("what is refused for good is given up", lambda: notifications("dead"))
        assert [one["target"] for one in dead] == ["gone"], dead
        assert "550" in dead[0]["reason"] and "no such mailbox" in dead[0]["reason"], dead
        shown = relay("show", tag, "--output", "text")
        assert f"dead ({dead[0]['id']})" in shown and "550" in shown, shown
        until("what is refused for now is sent later", lambda: arrived("later@example.com"))
        assert sorted(keeper.refused) == ["gone@example.com", "later@example.com"], keeper.refused
        keeper.is_mended = True
        relay("resend", dead[0]["id"])
        until("what was given up is sent again", lambda: arrived("gone@example.com"))
        until("nothing is given up any more", lambda: not notifications("dead") and not notifications("waiting"))
        for one in keeper.arrived:
            assert one["is_encrypted"] and not one["defects"] and "the disk is full" in one["subject"], one
        assert len(keeper.arrived) == 2, keeper.arrived
    finally:
        bridge.terminate()
        bridge.wait(PATIENCE_S)


def main():
    begun = time.monotonic()
    program = str(Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as folder:
        chain, key = certificate(Path(folder))
        keeper = Refusing()
        with serve(keeper, chain, key) as server:
            check(program, keeper, server, chain, Path(folder))
    print(f"graylisted, refused, sent again: all arrived once ({time.monotonic() - begun:.0f} s)")


if __name__ == "__main__":
    main()
