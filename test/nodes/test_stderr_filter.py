"""What decoders write to standard error, thinned out in another process."""

import os
import re
import subprocess
import sys

import cv2
import numpy as np
import pytest

from i2t_ros.nodes.stderr_filter import DECODER_LINE

BEGIN = """
import ctypes, os, sys
from i2t_ros.nodes.stderr_filter import filter_stderr
end = filter_stderr()
libc = ctypes.CDLL(None)
def c(text):
    libc.fputs(text.encode(), ctypes.c_void_p.in_dll(libc, "stderr"))
"""
CORRUPT = "Corrupt JPEG data: 2 extraneous bytes before marker 0xd9"


def run(code, **options):
    command = [sys.executable, "-c", BEGIN + code]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=60, **options)
    return done.returncode, done.stderr


def test_of_many_lines_of_decoders_one_is_left_and_all_others():
    code = f"""
for i in range(300):
    c("{CORRUPT}\\n")
    c("[mjpeg @ 0x561d59da2480] "), c("overread 8\\n")
    c(f"[INFO] [1.0] [node]: {{i}}\\n")
sys.stderr.write("from Python\\n")
end()
c("after\\n")
"""
    returned, said = run(code)
    assert returned == 0
    lines = said.splitlines()
    assert lines[-1] == "after"
    assert "from Python" in lines
    assert [line for line in lines if "[node]" in line] == [
        f"[INFO] [1.0] [node]: {i}" for i in range(300)
    ]
    noise = [line for line in lines if DECODER_LINE.match(line.encode())]
    assert noise[0] == CORRUPT
    counted = sum(int(found) + 1 for found in re.findall(r"\(and (\d+) more like this\)", said))
    assert 1 + counted == 600
    assert len(noise) <= 4  # one a second, and the last


def test_a_crash_loses_nothing():
    returned, said = run(f'c("{CORRUPT}\\n" * 3 + "what(): why\\nnot a whole line"); os.abort()')
    assert returned == -6
    assert said.splitlines() == [
        CORRUPT,
        "what(): why",
        f"{CORRUPT} (and 1 more like this)",
        "not a whole line",
    ]


def test_a_traceback_comes_through():
    returned, said = run("1 / 0")
    assert returned == 1
    assert said.endswith("ZeroDivisionError: division by zero\n")


@pytest.mark.parametrize("closed", ["2>&-", "2>/dev/full"])
def test_a_standard_error_that_cannot_be_written_to(closed):
    code = BEGIN + "c('lost\\n'); end(); print('well')"
    command = ["sh", "-c", f'"$0" -c "$1" {closed}', sys.executable, code]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=60)
    assert done.stdout == "well\n"


def test_a_parent_that_ignores_the_end_of_children():
    command = ["sh", "-c", 'trap \'\' CHLD; exec "$0" -c "$1"', sys.executable]
    code = BEGIN + "c('a line\\n'); end(); print('well')"
    done = subprocess.run([*command, code], cwd="/", capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("well\n", "a line\n")


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_the_decoders_of_this_opencv_are_known(suffix):
    noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    data = cv2.imencode(suffix, noise)[1].tobytes()[:-200] + b"\xff\xd9"
    code = (
        "import cv2, numpy as np\n"
        f"for _ in range(9): cv2.imdecode(np.frombuffer({data}, np.uint8), 1)\n"
        "end()"
    )
    returned, said = run(code, env={**os.environ, "OPENCV_LOG_LEVEL": "SILENT"})
    assert returned == 0
    assert len(said.splitlines()) in (1, 2), said


def test_what_litert_says_when_all_is_well_is_left_out():
    said = "INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\\nINFO: else\\n"
    code, written = run(f'c("{said}")\nend()')
    assert (code, written) == (0, "INFO: else\n")
