"""A WebSocket camera at 30 frames per second for a minute, one viewer stalled and one not.

Prints frames sent, taken, seen by the viewer who keeps up, and the memory of the bridge's process.
Ends with code 1 where that grows, where a frame is lost, or where the quick viewer sees fewer than
nine of ten.

    python bench/web_soak.py [--seconds 60] [--rate 30]
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import multiprocessing
import os
import socket
import sys
import threading
import time
from pathlib import Path

import cv2
import numpy as np
from bench_listeners import http_server
from websockets.sync.client import connect

OUT = Path(__file__).resolve().parent / "out" / "web_soak.json"
FLAT = 10e6  # bytes that the process may grow by after its first seconds


def refuse(request):
    """Be the describer, whom nobody asks: no viewer wants annotated pictures."""
    raise RuntimeError("expected nobody to ask")


def frame() -> bytes:
    """Return a 640x480 JPEG of some 100 kB, more than a scene usually has."""
    noise = np.random.default_rng(1).normal(128, 24, (480, 640, 3)).clip(0, 255).astype(np.uint8)
    return cv2.imencode(".jpg", noise, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()


def send(port: int, seconds: float, rate: float, pipe) -> None:
    """Be the camera, in a process of its own."""
    jpeg, sent, start = frame(), 0, time.monotonic()
    with connect(f"ws://127.0.0.1:{port}/ws/soak", compression=None) as camera:
        while (now := time.monotonic()) - start < seconds:
            camera.send(jpeg)
            sent += 1
            time.sleep(max(0.0, start + sent / rate - now))
    pipe.send(sent)


def watch(port: int, seen: list[int], stop: threading.Event) -> None:
    """Be the viewer who keeps up; count the pictures."""
    with socket.create_connection(("127.0.0.1", port), 10) as viewer:
        viewer.sendall(b"GET /stream?annotated=0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        viewer.settimeout(0.5)
        rest = b""
        while not stop.is_set():
            try:
                data = rest + viewer.recv(1 << 20)
            except TimeoutError:
                continue
            seen[0] += data.count(b"X-Timestamp")
            rest = data[-10:]


def resident_bytes() -> int:
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=30.0)
    arguments = parser.parse_args()
    logging.disable(logging.INFO)
    ours, theirs = multiprocessing.Pipe()
    seen, stop = [0], threading.Event()
    with (
        http_server(refuse) as (port, metrics),
        socket.create_connection(("127.0.0.1", port), 10) as stalled,
    ):
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stalled.sendall(b"GET /stream?annotated=0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        viewer = threading.Thread(target=watch, args=(port, seen, stop))
        viewer.start()
        camera = multiprocessing.get_context("spawn").Process(
            target=send, args=(port, arguments.seconds, arguments.rate, theirs)
        )
        camera.start()
        time.sleep(min(5.0, arguments.seconds / 3))
        before = resident_bytes()
        sent = ours.recv() if ours.poll(arguments.seconds + 60) else 0
        after = resident_bytes()
        taken = metrics("i2t_websocket_frames_total", {"result": "taken"})
        stop.set()
        viewer.join(10)
        camera.join(10)
    grown = after - before
    result = {
        "sent": sent,
        "taken": taken,
        "seen by the quick viewer": seen[0],
        "resident MB before": round(before / 1e6, 1),
        "resident MB after": round(after / 1e6, 1),
        "grown MB": round(grown / 1e6, 1),
    }
    print(json.dumps(result, indent=2))
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=2))
    wrong = failures(sent, taken or 0, seen[0], grown)
    for text in wrong:
        print(f"FAILED: {text}")
    return 1 if wrong else 0


def failures(sent: int, taken: float, seen: int, grown: float) -> list[str]:
    """Return what is not as it has to be."""
    return [
        text
        for failed, text in (
            (not sent, "the camera sent nothing"),
            (taken < sent, f"{sent - taken:.0f} frames were lost"),
            (seen < 0.9 * sent, f"the quick viewer saw {seen} of {sent} frames"),
            (grown >= FLAT, f"memory grew by {grown / 1e6:.1f} MB"),
        )
        if failed
    ]


if __name__ == "__main__":
    sys.exit(main())
