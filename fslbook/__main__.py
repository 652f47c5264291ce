"""`python -m fslbook`: the command line of `fslbook.paper`, and what a terminal asks of a process."""

import codecs
import os
import sys

from fslbook.paper.command_line import main

PLAIN = {"±": "+-", "×": "x", "–": "-", "−": "-", "\u00a0": " "}


def _run() -> int:
    codecs.register_error("plain", _in_plain_letters)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(errors="plain")  # type: ignore[union-attr]
    try:
        status = main()
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except BrokenPipeError:  # `list | head -1`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains when it closes stdout
        return 128 + 13  # as if the signal had ended it
    except OSError as error:  # such as a full disk behind stdout
        print(f"fslbook: {error}", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2


def _in_plain_letters(error: UnicodeError) -> tuple[str, int]:
    """For a terminal that knows ASCII alone: its word for a letter, or a question mark."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(PLAIN.get(letter, "?") for letter in error.object[error.start : error.end]), error.end


if __name__ == "__main__":
    sys.exit(_run())
