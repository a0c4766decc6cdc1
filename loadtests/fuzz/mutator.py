"""Valid responses and frames, and the ways to mutate them. Everything follows from one `random.Random`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from websockets.frames import Frame, Opcode

BODY = b'{"success":true,"data":{"id":"17"}}'
UTF8 = 'å✓𝄞{"name":"Grönköping"}'.encode()


def _http(head: bytes, body: bytes = b"") -> bytes:
    return b"HTTP/1.1 " + head.replace(b"\n", b"\r\n") + b"\r\n\r\n" + body


HTTP: tuple[bytes, ...] = (
    _http(b"200 OK\nContent-Type: application/json\nContent-Length: %d" % len(BODY), BODY),
    _http(b"200 OK\nContent-Length: 3\nConnection: close", b"abc"),
    _http(b"200 OK\nTransfer-Encoding: chunked", b"5\r\nhello\r\n1f;a=b\r\n" + b"x" * 31 + b"\r\n0\r\n\r\n"),
    _http(b"200 OK\nTransfer-Encoding: chunked", b'a;q="\\"x"\r\n0123456789\r\n0\r\nDigest: 1\r\nX: y\r\n\r\n'),
    _http(b"200 OK\nTransfer-Encoding: gzip, chunked", b"3\r\n\x1f\x8b\x08\r\n0\r\n\r\n"),
    _http(b"200 OK\nDate: Sun, 22 Nov 2026 04:00:00 GMT", b"until the end"),
    _http(b"204 No Content\nX-A: \xe5"),
    _http(b'304 Not Modified\nETag: W/"1"\nContent-Length: 35'),
    _http(b"100 Continue") + _http(b"200 OK\nContent-Length: 2", b"ok"),
    _http(b"103 Early Hints\nLink: </a>; rel=preload") * 2 + _http(b"404 Not Found\nContent-Length: 0"),
    _http(b"302 Found\nLocation: /b\nSet-Cookie: a=b\nSet-Cookie: c=d\nContent-Length: 0"),
    b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n1",
    b"HTTP/1.0 500 Oh\r\n\r\nold",
)


def server_frame(opcode: int, payload: bytes, fin: bool = True) -> bytes:
    """A frame as a server sends it: not masked."""
    return Frame(Opcode(opcode), payload, fin).serialize(mask=False)


FRAMES: tuple[bytes, ...] = (
    server_frame(1, BODY),
    server_frame(1, UTF8),
    server_frame(1, b"x" * 125),
    server_frame(1, b"x" * 126),
    server_frame(1, UTF8 * 40),
    server_frame(2, b"\x00\xff"),
    server_frame(1, UTF8[:4], fin=False) + server_frame(0, UTF8[4:9], fin=False) + server_frame(0, UTF8[9:]),
    server_frame(1, b"a", fin=False) + server_frame(9, b"still there?") + server_frame(0, b"b"),
    server_frame(9, b"") + server_frame(10, b"x") + server_frame(1, b"{}"),
    server_frame(8, b"\x03\xe8bye"),
    server_frame(1, b"{}") + server_frame(8, b""),
    server_frame(1, b""),
)

# Bytes that matter to a parser, inserted anywhere.
TOKENS: tuple[bytes, ...] = (
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\0", b" ", b"\t", b":", b";", b",", b"0\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n",
    b"Content-Length: 5\r\n", b"Content-Length: -1\r\n", b"Content-Length: 99999999999999999999\r\n",
    b"Transfer-Encoding: chunked\r\n", b"transfer-encoding: identity\r\n", b"Connection: close\r\n",
    b"Connection: Upgrade\r\nUpgrade: websocket\r\n", b"HTTP/1.1 101 Switching Protocols\r\n", b"ffffffffffffffff\r\n",
    b"\x81\x00", b"\x01\x01a", b"\x80\x01b", b"\x88\x02\x03\xe8", b"\x89\x00", b"\x81\xfe", b"\x81\x7f" + b"\xff" * 8,
    b"\x81\x7e\x00\x01x", b"\xc1\x00", b"\x83\x00", b"\xff", b"\xed\xa0\x80", b"\xc0\x80",
)  # fmt: skip


def _cut(data: bytearray, rng: Random) -> None:
    del data[rng.randrange(len(data) + 1) :]


def _remove(data: bytearray, rng: Random) -> None:
    at = rng.randrange(len(data) + 1)
    del data[at : at + rng.choice((1, 1, 2, 8))]


def _flip(data: bytearray, rng: Random) -> None:
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _replace(data: bytearray, rng: Random) -> None:
    if data:
        data[rng.randrange(len(data))] = rng.randrange(256)


def _insert(data: bytearray, rng: Random) -> None:
    at = rng.randrange(len(data) + 1)
    data[at:at] = rng.choice(TOKENS)


def _repeat(data: bytearray, rng: Random) -> None:
    at = rng.randrange(len(data) + 1)
    data[at:at] = data[at : at + rng.randrange(1, 40)] * rng.randrange(1, 4)


def _swap(data: bytearray, rng: Random) -> None:
    at = rng.randrange(len(data) + 1)
    data[:] = data[at:] + data[:at]


MUTATIONS: tuple[Callable[[bytearray, Random], None], ...] = (_cut, _remove, _flip, _replace, _insert, _repeat, _swap)


def mutated_sample(samples: Sequence[bytes], rng: Random) -> bytes:
    """One or two of the samples, mutated up to four times; one in sixteen stays as it is."""
    data = rng.choice(samples)
    if rng.random() < 0.15:
        data += rng.choice(samples)
    return mutate(data, rng) if rng.random() > 1 / 16 else data


def mutate(data: bytes, rng: Random) -> bytes:
    """`data`, mutated up to four times."""
    work = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 4))):
        rng.choice(MUTATIONS)(work, rng)
    return bytes(work)


def pieces(data: bytes, rng: Random) -> list[bytes]:
    """`data` as it might arrive: byte by byte, or cut in up to four places."""
    if rng.random() < 0.1:
        return [data[at : at + 1] for at in range(len(data))]
    cuts = sorted(rng.randrange(len(data) + 1) for _ in range(rng.randrange(1, 5)))
    return [part for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True) if (part := data[a:b])]
