"""The page in a real browser: what a person does with it, and sees."""

import base64
import json
from pathlib import Path

import pytest
from browser_page import DESKTOP, LIMIT, PASTE, PHONE, close_to
from making import describer_of, open_detector
from waiting import until
from web_support import BOXES, PICTURE, picture

from i2t_ros.pipeline.describe_options import DescribeOptions

# --- pictures


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_dropped_picture_is_described_and_boxes_lie_over_the_right_things(
    bridge, open_page, size
):
    page = open_page(bridge(), size=size)
    page.drop(PICTURE)
    page.says("I can see a dog and a person.")
    page.until(lambda: len(page.boxes()) == 2, "two boxes")
    for name, label, box in page.boxes():
        assert label == f"{name} 90%"
        assert close_to(box, BOXES[name]), (name, box, BOXES[name])
    assert page.find("tab-picture").get_attribute("aria-selected") == "true"
    assert page.find("result-image").get_attribute("alt") == "I can see a dog and a person."
    page.resize(700, 600)  # and they stay over them
    page.until(lambda: close_to({n: box for n, _, box in page.boxes()}["dog"], BOXES["dog"]), "so")


def test_a_picture_from_a_file_from_the_clipboard_and_what_is_none(bridge, open_page, tmp_path):
    page = open_page(bridge())
    page.run(
        "const [make, revoke] = [URL.createObjectURL, URL.revokeObjectURL]; window.held = [];"
        "URL.createObjectURL = (blob) => { held.push(make(blob)); return held.at(-1); };"
        "URL.revokeObjectURL = (url) => { revoke(url); held = held.filter((it) => it !== url); };"
    )
    page.click("tab-picture")
    path = tmp_path / "photo.png"
    path.write_bytes(PICTURE)
    page.find("file").send_keys(str(path))
    page.says("I can see a dog and a person.")
    page.run(PASTE, base64.b64encode(picture([("kite", (10, 10, 60, 60))])).decode())
    page.says("I can see a kite.")
    page.drop(b"this is a text", "notes.png")
    page.until(lambda: page.text("problem") == "That is not a picture", "it is refused in words")
    assert page.find("drop").is_displayed()
    page.drop(PICTURE)
    page.says("I can see a dog and a person.")
    assert not page.find("problem").is_displayed()
    recent = page.run("return [...document.querySelectorAll('#history img')].map((it) => it.src)")
    assert sorted(page.run("return held")) == sorted(recent)  # the others are let go of


def test_a_photo_from_the_cameras_viewfinder(bridge, open_page):
    web = bridge()
    page = open_page(web)
    page.click("tab-picture")
    page.click("take")
    page.until(lambda: page.find("viewfinder").is_displayed(), "the viewfinder")
    page.until(lambda: page.run("return document.getElementById('viewfinder').videoWidth"), "video")
    page.click("shoot")
    page.until(lambda: page.text("sentence"), "a sentence")
    assert web.describer.asked
    assert not page.find("viewfinder").is_displayed()
    page.click("another")
    page.click("take")
    page.until(lambda: page.find("shutter").is_displayed(), "the viewfinder again")
    page.click("cancel")
    page.until(lambda: page.find("drop").is_displayed(), "back")


def test_results_are_remembered_and_can_be_copied(bridge, open_page):
    page = open_page(bridge())
    for data in (PICTURE, picture([("kite", (10, 10, 60, 60))])):
        page.drop(data)
        page.until(lambda: page.text("sentence"), "words")
    page.says("I can see a kite.")
    entries = "return [...document.querySelectorAll('#history span')].map(e => e.textContent)"
    assert page.run(entries) == ["I can see a kite.", "I can see a dog and a person."]
    page.run("document.querySelectorAll('#history button')[1].click()")
    page.says("I can see a dog and a person.")
    current = "return document.querySelector('#history [aria-current=true]').textContent"
    assert page.run(current) == "I can see a dog and a person."
    page.browser.execute_cdp_cmd(
        "Browser.grantPermissions",
        {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]},
    )
    page.click("copy")
    page.until(lambda: page.text("copy") == "Copied", "it is copied")
    pasted = page.browser.execute_async_script(
        "navigator.clipboard.readText().then(arguments[0], () => arguments[0](''))"
    )
    assert json.loads(pasted)["objects"][0]["class_id"] == "dog"


def test_the_servers_history_is_shown(bridge, open_page, tmp_path):
    from i2t_ros.bridges.http.settings import HistorySettings  # noqa: PLC0415

    history = HistorySettings(f"sqlite:///{tmp_path}/h.db", str(tmp_path / "kept"))
    web = bridge(history=history)
    with web.client() as client:
        client.post("/v1/describe", content=PICTURE)
    page = open_page(web)
    page.until(
        lambda: page.run("return document.querySelectorAll('#history img').length") == 1, "one"
    )
    page.choose("language", "es")
    page.until(lambda: "Veo un perro y una persona." in page.text("history"), "in Spanish")
    page.run("document.querySelector('#history button').click()")
    page.says("Veo un perro y una persona.")
    page.until(lambda: len(page.boxes()) == 2, "boxes")


def test_pointing_at_a_class_shows_where_it_is(bridge, open_page):
    page = open_page(bridge())
    page.drop(PICTURE)
    page.until(lambda: len(page.boxes()) == 2, "boxes")
    page.run("document.querySelector('#objects button').focus()")
    picked = page.run(
        "return [...document.querySelectorAll('#overlay .picked')].map(g => g.dataset.class)"
    )
    assert picked == ["dog"]


# --- languages


def test_the_language_is_the_browsers_and_can_be_changed(bridge, open_page):
    page = open_page(bridge())
    assert page.run("return document.documentElement.lang") == "en"
    page.drop(PICTURE)
    page.says("I can see a dog and a person.")
    for tag, sentence, label, title in (
        ("es", "Veo un perro y una persona.", "perro", "Lo que ve el robot"),
        ("ja", None, "犬", "ロボットが見ているもの"),
        ("de", "Ich sehe einen Hund und eine Person.", "Hund", "Was der Roboter sieht"),
    ):
        page.choose("language", tag)
        page.until(lambda: page.text("objects").startswith(label), tag)  # noqa: B023
        if sentence:
            page.says(sentence)
        assert page.browser.title == title
        assert page.run("return document.documentElement.lang") == tag
        page.until(lambda: any(text.startswith(label) for _, text, _ in page.boxes()), tag)  # noqa: B023
    recent = "return document.querySelector('#history [aria-current=true] span').textContent"
    page.until(lambda: page.run(recent) == sentence, "the recent one is said anew too")
    page.browser.refresh()
    page.until(lambda: page.browser.title == "Was der Roboter sieht", "it is remembered")


# --- keyboard, theme, token


def test_everything_can_be_reached_with_the_keyboard(bridge, open_page):
    from selenium.webdriver.common.keys import Keys  # noqa: PLC0415

    page = open_page(bridge())
    order = []
    for _ in range(12):
        page.browser.switch_to.active_element.send_keys(Keys.TAB)
        active = page.browser.switch_to.active_element
        order.append(active.get_attribute("id") or active.get_attribute("class"))
    assert order[:5] == ["skip", "language", "theme", "tab-live", "boxes"]
    page.find("tab-live").send_keys(Keys.ARROW_RIGHT)
    assert page.browser.switch_to.active_element.get_attribute("id") == "tab-picture"
    assert page.find("drop").is_displayed()
    nameless = page.run(
        "return [...document.querySelectorAll('button, select, a, input:not([aria-hidden])')]"
        ".filter(e => e.offsetParent && !(e.textContent.trim() || e.ariaLabel || e.labels?.length))"
        ".map(e => e.outerHTML)"
    )
    assert nameless == []


def test_dark_and_light(bridge, open_page):
    page = open_page(bridge())
    ground = "return getComputedStyle(document.body).backgroundColor"
    first = page.run(ground)
    page.click("theme")
    second = page.run(ground)
    assert {first, second} == {"rgb(244, 246, 248)", "rgb(14, 19, 24)"}
    page.browser.refresh()
    page.until(lambda: page.run("return document.documentElement.dataset.ready"), "reloaded")
    assert page.run(ground) == second


def test_a_token_is_asked_for_once(bridge, open_page):
    token = "a-token-for-this-test"  # noqa: S105
    web = bridge(token=token)
    page = open_page(web)
    page.until(lambda: page.find("login").is_displayed(), "it asks")
    assert web.services.viewers == 0
    page.find("token").send_keys("wrong-wrong-wrong\n")
    page.until(lambda: page.find("login-problem").is_displayed(), "it is refused")
    page.find("token").clear()
    page.find("token").send_keys(token + "\n")
    page.until(lambda: not page.find("login").is_displayed(), "it is taken")
    page.until(lambda: page.stream_pixel()[0] == 640, "the stream plays")
    page.drop(PICTURE)
    page.says("I can see a dog and a person.")
    page.browser.refresh()
    page.until(lambda: web.services.viewers == 2, "it is remembered")
    page.browser.delete_all_cookies()


# --- documentation, and the real model


def test_the_documentation_tries_requests_out(bridge, chromium, tmp_path):
    """Untouched but for the file, below a path of a proxy that says nothing of it."""
    from reverse_proxy import ReverseProxy  # noqa: PLC0415

    path = tmp_path / "photo.png"
    path.write_bytes(PICTURE)

    def find(css):
        return chromium.find_elements("css selector", css)

    def execute(operation, answer, file=None):
        until(lambda: find(f"#operations-{operation}"), "Swagger UI", LIMIT)
        find(f"#operations-{operation} .opblock-summary-control")[0].click()
        until(lambda: find(f"#operations-{operation} .execute"), "a button to try it", LIMIT)
        if file:
            find(f"#operations-{operation} input[type=file]")[0].send_keys(str(file))
        find(f"#operations-{operation} .execute")[0].click()
        answers = f"#operations-{operation} .live-responses-table .microlight"
        until(lambda: any(answer in e.text for e in find(answers)), "the answer", LIMIT)

    with ReverseProxy(bridge().server.port) as proxy:
        chromium.get(f"{proxy.url}/docs")
        execute("state-alive_healthz_get", '"status": "ok"')
        describe = "describe-describe_picture_v1_describe_post"
        execute(describe, "I can see a dog and a person.", path)
        execute("describe-upload_upload_post", '"error": ""', path)
        severe = [e for e in chromium.get_log("browser") if e["level"] == "SEVERE"]
        assert severe == []
        assert set(proxy.strays) <= {"/favicon.ico"}


def test_the_form_for_uploads_answers(bridge, chromium, tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(PICTURE)
    chromium.get(f"{bridge().url}/upload")
    chromium.find_element("name", "file").send_keys(str(path))
    chromium.find_element("css selector", "form button").click()
    told = "return document.body.textContent"
    until(lambda: '"yolov3"' in chromium.execute_script(told), "the answer", LIMIT)
    assert '"error":""' in chromium.execute_script(told)


@pytest.mark.parametrize("said", [{}, {"X-Forwarded-Prefix": "/robot"}], ids=["silent", "prefix"])
def test_below_a_path_of_a_proxy(bridge, open_page, tmp_path, said):
    from reverse_proxy import ReverseProxy  # noqa: PLC0415

    from i2t_ros.bridges.http.settings import HistorySettings  # noqa: PLC0415

    history = HistorySettings(f"sqlite:///{tmp_path}/h.db", str(tmp_path / "kept"))
    web = bridge(history=history)
    with ReverseProxy(web.server.port, headers=said) as proxy:
        proxy.url += "/"
        page = open_page(proxy)
        page.until(lambda: page.stream_pixel()[0] == 640, "the stream")
        page.drop(PICTURE)
        page.says("I can see a dog and a person.")
        page.browser.refresh()
        shown = "return document.querySelector('#history img')?.naturalWidth"
        page.until(lambda: page.run(shown) == 320, "the history's picture")
        page.choose("language", "es")
        page.until(lambda: page.browser.title == "Lo que ve el robot", "its words")
        page.browser.get("about:blank")
        assert set(proxy.strays) <= {"/favicon.ico"}


def test_a_photo_and_a_real_model(bridge, open_page, shared, monkeypatch):
    monkeypatch.setenv("I2T_MODEL_PATH", str(shared / "models"))
    describer = describer_of(open_detector("yolox_nano", offline=True))
    page = open_page(bridge(lambda request: describer.answer(request, DescribeOptions())))
    page.drop(Path(shared / "images" / "pets.jpg").read_bytes(), "pets.jpg", "image/jpeg")
    page.says("I can see two dogs.")
    page.until(lambda: len(page.boxes()) == 2, "two boxes")
    # The dogs of that photo, by eye: left, top, right, bottom.
    left, right = sorted(box for _, _, box in page.boxes())
    assert close_to(left, [110, 36, 256, 296], 12)
    assert close_to(right, [345, 165, 497, 368], 14)
    describer.close()
