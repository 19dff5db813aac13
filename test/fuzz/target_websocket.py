"""Frames of WebSocket cameras, after a handshake that is right."""

import struct
from random import Random

import cv2
from mutations import NUMBERS, pieces
from picture_files import photo
from talking import manner
from target import Case
from web_target import WebTarget

HANDSHAKE = (
    b"GET /ws/%s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
JPEG = cv2.imencode(".jpg", photo())[1].tobytes()
CONTENTS = (
    JPEG,
    JPEG,
    JPEG + bytes(600),
    b"\xff\xd8" + b"\xff" * 5000,
    b"hello",
    b"",
    bytes(600),
    "äöü".encode(),
)
CODES = (0, 1, 2, 2, 2, 8, 9, 10, 3, 15)
"""Opcodes: of a continuation, text, a binary message, close, ping, pong; two that are none."""
MASK = b"\1\2\3\4"


def frame(code: int, content: bytes, *, last: bool = True, length: int | None = None) -> bytes:
    """Return a frame with a mask, as clients have to send it (RFC 6455, section 5.2)."""
    size = len(content) if length is None else length
    head = bytes([code | 128 * last])
    if size < 126:
        head += bytes([128 | size])
    elif size < 1 << 16:
        head += b"\xfe" + struct.pack(">H", size)
    else:
        head += b"\xff" + struct.pack(">Q", size)
    mask = (MASK * (len(content) // 4 + 1))[: len(content)]
    masked = int.from_bytes(content, "big") ^ int.from_bytes(mask, "big")
    return head + MASK + masked.to_bytes(len(content), "big")


class WebSocket(WebTarget):
    """Sends whole and broken frames, messages in pieces, and pings."""

    name = "websocket"
    cases = 300

    def generate(self, random: Random) -> Case:
        frames = [self._frame(random) for _ in range(random.choice((1, 2, 3, 8)))]
        stream = b"".join(frames)
        if random.random() < 0.6:
            stream = self.mutated(random, stream, frames)
        name = random.choice((b"door", b"door", b"a/b", b"%2e%2e", b"x" * 300, b""))
        return [manner(random), HANDSHAKE % name, *pieces(random, stream)]

    def _frame(self, random: Random) -> bytes:
        content = random.choice(CONTENTS)
        if random.random() < 0.3:
            content = self.mutated(random, content, (b"\xff", b"\xff\xe1\0\2", JPEG))
        length = random.choice(NUMBERS) if random.random() < 0.1 else None
        return frame(random.choice(CODES), content, last=random.random() < 0.8, length=length)
