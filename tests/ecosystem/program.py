"""The source as a program: running it, and serving it an organization."""

import json
import shutil
import subprocess
import urllib.request
from contextlib import contextmanager
from decimal import Decimal

PROGRAM = shutil.which("source-devin-ai")
# The streams that a plain key can read; others need a key of the enterprise.
STREAMS = ["sessions", "sessions_insights", "session_messages", "playbooks", "secrets", "knowledge_notes"]
ENTERPRISE_KEY = "cog_sandbox_not_a_real_enterprise_key"
WRONG_KEY = "cog_wrong_key_0123456789"


@contextmanager
def sandbox(*options):
    """The settings of a simulated organization, which is there until the block ends."""
    process = subprocess.Popen([PROGRAM, "sandbox", *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def request(config, method, path, body):
    """Asks the organization directly, as a client of the API does."""
    call = urllib.request.Request(
        f"{config['api_url']}/v3/organizations/{config['org_id']}{path}",
        method=method,
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {config['api_token']}", "Content-Type": "application/json"},
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(call) as answer:
        return json.load(answer)


def create_session(config, prompt):
    return request(config, "POST", "/sessions", {"prompt": prompt})["session_id"]


def run(*arguments):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True)


def records(config, folder, *streams):
    """What the program itself reads, stream by stream, with every digit of every number."""
    settings = folder / "direct.json"
    settings.write_text(json.dumps(config))
    found = {}
    for stream in streams or STREAMS:
        output = run("read", "--config", settings, "--streams", stream, "--format", "records")
        assert output.returncode == 0, output.stderr
        found[stream] = [json.loads(line, parse_float=Decimal) for line in output.stdout.splitlines()]
    return found
