"""The client in one file, blocking and asyncio, against the real listener and against bad ones."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import itertools
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from local_handlers import FakeHandler, Recording

from i2t_ros import client
from i2t_ros.bridges.tcp import wire
from i2t_ros.cli import main as cli
from i2t_ros.client import (
    Answer,
    AsyncClient,
    BadReplyError,
    Client,
    Question,
    ReplyParser,
    ServerError,
)
from i2t_ros.vision.codecs import canonical_format, picture_format

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 400
SENTENCE = FakeHandler.SENTENCE
TIME_LIMIT = 20.0


class AsyncInThread:
    """AsyncClient with the blocking interface, so that one test serves both."""

    def __init__(self, *arguments, **options):
        self._loop = asyncio.new_event_loop()
        self._client = AsyncClient(*arguments, **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._loop.run_until_complete(self._client.close())
        self._loop.close()

    def describe(self, *arguments, **options):
        return self._loop.run_until_complete(self._client.describe(*arguments, **options))


both = pytest.mark.parametrize("kind", [Client, AsyncInThread], ids=["blocking", "asyncio"])
protocols = pytest.mark.parametrize("protocol", [1, 2])


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(JPEG)
    return path


# --- against the real listener


@both
@protocols
def test_photo_to_sentence_and_annotated_picture(serve, tmp_path, kind, protocol):
    photo = tmp_path / "photo.JPG"
    photo.write_bytes(JPEG)
    server = serve()
    with kind(port=server.port, protocol=protocol) as asker:
        for given_as in (photo, str(photo), JPEG):
            assert asker.describe(given_as) == Answer(SENTENCE, JPEG)
    assert server.counters["connections"] == (3 if protocol == 1 else 1)


@both
def test_options_reach_the_handler(serve, kind):
    handler = Recording()
    with kind(port=serve(handler).port) as asker:
        answer = asker.describe(
            JPEG,
            language="pt-BR",
            style="scene",
            spoken=True,
            annotate=False,
            min_score=0.25,
            tasks=["faces", "detect"],
        )
    assert answer == Answer(SENTENCE, b"")
    (request,) = handler.requests
    assert (request.language, request.style, request.annotate) == ("pt-BR", "scene", False)
    assert (request.min_score, request.tasks) == (0.25, ("faces", "detect"))
    assert request.spoken


@both
@pytest.mark.parametrize("camera", ["", "front"])
def test_a_camera_in_place_of_a_photo(serve, kind, camera):
    handler = Recording()
    with (
        kind(port=serve(handler).port) as asker,
        pytest.raises(ServerError, match="0 bytes"),  # the fake has no camera
    ):
        asker.describe(camera=camera)
    assert [request.camera for request in handler.requests] == [camera]


@both
def test_an_error_has_its_code_and_the_connection_goes_on(serve, kind):
    server = serve()
    with kind(port=server.port) as asker:
        with pytest.raises(ServerError, match="not a picture") as caught:
            asker.describe(b"hello")
        assert caught.value.code == "not_an_image"
        assert asker.describe(JPEG).sentence == SENTENCE
    assert server.counters["connections"] == 1


@both
def test_an_error_of_protocol_1_is_its_sentence(serve, kind):
    with (
        kind(port=serve().port, protocol=1) as asker,
        pytest.raises(ServerError, match=r"^Ocurrió el siguiente error: .* no son una imagen"),
    ):
        asker.describe(b"hello")


@both
@protocols
def test_a_refusal_in_the_middle_of_sending_is_understood(serve, kind, protocol):
    with (
        kind(port=serve(max_image_bytes=1000).port, protocol=protocol) as asker,
        pytest.raises(ServerError, match="1000 bytes"),
    ):
        asker.describe(JPEG + bytes(8 << 20))


@both
def test_a_kept_connection_that_the_server_let_go_is_made_anew(serve, kind):
    server = serve(idle_time=0.05)
    left = threading.Event()
    with kind(port=server.port) as asker:
        assert asker.describe(JPEG).sentence == SENTENCE
        while server._connections:
            left.wait(0.01)
        assert asker.describe(JPEG).sentence == SENTENCE
    assert server.counters["connections"] == 2


def test_tasks_that_share_an_async_client_wait_for_each_other(serve):
    server = serve()

    async def ask_all():
        async with AsyncClient(port=server.port) as asker:
            return await asyncio.gather(*(asker.describe(JPEG) for _ in range(5)))

    assert asyncio.run(ask_all()) == [Answer(SENTENCE, JPEG)] * 5
    assert server.counters["connections"] == 1


# --- against listeners of another kind


@contextlib.contextmanager
def listener(*replies):
    """Listen; give each connection in turn one of ``replies`` (None: say nothing), and hang up."""
    end = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve_all():
            for reply in replies:
                with contextlib.suppress(OSError), listening.accept()[0] as connection:
                    connection.settimeout(TIME_LIMIT)
                    connection.recv(1 << 20)
                    if reply is None:
                        end.wait(TIME_LIMIT)
                    else:
                        connection.sendall(reply)

        thread = threading.Thread(target=serve_all)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            end.set()
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(TIME_LIMIT)


@both
@protocols
@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2p1\r\n",
        b"True<SEP>50<SEP>short\nabc",
        b"True<SEP>five<SEP>x\nabcde",
        b"False<SEP>",
        b"True<SEP>5",
        b"maybe<SEP>0<SEP>x\n",
    ],
)
def test_what_is_no_reply_is_told(kind, protocol, reply):
    with (
        listener(reply) as port,
        kind(port=port, protocol=protocol) as asker,
        pytest.raises((BadReplyError, ConnectionError)),
    ):
        asker.describe(b"\xff\xd8\xff")


@both
def test_a_silent_server_is_given_up(kind):
    with listener(None) as port, kind(port=port, timeout=0.1) as asker, pytest.raises(TimeoutError):
        asker.describe(b"\xff\xd8\xff")


@both
def test_a_server_that_does_not_read_is_given_up(kind):
    picture = b"\xff\xd8\xff" + bytes(32 << 20)  # more than the sockets hold
    with listener(None) as port, kind(port=port, timeout=0.3) as asker, pytest.raises(TimeoutError):
        asker.describe(picture)


@both
def test_nobody_there(kind):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with kind(port=port) as asker, pytest.raises(ConnectionRefusedError):
        asker.describe(JPEG)


# --- questions and replies without a socket


def test_requests_are_what_the_server_reads():
    question = Question(JPEG, language="es", tasks=("text",), annotate=False, min_score=1e-5)
    parser = wire.RequestParser(1 << 20)
    parser.feed(question.encode(2))
    request = parser.next_request()
    assert (request.content.language, request.content.tasks) == ("es", ("text",))
    assert (request.content.annotate, request.content.min_score) == (False, 1e-5)
    assert request.content.picture.data == JPEG
    assert Question(b"BM..").encode(1) == b".bmp<SEP>4BM.."


@pytest.mark.parametrize(
    ("question", "protocol", "text"),
    [
        (Question(JPEG, language="es"), 1, "lang=es"),
        (Question(JPEG, annotate=False), 1, "annotate=0"),
        (Question(camera=""), 1, "camera="),
        (Question(JPEG, language="es;annotate=0"), 2, "';'"),
        (Question(JPEG, extension=".jpg\n"), 2, "line ends"),
    ],
)
def test_what_a_protocol_cannot_say_is_refused(question, protocol, text):
    with pytest.raises(ValueError, match=text):
        question.encode(protocol)


def test_there_are_two_protocols():
    for kind in (Client, AsyncClient):
        with pytest.raises(ValueError, match="1 or 2, got 3"):
            kind(protocol=3)


@given(st.text(max_size=40), st.binary(max_size=300), st.lists(st.integers(0, 400)), st.booleans())
def test_any_cut_of_a_reply_gives_the_same_answer(sentence, image, places, old):
    version = 1 if old else 2
    header = wire.encode_success(version, sentence, len(image))
    reply = header + image
    parser = ReplyParser(version)
    edges = [0, *sorted(min(place, len(reply)) for place in places), len(reply)]
    answers = [parser.feed(reply[a:b]) for a, b in itertools.pairwise(edges) if a < b]
    answers.append(parser.feed(b"") if old else None)
    (answer,) = [found for found in answers if found is not None]
    assert answer.image == image
    assert wire.encode_success(version, answer.sentence, len(image)) == header


@given(st.lists(st.binary(min_size=1) | st.sampled_from([b"<SEP>", b"True<SEP>3<SEP>", b"\n"])))
def test_no_bytes_at_all_break_the_parser(chunks):
    for protocol in (1, 2):
        parser = ReplyParser(protocol)
        with contextlib.suppress(BadReplyError, ServerError):
            for chunk in [*chunks, b""]:
                if parser.feed(chunk) is not None:
                    break


def test_the_header_of_a_reply_is_bounded():
    parser = ReplyParser(2)
    parser.feed(b"x" * (client.MAX_HEADER - 1))
    with pytest.raises(BadReplyError, match="newline"):
        parser.feed(b"x")


def test_both_sides_agree_on_the_constants():
    assert client.SEPARATOR == wire.SEPARATOR
    assert client.DEFAULT_PORT == wire.DEFAULT_PORT
    assert wire.MAX_REPLY_HEADER[2] == client.MAX_HEADER
    for start, extension in client.SIGNATURES.items():
        sample = start + bytes(4) + b"WEBP" if extension == ".webp" else start + b"\r\n\x1a\n"
        assert picture_format(sample) == canonical_format(extension)


# --- lifted onto another machine


def test_the_file_needs_the_standard_library_alone():
    tree = ast.parse(Path(client.__file__).read_text(encoding="utf-8"))
    names = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or "."]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert names
    assert names <= set(sys.stdlib_module_names)


@protocols
def test_the_file_alone_is_a_program(serve, photo, tmp_path, protocol):
    lifted = Path(shutil.copy(client.__file__, tmp_path / "anything.py"))
    options = ["--port", str(serve().port), "--protocol", str(protocol), "--save", "seen.jpg"]
    done = subprocess.run(
        [sys.executable, "-I", "-S", lifted.name, photo.name, *options],
        cwd=tmp_path,
        capture_output=True,
        timeout=TIME_LIMIT,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == SENTENCE + "\n"
    assert (tmp_path / "seen.jpg").read_bytes() == JPEG


# --- i2t client


def i2t(*arguments):
    return cli.main(["client", *map(str, arguments)])


def test_command_prints_the_sentence_and_asks_for_no_picture_that_nobody_saves(
    serve, photo, capsys
):
    handler = Recording()
    status = i2t(photo, "--port", serve(handler).port, "--language", "es", "--style", "list")
    assert (status, capsys.readouterr().out) == (0, SENTENCE + "\n")
    (request,) = handler.requests
    assert (request.language, request.style, request.annotate) == ("es", "list", False)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], (2, "a photo or --camera")),
        (["PHOTO", "--camera", "x"], (2, "a photo or --camera")),
        (["PHOTO", "--protocol", 1, "--language", "es"], (2, "use protocol 2")),
        (["missing.jpg"], (1, "missing.jpg")),
        (["--camera", "front"], (1, "empty_image: ")),
        (["PHOTO", "--save", "no/such/folder/x.jpg"], (1, "no/such/folder")),
    ],
)
def test_command_says_what_is_wrong(serve, photo, capsys, arguments, told):
    arguments = [photo if argument == "PHOTO" else argument for argument in arguments]
    status = i2t(*arguments, "--port", serve().port)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("i2t client: ")
    assert (status, told[1] in captured.err) == (told[0], True)


def test_command_says_where_it_found_nobody_or_somebody_else(photo, capsys):
    with listener(b"SSH-2.0\r\n") as port:
        assert i2t(photo, "--port", port) == 1
        assert f"127.0.0.1 port {port}: not an i2t_ros reply" in capsys.readouterr().err
    assert i2t(photo, "--port", port) == 1
    assert "Is bridge_node running there?" in capsys.readouterr().err
