"""Models small enough to be written in a test, whose outputs anyone can compute."""

import numpy as np

SIZE = 8
BOXES = np.array([[[0.25, 0.5, 0.75, 1.0], [0.0, 0.0, 0.5, 0.25]]], np.float32)  # y, x, y, x
CLASSES = np.array([[0, 17]], np.float32)
COUNT = np.array([2], np.float32)


def constant_onnx(inputs, outputs, metadata=None):
    """Return an .onnx that gives the same outputs for every picture.

    inputs   name -> (shape, NumPy dtype); a side of 0 may have any length
    outputs  name -> array
    """
    import onnx  # noqa: PLC0415 (the tests that need it skip where it is absent)
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415

    kinds = {
        np.dtype(np.float32): TensorProto.FLOAT,
        np.dtype(np.float16): TensorProto.FLOAT16,
        np.dtype(np.float64): TensorProto.DOUBLE,
        np.dtype(np.uint8): TensorProto.UINT8,
        np.dtype(np.int64): TensorProto.INT64,
        np.dtype(np.int32): TensorProto.INT32,
    }
    nodes = [
        helper.make_node("Constant", [], [name], value=numpy_helper.from_array(value))
        for name, value in outputs.items()
    ]
    graph = helper.make_graph(
        nodes,
        "constant",
        [
            helper.make_tensor_value_info(
                name,
                kinds[np.dtype(dtype)],
                [side or f"{name}_{i}" for i, side in enumerate(shape)],
            )
            for name, (shape, dtype) in inputs.items()
        ],
        [
            helper.make_tensor_value_info(name, kinds[value.dtype], list(value.shape))
            for name, value in outputs.items()
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    for key, value in (metadata or {}).items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.checker.check_model(model)
    return model.SerializeToString()


def convolution_onnx(*, one_list=False):
    """Return an .onnx of a convolution, for any number of images at once.

    pictures (batch, 3, 8, 8) float32 -> scores (batch, 4, 8, 8) float32, each with its own values
    one_list  whether the output is all images' values in one list, whose length is no batch
    """
    import onnx  # noqa: PLC0415 (as above)
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415

    random = np.random.default_rng(7)
    weights = {
        "kernel": random.normal(size=(4, 3, 3, 3)).astype(np.float32),
        "flat": np.array([-1, 4], np.int64),
    }
    nodes = [
        helper.make_node("Conv", ["pictures", "kernel"], ["sums"], pads=[1, 1, 1, 1]),
        helper.make_node("Sigmoid", ["sums"], ["each" if one_list else "scores"]),
    ]
    if one_list:
        nodes.append(helper.make_node("Reshape", ["each", "flat"], ["scores"]))
    side = [SIZE, SIZE]
    graph = helper.make_graph(
        nodes,
        "convolution",
        [helper.make_tensor_value_info("pictures", TensorProto.FLOAT, ["batch", 3, *side])],
        [
            helper.make_tensor_value_info(
                "scores", TensorProto.FLOAT, ["found", 4] if one_list else ["batch", 4, *side]
            )
        ],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def quantized_ssd():
    """Return a .tflite: the outputs of TFLite_Detection_PostProcess, in 8 bits at both ends.

    Input (1, 8, 8, 3) uint8; two boxes, whose scores are the red and the green of the first
    pixel, divided by 255. The outputs are not in the order in which a decoder reads them.
    """
    import flatbuffers  # noqa: PLC0415 (comes with LiteRT)
    from ai_edge_litert import schema_py_generated as schema  # noqa: PLC0415

    buffers, tensors = [schema.BufferT()], []

    def tensor(name, shape, kind, data=None, scale=None):
        made = schema.TensorT()
        made.name, made.shape, made.type, made.buffer = name, shape, kind, 0
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(data.tobytes(), np.uint8)
            buffers.append(buffer)
            made.buffer = len(buffers) - 1
        if scale is not None:
            made.quantization = schema.QuantizationParametersT()
            made.quantization.scale, made.quantization.zeroPoint = [scale], [0]
        tensors.append(made)
        return len(tensors) - 1

    kinds = schema.TensorType
    picture = tensor("image", [1, SIZE, SIZE, 3], kinds.UINT8, scale=1 / 255)
    begin = tensor("begin", [4], kinds.INT32, np.zeros(4, np.int32))
    size = tensor("size", [4], kinds.INT32, np.array([1, 1, 1, 2], np.int32))
    first = tensor("first", [1, 1, 1, 2], kinds.UINT8, scale=1 / 255)
    shape = tensor("shape", [2], kinds.INT32, np.array([1, 2], np.int32))
    scores = tensor("scores", [1, 2], kinds.UINT8, scale=1 / 255)
    boxes = tensor("boxes", [1, 2, 4], kinds.FLOAT32, BOXES)
    classes = tensor("classes", [1, 2], kinds.FLOAT32, CLASSES)
    count = tensor("count", [1], kinds.FLOAT32, COUNT)

    def operator(code, inputs, outputs):
        made = schema.OperatorT()
        made.opcodeIndex, made.inputs, made.outputs = code, inputs, outputs
        return made

    def code(builtin):
        made = schema.OperatorCodeT()
        made.builtinCode, made.deprecatedBuiltinCode, made.version = builtin, builtin, 1
        return made

    graph = schema.SubGraphT()
    graph.tensors, graph.inputs, graph.outputs = tensors, [picture], [scores, count, boxes, classes]
    graph.operators = [
        operator(0, [picture, begin, size], [first]),
        operator(1, [first, shape], [scores]),
    ]
    model = schema.ModelT()
    model.version, model.subgraphs, model.buffers = 3, [graph], buffers
    model.operatorCodes = [code(schema.BuiltinOperator.SLICE), code(schema.BuiltinOperator.RESHAPE)]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
