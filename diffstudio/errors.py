"""The few exceptions a user can act on. Every message is one plain sentence."""


class DiffStudioError(Exception):
    """Base of all errors that are shown to the user as they are, without a traceback."""


class BadInput(DiffStudioError):
    """Something the user gave (an option, a request, a picture) can't be used."""


class BadFile(DiffStudioError):
    """A file can't be read or trusted; the message names the file, the field, found and expected."""


class NoRoom(DiffStudioError):
    """A run or an export needs more disk or memory than allowed.

    device: where the run would have room, "" where nothing is known of another place.
    half: whether it would have room in half precision.
    """

    def __init__(self, message: str, device: str = "", half: bool = False) -> None:
        super().__init__(message)
        self.device, self.half = device, half


class NotFound(DiffStudioError):
    """A model, checkpoint or file with that name does not exist."""
