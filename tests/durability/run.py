#!/usr/bin/env python3
"""Whether a delivery is on the disk before it is answered: run.py BINARY

`alert-relay serve` runs under strace, and gets deliveries one after the other. Between each request that it reads and the 202 that it
writes there must be an fdatasync (or fsync) of the store's journal that has returned.
"""

import re
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

DELIVERIES = 5
CALLS = "read,recvfrom,write,writev,sendto,sendmsg,fsync,fdatasync"


def deliver(address: str, number: int) -> int:
    body = f'{{"title": "disk {number} is full", "status": "firing", "dedup_key": "{number}"}}'
    request = urllib.request.Request(f"http://{address}/v1/hooks/generic", data=body.encode(), method="POST")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.status


def synced(trace: str) -> list[int]:
    """How many syncs of the journal were done between each request and its answer."""
    counts: list[int] = []
    count = None
    pending = set()
    for line in trace.splitlines():
        thread = line.split(maxsplit=1)[0]
        if "POST /v1/hooks/" in line:
            count = 0
        elif "HTTP/1.1 202" in line and count is not None:
            counts.append(count)
            count = None
        elif re.search(r"\bf(data)?sync\(\d+<[^>]*-wal>", line):
            if "unfinished" in line:
                pending.add(thread)
            elif count is not None and re.search(r"= 0$", line):
                count += 1
        elif "sync resumed" in line and thread in pending:
            pending.discard(thread)
            if count is not None and re.search(r"= 0$", line):
                count += 1
    return counts


def main() -> None:
    program = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder, "trace")
        command = ["strace", "--daemonize", "--follow-forks", "--decode-fds=path", "--string-limit=64", f"--trace={CALLS}", f"--output={trace}"]
        serve = ["alert-relay", "serve", "--sandbox", "--listen", "127.0.0.1:0", "--store", "sqlite:relay.db"]
        bridge = subprocess.Popen([*command, str(program), *serve], cwd=folder, stdout=subprocess.PIPE, text=True)
        try:
            first = bridge.stdout.readline()
            address = re.search(r"http://([\d.:]+)", first)[1]
            statuses = [deliver(address, number) for number in range(DELIVERIES)]
        finally:
            bridge.terminate()
            bridge.communicate(timeout=60)
        counts = synced(trace.read_text(errors="replace"))
    print(f"answers {statuses}; syncs of the journal between request and answer: {counts}")
    if statuses != [202] * DELIVERIES or len(counts) != DELIVERIES or 0 in counts:
        sys.exit("a delivery was answered that was not on the disk")


main()
