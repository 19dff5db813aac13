"""A remote Triton Inference Server, over HTTP or gRPC (the Open Inference Protocol).

The server has the weights, under the name of the manifest entry. Several detectors may share one
server, which can batch their requests.
"""

from __future__ import annotations

import importlib.metadata
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tritonclient.grpc
import tritonclient.http
from tritonclient.utils import InferenceServerException, np_to_triton_dtype, triton_to_np_dtype

from i2t_ros.backends.base import MOST_CALLS, BackendOptions, Tensor
from i2t_ros.backends.tensor_checks import TensorInfo, check_inputs, check_outputs, example_inputs
from i2t_ros.errors import BackendUnavailableError, InferenceError, ModelMismatchError
from i2t_ros.models.manifest import ModelSpec


class TritonBackend:
    """One model on one server, which batches or queues simultaneous requests.

    A connection belongs to the thread that opened it, because the HTTP client requires that. A
    broken connection is opened again, once per inference.
    """

    concurrency = MOST_CALLS

    def __init__(self, spec: ModelSpec, files: Sequence[Path], options: BackendOptions) -> None:
        """Compare the server's model with the entry and run it once; ``files`` are not used.

        Raises BackendUnavailableError if the server cannot be reached or lacks the model.
        """
        self._scheme, self._address = _parse(options.url)
        self._model = spec.engine_model or spec.name
        self._timeout = options.timeout
        self._local = threading.local()
        self._clients: list[Any] = []
        self._closed = False
        try:
            version, metadata, largest_batch = self._describe()
        except (
            Exception
        ) as error:  # the errors of the two client libraries have no common base class
            self.close()
            raise BackendUnavailableError(
                f"Triton at {options.url} does not serve {self._model}: {error or type(error)}; "
                "is the server running there, and has it loaded the model?"
            ) from error
        self._inputs = check_inputs(spec, _infos(metadata["inputs"]))
        self._outputs = [info.name for info in check_outputs(spec, _infos(metadata["outputs"]))]
        # With a batch, a constant input would need a copy for each image.
        self.batch = 1 if spec.input.constants else max(1, min(largest_batch, MOST_CALLS))
        self.device = f"{self._scheme}://{self._address}"
        self.report = f"Triton {version} at {self.device}, model {self._model}"
        self.infer(example_inputs(spec))

    def infer(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Run the model once; see Backend. Raises InferenceError after the time limit."""
        if self._closed:
            raise InferenceError("triton: used after close()")
        for given, info in zip(inputs, self._inputs, strict=True):
            _check_shape(given, info)
        try:
            result = self._ask(inputs)
        except InferenceServerException as error:
            raise InferenceError(f"Triton at {self.device} answered: {error}") from error
        except (
            Exception
        ) as error:  # the errors of the two client libraries have no common base class
            raise InferenceError(
                f"Triton at {self.device} could not be asked within {self._timeout} s: "
                f"{error or type(error).__name__}"
            ) from error
        # Arrays from the network are read-only, but the outputs belong to the caller.
        return [np.require(result.as_numpy(name), requirements="W") for name in self._outputs]

    def close(self) -> None:
        """Close every connection; see Backend."""
        self._closed = True
        while self._clients:
            self._clients.pop().close()

    def _ask(self, inputs: Sequence[Tensor]) -> Any:
        """Send one request; send it again if the connection was broken."""
        module = _module(self._scheme)
        sent = [
            _input(module, info, given) for info, given in zip(self._inputs, inputs, strict=True)
        ]
        wanted = [module.InferRequestedOutput(name) for name in self._outputs]
        limit = {"client_timeout": self._timeout} if self._scheme == "grpc" else {}
        try:
            return self._client().infer(self._model, sent, outputs=wanted, **limit)
        except Exception as error:
            if not _is_broken(error):
                raise
            self._forget_client()
            return self._client().infer(self._model, sent, outputs=wanted, **limit)

    def _describe(self) -> tuple[str, dict[str, Any], int]:
        """Return the server's version, the model's metadata and its max_batch_size, 0 for none."""
        client = self._client()
        grpc = self._scheme == "grpc"
        limit = {"as_json": True, "client_timeout": self._timeout} if grpc else {}
        server = client.get_server_metadata(**limit)
        config = client.get_model_config(self._model, **limit)
        config = config["config"] if grpc else config
        metadata = client.get_model_metadata(self._model, **limit)
        return server["version"], metadata, int(config.get("max_batch_size", 0))

    def _client(self) -> Any:
        """Return this thread's connection."""
        client = getattr(self._local, "client", None)
        if client is None:
            limits = (
                {"connection_timeout": self._timeout, "network_timeout": self._timeout}
                if self._scheme == "http"
                else {}
            )
            client = _module(self._scheme).InferenceServerClient(self._address, **limits)
            self._local.client = client
            self._clients.append(client)
        return client

    def _forget_client(self) -> None:
        client = self._local.client
        self._local.client = None
        self._clients.remove(client)
        client.close()


def engine() -> tuple[str, tuple[str, ...]]:
    """Return the client's version and no devices: the server has those."""
    return f"client {importlib.metadata.version('tritonclient')}", ()


def _parse(url: str) -> tuple[str, str]:
    """Return the protocol and ``host:port`` of a server's address."""
    scheme, _, address = url.rpartition("://")
    scheme = scheme or "http"
    if not address or scheme not in ("http", "grpc"):
        raise BackendUnavailableError(
            f"backend triton: expected a url such as http://robot:8000 or grpc://robot:8001, "
            f"got {url!r}"
        )
    return scheme, address.rstrip("/")


def _module(scheme: str) -> Any:
    return tritonclient.http if scheme == "http" else tritonclient.grpc


def _input(module: Any, info: TensorInfo, given: Tensor) -> Any:
    tensor = module.InferInput(info.name, list(given.shape), np_to_triton_dtype(given.dtype))
    tensor.set_data_from_numpy(np.ascontiguousarray(given))
    return tensor


def _infos(described: Sequence[dict[str, Any]]) -> list[TensorInfo]:
    return [
        TensorInfo(
            tensor["name"],
            tuple(int(side) for side in tensor["shape"]),  # gRPC's JSON has them as strings
            np.dtype(triton_to_np_dtype(tensor["datatype"])).name,
        )
        for tensor in described
    ]


def _is_broken(error: Exception) -> bool:
    """Return whether the connection broke; the server may also have refused, or be slow."""
    if isinstance(error, InferenceServerException):
        return "UNAVAILABLE" in str(error.status())
    return not isinstance(error, TimeoutError)


def _check_shape(given: Tensor, info: TensorInfo) -> None:
    fits = given.ndim == len(info.shape) and all(
        own in (-1, side) for own, side in zip(info.shape, given.shape, strict=True)
    )
    if not fits:
        raise ModelMismatchError(f"Triton: input {info.name} takes {info.shape}, got {given.shape}")
