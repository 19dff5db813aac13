"""Every error that i2t_ros raises on purpose, each with a stable code.

I2tError
 ├─ ImageError                  the picture itself
 │   ├─ EmptyImageError           empty_image
 │   ├─ NotAnImageError           not_an_image
 │   ├─ TruncatedImageError       truncated_image
 │   ├─ UnsupportedFormatError    unsupported_format
 │   ├─ ImageTooLargeError        image_too_large
 │   └─ ImageMessageError         bad_image_message
 ├─ RequestError                what was asked of us
 │   ├─ InvalidRequestError       invalid_request
 │   ├─ UnknownTaskError          unknown_task
 │   ├─ UnknownLanguageError      unknown_language
 │   ├─ UnknownStyleError         unknown_style
 │   ├─ UnknownCameraError        unknown_camera
 │   └─ NoFrameError              no_frame
 ├─ ModelError                  the file of weights
 │   ├─ UnknownModelError         unknown_model
 │   ├─ ModelMissingError         model_missing
 │   ├─ ModelCorruptError         model_corrupt
 │   ├─ ModelMismatchError        model_mismatch
 │   ├─ ModelDownloadError        download_failed
 │   └─ ModelCacheError           cache_not_writable
 ├─ BackendError                what runs the weights
 │   ├─ BackendMissingError       backend_missing
 │   ├─ BackendUnavailableError   backend_unavailable
 │   └─ InferenceError            inference_failed
 ├─ SourceError                 where images come from
 │   ├─ SourceMissingError        source_missing
 │   ├─ SourceUnreadableError     source_unreadable
 │   └─ SourceLostError           source_lost
 └─ ServiceError                the state of this process or of the one behind it
     ├─ BusyError                 busy
     ├─ TimeLimitError            time_limit
     ├─ NotActiveError            not_active
     ├─ TranslationError          translation_failed
     └─ DetectorUnreachableError  detector_unreachable

The code travels in ``Describe.error_code``, in HTTP replies and in exit messages; programs may
compare it. The message is for people: it names the thing, what was expected and what came, and,
where there is something to do, what to do.
"""

from typing import ClassVar


class I2tError(Exception):
    """Base of the tree. ``code`` is stable between versions; ``str(error)`` is for people."""

    code: ClassVar[str] = "error"


class ImageError(I2tError):
    """The picture cannot be used."""

    code = "bad_image"


class EmptyImageError(ImageError):
    """There are no bytes, or a side of zero pixels."""

    code = "empty_image"


class NotAnImageError(ImageError):
    """The bytes carry no signature of a picture format that is read here."""

    code = "not_an_image"


class TruncatedImageError(ImageError):
    """The bytes begin as a picture and do not hold all of it."""

    code = "truncated_image"


class UnsupportedFormatError(ImageError):
    """A picture format, or a file extension, that is not read or written here."""

    code = "unsupported_format"


class ImageTooLargeError(ImageError):
    """More pixels, or more bytes, than the limit allows."""

    code = "image_too_large"


class ImageMessageError(ImageError):
    """A ROS image message whose encoding, size, step and data do not fit together."""

    code = "bad_image_message"


class RequestError(I2tError):
    """The request names something that is not there or makes no sense."""

    code = "bad_request"


class InvalidRequestError(RequestError):
    """A value outside its range."""

    code = "invalid_request"


class UnknownTaskError(RequestError):
    """A task that is unknown, or that this process has no model for."""

    code = "unknown_task"


class UnknownLanguageError(RequestError):
    """A language for which there is no data."""

    code = "unknown_language"


class UnknownStyleError(RequestError):
    """A sentence style that does not exist."""

    code = "unknown_style"


class UnknownCameraError(RequestError):
    """A camera that this process does not serve."""

    code = "unknown_camera"


class NoFrameError(RequestError):
    """The newest frame was asked for and none has come yet."""

    code = "no_frame"


class ModelError(I2tError):
    """The model's weights or description cannot be used."""

    code = "bad_model"


class UnknownModelError(ModelError):
    """Neither an entry of the manifest nor a file."""

    code = "unknown_model"


class ModelMissingError(ModelError):
    """The weights are not on this machine and may not be downloaded (offline)."""

    code = "model_missing"


class ModelCorruptError(ModelError):
    """The weights are not what the manifest says (size, SHA-256), or cannot be parsed."""

    code = "model_corrupt"


class ModelMismatchError(ModelError):
    """The model's inputs or outputs are not those that its description promises."""

    code = "model_mismatch"


class ModelDownloadError(ModelError):
    """The weights could not be fetched: no network, a refusal, a cut."""

    code = "download_failed"


class ModelCacheError(ModelError):
    """The weights could not be stored: read-only, or the disk is full."""

    code = "cache_not_writable"


class BackendError(I2tError):
    """The engine that runs the weights."""

    code = "bad_backend"


class BackendMissingError(BackendError):
    """An engine that is not installed; the message says how to install it."""

    code = "backend_missing"


class BackendUnavailableError(BackendError):
    """An engine that is installed and cannot do what was asked (device, provider, server)."""

    code = "backend_unavailable"


class InferenceError(BackendError):
    """The engine failed on one image."""

    code = "inference_failed"


class SourceError(I2tError):
    """A camera, video, stream or folder of pictures."""

    code = "bad_source"


class SourceMissingError(SourceError):
    """No such camera, file or folder, or a folder without pictures."""

    code = "source_missing"


class SourceUnreadableError(SourceError):
    """It is there and cannot be read: no video, no permission, in use by another program."""

    code = "source_unreadable"


class SourceLostError(SourceError):
    """A stream or camera does not answer, or does so no longer."""

    code = "source_lost"


class ServiceError(I2tError):
    """The state of this process, or of the one that it asks."""

    code = "service_error"


class BusyError(ServiceError):
    """The bounded queue is full; try again."""

    code = "busy"


class TimeLimitError(ServiceError):
    """The answer did not come within the time limit."""

    code = "time_limit"


class NotActiveError(ServiceError):
    """The node is not active (lifecycle) or has been disabled."""

    code = "not_active"


class TranslationError(ServiceError):
    """The translator cannot be used, refused, or answered nonsense; texts stay as they were."""

    code = "translation_failed"


class DetectorUnreachableError(ServiceError):
    """A bridge finds no detector to ask."""

    code = "detector_unreachable"


def error_from_code(code: str, message: str) -> I2tError:
    """Return the error that another process tells of; a code unknown here gives an I2tError."""
    return _kinds(I2tError).get(code, I2tError)(message)


def _kinds(kind: type[I2tError]) -> dict[str, type[I2tError]]:
    kinds = {kind.code: kind}
    for child in kind.__subclasses__():
        kinds |= _kinds(child)
    return kinds
