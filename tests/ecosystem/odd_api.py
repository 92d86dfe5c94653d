"""An organization with one session, whose fields are what its maker wants: values that the sandbox never sends."""

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

SESSION = {"session_id": "5e551017", "created_at": 1780000000, "updated_at": 1780000000, "status": "exit"}


@contextmanager
def odd_organization(fields):
    """Settings for an API whose one session has these `fields`: JSON text by field name."""
    session = ", ".join(f'"{name}": {text}' for name, text in {**texts(SESSION), **fields}.items())
    page = f'{{"items": [{{{session}}}], "end_cursor": null, "has_next_page": false, "total": 1}}'

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            body = page.encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        Thread(target=server.serve_forever).start()
        try:
            url = f"http://127.0.0.1:{server.server_port}"
            yield {"api_token": "cog_key_of_an_odd_organization_1", "org_id": "org-0dd", "api_url": url}
        finally:
            server.shutdown()


def texts(values):
    return {name: json.dumps(value) for name, value in values.items()}
