"""HTTP as no library would send it."""

import http.client
import socket
import struct

from waiting import TIME_LIMIT

HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n"
)


def raw(bridge, timeout=20):
    return socket.create_connection(("127.0.0.1", bridge.server.port), timeout)


def head(bridge, path="/v1/describe", **headers):
    lines = [f"POST {path} HTTP/1.1", f"Host: {bridge.host}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def reply_to(bridge, data, *, half_close=False):
    """Return the status, headers and body that come back for bytes, until the server closes."""
    with raw(bridge, TIME_LIMIT) as sock:
        sock.sendall(data)
        if half_close:
            sock.shutdown(socket.SHUT_WR)
        reply = http.client.HTTPResponse(sock)
        reply.begin()
        return reply.status, dict(reply.headers), reply.read()


def masked(code, data=b"", *, fin=True):
    """Return a frame of a WebSocket client; the mask is 0."""
    first, size = 0x80 * fin | code, len(data)
    if size < 126:
        header = struct.pack(">BB", first, 0x80 | size)
    elif size < 1 << 16:
        header = struct.pack(">BBH", first, 0xFE, size)
    else:
        header = struct.pack(">BBQ", first, 0xFF, size)
    return header + bytes(4) + data
