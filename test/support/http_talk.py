"""HTTP as no library would send it."""

import http.client
import socket

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
