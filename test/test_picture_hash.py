from array import array

import pytest

from i2t_ros.pipeline.picture_hash import identify


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, lambda data: array("B", data)])
def test_the_hashes_are_those_of_the_bytes(kind):
    identity = identify(kind(b"abc"))
    # The test vectors of FIPS 180-2 and RFC 1321.
    assert identity.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert identity.md5 == "900150983cd24fb0d6963f7d28e17f72"
    assert identity.size == 3


def test_bytes_and_not_pixels_are_identified(shared):
    data = (shared / "images" / "cat_720p.jpg").read_bytes()
    assert identify(data).size == len(data)
    assert identify(data) == identify(bytearray(data))
    # A comment in the file changes no pixel and makes another picture of it.
    marked = data[:2] + b"\xff\xfe\x00\x03x" + data[2:]
    assert identify(marked).sha256 != identify(data).sha256
