"""docs/esp32_cam.md: the sender in Python is run, the sketch compiled against stand-ins."""

import re
import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest
from project import ROOT

pytest.importorskip("fastapi")
from waiting import TIME_LIMIT, until

TEXT = (ROOT / "docs" / "esp32_cam.md").read_text("utf-8")
PYTHON = re.search(r"^```python\n(.*?)^```", TEXT, re.M | re.S)[1]
SKETCH = re.search(r"^```cpp\n(.*?)^```", TEXT, re.M | re.S)[1]
TOKEN = "correct-horse-battery"  # noqa: S105

# What the sketch uses of the Arduino core for ESP32, esp_camera and the library WebSockets.
STANDINS = {
    "Arduino.h": """
        #include <cstdint>
        #include <cstdio>
        #include <functional>
        struct HardwareSerial { void begin(unsigned long); void println(const char *); };
        extern HardwareSerial Serial;
        void delay(uint32_t);
        unsigned long millis();
        bool psramFound();
    """,
    "WiFi.h": """
        struct WiFiClass { void begin(const char *, const char *); bool setSleep(bool); };
        extern WiFiClass WiFi;
    """,
    "WebSocketsClient.h": """
        typedef enum { WStype_ERROR, WStype_DISCONNECTED, WStype_CONNECTED } WStype_t;
        struct WebSocketsClient {
          typedef std::function<void(WStype_t, uint8_t *, size_t)> WebSocketClientEvent;
          void begin(const char *, uint16_t, const char *url = "/", const char * = "arduino");
          void loop();
          void onEvent(WebSocketClientEvent);
          bool sendTXT(char *, size_t = 0, bool = false);
          bool sendTXT(const char *, size_t = 0);
          bool sendBIN(uint8_t *, size_t, bool = false);
          bool sendBIN(const uint8_t *, size_t);
          void setExtraHeaders(const char * = nullptr);
          void setReconnectInterval(unsigned long);
          bool isConnected();
        };
    """,
    "esp_camera.h": """
        typedef int esp_err_t;
        enum { ESP_OK = 0 };
        typedef enum { LEDC_TIMER_0 } ledc_timer_t;
        typedef enum { LEDC_CHANNEL_0 } ledc_channel_t;
        typedef enum { PIXFORMAT_JPEG = 4 } pixformat_t;
        typedef enum { FRAMESIZE_VGA = 10 } framesize_t;
        typedef enum { CAMERA_FB_IN_PSRAM, CAMERA_FB_IN_DRAM } camera_fb_location_t;
        typedef enum { CAMERA_GRAB_WHEN_EMPTY, CAMERA_GRAB_LATEST } camera_grab_mode_t;
        struct camera_config_t {
          int pin_pwdn, pin_reset, pin_xclk, pin_sccb_sda, pin_sccb_scl, pin_d7, pin_d6, pin_d5,
              pin_d4, pin_d3, pin_d2, pin_d1, pin_d0, pin_vsync, pin_href, pin_pclk, xclk_freq_hz;
          ledc_timer_t ledc_timer;
          ledc_channel_t ledc_channel;
          pixformat_t pixel_format;
          framesize_t frame_size;
          int jpeg_quality;
          size_t fb_count;
          camera_fb_location_t fb_location;
          camera_grab_mode_t grab_mode;
        };
        struct camera_fb_t { uint8_t *buf; size_t len; };
        esp_err_t esp_camera_init(const camera_config_t *);
        camera_fb_t *esp_camera_fb_get();
        void esp_camera_fb_return(camera_fb_t *);
    """,
}


@pytest.fixture
def film(tmp_path):
    """Return the path of a film of two seconds."""
    path = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (320, 240))
    assert writer.isOpened()
    for number in range(20):
        writer.write(np.full((240, 320, 3), 10 * number, np.uint8))
    writer.release()
    return path


@pytest.fixture
def sender(tmp_path):
    """Return a function that runs the sender of the page."""
    program = tmp_path / "send_camera.py"
    program.write_text(PYTHON)
    running = []

    def start(*arguments):
        command = [sys.executable, str(program), *map(str, arguments)]
        pipe = subprocess.PIPE
        running.append(subprocess.Popen(command, stdout=pipe, stderr=subprocess.STDOUT, text=True))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()


def test_the_sender_sends_a_film_and_ends_with_it(web, sender, film, caplog):
    caplog.set_level("INFO", "i2t_ros.ws")
    bridge = web(token=TOKEN)
    process = sender(f"{bridge.url.replace('http', 'ws')}/ws/door", film, TOKEN)
    until(lambda: bridge.hub.online, "the camera is there")
    assert [camera.name for camera in bridge.hub.online] == ["door"]
    output, _ = process.communicate(timeout=TIME_LIMIT)
    assert (process.returncode, output) == (0, "")
    until(lambda: not bridge.hub.online, "it has gone")
    assert bridge.metric("i2t_websocket_frames_total", result="taken") == 20
    assert "a camera in Python" in caplog.text


def test_the_sender_tries_again(web, sender, film):
    bridge = web()
    url = f"{bridge.url.replace('http', 'ws')}/ws/door"
    bridge.close()
    process = sender(url, film)
    assert process.stdout.readline().endswith(": trying again\n")
    assert process.poll() is None


def test_the_sketch_compiles(tmp_path):
    compiler = shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("no C++ compiler: apt install g++")
    for name, text in STANDINS.items():
        (tmp_path / name).write_text("#pragma once\n" + text)
    (tmp_path / "sketch.cpp").write_text("#include <Arduino.h>\n" + SKETCH)
    warnings = ["-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter"]
    done = subprocess.run(
        [compiler, "-std=c++17", "-fsyntax-only", *warnings, f"-I{tmp_path}", "sketch.cpp"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
