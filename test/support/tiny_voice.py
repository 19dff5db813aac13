"""A voice of Piper that is written in a test: its interface is real, its sound is a hum."""

import json

import numpy as np

SAMPLES = 2000
"""Of each phoneme, at the voice's own pace."""
RATE = 16_000


def write_voice(folder, language="en_US", voice="en-us"):
    """Write a voice's two files and return the path of the model.

    Its sound has as many samples as phonemes x SAMPLES x length_scale, and a pitch for each one.
    """
    import onnx  # noqa: PLC0415 (the tests that need it skip where it is absent)
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415
    from piper.phoneme_ids import DEFAULT_PHONEME_ID_MAP  # noqa: PLC0415

    def constant(name, values, kind=TensorProto.INT64):
        values = values if isinstance(values, list) else [values]
        tensor = helper.make_tensor(name, kind, [len(values)], values)
        return helper.make_node("Constant", [], [name], value=tensor)

    graph = helper.make_graph(
        [
            constant("one", 1),
            constant("second", [1]),
            constant("samples", [float(SAMPLES)], TensorProto.FLOAT),
            constant("flat", [1, 1, 1, -1]),
            constant("first_axis", [0, 1]),
            helper.make_node("Gather", ["scales", "second"], ["length_scale"]),
            helper.make_node("Mul", ["samples", "length_scale"], ["wanted"]),
            helper.make_node("Cast", ["wanted"], ["whole"], to=TensorProto.INT64),
            helper.make_node("Concat", ["one", "one", "one", "whole"], ["shape"], axis=0),
            helper.make_node("Cast", ["input"], ["ids"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["ids", "first_axis"], ["each"]),
            helper.make_node("Transpose", ["each"], ["column"], perm=[0, 1, 3, 2]),
            helper.make_node("Tile", ["column", "shape"], ["long"]),
            helper.make_node("Reshape", ["long", "flat"], ["levels"]),
            helper.make_node("CumSum", ["levels", "last_axis"], ["phase"]),
            helper.make_node("Mul", ["phase", "pitch"], ["angle"]),
            helper.make_node("Sin", ["angle"], ["output"]),
        ],
        "hum",
        [
            helper.make_tensor_value_info("input", TensorProto.INT64, [1, "phonemes"]),
            helper.make_tensor_value_info("input_lengths", TensorProto.INT64, [1]),
            helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3]),
        ],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 1, 1, "samples"])],
        [
            numpy_helper.from_array(np.array(3, np.int32), "last_axis"),
            numpy_helper.from_array(np.array([0.002], np.float32), "pitch"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    path = folder / f"{language}-hum.onnx"
    path.write_bytes(model.SerializeToString())
    description = {
        "audio": {"sample_rate": RATE},
        "espeak": {"voice": voice},
        "language": {"code": language},
        "inference": {"noise_scale": 0.6, "length_scale": 1.0, "noise_w": 0.8},
        "phoneme_type": "espeak",
        "phoneme_id_map": DEFAULT_PHONEME_ID_MAP,
        "num_symbols": 256,
        "num_speakers": 1,
    }
    (folder / f"{path.name}.json").write_text(json.dumps(description))
    return path
