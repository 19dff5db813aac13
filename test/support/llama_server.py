"""llama.cpp's own HTTP server on a free port of the loopback; says where, and ends with its input.

Usage: llama_server.py MODEL MMPROJ NAME SLOTS [KEY]
"""

import sys


def main(model, mmproj, name, slots, *keys):
    import xllamacpp  # noqa: PLC0415 (only this process needs it)

    params = xllamacpp.CommonParams()  # on the loopback, and on a port that the kernel chooses
    params.model.path = model
    params.mmproj.path = mmproj
    params.model_alias = [name]
    params.api_keys = list(keys)
    params.endpoint_metrics = params.endpoint_slots = True
    params.n_parallel = int(slots)
    params.n_ctx = (1 << 15) * params.n_parallel
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.warmup = False
    server = xllamacpp.Server(params)  # returns when the model is loaded and the port is open
    print(server.listening_address, flush=True)  # noqa: T201 (that is how it says where)
    sys.stdin.read()


main(*sys.argv[1:])
