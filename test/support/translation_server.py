"""A local HTTP server that answers as translation services do, and remembers what it was asked."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Asked:
    """One request: path, query or form as single values, JSON body, headers."""

    def __init__(self, path, fields, body, headers):
        self.path, self.fields, self.body, self.headers = path, fields, body, headers


@contextlib.contextmanager
def serving(answer):
    """Serve ``answer(asked) -> (status, content type, text)``; yield (address, list of Asked)."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def _reply(self):
            length = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(length).decode()
            parts = urlsplit(self.path)
            is_json = "json" in self.headers.get("Content-Type", "")
            form = "" if is_json else raw
            fields = {
                name: values[0] for name, values in (parse_qs(parts.query) | parse_qs(form)).items()
            }
            body = json.loads(raw) if is_json and raw else None
            asked.append(Asked(parts.path, fields, body, dict(self.headers)))
            status, kind, text = answer(asked[-1])
            data = text.encode()
            # A client that has given up meanwhile is part of what is tested.
            with contextlib.suppress(ConnectionError):
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        do_GET = do_POST = _reply  # noqa: N815 (the names that http.server looks for)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
