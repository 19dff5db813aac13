"""A camera that sends pictures over HTTP as multipart/x-mixed-replace, as web cameras do."""

from __future__ import annotations

import contextlib
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class MjpegServer(ThreadingHTTPServer):
    """Serves ``http://127.0.0.1:PORT/``; a connection gets a picture at each ``show``."""

    daemon_threads = True

    def __init__(self, jpeg: bytes, rate: float = 50.0, port: int = 0) -> None:
        """Listen, at once."""
        super().__init__(("127.0.0.1", port), _Viewer)
        self.jpeg = jpeg
        self.period = 1 / rate
        self.connections = 0
        self.changed = threading.Condition()
        self._ended = threading.Event()
        self._sockets: list[socket.socket] = []
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/stream.mjpg"

    def serve(self, connection: socket.socket, wfile) -> None:
        with self.changed:
            self.connections += 1
            self._sockets.append(connection)
            self.changed.notify_all()
        while not self._ended.wait(self.period):
            jpeg = self.jpeg
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            wfile.write(head.encode() + jpeg + b"\r\n")

    def show(self, jpeg: bytes) -> None:
        """Send another picture from the next frame on."""
        self.jpeg = jpeg

    def drop(self) -> None:
        """Cut every connection."""
        with self.changed:
            for connection in self._sockets:
                with contextlib.suppress(OSError):  # it may be gone already
                    connection.shutdown(socket.SHUT_RDWR)
            self._sockets = []

    def close(self) -> None:
        """Cut every connection and listen no more."""
        self._ended.set()
        self.shutdown()
        self.server_close()
        self.drop()
        self._thread.join(10)


class _Viewer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        try:
            self.server.serve(self.connection, self.wfile)
        except OSError:  # the viewer has left
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""
