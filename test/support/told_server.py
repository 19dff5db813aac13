"""A local HTTP server that answers as a test tells it, and notes when its client hangs up."""

import contextlib
import json
import queue
import select
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TIME_LIMIT = 30.0
PIECE = 1 << 16


class HungUpError(Exception):
    """The client has closed the connection, or the server ends."""


class Asked:
    """One request, and what became of it."""

    def __init__(self, method, path, headers, body):
        self.method, self.path, self.headers, self.body = method, path, headers, body
        self.closed = threading.Event()
        """The client hung up before the answer was whole."""
        self.done = threading.Event()
        """The server has no more to say."""
        self.written = 0
        """Bytes of the answer that the connection has taken."""

    @property
    def text(self):
        """All text of the messages."""
        parts = [self._parts(message["content"]) for message in self.body["messages"]]
        return "\n".join(part["text"] for each in parts for part in each if "text" in part)

    @property
    def pictures(self):
        """The data URLs of the messages' pictures."""
        parts = [self._parts(message["content"]) for message in self.body["messages"]]
        return [part["image_url"]["url"] for each in parts for part in each if "image_url" in part]

    @staticmethod
    def _parts(content):
        return [{"text": content}] if isinstance(content, str) else content


class Reply:
    """What a play writes its answer with."""

    def __init__(self, asked, connection, stopping):
        self.asked, self._connection, self._stopping = asked, connection, stopping
        self._last = threading.Event()
        self._chunked = False
        self._watching = threading.Thread(target=self._watch)
        self._watching.start()

    def _watch(self):
        """Note that the client closes; it sends nothing else after its request."""
        while not (self._last.is_set() or self.asked.done.is_set() or self._stopping.is_set()):
            if not select.select([self._connection], [], [], 0.01)[0]:
                continue
            with contextlib.suppress(OSError):
                if self._connection.recv(1, socket.MSG_PEEK):
                    continue
            if not self._last.is_set():
                self.asked.closed.set()
            return

    def end(self):
        self.asked.done.set()
        self._watching.join()

    @property
    def over(self):
        return self.asked.closed.is_set() or self._stopping.is_set()

    def wait(self, event):
        """Wait for an event of the test's; raise HungUpError if nobody listens any more."""
        while not event.wait(0.01):
            if self.over:
                raise HungUpError

    def raw(self, data):
        """Send bytes as they are, no faster than the client takes them."""
        rest = memoryview(data)
        while rest:
            if self.over:
                raise HungUpError
            if select.select([], [self._connection], [], 0.01)[1]:
                try:
                    sent = self._connection.send(rest[:PIECE])
                except OSError as error:
                    if not self._last.is_set():
                        self.asked.closed.set()
                    raise HungUpError from error
                self.asked.written += sent
                rest = rest[sent:]

    def head(self, status=200, kind="text/event-stream", *, chunked=True, **headers):
        """Begin: what follows is sent in chunks, whose end can be told from a cut."""
        self._chunked = chunked
        lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", "Connection: close"]
        lines += ["Transfer-Encoding: chunked"] * chunked
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.raw(("\r\n".join(lines) + "\r\n\r\n").encode())

    def part(self, data):
        data = data.encode() if isinstance(data, str) else data
        self.raw(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)

    def event(self, value):
        """Send one server-sent event; after "[DONE]" the client may close."""
        if value == "[DONE]":
            self._last.set()
        self.part(f"data: {value if isinstance(value, str) else json.dumps(value)}\n\n")

    def finish(self):
        """End in good order: from here on the client may close."""
        self._last.set()
        if self._chunked:
            self.raw(b"0\r\n\r\n")

    def whole(self, status, kind, body, **headers):
        """Answer with one body of known length."""
        data = body if isinstance(body, bytes) else body.encode()
        self._last.set()
        self.head(status, kind, chunked=False, Content_Length=len(data), **headers)
        self.raw(data)

    def reset(self):
        """Have the connection end with a reset instead of a farewell."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Server:
    """What a test asks and sets: ``play`` for questions, ``models`` for the list of models."""

    def __init__(self, port, play, models):
        self.address = f"http://127.0.0.1:{port}"
        self.url = f"{self.address}/v1"
        self.play, self.models = play, models
        self.asked = []
        """All questions so far."""
        self._new = queue.Queue()

    def note(self, asked):
        self.asked.append(asked)
        self._new.put(asked)

    def next_asked(self, limit=TIME_LIMIT):
        """Return the next question that has not been returned yet; wait for it."""
        return self._new.get(timeout=limit)


@contextlib.contextmanager
def serving(play, models):
    """Serve on a free port of the loopback until the block ends; yield the Server."""
    stopping = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        timeout = TIME_LIMIT  # also makes sending give back what the connection does not take

        def _answer(self):
            length = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(length)
            asked = Asked(self.command, self.path, self.headers, json.loads(raw) if raw else None)
            is_question = self.command == "POST"
            reply = Reply(asked, self.connection, stopping)
            if is_question:
                server.note(asked)
            with contextlib.suppress(HungUpError):
                try:
                    (server.play if is_question else server.models)(reply)
                finally:
                    reply.end()
            self.close_connection = True

        do_GET = do_POST = _answer  # noqa: N815 (the names that http.server looks for)

        def log_message(self, *_):
            pass

    class Listener(ThreadingHTTPServer):
        daemon_threads = False
        block_on_close = True

        def handle_error(self, *_):
            """Leave it: clients that go away early are part of what is tested."""

        def shutdown_request(self, request):
            # A reset, where one is asked for, comes from closing without a farewell.
            if struct.unpack("ii", request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8))[0]:
                request.close()
            else:
                super().shutdown_request(request)

    listener = Listener(("127.0.0.1", 0), Handler)
    server = Server(listener.server_port, play, models)
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        stopping.set()
        listener.shutdown()
        listener.server_close()
        thread.join(TIME_LIMIT)
