"""TLS without a socket: ciphertext in and out of memory, so that gevent's patched `ssl` sockets play no part."""

from __future__ import annotations

import ssl


class Tls:
    """One TLS connection to `host`, whose certificate is verified (RFC 8446, RFC 9110 section 4.3.4)."""

    __slots__ = ("_incoming", "_object", "_outgoing", "ended")

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self.ended = False  # the peer said that nothing follows; without it an end of the bytes may be an attack

    @property
    def waiting(self) -> bool:
        """Whether there is something to send: an alert, a new key."""
        return self._outgoing.pending > 0

    def handshake(self, received: bytes) -> bool:
        """Take bytes of the handshake; True once it is done. Raises ssl.SSLError, also for a wrong certificate."""
        self._incoming.write(received)
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def seal(self, plain: bytes) -> bytes:
        """The ciphertext of `plain`, after whatever else waits to be sent."""
        if plain:
            self._object.write(plain)
        return self._outgoing.read()

    def open(self, received: bytes) -> bytes:
        """All plain text that can be read after these bytes; empty if a record is not complete. Raises ssl.SSLError."""
        self._incoming.write(received)
        parts = []
        try:
            while part := self._object.read(65536):
                parts.append(part)
            self.ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.ended = True
        return b"".join(parts)


def why(error: ssl.SSLError) -> str:
    """A short reason out of a bounded set, such as `CERTIFICATE_VERIFY_FAILED: self-signed certificate`."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate: {error.verify_message.split(',')[0]}"
    return (error.reason or type(error).__name__).lower().replace("_", " ")
