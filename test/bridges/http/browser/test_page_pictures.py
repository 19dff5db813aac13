"""Pictures in a real browser: what is sent of them, and what is drawn over them."""

import colorsys
import io
import ipaddress
import itertools
import re

import numpy as np
from browser_page import DESKTOP, PHONE, close_to
from making import scene_of
from PIL import Image
from web_support import BOXES, OTHER, PICTURE, picture

from i2t_ros.bridges.http.settings import FetchSettings
from i2t_ros.types import DescribeReply, Description, Detections, Scene
from i2t_ros.vision.class_colors import class_color
from i2t_ros.vision.codecs import read_header
from i2t_ros.vision.masks import outlined_masks


def photo(orientation, size=(2200, 1650)):
    """Return a JPEG of the two rectangles that is to be turned as its EXIF says."""
    upright = Image.open(io.BytesIO(PICTURE)).convert("RGB").resize(size, Image.NEAREST)
    turned = {1: None, 3: Image.ROTATE_180, 6: Image.ROTATE_90, 8: Image.ROTATE_270}[orientation]
    stored = upright.transpose(turned) if turned is not None else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = io.BytesIO()
    stored.save(data, "JPEG", quality=90, exif=exif)
    return data.getvalue()


def test_large_photos_are_sent_small_and_upright(bridge, open_page):
    web = bridge(max_body_bytes=2_000_000)
    page = open_page(web)
    for orientation in (1, 3, 6, 8):
        page.drop(photo(orientation), "photo.jpg", "image/jpeg")
        page.until(
            lambda o=orientation: len(web.describer.asked) == [1, 3, 6, 8].index(o) + 1, "sent"
        )
        page.until(lambda: len(page.boxes()) == 2, "boxes")
        sent = web.describer.asked[-1].picture
        header = read_header(sent)
        assert (header.width, header.height) == (2048, 1536)
        assert len(sent) < 2_000_000
        for name, _, box in page.boxes():  # over what is shown, which is what was sent
            expected = [side * 2048 / 320 for side in BOXES[name]]
            assert close_to(box, expected, 16), (orientation, name, box)


OUTLINES = """
const groups = [...document.querySelectorAll("#overlay g[data-lines]")];
return groups.map((group) => [group.dataset.lines, [...group.querySelectorAll(".mask")].map(
  (mask) => [[...mask.points].map(({x, y}) => [x, y]), getComputedStyle(mask).fill,
    getComputedStyle(mask).fillOpacity])]);
"""


def test_outlines_lie_translucent_under_the_labels(bridge, open_page):
    boxes, names = [[20, 30, 120, 180], [160, 40, 300, 200]], ("dog", "person")
    line = np.float32([[20, 30], [120.5, 100], [40, 180]])
    masks = outlined_masks([[line], []])
    found = Detections(boxes, [0.9, 0.8], [0, 1], names, masks=masks)
    scene = Scene(320, 240, {"segment": found})
    said = Description(scene, "A dog and a person.", "en", "sentence", "fake", 0.0)
    page = open_page(bridge(lambda request: DescribeReply(said)))
    page.drop(PICTURE)
    page.says("A dog and a person.")
    outlines = dict(page.run(OUTLINES))
    assert outlines["person"] == []
    ((points, fill, opacity),) = outlines["dog"]
    assert points == line.tolist()
    blue, green, red = class_color("dog")
    assert (fill, opacity) == (f"rgb({red}, {green}, {blue})", "0.35")
    assert page.run(
        "return document.querySelector('#overlay [data-kind=lines]') ==="
        " document.getElementById('overlay').firstElementChild"
    )
    assert not page.complaints()


def test_the_last_picture_is_shown_though_an_earlier_one_takes_longer_to_shrink(bridge, open_page):
    web = bridge()
    page = open_page(web)
    page.run(
        "const read = createImageBitmap;"
        "window.createImageBitmap = (...all) => new Promise((done) => {"
        "  window.createImageBitmap = read; window.goOn = () => done(read(...all)); });"
    )
    page.drop(PICTURE)
    page.until(lambda: page.find("working").is_displayed(), "it says that it is at work")
    page.drop(OTHER)
    page.says("I can see a kite.")
    page.run("goOn()")
    page.click("another")
    page.drop(picture([("dog", (40, 60, 140, 200))]))
    page.says("I can see a dog.")
    assert len(web.describer.asked) == 2  # the first was not asked about


def test_what_is_small_is_sent_as_it_is_and_other_formats_as_jpeg(bridge, open_page):
    web = bridge()
    page = open_page(web)
    page.drop(PICTURE)
    page.says("I can see a dog and a person.")
    assert bytes(web.describer.asked[-1].picture) == PICTURE
    gif = io.BytesIO()
    Image.open(io.BytesIO(PICTURE)).save(gif, "GIF")
    page.drop(gif.getvalue(), "a.gif", "image/gif")
    page.until(lambda: len(web.describer.asked) == 2, "sent")
    assert read_header(web.describer.asked[-1].picture).format == "jpeg"


def test_a_picture_behind_a_url(bridge, open_page):
    other = bridge()  # any server that has a picture
    other.on_loop(other.hub.add, "door", "websocket")
    frame = picture([("kite", (40, 60, 140, 200))], extension=".jpg")
    other.on_loop(other.hub.publish, "door", raw=frame, annotated=frame)
    loopback = (ipaddress.ip_network("127.0.0.0/8"),)
    web = bridge(fetch=FetchSettings(loopback, ports=(other.server.port,)))
    page = open_page(web)
    page.click("tab-picture")
    page.find("url").send_keys(f"{other.url}/snapshot?annotated=0\n")
    page.says("I can see a kite.")
    page.until(
        lambda: page.run("return document.getElementById('result-image').naturalWidth") == 320, "it"
    )
    assert page.run("return document.querySelector('#history img').src").startswith("blob:")
    page.choose("language", "es")
    page.says("Veo una cometa.")
    page.click("another")
    page.find("url").clear()
    page.find("url").send_keys("http://192.0.2.1/photo.jpg\n")
    page.until(lambda: page.text("problem") == "El robot no puede descargar esa URL", "in words")


def test_without_urls_there_is_no_field_for_them(bridge, open_page):
    page = open_page(bridge())
    page.click("tab-picture")
    assert not page.find("url").is_displayed()


# --- boxes and labels

CROWD = {
    name: (20 + 95 * column, 40 + 80 * row, 20 + 95 * column + 60, 40 + 80 * row + 50)
    for (row, column), name in zip(
        itertools.product(range(5), range(6)), [f"thing number {n}" for n in range(30)], strict=True
    )
}
SMALL = (300, 220, 309, 228)  # inside of the first row's neighborhood


class Crowd:
    """Sees thirty things side by side, and one that is tiny, in a picture of 640 x 480."""

    model = "crowd"

    def __call__(self, request):
        names = (*CROWD, "a tiny thing")
        boxes = [*CROWD.values(), SMALL]
        scores = [0.9 - n / 100 for n in range(len(boxes))]
        found = Detections(boxes, scores, range(len(boxes)), names)
        scene = scene_of(640, 480, detections=found)
        return DescribeReply(
            Description(scene, "A crowd.", "en", "sentence", self.model, 0.001, str)
        )


PLATES = """
const shown = [...document.querySelectorAll("#overlay g[data-kind=object]")]
  .filter((group) => getComputedStyle(group.querySelector(".plate")).visibility === "visible");
return shown.map((group) => {
  const box = group.querySelector(".plate").getBoundingClientRect();
  return [box.left, box.top, box.right, box.bottom];
});
"""
FIELDS = """
return [...document.querySelectorAll("#overlay .field")].map((field) => {
  const box = field.getBoundingClientRect();
  return [box.left, box.top, box.right, box.bottom];
});
"""


def covered(box, by):
    wide = min(box[2], by[2]) - max(box[0], by[0])
    high = min(box[3], by[3]) - max(box[1], by[1])
    return max(0, wide) * max(0, high) / ((box[2] - box[0]) * (box[3] - box[1]))


def test_labels_hide_neither_each_other_nor_what_was_found(bridge, open_page):
    page = open_page(bridge(Crowd()))
    frame = picture([], size=(640, 480))
    shown = {}
    for size in (DESKTOP, PHONE):
        page.resize(*size)
        page.drop(frame)
        page.until(lambda: len(page.boxes()) == 31, "all boxes")
        plates, fields = page.run(PLATES), page.run(FIELDS)
        shown[size] = len(plates)
        for one, other in itertools.combinations(plates, 2):
            assert covered(one, other) < 0.01
        for field in fields:
            assert max(covered(field, plate) for plate in plates) <= 0.31
            others = sorted(covered(field, plate) for plate in plates)[:-1]
            assert sum(others) <= 0.11
        # Lines first: no box is drawn over a label.
        order = page.run(
            "return [...document.getElementById('overlay').children].map(g => g.dataset.kind)"
        )
        assert order == ["lines"] + 31 * ["object"]
    assert shown[DESKTOP] >= 15
    assert 0 < shown[PHONE] < 31
    # A label without a place is shown when its thing is pointed at in the list.
    hidden = "return document.querySelectorAll('#overlay .crowded').length"
    assert page.run(hidden) == 31 - shown[PHONE]
    page.run(
        "const name = document.querySelector('#overlay .crowded').dataset.class;"
        "[...document.querySelectorAll('#objects button')]"
        ".find(b => b.querySelector('.label').textContent === name).focus()"
    )
    picked = "return getComputedStyle(document.querySelector('#overlay .picked .plate')).visibility"
    assert page.run(picked) == "visible"


def test_small_things_have_thin_lines(bridge, open_page):
    page = open_page(bridge(Crowd()))
    page.drop(picture([], size=(640, 480)))
    page.until(lambda: len(page.boxes()) == 31, "all boxes")
    width = (
        "return Number(document.querySelector(`[data-lines='${arguments[0]}'] rect`)"
        ".getAttribute('stroke-width'))"
    )
    assert page.run(width, "a tiny thing") == 1
    assert page.run(width, "thing number 0") > 2


def test_colors_are_those_of_drawings_and_far_apart(bridge, open_page):
    page = open_page(bridge())

    def colors_of(names):
        return page.browser.execute_async_script(
            "const [names, done] = arguments;"
            "import('./static/colors.js').then((found) => done(names.map(found.colorOf)))",
            names,
        )

    table = ["bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "dining table"]
    drawn = [tuple(reversed(class_color(name))) for name in table]
    assert colors_of(table) == [f"rgb({r}, {g}, {b})" for r, g, b in drawn]
    own = colors_of([f"gadget {n}" for n in range(12)])  # of a model with classes of its own
    for colors in (drawn, [tuple(map(int, re.findall(r"\d+", color))) for color in own]):
        hues = [360 * colorsys.rgb_to_hsv(*(c / 255 for c in color))[0] for color in colors]
        for one, other in itertools.combinations(hues, 2):
            apart = abs(one - other) % 360
            assert min(apart, 360 - apart) > 28
