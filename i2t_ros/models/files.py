"""What a model file is by its ending and its first bytes, before anything tries to load it."""

from pathlib import Path

from i2t_ros.errors import ModelCorruptError, ModelError, ModelMissingError

ONNX_AGAIN = "give the .onnx file, or export one"
OTHER_KINDS = {
    ".pt": "a PyTorch checkpoint, which needs the code that trained it: export it with "
    "`yolo export model={name} format=onnx` (Ultralytics) or its authors' export script",
    ".engine": "a TensorRT engine, which fits one GPU and one version of TensorRT only: give the "
    ".onnx file that it was built from; `providers: [tensorrt, cuda, cpu]` builds the engine",
    ".pb": "TensorFlow's: convert it to .tflite (TFLiteConverter) or .onnx (tf2onnx)",
    ".mlmodel": f"Core ML's, for Apple's machines: {ONNX_AGAIN}",
    ".caffemodel": f"Caffe's: {ONNX_AGAIN}",
    ".weights": f"Darknet's: {ONNX_AGAIN}",
    ".param": f"ncnn's: {ONNX_AGAIN}",
    ".bin": "weights only: for OpenVINO give the .xml file beside it, for ncnn export .onnx",
    ".data": "only the weights of an ONNX model: give the .onnx file beside it",
    ".rknn": f"for Rockchip's NPU: {ONNX_AGAIN}",
    ".hef": f"for Hailo's accelerators: {ONNX_AGAIN}",
    ".zip": "an archive: unpack it, and give the model in it",
    ".safetensors": "weights without a model: export the model to .onnx with optimum-cli or its "
    "authors' export script",
}
"""Ending -> what such a file is, and what to do."""
SAME_KIND = {
    **dict.fromkeys((".pth", ".ckpt", ".torchscript", ".ptl", ".pt2"), ".pt"),
    **dict.fromkeys((".trt", ".plan"), ".engine"),
    **dict.fromkeys((".h5", ".keras", ".hdf5"), ".pb"),
    **dict.fromkeys((".mlpackage", ".mlmodelc"), ".mlmodel"),
    **dict.fromkeys((".gz", ".tgz", ".tar", ".7z", ".xz"), ".zip"),
    ".onnx_data": ".data",
    ".prototxt": ".caffemodel",
}

LFS = b"version https://git-lfs.github.com/spec/"
PAGE = (b"<!doctype html", b"<html", b"<head")


def explain_ending(path: Path) -> str:
    """Return what a file is whose ending no backend here reads, and what to do; "": unknown."""
    suffix = path.suffix.lower()
    kind = OTHER_KINDS.get(SAME_KIND.get(suffix, suffix), "")
    return f"this is {kind.format(name=path.name)}" if kind else ""


def check_file(path: Path) -> None:
    """Refuse what is no model although its name says so.

    Raises ModelMissingError (not there, or not readable), ModelError for a folder, and
    ModelCorruptError for what came instead of a model; the message says what to do.
    """
    try:
        if path.is_dir():
            known = (".onnx", ".tflite", ".xml")
            inside = sorted(file.name for file in path.iterdir() if file.suffix in known)
            hint = "expected a model file, and found none in it"
            if inside:
                hint = f"give the path of a file in it: {', '.join(inside[:5])}"
            raise ModelError(f"{path} is a folder; {hint}")
        if not path.is_file():
            raise ModelMissingError(f"{path}: no such file")
        with path.open("rb") as stream:
            head = stream.read(512)
    except OSError as error:
        raise ModelMissingError(f"{path} cannot be read: {error}") from error
    if what := _not_a_model(head, path.suffix.lower()):
        raise ModelCorruptError(f"{path} {what}")


def _not_a_model(head: bytes, suffix: str) -> str:
    """Return what a file is by its first bytes, and what to do; "" if it may be a model."""
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    again = "download the file itself (on GitHub: the link Raw or Download)"
    onnx, tflite = suffix == ".onnx", head[4:8] == b"TFL3"
    kinds = (
        (not head, "is empty: download or copy it again"),
        (
            text.startswith(LFS),
            "is a Git LFS pointer, a text in place of the weights: run `git lfs pull` in its "
            "repository, or download the file itself",
        ),
        (text.startswith(PAGE), f"is a web page (HTML), not a model: {again}"),
        (
            onnx and text.startswith((b'{"', b"{\n")),
            f"is a JSON text, such as a server's error message, not a model: {again}",
        ),
        (
            onnx and text.startswith(b"<?xml"),
            "is XML: OpenVINO's (rename it to .xml) or a server's error message (download again)",
        ),
        (
            onnx and head.startswith(b"PK\x03\x04"),
            "is a zip archive: unpack it; PyTorch checkpoints (.pt) are such archives, too, and "
            "must be exported to ONNX",
        ),
        (
            head.startswith((b"\x1f\x8b", b"7z\xbc\xaf", b"\xfd7zXZ")),
            "is a compressed archive: unpack it",
        ),
        (onnx and tflite, "is a TensorFlow Lite model: rename it to end in .tflite"),
        (
            suffix == ".tflite" and not tflite,
            "is not a TensorFlow Lite model (no TFL3 in its first bytes): download it again",
        ),
        (
            suffix == ".xml" and b"<net" not in head and not text.startswith(b"<?xml"),
            "is not OpenVINO's XML (no <net> in it)",
        ),
    )
    return next((what for is_it, what in kinds if is_it), "")
