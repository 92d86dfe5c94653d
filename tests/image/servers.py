"""Two servers on loopback, until killed: a name server that knows names ending in .test, which are this machine, and an API
behind TLS that accepts no key. Prints the port of the latter.

    servers.py CERTIFICATE KEY
"""

import http.server
import socket
import ssl
import sys
import threading

# Of the loopback network, but not where a machine's own name server would be.
NAME_SERVER = ("127.7.7.7", 53)
ADDRESS = 1


def answer(query: bytes) -> bytes:
    """The answer to a query with one question: 127.0.0.1 for the address of a known name, else nothing."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]])
        at += 1 + query[at]
    kind = int.from_bytes(query[at + 1 : at + 3], "big")
    question = query[12 : at + 5]
    known = labels[-1:] == [b"test"]
    found = known and kind == ADDRESS
    flags = b"\x81\x80" if known else b"\x81\x83"
    record = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x05\x00\x04" + socket.inet_aton("127.0.0.1")
    return query[:2] + flags + b"\0\1" + (b"\0\1" if found else b"\0\0") + b"\0\0\0\0" + question + (record if found else b"")


def serve_names(server: socket.socket) -> None:
    while True:
        query, sender = server.recvfrom(512)
        server.sendto(answer(query), sender)


class NoKeyIsAccepted(http.server.BaseHTTPRequestHandler):
    """Answers every request with 401."""

    def do_GET(self) -> None:
        body = b'{"detail":"Unauthorized"}'
        self.send_response(401)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Quiet(http.server.ThreadingHTTPServer):
    """A client that refuses the certificate is no error here."""

    def handle_error(self, request, client_address) -> None:
        print("a connection failed:", sys.exc_info()[1], file=sys.stderr)


def main() -> None:
    certificate, key = sys.argv[1:]
    names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    names.bind(NAME_SERVER)
    threading.Thread(target=serve_names, args=[names], daemon=True).start()

    api = Quiet(("127.0.0.1", 0), NoKeyIsAccepted)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    # The handshake belongs to the thread of its connection.
    api.socket = tls.wrap_socket(api.socket, server_side=True, do_handshake_on_connect=False)
    print(api.server_port, flush=True)
    api.serve_forever()


main()
