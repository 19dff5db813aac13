"""Makes wrong bytes of right ones, as a broken or a hostile sender would."""

import struct
from collections.abc import Sequence
from random import Random

NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
"""Where counts and lengths go wrong."""
MANY = (2, 3, 10, 100, 1000, 100_000, 10_000_000)


def mutated(random: Random, data: bytes, words: Sequence[bytes], largest: int) -> bytes:
    """Return at most ``largest`` bytes: data with one to four changes.

    ``words`` mean something to whoever reads it.
    """
    for _ in range(random.choice((1, 1, 2, 4))):
        data = random.choice(CHANGES)(random, data, words, largest)
    return data[:largest]


def pieces(random: Random, data: bytes) -> list[bytes]:
    """Return data as it may arrive: whole, in a few pieces, or its first bytes one by one."""
    cuts = sorted(random.randrange(len(data) + 1) for _ in range(random.choice((0, 0, 1, 3))))
    if random.random() < 0.05:
        cuts = list(range(min(len(data), 40)))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def _at(random: Random, data: bytes) -> int:
    return random.randrange(len(data) + 1)


def _span(random: Random, data: bytes) -> tuple[int, int]:
    start = _at(random, data)
    return start, min(len(data), start + random.choice((1, 2, 4, 8, 16, 64, len(data))))


def _flip(random: Random, data: bytes, *_: object) -> bytes:
    if not data:
        return data
    at = random.randrange(len(data))
    return (
        data[:at]
        + bytes([random.choice((0, 1, 0x7F, 0xFF, data[at] ^ 1 << at % 8))])
        + data[at + 1 :]
    )


def _number(random: Random, data: bytes, *_: object) -> bytes:
    form = random.choice(("<H", ">H", "<I", ">I"))
    size, at = struct.calcsize(form), _at(random, data)
    value = random.choice(NUMBERS) & (1 << 8 * size) - 1
    return data[:at] + struct.pack(form, value) + data[at + size :]


def _digits(random: Random, data: bytes, *_: object) -> bytes:
    at = _at(random, data)
    return data[:at] + str(random.choice((*NUMBERS, -1, 10**30))).encode() + data[at + 1 :]


def _drop(random: Random, data: bytes, *_: object) -> bytes:
    start, end = _span(random, data)
    return data[:start] + data[end:]


def _cut(random: Random, data: bytes, *_: object) -> bytes:
    return data[: _at(random, data)]


def _repeat(random: Random, data: bytes, _: Sequence[bytes], largest: int) -> bytes:
    start, end = _span(random, data)
    times = min(random.choice(MANY), largest // max(1, end - start))
    return data[:start] + data[start:end] * times + data[end:]


def _insert(random: Random, data: bytes, words: Sequence[bytes], largest: int) -> bytes:
    at = _at(random, data)
    word = random.choice(words) if words else random.randbytes(4)
    times = min(random.choice((1, 1, 1, *MANY)), largest // max(1, len(word)))
    return data[:at] + word * times + data[at:]


def _swap(random: Random, data: bytes, *_: object) -> bytes:
    start, end = _span(random, data)
    at = _at(random, data[:start] + data[end:])
    rest = data[:start] + data[end:]
    return rest[:at] + data[start:end] + rest[at:]


def _noise(random: Random, data: bytes, *_: object) -> bytes:
    start, end = _span(random, data)
    return data[:start] + random.randbytes(min(end - start, 1000)) + data[end:]


CHANGES = (
    _flip,
    _flip,
    _number,
    _number,
    _digits,
    _drop,
    _cut,
    _repeat,
    _insert,
    _insert,
    _swap,
    _noise,
)
