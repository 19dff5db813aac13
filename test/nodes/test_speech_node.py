"""speech_node as its users meet it: sentences on a topic, sounds out of a player or in a folder."""

import os
import re
import signal
import threading

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.msg import Transition
from lifecycle_talk import DOWN, UP, change, in_this_process, set_parameters
from rclpy.duration import Duration
from rclpy.lifecycle import TransitionCallbackReturn
from ros_nodes import ANSWER_LIMIT
from sounds import StandInPlayer, length, needs_espeak, write_program
from std_msgs.msg import String
from waiting import has_ended, until

from i2t_ros.nodes.speech.node import SpeechNode
from i2t_ros.speech.base import Manner
from i2t_ros.speech.espeak import EspeakEngine

pytestmark = needs_espeak
NODE = "/speech_node"
TOPIC = "/detector_node/sentence"
# A player that takes 10 s longer than its sound is killed, and each message may take 3 s: that long
# it takes until one that got lost is sent again.
LONG = f"I can see {', '.join(['a dog'] * 40)}."


@pytest.fixture
def player(tmp_path, monkeypatch):
    """Put a player that the test ends before all others on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return StandInPlayer(folder)


@pytest.fixture
def say(peer):
    """Return a function that publishes sentences, once the node listens."""
    publishers = {}

    def say(*sentences, topic=TOPIC):
        if topic not in publishers:
            publisher = publishers[topic] = peer.node.create_publisher(String, topic, 10)
            peer.until(publisher.get_subscription_count, f"a subscription to {topic}")
            # What is sent before the node knows the publisher may be lost, and only one who knows
            # it acknowledges. A blank sentence is none.
            publisher.publish(String())
            assert publisher.wait_for_all_acked(Duration(seconds=ANSWER_LIMIT))
        publisher = publishers[topic]
        for sentence in sentences:
            publisher.publish(String(data=sentence))
        # One that gets lost on a busy machine is sent again seconds later; it is not old then.
        assert publisher.wait_for_all_acked(Duration(seconds=ANSWER_LIMIT))

    return say


@pytest.fixture
def statuses(peer):
    """Return the statuses that speech_node publishes."""
    found = []
    messages = peer.collect(DiagnosticArray, "/diagnostics")

    def newest():
        nonlocal found
        found = [each for msg in messages for each in msg.status if "speech" in each.name]
        return found

    return newest


def counts(status):
    return [int(pair.value) for pair in status.values]


def reports(peer, statuses, seconds):
    """Wait until as many reports have come, one each second, after the one that is under way."""
    seen = len(statuses())
    peer.until(lambda: len(statuses()) > seen + seconds, "reports")


def sound_of(sentence, language="en"):
    engine = EspeakEngine()
    engine.use(Manner(language))
    return engine.synthesize(sentence)


def said(node):
    return re.findall(r"said in [\d.]+ s, [\d.]+ s after it came: (.*)", node.log())


def files(folder):
    return sorted(folder.glob("*.wav"))


def test_sentences_become_files_of_their_length_and_language(peer, start, say, tmp_path):
    folder = tmp_path / "sounds"
    options = {"language": "es", "speech_folder": folder, "speech_rate": 450}
    node = start("speech_node", **options)
    short, long = "Veo un perro.", "Veo un perro, dos gatos y una taza sobre la mesa."
    for number, sentence in enumerate((short, long), 1):
        say(sentence)
        peer.until(lambda number=number: len(said(node)) == number, "it is said")
    assert said(node) == [short, long]
    first, second = map(length, files(folder))
    assert 0.3 < first < second - 0.3 < 5.0
    engine = EspeakEngine()
    engine.use(Manner("es", rate=450))
    assert files(folder)[0].read_bytes() == engine.synthesize(short)
    assert "active: /detector_node/sentence with espeak-ng, voice es, to" in node.log()
    assert node.stop() == 0


def test_the_newest_first_and_never_two_at_once(peer, start, say, player, statuses):
    node = start("speech_node", speech_max_age=3600.0)
    say(LONG)
    peer.until(lambda: player.playing, "it is played")
    say(*[f"Number {number}." for number in range(1, 200)], "The last one.")
    reports(peer, statuses, 2)  # the subscription keeps the last one alone, so few are counted
    player.end()
    peer.until(lambda: len(player.playing) == 2, "the next is played")
    player.end()
    peer.until(lambda: said(node) == [LONG, "The last one."], "both are said")
    assert player.sounds == [sound_of(LONG), sound_of("The last one.")]
    assert player.never_two_at_once()
    assert node.stop() == 0
    assert len(player.playing) == 2


def test_what_never_changes_is_said_once(peer, start, say, player, statuses):
    node = start("speech_node")
    say("I can see a dog.")
    peer.until(lambda: player.playing, "it is played")
    player.end()
    peer.until(lambda: said(node), "it is said")
    say(*["I can see a dog."] * 200)
    reports(peer, statuses, 1)
    peer.until(lambda: counts(statuses()[-1])[1] > 0, "they are counted")
    say("I can see a cat.")
    peer.until(lambda: len(player.playing) == 2, "another is played")
    assert player.sounds[1] == sound_of("I can see a cat.")


def test_what_waited_too_long_is_not_said(peer, start, say, player, statuses):
    node = start("speech_node", speech_max_age=0.5)
    say(LONG)
    peer.until(lambda: player.playing, "it is played")
    say("I can see a cat.")
    reports(peer, statuses, 2)
    player.end()
    peer.until(lambda: counts(statuses()[-1])[:4] == [1, 0, 0, 1], "it is counted as too old")
    say("I can see a cup.")
    peer.until(lambda: len(player.playing) == 2, "the next is played")
    assert player.sounds[1] == sound_of("I can see a cup.")
    assert said(node) == [LONG]


def test_two_cameras_and_other_names(peer, start, say, tmp_path):
    node = start(
        "speech_node", ["-r", "eyes/rear/sentence:=/behind"],
        detector="eyes", cameras="front,rear", speech_folder=tmp_path, speech_rate=450,
    )  # fmt: skip
    say("A dog.", topic="/eyes/front/sentence")
    peer.until(lambda: said(node) == ["A dog."], "the first is said")
    say("A cat.", topic="/behind")
    peer.until(lambda: said(node) == ["A dog.", "A cat."], "the second is said")
    assert "active: /eyes/front/sentence, /behind with" in node.log()


def test_the_language_changes_with_the_next_sentence(peer, start, say, tmp_path):
    node = start("speech_node", speech_folder=tmp_path / "sounds")
    refused = set_parameters(peer, NODE, language="xx")
    assert not refused.successful
    assert "espeak-ng has no voice for it" in refused.reason
    assert not set_parameters(peer, NODE, speech_folder="elsewhere").successful
    assert set_parameters(peer, NODE, language="de", speech_max_age=1.0).successful
    say("Ich sehe einen Hund.")
    peer.until(lambda: said(node), "it is said")
    (sound,) = files(tmp_path / "sounds")
    assert sound.read_bytes() == sound_of("Ich sehe einen Hund.", "de")


def test_it_falls_silent_when_deactivated_and_speaks_again(peer, start, say, player, statuses):
    node = start("speech_node")
    say("I can see a dog.")
    peer.until(lambda: player.playing, "it is played")
    assert change(peer, Transition.TRANSITION_DEACTIVATE, node=NODE)
    until(lambda: has_ended(player.playing[0]), "the player ends")
    peer.until(lambda: statuses() and "not active" in statuses()[-1].message, "it says so")
    assert change(peer, Transition.TRANSITION_ACTIVATE, *DOWN, *UP, node=NODE)
    say("I can see a cat.")
    peer.until(lambda: len(player.playing) == 2, "the next is played")
    player.end()
    peer.until(lambda: said(node) == ["I can see a cat."], "it is said")
    assert "not said" not in node.log()


def test_an_activation_that_fails_leaves_nothing_and_may_be_tried_again(tmp_path):
    """Here by a QoS that ROS refuses, of the second of two topics."""
    depth = "qos_overrides./detector_node/rear/sentence.subscription.depth"
    values = {"cameras": ["front", "rear"], "speech_folder": str(tmp_path), depth: -1}
    with in_this_process(SpeechNode, **values) as node:
        assert node.trigger_configure() == TransitionCallbackReturn.SUCCESS
        for _ in range(2):
            assert node.trigger_activate() != TransitionCallbackReturn.SUCCESS
            assert not any("sentence" in each.topic_name for each in node.subscriptions)
            assert "i2t-speaker" not in [thread.name for thread in threading.enumerate()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_the_midst_of_a_sentence_ends_all(peer, start, say, player, number):
    node = start("speech_node")
    say("I can see a dog.", "I can see a cat.")
    peer.until(lambda: player.playing, "it is played")
    assert node.stop(number) == 0
    assert all(map(has_ended, player.playing))
    assert "not said" not in node.log()
    assert len(player.playing) == 1


@pytest.mark.skipif(not os.path.exists("/usr/bin/setpriv"), reason="no util-linux")
def test_what_plays_ends_even_if_the_node_is_killed(peer, start, say, player):
    # ROS takes it for alive for 20 s more. So that it is neither another node of the name in the
    # tests that follow, nor a subscription that acknowledges nothing, it has names of its own.
    node = start("speech_node", ["-r", "__node:=killed"], detector="others")
    peer.processes.remove(node)
    say("I can see a dog.", topic="/others/sentence")
    peer.until(lambda: player.playing, "it is played")
    node.kill()
    until(lambda: has_ended(player.playing[0]), "the player ends")


def test_a_loudspeaker_that_fails_is_reported_and_comes_back(
    peer, start, say, tmp_path, monkeypatch, statuses
):
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    write_program(tmp_path / "bin", "aplay", "echo 'audio open error: No such device' >&2; exit 1")
    node = start("speech_node")
    say("I can see a dog.")
    peer.until(lambda: statuses() and statuses()[-1].level == DiagnosticStatus.ERROR, "an error")
    assert "aplay failed with 1: audio open error: No such device" in statuses()[-1].message
    peer.until(lambda: "not said: " in node.log(), "it is logged")  # after it is counted
    assert "not said: aplay failed with 1: audio open error: No such device; no loud" in node.log()
    assert '"It does not speak"' in node.log()
    write_program(tmp_path / "bin", "aplay", "exit 0")
    say("I can see a cat.")
    peer.until(lambda: said(node) == ["I can see a cat."], "the next is said")
    # Its level may still be a warning, of a node of the tests before that ROS takes for alive.
    peer.until(lambda: "failed" not in statuses()[-1].message, "it is well again")
    assert statuses()[-1].level != DiagnosticStatus.ERROR


def test_sentences_that_attack_are_words(peer, start, say, player):
    node = start("speech_node")
    say("-w /tmp/x $(reboot)\n[FATAL] [x]: <speak>\x01[[h]]")
    peer.until(lambda: player.playing, "it is played")
    player.end()
    peer.until(lambda: said(node), "it is said")
    assert said(node) == ["-w /tmp/x $(reboot) [FATAL] [x]: <speak> [ [h] ]"]
    say("", "\x00", "…")
    say("word " * 100_000)
    peer.until(lambda: len(player.playing) == 2, "the next is played")
    player.end()
    peer.until(lambda: len(said(node)) == 2, "the next is said")
    assert len(said(node)[1]) < 500


def test_the_detectors_sentence_is_said_once_however_many_images_come(
    peer, start, tmp_path, statuses
):
    cv2.imwrite(str(tmp_path / "photo.png"), np.full((48, 64, 3), 128, np.uint8))
    start(model="fake", language="fr")
    speech = start("speech_node", language="fr", speech_folder=tmp_path / "sounds")
    start("source_node", source=tmp_path / "photo.png", rate=20.0)
    peer.until(lambda: statuses() and counts(statuses()[-1])[1] > 40, "many sentences")
    peer.until(lambda: said(speech), "one is said")
    assert said(speech) == ["Je vois une personne."]
    (sound,) = files(tmp_path / "sounds")
    assert sound.read_bytes() == sound_of("Je vois une personne.", "fr")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"language": "xx"}, "language 'xx': espeak-ng has no voice for it"),
        ({"speech_engine": "piper"}, "speech_voice: expected the file of a voice"),
        ({"speech_engine": "festival"}, "speech_engine: expected one of auto, espeak, piper"),
        ({"speech_voice": "/nowhere/x.onnx"}, "there is no file /nowhere/x.onnx"),
        ({"speech_folder": "/proc/x"}, "speech_folder /proc/x: expected a folder"),
        ({"detector": "a//b"}, "detector: not a topic's name"),
        ({"cameras": "1a"}, "cameras: expected NAME"),
        ({"speech_rate": 10}, "speech_rate"),
        ({"PATH": ""}, "no program espeak-ng): sudo apt-get install espeak-ng"),
    ],
)
def test_a_start_that_cannot_work_ends_with_the_reason(
    start, player, monkeypatch, options, message
):
    if "PATH" in options:
        monkeypatch.setenv("PATH", str(player.folder))
        options = {}
    node = start("speech_node", ready=False, **options)
    assert node.wait() == 1
    assert message in node.log()
    assert "Traceback" not in node.log()
