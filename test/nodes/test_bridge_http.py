"""bridge_node's HTTP side as browsers and cameras meet it, in front of a real detector_node."""

import contextlib
import re
import threading

import cv2
import numpy as np
import pytest
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

httpx = pytest.importorskip("httpx")
pytest.importorskip("fastapi")
websockets = pytest.importorskip("websockets.sync.client")

LIMIT = 60.0
GREY = np.full((480, 640, 3), 128, np.uint8)
JPEG = cv2.imencode(".jpg", GREY)[1].tobytes()


@pytest.fixture
def bridge(start):
    """Return a bridge that serves HTTP."""
    node = start("bridge_node", tcp_port=0, http="true", http_port=0)
    node.url = re.search(r"listening on (http://127\.0\.0\.1:\d+)/", node.log())[1]
    return node


@pytest.fixture
def client(bridge):
    with httpx.Client(base_url=bridge.url, timeout=30) as client:
        yield client


def ready(client):
    return client.get("/readyz").status_code == 200


def image_msg(node, number=0):
    """Return a 640x480 image; the fake model sees a person in every one."""
    header = Header(stamp=node.get_clock().now().to_msg(), frame_id="camera")
    msg = Image(header=header, height=480, width=640, encoding="bgr8", step=1920)
    msg.data.frombytes(np.roll(GREY, number).tobytes())
    return msg


@contextlib.contextmanager
def images(peer, topic="image"):
    """Publish images at 20 Hz while the context lasts."""
    publisher = peer.camera(topic)
    timer = peer.node.create_timer(0.05, lambda: publisher.publish(image_msg(peer.node)))
    yield
    peer.node.destroy_timer(timer)


def test_a_picture_is_described_by_the_detector(peer, start, client):
    assert client.get("/readyz").status_code == 503
    refused = client.post("/v1/describe", content=JPEG)
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "detector_unreachable")
    assert refused.headers["retry-after"]
    start(model="fake")
    peer.until(lambda: ready(client), "the bridge sees the detector", LIMIT)
    reply = client.post("/v1/describe?language=es&annotate=1", content=JPEG)
    data = reply.json()
    assert data["sentence"] == "Veo una persona."
    assert (data["width"], data["height"]) == (640, 480)
    assert data["detections"][0]["class_id"] == "person"
    drawn = cv2.imdecode(np.frombuffer(client.get(data["annotated"]).content, np.uint8), 1)
    assert np.abs(drawn.astype(int) - GREY).max() > 50
    assert client.get("/v1/models").json()["in_use"].startswith("fake")
    assert client.post("/v1/describe", content=b"nothing").status_code == 422
    unknown = client.post("/v1/describe?language=tlh", content=JPEG)
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (422, "unknown_language")


def test_a_cameras_topics_are_subscribed_to_while_somebody_looks(peer, start, client):
    start(model="fake")
    peer.until(lambda: ready(client), "the bridge sees the detector", LIMIT)
    assert [c["name"] for c in client.get("/v1/cameras").json()["cameras"]] == ["image"]

    def subscribers(topic):
        return peer.node.count_subscribers(topic)

    with images(peer):
        assert subscribers("/detector_node/annotated/compressed") == 0
        peer.until(lambda: client.get("/snapshot").status_code == 200, "annotated", LIMIT)
        assert subscribers("/detector_node/annotated/compressed") == 1
        drawn = cv2.imdecode(np.frombuffer(client.get("/snapshot").content, np.uint8), 1)
        assert np.abs(drawn.astype(int) - GREY).max() > 50
        plain = client.get("/snapshot?annotated=0&width=320").content
        assert cv2.imdecode(np.frombuffer(plain, np.uint8), 1).shape == (240, 320, 3)
        with client.stream("GET", "/v1/live?language=de") as live:
            lines = live.iter_lines()
            peer.until(lambda: "Ich sehe eine Person." in next(lines), "words", LIMIT)
        assert client.get("/v1/describe?camera=image").json()["sentence"] == "I can see a person."
        unknown = client.get("/v1/describe?camera=nobody")
        assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "unknown_camera")
        for topic in ("annotated/compressed", "description"):
            name = f"/detector_node/{topic}"
            peer.until(lambda: subscribers(name) == 0, "nobody looks", LIMIT)  # noqa: B023


def test_a_websocket_camera_becomes_a_topic_that_a_detector_sees(peer, start, bridge, client):
    topic = "/bridge_node/door/image"
    start(model="fake", cameras=f"[door={topic}]", image_transport="compressed")
    peer.until(lambda: ready(client), "the bridge sees the detector", LIMIT)
    frames = peer.collect(CompressedImage, f"{topic}/compressed", qos_profile_sensor_data)
    stop = threading.Event()

    def camera():
        with websockets.connect(bridge.url.replace("http", "ws") + "/ws/door") as socket:
            while not stop.wait(0.05):
                socket.send(JPEG)

    sending = threading.Thread(target=camera)
    sending.start()
    try:
        peer.until(lambda: frames, "frames on the topic", LIMIT)
        assert bytes(frames[0].data) == JPEG
        assert frames[0].format == "jpeg"
        assert frames[0].header.frame_id == "door"
        assert frames[0].header.stamp.sec > 0
        # The detector sees it by its topic ...
        seen = "I can see a person."
        from std_msgs.msg import String  # noqa: PLC0415

        said = peer.collect(String, "/detector_node/door/sentence")
        peer.until(lambda: said and said[0].data == seen, "the detector's sentence", LIMIT)
        # ... and the bridge asks about its newest frame, and draws it for those who look.
        assert client.get("/v1/describe?camera=door").json()["sentence"] == seen
        assert client.get("/snapshot?camera=door").content != JPEG
    finally:
        stop.set()
        sending.join(20)
    peer.until(lambda: not peer.node.count_publishers(f"{topic}/compressed"), "gone", LIMIT)


def test_a_detector_that_is_killed_and_started_again_under_16_clients(peer, start, bridge, client):
    detector = start(model="fake")
    peer.until(lambda: ready(client), "the bridge sees the detector", LIMIT)
    results, stop = [], threading.Event()

    def ask():
        with httpx.Client(base_url=bridge.url, timeout=60) as own:
            while not stop.is_set():
                reply = own.post("/v1/describe", content=JPEG)
                code = "" if reply.status_code == 200 else reply.json()["error"]["code"]
                results.append((reply.status_code, code))
                if code:
                    stop.wait(0.2)  # as Retry-After asks, and impatiently

    clients = [threading.Thread(target=ask) for _ in range(16)]
    for thread in clients:
        thread.start()
    peer.until(lambda: len(results) > 100, "requests flow")
    peer.processes.remove(detector)
    detector.kill()
    before = len(results)
    peer.until(lambda: (503, "detector_unreachable") in results[before:], "clear errors", LIMIT)
    start(model="fake")
    peer.until(lambda: results[-16:] == [(200, "")] * 16, "service again", LIMIT)
    stop.set()
    for thread in clients:
        thread.join(60)
        assert not thread.is_alive()
    # Once it is there again it may still be loading its model: that is a clear answer, too.
    assert set(results) - {(503, "not_active")} == {(200, ""), (503, "detector_unreachable")}
    assert bridge.running()


def test_the_token_comes_from_the_environment(peer, start, monkeypatch):
    monkeypatch.setenv("I2T_HTTP_TOKEN", "a-token-from-the-environment")
    node = start("bridge_node", tcp_port=0, http="true", http_port=0, http_host="0.0.0.0")  # noqa: S104
    assert "open to other machines that have the token" in node.log()
    port = re.search(r"listening on http://0\.0\.0\.0:(\d+)/", node.log())[1]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        assert client.get("/v1/cameras").status_code == 401
        bearer = {"authorization": "Bearer a-token-from-the-environment"}
        assert client.get("/v1/cameras", headers=bearer).status_code == 200
    assert node.stop() == 0


def test_it_ends_cleanly_with_viewers_and_cameras_and_a_history(peer, start, tmp_path):
    start(model="fake")
    node = start(
        "bridge_node",
        tcp_port=0,
        http="true",
        http_port=0,
        http_history="true",
        http_history_database=f"sqlite:///{tmp_path}/history.db",
        http_history_pictures=str(tmp_path / "pictures"),
    )
    url = re.search(r"listening on (http://127\.0\.0\.1:\d+)/", node.log())[1]
    with (
        httpx.Client(base_url=url, timeout=30) as client,
        websockets.connect(url.replace("http", "ws") + "/ws/door") as socket,
        client.stream("GET", "/stream?camera=door") as stream,
    ):
        socket.send(JPEG)
        next(stream.iter_raw())
        with httpx.Client(base_url=url, timeout=30) as other:
            peer.until(lambda: ready(other), "the bridge sees the detector", LIMIT)
            first, second = (other.post("/v1/describe", content=JPEG).json() for _ in range(2))
        assert (first["cached"], second["cached"]) == (False, True)
        assert node.stop() == 0
    assert (tmp_path / "history.db").exists()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"http_port": 70_000}, "http_port"),
        ({"http_host": "no.such.host.invalid"}, "no.such.host.invalid"),
        ({"http_certificate": "cert.pem"}, "certificate"),
        ({"http_cors_origins": "[example]"}, "cors_origins"),
        ({"http_fetch": "true", "http_fetch_allowed": "[everywhere]"}, "everywhere"),
        ({"http_history": "true", "http_history_database": "nonsense"}, "history cannot be opened"),
        ({"cameras": "[1a]"}, "1a"),
    ],
)
def test_a_start_that_cannot_work_ends_with_the_reason(start, parameters, message):
    given = {"tcp_port": 0, "http": "true", "http_port": 0, **parameters}
    node = start("bridge_node", ready=False, **given)
    assert node.wait() == 1
    assert message in node.log()
    assert "Traceback" not in node.log()
