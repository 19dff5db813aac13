"""A real Triton Inference Server with three models, run by the Python of .venv-triton.

Arguments: the HTTP port, the gRPC port, and yolox_nano.onnx. Prints "ready" and serves until its
standard input is closed.

yolox_nano  the real one, batched dynamically
fails       the same inputs and outputs; raises for any picture that is not black
slow        likewise, and takes 5 s for it
"""

import sys
import threading

import numpy as np
import onnxruntime
from pytriton.decorators import batch
from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

INPUTS = [Tensor(name="images", dtype=np.float32, shape=(3, 416, 416))]
OUTPUTS = [Tensor(name="output", dtype=np.float32, shape=(3549, 85))]


def models(path):
    """Return name -> function."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    @batch
    def yolox_nano(images):
        each = [session.run(None, {"images": images[i : i + 1]})[0] for i in range(len(images))]
        return {"output": np.concatenate(each)}

    @batch
    def fails(images):
        if images.any():
            raise ValueError("this model fails on purpose")
        return {"output": np.zeros((len(images), 3549, 85), np.float32)}

    @batch
    def slow(images):
        if images.any():
            threading.Event().wait(5)
        return {"output": np.zeros((len(images), 3549, 85), np.float32)}

    return {"yolox_nano": yolox_nano, "fails": fails, "slow": slow}


def main(http_port, grpc_port, path):
    """Serve until standard input is closed."""
    settings = TritonConfig(
        http_address="127.0.0.1",
        grpc_address="127.0.0.1",
        http_port=int(http_port),
        grpc_port=int(grpc_port),
        allow_metrics=False,
        exit_timeout_secs=1,
    )
    batching = ModelConfig(
        max_batch_size=4, batcher=DynamicBatcher(max_queue_delay_microseconds=2000)
    )
    with Triton(config=settings) as server:
        for name, function in models(path).items():
            server.bind(name, function, INPUTS, OUTPUTS, config=batching)
        server.run()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
