"""bridge_node when its detector is late, ends, comes back or is busy; starts that cannot work."""

import re
import socket
import threading
from pathlib import Path

import pytest
from bridge_talk import ask, encoded, until_served
from i2t_ros.srv import Describe
from lifecycle_talk import go_through, in_this_process

from i2t_ros.client import ServerError
from i2t_ros.nodes.bridge import node as bridge_node

MUTE = Path(__file__).parent.parent / "support" / "mute_detector.py"


@pytest.fixture
def bridge(start):
    """Return a bridge whose time limits are short."""
    return start("bridge_node", tcp_port=0, tcp_request_time=10.0)


def test_without_a_detector_there_is_an_error_at_once_and_then_service(peer, start, bridge):
    with pytest.raises(ServerError, match="detector_node/describe") as failure:
        ask(bridge.port)
    assert failure.value.code == "detector_unreachable"
    with socket.create_connection(("127.0.0.1", bridge.port), 10) as old:
        data = encoded(".jpg")
        old.sendall(b".jpg<SEP>%d" % len(data) + data)
        assert old.recv(4096).startswith("False<SEP>0<SEP>Ocurrió el siguiente error: ".encode())
    start(model="fake")
    assert until_served(peer, bridge.port).sentence


def test_a_detector_that_ends_and_comes_back(peer, start, bridge):
    for _ in range(2):
        detector = start(model="fake")
        assert until_served(peer, bridge.port).sentence
        peer.processes.remove(detector)
        assert detector.stop() == 0
        with pytest.raises(ServerError) as failure:
            ask(bridge.port)
        assert failure.value.code == "detector_unreachable"
    assert bridge.running()


def test_what_a_killed_detector_has_not_answered_the_next_one_does(peer, start):
    # The killed one stays in the ROS graph for 20 s: nothing says that it is gone.
    bridge = start("bridge_node", tcp_port=0, tcp_request_time=600.0, detector_requests=8)
    mute = start(script=MUTE, ready=False)
    peer.until(lambda: "active: " in bridge.log(), "the bridge listens")
    answers = []
    clients = [
        threading.Thread(target=lambda: answers.append(until_served(peer, bridge.port)))
        for _ in range(16)
    ]
    for client in clients:
        client.start()
    peer.until(lambda: mute.log().count("asked") >= 8, "all places are taken")
    mute.kill()
    start(model="fake")
    for client in clients:
        client.join(60)
        assert not client.is_alive(), "the next detector is asked"
    assert [answer.sentence for answer in answers] == ["I can see a person."] * 16


def test_a_detector_that_takes_the_place_of_another_is_asked_until_it_is_active(peer, start):
    bridge = start("bridge_node", tcp_port=0, tcp_request_time=600.0)
    mute = start(script=MUTE, ready=False)
    answers, asked = [], []
    client = threading.Thread(target=lambda: answers.append(until_served(peer, bridge.port)))
    client.start()
    peer.until(lambda: "asked" in mute.log(), "it is asked")
    mute.kill()

    def describe(request, response):
        asked.append(request)
        response.success = len(asked) > 3
        response.error_code = "" if response.success else "not_active"
        response.description.sentence = "I can see a person."
        response.annotated.format = "jpeg"
        response.annotated.data.frombytes(encoded(".jpg"))
        return response

    peer.node.create_service(Describe, "/detector_node/describe", describe)
    client.join(60)
    assert [answer.sentence for answer in answers] == ["I can see a person."]
    assert len(asked) > 3


def test_more_clients_than_the_detector_takes_at_once_are_all_served(peer, start, bridge):
    start(model="fake", max_waiting_requests=8)
    until_served(peer, bridge.port)
    sentences = []
    threads = [
        threading.Thread(target=lambda: sentences.append(ask(bridge.port).sentence))
        for _ in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sentences == ["I can see a person."] * 40


def test_it_drains_and_ends_cleanly(peer, start, bridge):
    detector = start(model="fake")
    until_served(peer, bridge.port)
    assert bridge.stop() == 0
    with pytest.raises(OSError):  # noqa: PT011 (refused, reset: by timing)
        socket.create_connection(("127.0.0.1", bridge.port), 5)
    assert detector.stop() == 0


def test_the_log_has_a_line_for_each_connection_and_operation(peer, start, bridge):
    start(model="fake")
    until_served(peer, bridge.port)
    operation = r"127\.0\.0\.1:\d+: \d+ bytes, 1 object, \d+\.\d ms: \S.+"  # logged after the reply
    peer.until(lambda: re.search(operation, bridge.log()), "the line of the operation")
    assert re.search(r"127\.0\.0\.1:\d+ connected at \d{4}-\d\d-\d\d", bridge.log())


def test_a_port_in_use_is_an_error_that_can_be_read(peer, start, bridge):
    second = start("bridge_node", tcp_port=bridge.port, ready=False)
    assert second.wait() == 1
    address = f"127.0.0.1 port {bridge.port}"
    assert f"cannot listen: [Errno 98] {address}: Address already in use" in second.log()
    assert "Traceback" not in second.log()


def test_other_networks_only_when_asked_for_and_then_with_a_warning(peer, start):
    node = start("bridge_node", tcp_port=0, tcp_host="0.0.0.0")  # noqa: S104
    assert "OPEN TO OTHER MACHINES" in node.log()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"tcp_port": 70_000}, "tcp_port"),
        ({"tcp_language": "tlh"}, "tlh"),
        ({"tcp_style": "baroque"}, "baroque"),
        ({"tcp_host": "no.such.host.invalid"}, "no.such.host.invalid"),
        ({"tcp_max_connections": 0}, "tcp_max_connections"),
    ],
)
def test_a_start_that_cannot_work_ends_with_the_reason(start, parameters, message):
    node = start("bridge_node", ready=False, **{"tcp_port": 0, **parameters})
    assert node.wait() == 1
    assert message in node.log()
    assert "Traceback" not in node.log()


def test_a_detector_that_comes_or_goes_is_told_once_per_change(ros, monkeypatch, capfd):
    monkeypatch.setattr(bridge_node, "WATCH_PERIOD", 3600.0)  # it is looked for here
    with in_this_process(bridge_node.BridgeNode, tcp_port=0) as node:
        there = [False]

        def said(ready):
            there[0] = ready
            for _ in range(3):
                node._watch()
            return re.findall(r"detector /detector_node/describe (.*)", capfd.readouterr().err)

        assert said(True) == [], "nothing listens yet"
        go_through(node, "configure")
        monkeypatch.setattr(node._detector, "ready", lambda: there[0])
        there[0] = False
        go_through(node, "activate")
        assert said(False) == ["is not there yet"]
        for _ in range(2):
            assert said(True) == ["has come"]
            assert said(False) == ["has gone; requests are refused until it is back"]
        go_through(node, "deactivate")
        assert said(True) == []
        go_through(node, "activate")
        assert said(True) == ["is there"]
