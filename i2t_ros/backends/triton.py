"""A remote Triton Inference Server, over HTTP or gRPC (the Open Inference Protocol).

The server has the weights, under the name of the manifest entry. Several detectors may share one
server, which can batch their requests.
"""

import importlib.metadata
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tritonclient.grpc
import tritonclient.http
from tritonclient.utils import InferenceServerException, np_to_triton_dtype, triton_to_np_dtype

from i2t_ros.backends.base import MOST_CALLS, Backend, BackendOptions, Tensor
from i2t_ros.errors import BackendUnavailableError, InferenceError
from i2t_ros.models.manifest import ModelSpec
from i2t_ros.models.tensors import TensorInfo, check_shapes, example_inputs, match_tensors


class TritonBackend(Backend):
    """One model on one server, which batches or queues simultaneous requests.

    A connection belongs to the thread that opened it, because the HTTP client requires that. A
    broken connection is opened again, once per inference.
    """

    title = "Triton"
    concurrency = MOST_CALLS

    def __init__(self, spec: ModelSpec, files: Sequence[Path], options: BackendOptions) -> None:
        """Compare the server's model with the entry and run it once; ``files`` are not used.

        Raises BackendUnavailableError if the server cannot be reached or lacks the model.
        """
        scheme, _, address = options.url.rpartition("://")
        if not address or scheme not in ("", "http", "grpc"):
            raise BackendUnavailableError(
                "backend triton: expected a url such as http://robot:8000 or grpc://robot:8001, "
                f"got {options.url!r}"
            )
        address = address.rstrip("/")
        self._grpc = scheme == "grpc"
        self._client_module = tritonclient.grpc if self._grpc else tritonclient.http
        self._timeout = options.timeout
        # gRPC has the time limit for each call, HTTP for each connection.
        self._limit = {"client_timeout": self._timeout} if self._grpc else {}
        limits = () if self._grpc else ("connection_timeout", "network_timeout")
        self._connect = partial(
            self._client_module.InferenceServerClient,
            address,
            **dict.fromkeys(limits, self._timeout),
        )
        self._local = threading.local()
        self._clients: list[Any] = []
        self.model = spec.engine_model or spec.name
        self.device = f"{scheme or 'http'}://{address}"
        try:
            version, metadata, largest_batch = self._describe(self.model)
        except Exception as error:  # the two clients' errors have no common base class
            self.close()
            raise BackendUnavailableError(
                f"Triton at {options.url} does not serve {spec.engine_model or spec.name}: "
                f"{str(error) or repr(error)}; is the server running there, and has it loaded the "
                "model?"
            ) from error
        self._inputs, outputs = match_tensors(
            spec, _infos(metadata["inputs"]), _infos(metadata["outputs"])
        )
        self._outputs = [info.name for info in outputs]
        # With a batch, a constant input would need a copy for each image.
        self.batch = 1 if spec.input.constants else max(1, min(largest_batch, MOST_CALLS))
        self.report = f"Triton {version} at {self.device}, model {self.model}"
        self.infer(example_inputs(spec))

    @classmethod
    def engine(cls) -> tuple[str, tuple[str, ...]]:
        """Return the client's version and no devices: the server has those."""
        return f"client {importlib.metadata.version('tritonclient')}", ()

    def run(self, model: str, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Ask the server; see Backend. Raises InferenceError after the time limit."""
        check_shapes(inputs, self._inputs, self.title)
        try:
            result = self._ask(model, inputs)
        except InferenceServerException as error:
            raise InferenceError(f"Triton at {self.device} answered: {error}") from error
        except Exception as error:  # the two clients' errors have no common base class
            raise InferenceError(
                f"Triton at {self.device} could not be asked within {self._timeout} s: "
                f"{str(error) or repr(error)}"
            ) from error
        # Arrays from the network are read-only, but the outputs belong to the caller.
        return [np.require(result.as_numpy(name), requirements="W") for name in self._outputs]

    def close(self) -> None:
        """Close every connection; see Backend."""
        super().close()
        while self._clients:
            self._clients.pop().close()

    def _ask(self, model: str, inputs: Sequence[Tensor]) -> Any:
        """Send one request; send it again if the connection was broken."""
        module = self._client_module
        sent = []
        for info, given in zip(self._inputs, inputs, strict=True):
            dtype = np_to_triton_dtype(given.dtype)
            sent.append(module.InferInput(info.name, list(given.shape), dtype))
            sent[-1].set_data_from_numpy(np.ascontiguousarray(given))
        wanted = [module.InferRequestedOutput(name) for name in self._outputs]
        try:
            return self._client().infer(model, sent, outputs=wanted, **self._limit)
        except Exception as error:
            if not _is_broken(error):
                raise
            client = self._local.__dict__.pop("client")
            self._clients.remove(client)
            client.close()
            return self._client().infer(model, sent, outputs=wanted, **self._limit)

    def _describe(self, model: str) -> tuple[str, dict[str, Any], int]:
        """Return the server's version, the model's metadata and its max_batch_size, 0 for none."""
        client = self._client()
        how = {**self._limit, "as_json": True} if self._grpc else {}
        version = client.get_server_metadata(**how)["version"]
        config = client.get_model_config(model, **how)
        config = config["config"] if self._grpc else config
        metadata = client.get_model_metadata(model, **how)
        return version, metadata, int(config.get("max_batch_size", 0))

    def _client(self) -> Any:
        """Return this thread's connection."""
        if not hasattr(self._local, "client"):
            self._local.client = self._connect()
            self._clients.append(self._local.client)
        return self._local.client


def _infos(described: Sequence[dict[str, Any]]) -> list[TensorInfo]:
    return [
        TensorInfo(
            tensor["name"],
            tuple(map(int, tensor["shape"])),  # gRPC's JSON has them as strings
            np.dtype(triton_to_np_dtype(tensor["datatype"])).name,
        )
        for tensor in described
    ]


def _is_broken(error: Exception) -> bool:
    """Return whether the connection broke; the server may also have refused, or be slow."""
    if isinstance(error, InferenceServerException):
        return "UNAVAILABLE" in str(error.status())
    return not isinstance(error, TimeoutError)
