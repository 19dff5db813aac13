"""A language model with eyes for llama.cpp: real files of a few hundred kilobytes, made of noise.

One word decides which may follow, whatever the noise adds. Asked anything, it says SENTENCE and
ends. Asked something with AT_LENGTH in it, it says WORDS in no order and never ends by itself.
"""

import itertools
from pathlib import Path

import numpy as np

SENTENCE = "A door and two chairs."
AT_LENGTH = "at length"
_AT_LENGTH = (
    "red blue green small large open closed near far left right above below chair table window "
    "lamp cup robot person dog cat wall floor shelf bottle plant with beside behind"
)
WORDS = tuple(_AT_LENGTH.split())
IMAGE_TOKENS = 4
"""How much longer a picture makes the prompt, whatever its size."""

WIDTH = 64
_LAYERS = 2
_PICTURE, _PATCH = 28, 14
_SENTENCE_TOKENS = ["A", "▁door", "▁and", "▁two", "▁chairs", "."]
_CONTROLS = ["<|turn|>", "<|short|>", "<|long|>"]
# Channels of the embedding that no layer writes to: one for all tokens, one for words at length,
# then one for each place in the sentence.
_ALL, _LONG, _PLACES = 0, 1, 2
_OWN = _PLACES + len(_SENTENCE_TOKENS) + 1
_TEMPLATE = (
    "{%- for message in messages -%}<|turn|>{{ message.role }}: {{ message.content }}{%- endfor -%}"
    "{%- if add_generation_prompt -%}"
    "{{ '<|long|>' if 'AT_LENGTH' in messages[-1].content else '<|short|>' }}"
    "{%- endif -%}"
).replace("AT_LENGTH", AT_LENGTH)


def _vocabulary():
    """Return tokens and their kinds; text that is not in it is read byte by byte."""
    import gguf  # noqa: PLC0415 (whoever runs the model has it)

    kinds = gguf.TokenType
    tokens = [("<unk>", kinds.UNKNOWN), ("<s>", kinds.CONTROL), ("</s>", kinds.CONTROL)]
    tokens += [(f"<0x{byte:02X}>", kinds.BYTE) for byte in range(256)]
    tokens += [(name, kinds.CONTROL) for name in _CONTROLS]
    tokens += [("▁", kinds.NORMAL)]  # a space
    tokens += [(word, kinds.NORMAL) for word in _SENTENCE_TOKENS]
    tokens += [(f"▁{word}", kinds.NORMAL) for word in WORDS]
    return tokens


def _chain(names, noise):
    """Return the embedding, and the output layer that makes one word follow another."""
    size = len(names)
    embedding = noise(size, WIDTH)
    output = 0.3 * noise(size, WIDTH)
    embedding[:, :_OWN] = output[:, :_OWN] = 0
    embedding[:, _ALL] = 4
    output[:, _ALL] = -20  # never said
    first = names.index(_SENTENCE_TOKENS[-1]) + 1
    embedding[[names.index("<|long|>"), *range(first, size)], _LONG] = 4
    output[first:, _ALL], output[first:, _LONG] = -10, 10
    path = ["<|short|>", *_SENTENCE_TOKENS, "</s>"]
    for place, (before, after) in enumerate(itertools.pairwise(path)):
        embedding[names.index(before), _PLACES + place] = 4
        output[names.index(after), [_ALL, _PLACES + place]] = -10, 20
    return embedding, output


def _write(path, architecture, describe, tensors):
    import gguf  # noqa: PLC0415 (whoever runs the model has it)

    writer = gguf.GGUFWriter(path, architecture)
    describe(writer)
    for name, values in tensors.items():
        writer.add_tensor(name, np.ascontiguousarray(values, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def language_model(path: Path) -> Path:
    """Write the part that reads and writes words."""
    random = np.random.default_rng(0)

    def noise(*shape):
        return random.standard_normal(shape)

    names, kinds = zip(*_vocabulary(), strict=True)
    embedding, output = _chain(names, noise)
    tensors = {
        "token_embd.weight": embedding,
        "output_norm.weight": np.ones(WIDTH),
        "output.weight": output,
    }
    for layer in range(_LAYERS):
        block = f"blk.{layer}."
        tensors |= {
            block + name: np.ones(WIDTH) for name in ("attn_norm.weight", "ffn_norm.weight")
        }
        for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
            tensors[f"{block}{name}.weight"] = 0.05 * noise(WIDTH, WIDTH)
        for name in ("attn_output", "ffn_down"):
            tensors[f"{block}{name}.weight"][:_OWN] = 0

    def describe(writer):
        writer.add_name("tiny")
        writer.add_context_length(1 << 17)
        writer.add_embedding_length(WIDTH)
        writer.add_block_count(_LAYERS)
        writer.add_feed_forward_length(WIDTH)
        writer.add_head_count(2)
        writer.add_head_count_kv(2)
        writer.add_layer_norm_rms_eps(1e-5)
        writer.add_tokenizer_model("llama")
        writer.add_token_list(names)
        writer.add_token_types(kinds)
        writer.add_token_scores([0.0] * len(names))
        writer.add_unk_token_id(0)
        writer.add_bos_token_id(1)
        writer.add_eos_token_id(2)
        writer.add_chat_template(_TEMPLATE)

    _write(path, "llama", describe, tensors)
    return path


def eyes(path: Path) -> Path:
    """Write the part that turns a picture into what stands in the place of words."""
    random = np.random.default_rng(1)

    def noise(*shape):
        return 0.1 * random.standard_normal(shape)

    # LLaVA takes the vision transformer's last layer but one: where there is one, its input.
    tensors = {
        "v.patch_embd.weight": noise(WIDTH, 3, _PATCH, _PATCH),
        "v.position_embd.weight": noise(IMAGE_TOKENS, WIDTH),
        "v.blk.0.attn_out.weight": noise(WIDTH, WIDTH),
        "v.blk.0.ffn_up.weight": noise(WIDTH, WIDTH),
        "v.blk.0.ffn_down.weight": noise(WIDTH, WIDTH),
        "mm.0.weight": noise(WIDTH, WIDTH),
        "mm.0.bias": noise(WIDTH),
        "mm.2.weight": noise(WIDTH, WIDTH),
        "mm.2.bias": noise(WIDTH),
    }

    def describe(writer):
        writer.add_type("mmproj")
        writer.add_clip_has_vision_encoder(True)
        writer.add_clip_projector_type("mlp")
        writer.add_vision_image_size(_PICTURE)
        writer.add_vision_patch_size(_PATCH)
        writer.add_vision_embedding_length(WIDTH)
        writer.add_vision_feed_forward_length(WIDTH)
        writer.add_vision_projection_dim(WIDTH)
        writer.add_vision_block_count(1)
        writer.add_vision_head_count(2)
        writer.add_vision_attention_layernorm_eps(1e-5)
        writer.add_vision_image_mean([0.5] * 3)
        writer.add_vision_image_std([0.5] * 3)

    _write(path, "clip", describe, tensors)
    return path
