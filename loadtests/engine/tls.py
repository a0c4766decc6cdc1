"""TLS without a socket: ciphertext to and from memory, because gevent patches the sockets of `ssl`."""

from __future__ import annotations

import ssl

from fixtures.network_routes import Route, is_client_certificate_alert, tls_text


class Tls:
    """One TLS connection to `host`, whose certificate is verified (RFC 8446, RFC 9110 section 4.3.4)."""

    __slots__ = ("_incoming", "_object", "_outgoing", "close_notified")

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self.close_notified = False  # the peer announced its end; an end without that may be an attack

    @property
    def has_output(self) -> bool:
        """Whether there are bytes to send, such as an alert or a new key."""
        return self._outgoing.pending > 0

    def handshake(self, received: bytes) -> bool:
        """Take bytes of the handshake; True once it is done. Raises ssl.SSLError, also for an invalid certificate."""
        self._incoming.write(received)
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def encrypt(self, plain: bytes) -> bytes:
        """The ciphertext to send: bytes that wait, then that of `plain`."""
        if plain:
            self._object.write(plain)
        return self._outgoing.read()

    def decrypt(self, received: bytes) -> bytes:
        """The plain text that these bytes complete; empty while a record is incomplete. Raises ssl.SSLError."""
        self._incoming.write(received)
        parts = []
        try:
            while part := self._object.read(65536):
                parts.append(part)
            self.close_notified = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.close_notified = True
        return b"".join(parts)


def tls_reason(error: ssl.SSLError, route: Route) -> str:
    """A short reason from a bounded set, such as `certificate: self-signed certificate; see GETFLOW_CA`."""
    if isinstance(error, ssl.SSLCertVerificationError):
        reason, option = f"certificate: {error.verify_message.split(',')[0]}", "CA"
    else:
        reason, option = tls_text(error), "CLIENT_CERT" if is_client_certificate_alert(error) else ""
    return f"{reason}; see {route.variable(option)}" if option and route.api else reason
