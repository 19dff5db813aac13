"""A network camera: RTSP (RFC 2326), JPEG over RTP (RFC 2435) interleaved in its connection."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading

_CLOCK = 90_000  # Hz, of RTP/JPEG timestamps
_PART = 1200  # bytes of a picture in one packet
_SDP = "\r\n".join(
    ["v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=camera", "t=0 0", "m=video 0 RTP/AVP 26", ""]
)


class RtspServer(socketserver.ThreadingTCPServer):
    """Serves ``rtsp://127.0.0.1:PORT/``: one picture, again and again.

    jpeg  baseline JPEG with 4:2:0 colors, as cv2.imencode writes it
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, jpeg: bytes, rate: float = 50.0) -> None:
        """Listen, at once."""
        super().__init__(("127.0.0.1", 0), _Viewer)
        self.show(jpeg)
        self.period = 1 / rate
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self.server_address[1]}/camera"

    def show(self, jpeg: bytes) -> None:
        """Serve another picture from the next frame on."""
        self._parts = _parts_of(jpeg)

    def close(self) -> None:
        self.ended.set()
        self.shutdown()
        self.server_close()
        self._thread.join(10)

    def packets(self, frame: int) -> list[bytes]:
        """Return the RTP packets of a frame."""
        tables, size, scan = self._parts
        width, height = (side // 8 for side in size)
        packets = []
        for start in range(0, len(scan), _PART):
            part = scan[start : start + _PART]
            last = start + _PART >= len(scan)
            head = struct.pack(
                "!BBHII",
                *(0x80, 26 | (0x80 if last else 0), (1000 * frame + len(packets)) & 0xFFFF),
                *(round(frame * self.period * _CLOCK) & 0xFFFFFFFF, 1),
            )
            # Type-specific 0, fragment offset, type 1 (4:2:0), Q 255 (tables follow), size.
            head += struct.pack("!I", start) + bytes([1, 255, width, height])
            if start == 0:
                head += struct.pack("!BBH", 0, 0, len(tables)) + tables
            packets.append(head + part)
        return packets


class _Viewer(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        try:
            while (request := self._request()) is not None:
                method, number = request
                self.wfile.write(self._answer(method, number).encode())
                if method == "PLAY":
                    self._play()
        except OSError:  # the viewer has left
            return

    def _request(self) -> tuple[str, str] | None:
        lines = []
        while line := self.rfile.readline().decode().strip():
            lines.append(line)
        if not lines:
            return None
        heads = dict(line.split(": ", 1) for line in lines[1:])
        return lines[0].split()[0], heads["CSeq"]

    @staticmethod
    def _answer(method: str, number: str) -> str:
        more = {
            "OPTIONS": "Public: DESCRIBE, SETUP, PLAY, TEARDOWN\r\n\r\n",
            "DESCRIBE": "Content-Type: application/sdp\r\n"
            f"Content-Length: {len(_SDP)}\r\n\r\n{_SDP}",
            "SETUP": "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n\r\n",
        }.get(method, "Session: 1\r\n\r\n")
        return f"RTSP/1.0 200 OK\r\nCSeq: {number}\r\n{more}"

    def _play(self) -> None:
        frame = 0
        while not self.server.ended.wait(self.server.period):
            for packet in self.server.packets(frame):
                self.wfile.write(b"$\0" + struct.pack("!H", len(packet)) + packet)
            frame += 1
        self.connection.shutdown(socket.SHUT_RDWR)


def _parts_of(jpeg: bytes) -> tuple[bytes, tuple[int, int], bytes]:
    """Return quantization tables (64 bytes each), (width, height) and the entropy-coded data."""
    tables, size, at = b"", (0, 0), 2
    while True:
        marker, length = struct.unpack("!HH", jpeg[at : at + 4])
        body = jpeg[at + 4 : at + 2 + length]
        at += 2 + length
        if marker == 0xFFDB:
            tables += b"".join(body[i + 1 : i + 65] for i in range(0, len(body), 65))
        elif marker == 0xFFC0:
            size = struct.unpack("!HH", body[1:5])[::-1]
        elif marker == 0xFFDA:
            return tables, size, jpeg[at:-2]
