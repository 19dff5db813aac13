"""From a scene to what people get: its facts, its sentence, and a drawing."""

from i2t_ros import language as words
from i2t_ros.pipeline.describe_options import DescribeOptions
from i2t_ros.pipeline.tasks.registry import TASKS, scaled_scene
from i2t_ros.types import Image, Scene
from i2t_ros.vision.drawing import Pen, Plate, draw_plates


def tell(scene: Scene, options: DescribeOptions) -> str:
    """Return the sentence of a scene."""
    return words.compose(
        scene_facts(scene, words.check_style(options.style)),
        options.language,
        options.style,
        hedge=options.hedge,
        spoken=options.spoken,
        distance_unit=options.unit,
        languages=options.languages,
    )


def scene_facts(scene: Scene, style: words.Style) -> tuple[words.TaskFacts, ...]:
    """Return the facts of a scene, in the order in which a sentence has them."""
    size = scene.width, scene.height
    return tuple(
        task.facts(scene.results[name], size, style)
        for name, task in TASKS.items()
        if name in scene.results
    )


def draw(image: Image, scene: Scene, options: DescribeOptions) -> Image:
    """Return a copy of the image with everything that was found drawn on it.

    The image may be smaller than the picture that the scene is about.
    """
    canvas: Image = image.copy()
    scene = scaled_scene(scene, (image.shape[1], image.shape[0]))
    pen = Pen.for_image(image, options.draw.scale)
    for name, task in TASKS.items():
        if name in scene.results:
            task.draw(canvas, scene.results[name], pen, options.label, options.draw)
    draw_plates(canvas, plates_of(canvas, scene, pen, options), pen)
    return canvas


def plates_of(canvas: Image, scene: Scene, pen: Pen, options: DescribeOptions) -> list[Plate]:
    """Return the words of every task for a canvas as large as the scene; they are not written."""
    return [
        plate
        for name, task in TASKS.items()
        if name in scene.results
        for plate in task.plates(canvas, scene.results[name], pen, options.label, options.draw)
    ]
