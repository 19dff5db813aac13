"""bridge_node as programs without ROS meet it, in front of a real detector_node."""

import cv2
import numpy as np
import pytest
from bridge_talk import GREY, ask, encoded, until_served

from i2t_ros.client import ServerError

FORMATS = [".jpg", ".png", ".bmp", ".webp"]


@pytest.fixture(scope="module")
def bridge(shared_peer, start_once):
    """Return a bridge that serves; a client leaves nothing in it."""
    bridge = start_once("bridge_node", tcp_port=0)
    start_once(model="fake")
    until_served(shared_peer, bridge.port)
    return bridge


@pytest.mark.parametrize("extension", FORMATS)
def test_an_old_client_gets_a_spanish_list_and_the_picture_in_its_format(bridge, extension):
    answer = ask(bridge.port, version=1, extension=extension)
    assert answer.sentence == "Se detectaron los siguientes objetos: 1 persona."
    assert answer.image[:3] == encoded(extension)[:3]
    drawn = cv2.imdecode(np.frombuffer(answer.image, np.uint8), 1)
    assert drawn.shape == GREY.shape
    assert np.abs(drawn.astype(int) - GREY).max() > 50


def test_a_new_client_chooses(bridge):
    answer = ask(bridge.port, language="de", annotate=False)
    assert answer.sentence == "Ich sehe eine Person."
    assert answer.image == b""
    with pytest.raises(ServerError, match="tlh") as failure:
        ask(bridge.port, language="tlh")
    assert failure.value.code == "unknown_language"
