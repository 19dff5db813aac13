import threading
from dataclasses import replace

import numpy as np
import pytest
from making import picture_of, scene_of

from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.object_detector import DetectOptions
from i2t_ros.pipeline.reply_cache import CacheLimits, ReplyCache, cost_of, frozen
from i2t_ros.pipeline.tasks.faces import Faces
from i2t_ros.pipeline.tasks.text import TextOptions
from i2t_ros.types import DescribeReply, Description, Detections, Mask


def reply(picture=b"", scene=None):
    description = Description(scene or scene_of(4, 4), "Nothing.", "en", "sentence", "fake", 0.1)
    return DescribeReply(description, picture_of(picture, "jpeg") if picture else None)


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_what_was_kept_comes_back_and_nothing_else():
    cache, kept = ReplyCache(), reply()
    cache.put("a", kept)
    assert cache.get("a") is kept
    assert cache.get("b") is None


def test_the_one_used_longest_ago_goes_first():
    cache = ReplyCache(CacheLimits(entries=2))
    for key in "ab":
        cache.put(key, reply())
    cache.get("a")
    cache.put("c", reply())
    assert [key for key in "abc" if cache.get(key)] == ["a", "c"]


def test_bytes_are_bounded():
    picture = bytes(10_000)
    cost = cost_of(reply(picture))
    cache = ReplyCache(CacheLimits(bytes=2 * cost))
    for key in "abc":
        cache.put(key, reply(picture))
    cache.put("whale", reply(bytes(3 * cost)))
    assert [key for key in ("a", "b", "c", "whale") if cache.get(key)] == ["b", "c"]


def test_the_same_key_again_takes_no_more_room():
    cache = ReplyCache(CacheLimits(entries=2, bytes=2 * cost_of(reply(bytes(1000)))))
    for key in "abbb":
        cache.put(key, reply(bytes(1000)))
    assert cache.get("a")
    assert cache.get("b")


def test_an_answer_is_forgotten_after_its_lifetime_and_use_does_not_prolong_it():
    clock = Clock()
    cache = ReplyCache(CacheLimits(lifetime=10), clock)
    cache.put("a", reply())
    clock.now = 9
    assert cache.get("a")
    clock.now = 10
    assert cache.get("a") is None


def test_no_entries_means_no_cache():
    cache = ReplyCache(CacheLimits(entries=0))
    cache.put("a", reply())
    assert cache.get("a") is None


def test_a_picture_and_what_was_found_cost_room():
    faces = Faces(np.zeros((3, 4)), np.zeros(3))
    assert cost_of(reply(bytes(5000))) - cost_of(reply()) == 5000
    assert cost_of(reply(scene=scene_of(4, 4, faces=faces))) > cost_of(reply())
    found = Detections([[0, 0, 30, 20]], [0.5], [0], ("cat",))
    outlined = replace(found, masks=(Mask(0, 0, np.ones((20, 30), bool)),))
    with_and_without = [cost_of(reply(scene=scene_of(40, 40, each))) for each in (outlined, found)]
    assert with_and_without[0] - with_and_without[1] == 600


def test_many_threads_may_use_it():
    limits = CacheLimits(entries=5, bytes=40_000)
    cache = ReplyCache(limits)
    problems = []

    def work(seed):
        rng = np.random.default_rng(seed)
        for key in rng.integers(0, 20, 500):
            cache.put(int(key), reply(bytes(int(key) * 500)))
            found = cache.get(int(rng.integers(0, 20)))
            if found is not None and found.description.sentence != "Nothing.":
                problems.append(found)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    assert problems == []
    kept = [found for key in range(20) if (found := cache.get(key))]
    assert 0 < len(kept) <= limits.entries
    assert sum(map(cost_of, kept)) <= limits.bytes


def test_work_on_one_key_is_done_by_one_thread_and_on_others_beside_it():
    cache = ReplyCache()
    order = []
    inside, go_on = threading.Event(), threading.Event()

    def work(name, key):
        with cache.one_at_a_time(key, 30):
            order.append(f"{name} begins")
            if name == "first":
                inside.set()
                assert go_on.wait(30)
            order.append(f"{name} ends")

    first = threading.Thread(target=work, args=("first", "a"))
    first.start()
    assert inside.wait(30)
    second = threading.Thread(target=work, args=("second", "a"))
    second.start()
    work("other", "b")
    go_on.set()
    for thread in (first, second):
        thread.join(30)
    assert order == [
        "first begins",
        "other begins",
        "other ends",
        "first ends",
        "second begins",
        "second ends",
    ]
    assert not cache._at_work


def test_nobody_waits_for_work_for_ever():
    cache = ReplyCache()
    with cache.one_at_a_time("a", 30), cache.one_at_a_time("a", 0.01):
        pass
    assert not cache._at_work


BASE = DescribeOptions()
OTHERS = [
    replace(BASE, language="es"),
    replace(BASE, tasks=("detect", "faces")),
    replace(BASE, task_options={"detect": DetectOptions(min_score=0.4)}),
    replace(BASE, task_options={"detect": DetectOptions(class_min_scores={"dog": 0.4})}),
    replace(BASE, task_options={"detect": DetectOptions(allow=frozenset({"dog"}))}),
    replace(BASE, task_options={"text": TextOptions(translate_to="fr")}),
]


@pytest.mark.parametrize("other", OTHERS)
def test_options_that_differ_have_keys_that_differ(other):
    assert hash(frozen(BASE)) == hash(frozen(DescribeOptions()))
    assert frozen(BASE) == frozen(DescribeOptions())
    assert frozen(other) != frozen(BASE)
    assert frozen(other) == frozen(replace(other))
