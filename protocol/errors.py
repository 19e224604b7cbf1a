"""The one exception that people see: what went wrong, and what to do next."""


class DuologueError(Exception):
    """An error fit to be shown to a person, in Blender or on the command line.

    Attributes:
        code: stable machine-readable name in snake_case, such as ``"motion_not_finite"``.
        message: one sentence that says what went wrong.
        hint: one sentence that says what to do next; may be empty when there is nothing to do.
    """

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".rstrip())
        self.code = code
        self.message = message
        self.hint = hint
