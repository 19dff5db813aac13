"""A writer of captions and answers that does what it is told, without a server."""

from i2t_ros.pipeline.tasks.base import Outcome
from i2t_ros.pipeline.tasks.caption import Caption
from i2t_ros.vlm.prompt import Completion


class ScriptedWriter:
    """Stands for CaptionWriter and its language model.

    says     what it writes, one after the other; an exception is raised
    prompts  what it was asked, and the options of captions
    """

    name = "scripted at nowhere"
    report = "scripted"
    degraded = False
    width = 64
    time_limit = 1.0

    def __init__(self, *says):
        self.model = self
        self._says = list(says)
        self.prompts, self.options = [], []
        self.stopped = False

    def complete(self, prompt, told=None, stop=None):
        self.prompts.append(prompt)
        text = self._next()
        for end in range(1, len(text.split()) + 1):
            (told or (lambda text: None))(" ".join(text.split()[:end]))
        return Completion(text, 0.5)

    def run(self, image, options, language):
        self.options.append(options)
        return Outcome(Caption(self._next()))

    def stop(self):
        self.stopped = True

    def close(self):
        pass

    def _next(self):
        said = self._says.pop(0)
        if isinstance(said, Exception):
            raise said
        return said
