"""Sentences of scenes, as the package makes them."""

from __future__ import annotations

from i2t_ros.language import compose
from i2t_ros.pipeline.telling import scene_facts
from i2t_ros.types import Scene


def compose_scene(
    scene: Scene, language: str = "en", style: str = "sentence", *, hedge: bool = False
) -> str:
    """Return what a scene shows, in words."""
    return compose(scene_facts(scene, style), language, style, hedge=hedge)
