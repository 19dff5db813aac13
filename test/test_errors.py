from i2t_ros import errors


def every_error(kind=errors.I2tError):
    return [kind, *(leaf for sub in kind.__subclasses__() for leaf in every_error(sub))]


def test_every_code_is_its_own():
    codes = [kind.code for kind in every_error()]
    assert len(set(codes)) == len(codes)


def test_an_error_survives_its_code():
    for kind in every_error():
        told = errors.error_from_code(kind.code, "what went wrong")
        assert type(told) is kind
        assert str(told) == "what went wrong"


def test_a_code_of_a_later_version_is_still_an_error():
    assert type(errors.error_from_code("out_of_tea", "none left")) is errors.I2tError
