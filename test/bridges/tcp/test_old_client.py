"""The client of docs/coming_from/jetson_server.md is run, and gets what the page shows."""

import re
import subprocess
import sys

import cv2
import numpy as np
from local_handlers import FakeHandler
from project import ROOT

PAGE = (ROOT / "docs" / "coming_from" / "jetson_server.md").read_text("utf-8")
CLIENT = re.search(r"^```python\n(.*?)^```", PAGE, re.M | re.S)[1]


def test_the_old_client_works(serve, tmp_path):
    server = serve(FakeHandler(), header_pause=0.5)  # its one recv() must not see more
    assert "5001" in CLIENT
    (tmp_path / "client_v1.py").write_text(CLIENT.replace("5001", str(server.port)))
    picture = cv2.imencode(".jpg", np.full((90, 120, 3), 9, np.uint8))[1].tobytes()
    (tmp_path / "cat.jpg").write_bytes(picture)
    (tmp_path / "notes.txt").write_text("import socket")

    def say(name):
        command = [sys.executable, "client_v1.py", name]
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
        ).stdout

    assert say("cat.jpg") == "True Se detectaron los siguientes objetos: 2 personas y 1 perro.\n"
    assert (tmp_path / "seen.jpg").read_bytes() == picture
    shown = re.search(r"notes\.txt\n    (False .*) \.\.\.", PAGE)[1]
    assert say("notes.txt").startswith(shown[: shown.index("(")])
