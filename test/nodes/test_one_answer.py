"""The same picture and options get the same answer, whatever the question travels over."""

import json

import cv2
import numpy as np
import pytest
from i2t_ros.srv import Describe

from i2t_ros.cli.main import main
from i2t_ros.client import Client, ServerError
from i2t_ros.nodes.messages.descriptions import reply_from_response, request_to_msg
from i2t_ros.nodes.parameters.declaration import ros_default
from i2t_ros.nodes.parameters.detector import DETECTOR, describe_options, openers
from i2t_ros.pipeline.describer import Describer
from i2t_ros.pipeline.description_json import description_to_json
from i2t_ros.types import DescribeRequest, Picture

# None of them is the default, and each is to be seen in the answer.
OWN = {
    "model": "fake",
    "language": "de",
    "style": "scene",
    "draw_scores": False,
    "draw_scale": 2.0,
    "jpeg_quality": 60,
}
ASKED = [{}, {"language": "es", "style": "list"}, {"min_score": 0.95}]
IMAGE = np.random.default_rng(5).integers(0, 256, (48, 64, 3), np.uint8)
LIMIT = 60.0


def shell_word(value):
    return str(value).lower() if isinstance(value, bool) else value


@pytest.fixture
def describer():
    values = {option.name: ros_default(option) for option in DETECTOR} | OWN
    made = Describer(openers(values))
    yield lambda request: made.answer(request, describe_options(values))
    made.close()


@pytest.fixture(scope="module")
def over_service(shared_peer, start_once):
    start_once(**{name: shell_word(value) for name, value in OWN.items()})

    def ask(request):
        return reply_from_response(
            shared_peer.call(Describe, "/detector_node/describe", request_to_msg(request))
        )

    return ask


@pytest.fixture(scope="module", params=["plain", "history"])
def bridge(shared_peer, start_once, request, tmp_path_factory):
    """Return a bridge; with a history, what was asked once is known to it."""
    pytest.importorskip("fastapi")
    history = {}
    if request.param == "history":
        database = f"sqlite:///{tmp_path_factory.mktemp('history')}/history.db"
        history = {"http_history": "true", "http_history_database": database}
    node = start_once("bridge_node", tcp_port=0, http="true", http_port=0, **history)
    yield node
    shared_peer.processes.remove(node)
    assert node.stop() == 0


@pytest.fixture
def over_http(bridge):
    """Return what asks over HTTP: the JSON, and the drawing that it links to."""
    httpx = pytest.importorskip("httpx")
    with httpx.Client(base_url=bridge.url, timeout=LIMIT) as client:

        def ask(picture, asked, annotate):
            params = {**asked, "annotate": int(annotate)}
            reply = client.post("/v1/describe", files={"image": picture}, params=params)
            assert reply.status_code == 200, reply.text
            found = reply.json()
            drawing = client.get(found["annotated"]).content if annotate else None
            return found, drawing

        yield ask


@pytest.fixture
def over_tcp(shared_peer, bridge):
    def ask(client, picture, asked):
        answers = []

        def answered():
            try:
                answers.append(client.describe(picture, **asked))
            except ServerError as error:
                if error.code != "detector_unreachable":  # the bridge has not found it yet
                    raise
            return bool(answers)

        shared_peer.until(answered, "an answer over TCP", LIMIT)
        return answers[0]

    with Client("127.0.0.1", bridge.port, protocol=2) as client:
        yield lambda picture, asked: ask(client, picture, asked)


@pytest.mark.parametrize("extension", ["jpg", "png"])
def test_every_way_to_ask_gives_one_answer(describer, over_service, over_tcp, over_http, extension):
    data = cv2.imencode(f".{extension}", IMAGE)[1].tobytes()
    answers = []
    for asked in ASKED:
        request = DescribeRequest(picture=Picture(data), annotate=True, **asked)
        here, service, tcp = describer(request), over_service(request), over_tcp(data, asked)
        expected = description_to_json(here.description)
        assert description_to_json(service.description) == expected
        assert bytes(service.annotated) == bytes(here.annotated)
        assert service.annotated.header == here.annotated.header
        assert tcp.sentence == here.description.sentence
        assert tcp.image == bytes(here.annotated)
        for annotate in (True, False, False):  # the last is known to a history
            found, drawing = over_http(data, asked, annotate)
            assert {name: found[name] for name in expected} == json.loads(json.dumps(expected))
            assert drawing == (bytes(here.annotated) if annotate else None)
        answers.append((here.description.sentence, bytes(here.annotated)))
    assert len({sentence for sentence, _ in answers}) == len(ASKED)
    assert len({drawing for _, drawing in answers}) == len(ASKED)


def test_the_command_line_gives_that_answer_too(describer, tmp_path, capsys):
    picture, saved = tmp_path / "photo.jpg", tmp_path / "seen.jpg"
    cv2.imwrite(str(picture), IMAGE)
    flags = ["--draw-scale", "2", "--no-draw-scores", "--jpeg-quality", "60"]
    flags += ["--model", "fake", "--language", "de", "--style", "scene", "--save", str(saved)]
    assert main(["describe", str(picture), "--json", *flags]) == 0
    found = json.loads(capsys.readouterr().out)
    request = DescribeRequest(picture=Picture(picture.read_bytes()), annotate=True)
    reply = describer(request)
    expected = description_to_json(reply.description)
    assert {name: found[name] for name in expected} == expected
    assert found["hash"] == request.picture.sha256
    assert saved.read_bytes() == bytes(reply.annotated)
