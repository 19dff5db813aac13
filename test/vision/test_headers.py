"""Where pictures end, what stands behind them, and files made to be slow or large."""

import io
import struct
import time
import zlib

import cv2
import numpy as np
import pytest
from picture_files import exif, photo, png, png_chunk, segment
from PIL import Image as PillowImage

from i2t_ros.errors import ImageError, TruncatedImageError, UnsupportedFormatError
from i2t_ros.types import Picture
from i2t_ros.vision.codecs import decode_image, is_heavy, read_header
from i2t_ros.vision.headers import MOST_SCANS, Layout, check_complete, read_layout

PHOTO = photo()


def jpeg(**how):
    out = io.BytesIO()
    PillowImage.fromarray(PHOTO[..., ::-1]).save(out, "JPEG", **how)
    return out.getvalue()


WHOLE = {
    "baseline": jpeg(),
    "gray": cv2.imencode(".jpg", PHOTO[..., 0])[1].tobytes(),
    "progressive": jpeg(progressive=True),
    "restart markers": cv2.imencode(".jpg", PHOTO, [cv2.IMWRITE_JPEG_RST_INTERVAL, 1])[1].tobytes(),
    "profile": jpeg(icc_profile=bytes(200_000)),
    "comment with markers": jpeg(comment=b"\xff\xd9\xff\xda\xff\xd8"),
    "thumbnail": jpeg(exif=exif(1) + jpeg()),
}
MOVIE = b"\0\0\0\x18ftypmp42" + np.random.default_rng(3).bytes(40_000) + b"\xff\xda"
BEHIND = {
    "nothing": b"",
    "zeros": bytes(5000),
    "a movie": MOVIE,
    "a movie without any end marker": MOVIE.replace(b"\xff\xd9", b"ab"),
    "more pictures": jpeg(quality=30) + jpeg()[:200],
    "a phone's trailer": b"\0\0\x01\x0a\x0e\0\0\0Image_UTC_Data" + MOVIE + b"SEFT",
}


@pytest.mark.parametrize("behind", BEHIND)
@pytest.mark.parametrize("kind", WHOLE)
def test_a_jpeg_ends_where_its_own_image_ends(kind, behind):
    data = WHOLE[kind]
    assert decode_image(data + BEHIND[behind]).shape == PHOTO.shape
    check_complete(data + BEHIND[behind], "jpeg")
    for cut in (len(data) - 2, len(data) * 2 // 3):  # what is missing does not stand behind
        with pytest.raises(TruncatedImageError):
            decode_image(data[:cut] + bytes(100))


def test_bytes_between_segments_and_repeated_fill_bytes_are_passed_over():
    data = WHOLE["baseline"]
    at = 4 + int.from_bytes(data[4:6], "big")
    assert decode_image(data[:at] + b"abc\xff\xff\xff" + data[at:]).shape == PHOTO.shape


@pytest.mark.parametrize("kind", WHOLE)
def test_only_jpegs_that_need_it_are_held_in_memory_as_a_whole(kind):
    layout = read_layout(WHOLE[kind], "jpeg")
    assert (layout.width, layout.height) == PHOTO.shape[1::-1]
    assert layout.buffered == (kind == "progressive")


@pytest.mark.parametrize(
    ("tiff", "orientation"),
    [
        (exif(6), 6),
        (exif(6, order=">"), 6),
        (exif(6, kind=4), 6),
        (exif(0), 1),
        (exif(9), 1),
        (exif(6)[:-8], 1),
        (b"II*\0" + struct.pack("<I", 2**32 - 1), 1),
        (b"II*\0" + struct.pack("<IH", 8, 65_535), 1),
        (b"XX*\0", 1),
        (b"", 1),
    ],
)
def test_only_a_sound_orientation_is_taken(tiff, orientation):
    data = WHOLE["baseline"]
    data = data[:2] + segment(0xE1, b"Exif\0\0" + tiff) + data[2:]
    assert read_layout(data, "jpeg").orientation == orientation
    assert decode_image(data).shape[:2] == ((60, 80) if orientation == 1 else (80, 60))


def test_layouts_of_png():
    assert read_layout(png(8, 6, 16, 0, bytes(102)), "png") == Layout(8, 6, bits=16)
    key = (b"tRNS", b"\0\7")
    assert read_layout(png(8, 6, 8, 0, bytes(54), [key]), "png") == Layout(8, 6, key=7)
    late = png(8, 6, 8, 2, bytes(150))
    late = late[:-12] + png_chunk(b"eXIf", exif(6)) + late[-12:]
    assert read_header(Picture(late)) == ("png", 6, 8)


def long_png(length):
    """Return 57 bytes whose first chunk of pixels says that it has this length."""
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 6, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + struct.pack(">I", length) + b"IDAT" + bytes(16)


def webp(**changes):
    out = io.BytesIO()
    PillowImage.fromarray(PHOTO).save(out, "WEBP", **changes)
    return bytearray(out.getvalue())


def webp_with(at, value):
    data = webp()
    data[at : at + 4] = struct.pack("<I", value)
    return bytes(data)


def bmp_with(at, value):
    data = bytearray(cv2.imencode(".bmp", PHOTO)[1].tobytes())
    data[at : at + 4] = struct.pack("<I", value)
    return bytes(data)


@pytest.mark.parametrize(
    "data",
    [
        long_png(0x7FFFFFFF),
        long_png(0xFFFFFFFF),
        long_png(17),
        webp_with(4, 0xFFFFFFF0),
        webp_with(16, 0xFFFFFFF0),
        webp_with(16, 10**6),
        bmp_with(10, 0x7FFFFFFF),
        bmp_with(10, 10**6),
        WHOLE["baseline"][:2] + b"\xff\xe1\xff\xff" + WHOLE["baseline"][2:],
    ],
    ids=lambda data: f"{data[:2].hex()}-{len(data)}",
)
def test_a_length_beyond_the_file_is_a_cut_picture(data):
    with pytest.raises(TruncatedImageError):
        decode_image(data)


def scans(number, between=b""):
    """Return a progressive JPEG that refines one coefficient again and again."""
    data = WHOLE["progressive"]
    second = data.index(b"\xff\xda", data.index(b"\xff\xda") + 2)
    scan = b"\xff\xda" + struct.pack(">HBBB", 8, 1, 1, 0) + bytes([1, 63, 0]) + bytes(2)
    return data[:second] + (between + scan) * number + b"\xff\xd9"


@pytest.mark.parametrize("between", [b"", segment(0xFE, b"again"), b"\xff\xff"])
def test_a_jpeg_of_more_scans_than_anybody_writes_is_refused(between):
    with pytest.raises(UnsupportedFormatError, match=f"more than {MOST_SCANS} scans"):
        decode_image(scans(1000, between))
    check_complete(scans(MOST_SCANS - 1), "jpeg")


def large_scans(number, side, marker=0xC2):
    """Return a gray JPEG of a few kB whose scans refine all coefficients and change none."""
    blocks = (side // 8) ** 2
    # One code each, of one bit: a difference of 0; and a run of 32,767 blocks without a change.
    codes = [
        bytes([kind, 1]) + bytes(15) + bytes([symbol]) for kind, symbol in ((0, 0), (16, 0xE0))
    ]
    head = b"\xff\xd8" + segment(0xDB, bytes([0]) + bytes([1] * 64))
    head += b"".join(segment(0xC4, code) for code in codes)
    head += segment(marker, struct.pack(">BHHB", 8, side, side, 1) + bytes([1, 0x11, 0]))
    first = segment(0xDA, bytes([1, 1, 0, 0, 0, 0])) + bytes(blocks // 8 + 1)
    run = segment(0xDA, bytes([1, 1, 0, 1, 63, 0x10])) + b"\x7f\xfe" * (blocks // 32_767 + 1)
    return head + first + run * (number - 1) + b"\xff\xd9"


@pytest.mark.parametrize(("number", "side"), [(100, 4000), (26, 6320), (13, 8800)])
def test_scans_times_pixels_are_limited(number, side):
    with pytest.raises(UnsupportedFormatError, match=f"{side}x{side}.* has {number} scans; the li"):
        decode_image(large_scans(number, side))


def test_a_picture_of_twice_the_limit_may_have_libjpegs_own_scans():
    assert decode_image(large_scans(12, 400), max_pixels=80_000).shape == (200, 200, 3)
    with pytest.raises(UnsupportedFormatError, match="the limit for that size is 12"):
        decode_image(large_scans(13, 400), max_pixels=80_000)


@pytest.mark.parametrize("marker", [0xC3, 0xC5, 0xC9, 0xCA, 0xCB, 0xCF])
def test_kinds_of_jpeg_that_nobody_writes_are_named(marker):
    with pytest.raises(UnsupportedFormatError, match=f"frame marker 0x{marker:02x}"):
        read_header(Picture(large_scans(2, 80, marker)))


MANY = 8_000_000
HOSTILE = {
    "fill bytes": b"\xff\xd8" + b"\xff" * MANY,
    "padding": WHOLE["baseline"][:20] + bytes(MANY),
    "empty segments": b"\xff\xd8" + b"\xff\xe0\0\2" * (MANY // 4),
    "segments without a length": b"\xff\xd8" + b"\xff\xd0" * (MANY // 2),
    "escaped bytes": WHOLE["baseline"][:-2] + b"\xff\0" * (MANY // 2),
    "restarts": WHOLE["baseline"][:-2] + b"\xff\xd0" * (MANY // 2),
    "chunks": png(8, 6, 8, 2, bytes(150))[:-12] + png_chunk(b"abCd", b"") * (MANY // 12),
    "webp chunks": b"RIFF"
    + struct.pack("<I", 26 + MANY)
    + b"WEBPVP8X"
    + struct.pack("<I", 10)
    + bytes(10)
    + b"abcd\0\0\0\0" * (MANY // 8),
    "tags": b"\xff\xd8"
    + segment(0xE1, b"Exif\0\0II*\0" + struct.pack("<IH", 8, 5400) + bytes(64_800)) * 120,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_no_header_is_slow(kind):
    started = time.thread_time()
    with pytest.raises(ImageError):
        decode_image(HOSTILE[kind])
    # 0.01 to 0.1 s; without limits on what is walked these took 10 s and more.
    assert time.thread_time() - started < 1


@pytest.mark.parametrize("fmt", ["jpeg", "png", "webp", "bmp"])
def test_no_damage_to_a_header_raises_anything_else(fmt):
    rng = np.random.default_rng(5)
    whole = bytes(webp()) if fmt == "webp" else cv2.imencode(f".{fmt}", PHOTO)[1].tobytes()
    for _ in range(150):
        data = bytearray(whole)
        for at in rng.integers(0, min(len(data), 200), 3):
            data[at] = rng.integers(0, 256)
        for check in (read_layout, check_complete):
            try:
                check(bytes(data), fmt)
            except ImageError:
                continue


BOMB = zlib.compress(bytes(7_900_000))  # libpng's limit for one text is 8 MB
TEXTS = {"zTXt": b"a\0\0" + BOMB, "iTXt": b"a\0\1\0\0\0" + BOMB, "iCCP": b"a\0\0" + BOMB}


@pytest.mark.parametrize("behind", [False, True], ids=["before the pixels", "behind them"])
@pytest.mark.parametrize("name", TEXTS)
def test_zipped_bombs_of_text_are_not_unpacked(name, behind):
    whole = png(8, 6, 8, 2, bytes(150))
    at = len(whole) - 12 if behind else 33
    data = whole[:at] + png_chunk(name.encode(), TEXTS[name]) * 300 + whole[at:]
    started = time.thread_time()
    assert decode_image(data).shape == (6, 8, 3)
    assert time.thread_time() - started < 1  # 0.01 s; 10 s if they are unpacked


@pytest.mark.parametrize("parts", [1, 7, 2000])
def test_compressed_data_beyond_the_pixels_is_not_unpacked(parts):
    packer = zlib.compressobj(9)
    body = packer.compress(bytes(150)) + packer.flush(zlib.Z_FULL_FLUSH)
    body += (packer.compress(bytes(1_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)) * 1000
    step = -(-len(body) // parts)
    whole = png(8, 6, 8, 2, bytes(150))
    chunks = [png_chunk(b"IDAT", body[at : at + step]) for at in range(0, len(body), step)]
    started = time.thread_time()
    with pytest.raises(UnsupportedFormatError, match="more compressed data than its pixels need"):
        decode_image(whole[:33] + b"".join(chunks) + whole[-12:])
    assert time.thread_time() - started < 1


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("color", [0, 2, 4, 6])
def test_compressed_data_that_barely_shrinks_is_no_attack(color, bits):
    width, height = 2500, 700 if bits == 8 else 400
    rows = np.random.default_rng(1).integers(
        0, 64, (height, 1 + width * {0: 1, 2: 3, 4: 2, 6: 4}[color] * bits // 8), np.uint8
    )
    rows[:, 0] = 0
    data = png(width, height, bits, color, rows.tobytes())
    assert len(data) * 1032 > 50_000_000  # it is looked at
    assert decode_image(data).shape == (height, width, 3)


def test_what_a_png_has_beside_its_pixels_changes_none():
    colors = [(b"PLTE", bytes([9, 8, 7, 200, 100, 50])), (b"tRNS", b"\xff\0")]
    rows = b"\0\x55" * 6
    plain = decode_image(png(8, 6, 1, 3, rows, colors))
    extra = [(b"gAMA", struct.pack(">I", 10)), (b"tEXt", b"a\0b"), (b"pHYs", bytes(9))]
    assert np.array_equal(decode_image(png(8, 6, 1, 3, rows, extra + colors)), plain)
    assert {tuple(color) for color in plain.reshape(-1, 3).tolist()} == {(7, 8, 9), (255,) * 3}


def announced(fmt, width, height):
    """Return the beginning of a picture of this size."""
    if fmt == "png":
        return png(width, height, 8, 2, b"")
    if fmt == "webp":
        size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        return b"RIFF\xff\0\0\0WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + size
    if fmt == "bmp":
        return b"BM" + bytes(12) + struct.pack("<IiiHHI", 40, width, -height, 1, 24, 0)
    return large_scans(2, width, 0xC0 if fmt == "jpeg" else 0xC2)


@pytest.mark.parametrize(
    ("fmt", "light", "heavy", "heavy_drawn"),
    [
        ("jpeg", 5000, 5600, 4400),
        ("progressive", 1600, 1760, 1680),
        ("png", 2400, 2640, 1480),
        ("webp", 2400, 2640, 1280),
        ("bmp", 5000, 5600, 4560),
    ],
)
def test_how_heavy_a_picture_is_stands_in_its_header(fmt, light, heavy, heavy_drawn):
    assert not is_heavy(Picture(announced(fmt, light, light)))
    assert is_heavy(Picture(announced(fmt, heavy, heavy)))
    assert is_heavy(Picture(announced(fmt, heavy_drawn, heavy_drawn)), annotate=True)
    assert not is_heavy(Picture(announced(fmt, 640, 640)), annotate=True)


@pytest.mark.parametrize("data", [b"", b"no picture", WHOLE["baseline"][:20], b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_not_heavy(data):
    assert not is_heavy(Picture(data))
