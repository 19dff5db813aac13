"""Every error that i2t_ros raises on purpose, each with a stable code; docs/errors.md lists them.

The code travels in ``Describe.error_code``, in HTTP replies and in exit messages; programs may
compare it. The message is for people: it names the thing, what was expected and what came, and,
if there is something to do, what to do.
"""

from typing import ClassVar

LONGEST_MESSAGE = 2000
"""Characters. What is quoted in a message may have any length, and goes into logs and replies."""

_BY_CODE: "dict[str, type[I2tError]]" = {}


class I2tError(Exception):
    """Base of the tree. ``code`` is stable between versions; ``str(error)`` is for people."""

    code: ClassVar[str] = "error"

    def __str__(self) -> str:
        """Return the message; of one that quotes very much, the beginning."""
        text = super().__str__()
        return text if len(text) <= LONGEST_MESSAGE else f"{text[: LONGEST_MESSAGE - 1]}…"

    def __init_subclass__(cls, code: str) -> None:
        """Give each class its code."""
        cls.code = code
        _BY_CODE[code] = cls


class ImageError(I2tError, code="bad_image"):
    """The picture cannot be used."""


class EmptyImageError(ImageError, code="empty_image"):
    """There are no bytes, or a side of zero pixels."""


class NotAnImageError(ImageError, code="not_an_image"):
    """The bytes do not begin like any picture format that is read here."""


class TruncatedImageError(ImageError, code="truncated_image"):
    """The bytes begin like a picture, but some are missing or damaged."""


class UnsupportedFormatError(ImageError, code="unsupported_format"):
    """A picture format or file extension that cannot be read or written here."""


class ImageTooLargeError(ImageError, code="image_too_large"):
    """More pixels, or more bytes, than the limit allows."""


class ImageMessageError(ImageError, code="bad_image_message"):
    """A ROS image message whose encoding, size, step and data do not fit together."""


class FetchError(ImageError, code="fetch_failed"):
    """The server of a picture's URL failed."""


class FetchRefusedError(ImageError, code="fetch_refused"):
    """A URL that is not fetched, or one that leads to an address that may not be reached."""


class BodyTooLargeError(ImageError, code="body_too_large"):
    """More bytes than are taken."""


class RequestError(I2tError, code="bad_request"):
    """The request names something that does not exist or makes no sense."""


class InvalidRequestError(RequestError, code="invalid_request"):
    """A value outside its range."""


class UnknownTaskError(RequestError, code="unknown_task"):
    """A task that is unknown, or that this process has no model for."""


class UnknownLanguageError(RequestError, code="unknown_language"):
    """A language that has no data file."""


class UnknownStyleError(RequestError, code="unknown_style"):
    """A sentence style that does not exist."""


class UnknownCameraError(RequestError, code="unknown_camera"):
    """A camera that this process does not serve."""


class NoFrameError(RequestError, code="no_frame"):
    """The newest frame was asked for, but none has come yet."""


class ModelError(I2tError, code="bad_model"):
    """The model's weights or description cannot be used."""


class UnknownModelError(ModelError, code="unknown_model"):
    """Neither an entry of the manifest nor a file."""


class ModelMissingError(ModelError, code="model_missing"):
    """The weights are not on this machine and may not be downloaded (offline)."""


class ModelCorruptError(ModelError, code="model_corrupt"):
    """The weights are not what the manifest says (size, SHA-256), no model, or damaged."""


class ModelMismatchError(ModelError, code="model_mismatch"):
    """The model's inputs or outputs are not what its description promises."""


class ScriptError(ModelError, code="script_not_read"):
    """There is writing in a script that the model does not read; other lines are read."""


class ModelDownloadError(ModelError, code="download_failed"):
    """The weights could not be downloaded: no network, refused, or cut off."""


class ModelCacheError(ModelError, code="cache_not_writable"):
    """The weights could not be stored: read-only, or the disk is full."""


class BackendError(I2tError, code="bad_backend"):
    """The backend that runs the model."""


class BackendMissingError(BackendError, code="backend_missing"):
    """A backend that is not installed; the message says how to install it."""


class BackendUnavailableError(BackendError, code="backend_unavailable"):
    """A backend that is installed but cannot do what was asked (device, provider, server)."""


class InferenceError(BackendError, code="inference_failed"):
    """The backend failed on one image."""


class SourceError(I2tError, code="bad_source"):
    """A camera, video, stream or folder of pictures."""


class SourceMissingError(SourceError, code="source_missing"):
    """No such camera, file or folder, or a folder without pictures."""


class SourceUnreadableError(SourceError, code="source_unreadable"):
    """It exists but cannot be read: not a video, no permission, or in use by another program."""


class SourceLostError(SourceError, code="source_lost"):
    """A stream or camera that does not answer, or no longer does."""


class ServiceError(I2tError, code="service_error"):
    """The state of this process, or of the one that it asks."""


class BusyError(ServiceError, code="busy"):
    """The queue of requests, or the memory for them, is full; try again."""


class TimeLimitError(ServiceError, code="time_limit"):
    """The answer did not come within the time limit."""


class NotActiveError(ServiceError, code="not_active"):
    """The node is not active (lifecycle) or has been disabled."""


class CanceledError(ServiceError, code="canceled"):
    """A goal of an action that a client has canceled before its result was there."""


class TranslationError(ServiceError, code="translation_failed"):
    """The translator cannot be used, refused, or gave a wrong answer; texts stay as they were."""


class SpeechError(ServiceError, code="speech_failed"):
    """A sentence could not be said: what makes its sound, or plays it, failed or was stopped."""


class LanguageModelError(ServiceError, code="vlm_failed"):
    """The server of the vision language model (VLM), or its answer, cannot be used."""


class LanguageModelOffError(LanguageModelError, code="vlm_off"):
    """Words of a language model were asked for, but no server has been named."""


class LanguageModelUnreachableError(LanguageModelError, code="vlm_unreachable"):
    """No server answers at the URL: nobody listens, the name is unknown, or TLS fails."""


class LanguageModelTimeError(LanguageModelError, code="vlm_time_limit"):
    """The server did not begin or end its answer within the time limit."""


class LanguageModelCutError(LanguageModelError, code="vlm_cut_off"):
    """The connection ended in the middle of the answer."""


class LanguageModelKeyError(LanguageModelError, code="vlm_unauthorized"):
    """The server wants another key, or one at all (HTTP 401 and 403)."""


class LanguageModelBusyError(LanguageModelError, code="vlm_busy"):
    """The server takes no more requests for now (HTTP 429), or too many wait for it here."""


class LanguageModelRefusedError(LanguageModelError, code="vlm_refused"):
    """The server takes no such request: it lacks the model, or that takes no pictures."""


class LanguageModelServerError(LanguageModelError, code="vlm_server_error"):
    """The server failed (HTTP 5xx), or reported an error in the middle of its answer."""


class LanguageModelProtocolError(LanguageModelError, code="vlm_not_an_api"):
    """The URL answers, but not as a chat-completions API does: with a web page, for example."""


class LanguageModelFormatError(LanguageModelError, code="vlm_bad_answer"):
    """The answer is no JSON, or not of the form that the API promises."""


class LanguageModelEmptyError(LanguageModelError, code="vlm_empty"):
    """The answer has no words."""


class LanguageModelEndlessError(LanguageModelError, code="vlm_endless"):
    """The answer went on after many times the tokens that it may have."""


class LanguageModelSizeError(LanguageModelError, code="vlm_too_large"):
    """The answer has more bytes than any answer of so few tokens."""


class DetectorUnreachableError(ServiceError, code="detector_unreachable"):
    """The bridge finds no detector to ask."""


def error_from_code(code: str, message: str) -> I2tError:
    """Return the error that another process reports; an unknown code gives a plain I2tError."""
    return _BY_CODE.get(code, I2tError)(message)
