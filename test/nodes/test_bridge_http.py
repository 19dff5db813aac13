"""bridge_node's HTTP side as browsers and cameras meet it, in front of a real detector_node."""

import contextlib
import re
import threading

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from i2t_ros.srv import Describe
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header, String

httpx = pytest.importorskip("httpx")
pytest.importorskip("fastapi")
websockets = pytest.importorskip("websockets.sync.client")
exceptions = pytest.importorskip("websockets.exceptions")

LIMIT = 60.0
GREY = np.full((480, 640, 3), 128, np.uint8)
JPEG = cv2.imencode(".jpg", GREY)[1].tobytes()


@pytest.fixture
def bridge(start):
    """Return a bridge that serves HTTP."""
    return start("bridge_node", tcp_port=0, http="true", http_port=0)


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


class SocketCamera:
    """Sends a frame over WebSocket, 20 times a second, as a camera of that name until closed."""

    def __init__(self, bridge, name="door"):
        self._url = f"{bridge.url.replace('http', 'ws')}/ws/{name}"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        with (
            websockets.connect(self._url) as socket,
            contextlib.suppress(exceptions.ConnectionClosed),
        ):
            while not self._stop.wait(0.05):
                socket.send(JPEG)

    def close(self):
        self._stop.set()
        self._thread.join(LIMIT)
        assert not self._thread.is_alive()


@pytest.fixture
def connect(bridge):
    """Return a function that connects a SocketCamera to the bridge; they all leave in the end."""
    with contextlib.ExitStack() as stack:

        def connect(name="door"):
            camera = SocketCamera(bridge, name)
            stack.callback(camera.close)
            return camera

        yield connect


def is_drawn(client, name="door"):
    """Return whether an annotated picture of the camera comes."""
    reply = client.get(f"/snapshot?camera={name}")
    return reply.status_code == 200 and reply.content != JPEG


def metric(client, name):
    """Return the sum of a counter's samples."""
    lines = client.get("/metrics").text.splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


def test_a_websocket_camera_is_a_camera_of_the_detector(peer, start, client, connect):
    start(model="fake", style="changes", change_hold=0.1)
    peer.until(lambda: ready(client), "the bridge sees the detector", LIMIT)
    topic = "/bridge_node/door/image/compressed"
    frames = peer.collect(CompressedImage, topic, qos_profile_sensor_data)
    said = peer.collect(String, "/detector_node/door/sentence", 10)
    reports = peer.collect(DiagnosticArray, "/diagnostics")
    camera = connect()
    peer.until(lambda: frames, "frames on the topic", LIMIT)
    assert bytes(frames[0].data) == JPEG
    assert frames[0].format == "jpeg"
    assert frames[0].header.frame_id == "door"
    assert frames[0].header.stamp.sec > 0
    peer.until(lambda: said, "the detector's sentence", LIMIT)
    assert said[0].data == "A person has come into view."
    # Those who look at the bridge's pages see what the detector publishes; nobody asks it again.
    assert is_drawn(client)
    with client.stream("GET", "/v1/live?camera=door") as live:
        lines = live.iter_lines()
        peer.until(lambda: '"label": "person"' in next(lines), "words", LIMIT)
    assert metric(client, "i2t_descriptions_total") == 0
    assert metric(client, "i2t_websocket_frames_total") > 0
    peer.until(
        lambda: "detector_node: door" in {s.name for r in reports[-1:] for s in r.status},
        "counters",
    )
    listed = client.get("/v1/cameras").json()["cameras"]
    assert [(c["name"], c["transport"]) for c in listed] == [
        ("image", "topic"),
        ("door", "websocket"),
    ]
    newest = peer.call(Describe, "/detector_node/describe", Describe.Request(camera="door"))
    assert newest.success
    # A response to a caller that the detector does not know yet is lost, and asked for again.
    assert client.get("/v1/describe?camera=door&style=list").is_success
    described = client.get("/v1/describe?camera=door&style=sentence").json()
    assert (described["sentence"], described["cached"]) == ("I can see a person.", False)
    camera.close()
    peer.until(lambda: not peer.node.count_publishers(topic), "gone", LIMIT)


def test_a_websocket_camera_that_leaves_and_comes_back_under_a_viewer(
    peer, start, client, connect, bridge
):
    detector = start(model="fake")
    peer.until(lambda: ready(client), "the bridge sees the detector", LIMIT)
    with httpx.Client(base_url=bridge.url, timeout=LIMIT) as viewer:  # from before it is there
        events = viewer.stream("GET", "/v1/live?camera=door")
        with events as live:
            lines = live.iter_lines()
            assert next(lines) == "event: silence"
            for visit in (1, 2):
                camera = connect()
                while next(lines) != "event: words":
                    pass
                camera.close()
                gone = "camera door has gone"
                peer.until(
                    lambda visit=visit, gone=gone: detector.log().count(gone) == visit,
                    "the detector forgets it",
                    LIMIT,
                )
                while next(lines) != "event: silence":
                    pass
    assert client.get("/snapshot?camera=door").json()["error"]["code"] == "unknown_camera"


def test_two_websocket_cameras_of_one_name(peer, start, bridge, client, connect):
    detector = start(model="fake")
    peer.until(lambda: ready(client), "the bridge sees the detector", LIMIT)
    connect()
    peer.until(lambda: is_drawn(client), "the first", LIMIT)
    connect()
    peer.until(lambda: "takes the place of an older one" in bridge.log(), "the second", LIMIT)
    taken = metric(client, "i2t_websocket_frames_total")
    peer.until(
        lambda: metric(client, "i2t_websocket_frames_total") > taken + 20 and is_drawn(client),
        "the second's frames",
        LIMIT,
    )
    assert detector.log().count("camera door has come") == 1
    assert "has gone" not in detector.log()


def test_a_detector_that_starts_again_while_a_websocket_camera_is_there(
    peer, start, bridge, client, connect
):
    connect()
    peer.until(lambda: metric(client, "i2t_websocket_frames_total") > 0, "frames", LIMIT)
    assert client.get("/snapshot?camera=door").json()["error"]["code"] == "no_frame"
    assert client.get("/snapshot?camera=door&annotated=0").content == JPEG
    for _ in range(2):
        detector = start(model="fake")
        peer.until(lambda: is_drawn(client), "the detector's picture", LIMIT)
        peer.processes.remove(detector)
        detector.end()


def test_a_websocket_camera_whose_name_is_too_long_for_a_topic(start):
    namespace = "/".join(["n" * 45] * 4)
    node = start(
        "bridge_node", arguments=["-r", f"__ns:=/{namespace}"], tcp_port=0, http="true", http_port=0
    )
    url = re.search(r"listening on http(://127\.0\.0\.1:\d+)/", node.log())[1]
    with pytest.raises(exceptions.InvalidStatus) as refused:
        websockets.connect(f"ws{url}/ws/{'d' * 30}")
    assert refused.value.response.status_code == 422
    assert b"expected a shorter name" in refused.value.response.body
    with websockets.connect(f"ws{url}/ws/door") as socket:
        socket.send(JPEG)
    assert "Traceback" not in node.log()


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
    with (
        httpx.Client(base_url=node.url, timeout=30) as client,
        websockets.connect(node.url.replace("http", "ws") + "/ws/door") as socket,
        client.stream("GET", "/stream?camera=door") as stream,
    ):
        socket.send(JPEG)
        next(stream.iter_raw())
        with httpx.Client(base_url=node.url, timeout=30) as other:
            peer.until(lambda: ready(other), "the bridge sees the detector", LIMIT)
            # A response to a caller that the detector does not know yet is lost, and asked again.
            assert other.get("/v1/describe?camera=door&style=list").is_success
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
        ({"http_history": "true", "http_history_database": "nonsense"}, "http_history_database"),
        ({"cameras": "[1a]"}, "1a"),
    ],
)
def test_a_start_that_cannot_work_ends_with_the_reason(start, parameters, message):
    given = {"tcp_port": 0, "http": "true", "http_port": 0, **parameters}
    node = start("bridge_node", ready=False, **given)
    assert node.wait() == 1
    assert message in node.log()
    assert "Traceback" not in node.log()
