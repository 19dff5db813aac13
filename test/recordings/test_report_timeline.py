"""The timelines of a report, by mouse, by keys and by fingers."""

from report_material import drive, made_up_images, stream_of

VIEW = "const [one] = timelines.values(); return [one.from, one.to];"


def test_a_click_into_a_timeline_shows_what_was_there_then(open_report):
    page = open_report([drive()])
    canvas = page.all(".rows canvas")[0]
    width = canvas.size["width"]

    page.mouse().move_to_element_with_offset(canvas, width // 10 - 1, -50).click().perform()

    assert page.text("chosen-body").split("\n")[1].startswith("it's drive")
    assert "0:59" in page.text("chosen-body")  # 60 % of the width
    assert "I can see two people and a dog." in page.text("chosen-body")
    assert "ros2 bag play '/data/it'\"'\"'s drive' --start-offset 59" in page.text("chosen-body")
    assert page.address().startswith("stream=drive&t=59")
    current = "return document.querySelector('[aria-current=true] .when').textContent"
    assert page.run(current) == "0:40.0"
    assert page.text("chosen-body").startswith("0:40.0")  # when the picture was taken
    assert page.run("const [one] = timelines.values(); return one.cursor") // 1000 == 59
    assert page.run("return document.getElementById('tip').hidden") is False


def test_a_time_shows_the_last_moment_up_to_it(open_report):
    page = open_report([drive()])
    for time, moment in (
        (0, 20000),
        (19999, 20000),
        (20000, 20000),
        (39999, 20000),
        (99999, 80000),
    ):
        found = page.run("return momentAt([...timelines.keys()][0], arguments[0]).time", time)
        assert found == moment, time


def test_keys_go_from_moment_to_moment(open_report):
    page = open_report([drive()])
    canvas = page.all(".rows canvas")[0]
    canvas.send_keys(page.keys.ARROW_RIGHT)
    assert page.address() == "stream=drive&t=20"
    canvas.send_keys(page.keys.ARROW_RIGHT)
    canvas.send_keys(page.keys.ARROW_RIGHT)
    assert page.address() == "stream=drive&t=60"
    canvas.send_keys(page.keys.ARROW_LEFT)
    assert page.address() == "stream=drive&t=40"
    page.drawn()
    assert canvas.get_attribute("aria-valuetext") == "0:40.0"
    assert canvas.get_attribute("aria-valuenow") == "40"


def test_zooming_and_panning_stay_within_the_recording(open_report):
    page = open_report([drive()])
    assert page.run(VIEW) == [0, 100000]
    out, closer, earlier, later, whole = page.all(".stream .icon")
    closer.click()
    assert page.run(VIEW) == [25000, 75000]
    later.click()
    later.click()
    assert page.run(VIEW) == [50000, 100000]
    out.click()
    earlier.click()
    assert page.run(VIEW) == [0, 100000]
    for _ in range(20):
        closer.click()
    start, end = page.run(VIEW)
    assert end - start == 500
    whole.click()
    assert page.run(VIEW) == [0, 100000]
    canvas = page.all(".rows canvas")[0]
    canvas.send_keys("+")
    page.mouse().drag_and_drop_by_offset(canvas, 200, 0).perform()
    assert page.run(VIEW)[0] < 25000


def test_the_wheel_zooms_a_timeline_that_was_clicked_and_else_scrolls(open_report):
    page = open_report([drive()])
    turn = """
      const [ctrlKey] = arguments;
      const event = new WheelEvent("wheel", { deltaY: -400, cancelable: true, ctrlKey });
      document.querySelector(".rows canvas").dispatchEvent(event);
      const [one] = timelines.values();
      return [event.defaultPrevented, Math.round(one.to - one.from)];
    """
    assert page.run(turn, False) == [False, 100000]
    assert page.run(turn, True) == [True, 36788]
    page.run("document.querySelector('.rows canvas').focus()")
    assert page.run(turn, False) == [True, 13534]


def test_very_many_moments_and_runs_stay_quick(open_report):
    stream = stream_of()
    page = open_report([(stream, made_up_images(stream, 9000, thumbnails=False))])
    assert page.run("return data.moments.length") > 1000
    assert len(page.all("#cards > li")) == 60
    page.find("show-more").click()
    assert len(page.all("#cards > li")) == 120

    took = page.run("""
      const [timeline] = timelines.values();
      const values = Array.from({ length: 300000 }, (_, at) =>
        at % 3 === 2 ? 1 + (at % 7) : Math.floor(at / 3) * 90 + (at % 3) * 60);
      timeline.stream.rows = [[0, values]];
      const began = performance.now();
      drawTimeline(timeline);
      const drawn = performance.now();
      spansOf(timeline.stream, [{ classes: [0], count: 2 }], 0);
      return [drawn - began, performance.now() - drawn];
    """)
    assert took[0] < 200  # milliseconds; some ten are usual
    assert took[1] < 1500


def test_two_fingers_zoom(open_report):
    page = open_report([drive()])
    before, after = page.run("""
      const canvas = document.querySelector(".rows canvas");
      const { left, width, top } = canvas.getBoundingClientRect();
      const touch = (type, pointerId, x) => canvas.dispatchEvent(new PointerEvent(type,
        { pointerId, pointerType: "touch", clientX: left + x * width, clientY: top + 9 }));
      const [one] = timelines.values();
      const before = one.to - one.from;
      touch("pointerdown", 1, 0.5);
      touch("pointerdown", 2, 0.6);
      touch("pointermove", 2, 0.7);
      touch("pointerup", 2, 0.7);
      touch("pointerup", 1, 0.5);
      return [before, one.to - one.from];
    """)
    assert (before, round(after)) == (100000, 50000)
    assert page.address() == ""  # no time was chosen
