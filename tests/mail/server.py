"""A real mail server for one command: aiosmtpd with a certificate of its own and a password. server.py COMMAND [ARGUMENT…]

The command gets MAIL_SERVER (host:port, STARTTLS and a login required), MAIL_USER, MAIL_PASSWORD and SSL_CERT_FILE. When it has ended,
what arrived is printed, one JSON object for each e-mail, and the exit code is the command's.
"""

import contextlib
import email
import email.policy
import json
import logging
import os
import socket
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

# It tells of every connection that breaks off, as one here is to do.
logging.getLogger("mail.log").setLevel(logging.CRITICAL)

USER, PASSWORD = "relay@example.com", "t3st-0nly-passw0rd"


class Keeper:
    """Keeps what arrives."""

    def __init__(self):
        self.arrived = []

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.arrived.append(
            {
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "is_encrypted": session.ssl is not None,
                "subject": message["subject"],
                "message_id": message["message-id"],
                "defects": [str(defect) for defect in message.defects],
                "body": message.get_content(),
            }
        )
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    """Whether the password is right."""
    is_right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    # What is not handled here, the server answers itself.
    return AuthResult(success=is_right, handled=False)


def certificate(folder):
    """A certificate for localhost that vouches for itself, and its key."""
    paths = str(folder / "certificate.pem"), str(folder / "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE",
         "-out", paths[0], "-keyout", paths[1]],
        check=True, capture_output=True,
    )
    return paths


@contextlib.contextmanager
def serve(keeper, chain, key):
    """Where a server listens that takes mail after STARTTLS and a login only, and hands it to the keeper."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain, key)
    controller = Controller(
        keeper, hostname="127.0.0.1", port=0, tls_context=context, require_starttls=True,
        authenticator=authenticate, auth_required=True,
    )
    # The controller says hello to itself, so that it has to know its port.
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        controller.port = free.getsockname()[1]
    controller.start()
    try:
        yield f"localhost:{controller.port}"
    finally:
        controller.stop()


def main():
    with tempfile.TemporaryDirectory() as folder:
        chain, key = certificate(Path(folder))
        keeper = Keeper()
        with serve(keeper, chain, key) as server:
            environment = os.environ | {
                "MAIL_SERVER": server,
                "MAIL_USER": USER,
                "MAIL_PASSWORD": PASSWORD,
                "SSL_CERT_FILE": chain,
            }
            code = subprocess.run(sys.argv[1:], env=environment, check=False).returncode
    for message in keeper.arrived:
        print(json.dumps(message, ensure_ascii=False))
    return code


if __name__ == "__main__":
    sys.exit(main())
