"""The command ``openvoice``, from its first moment on."""

import signal


def main() -> int:
    """Run the command line and return its exit code.

    It stands outside of the package, for a module in it would be imported after the package: while that loads, for a
    quarter of a second, Ctrl-C ends the program at once and without a word. There is nothing to say goodbye to yet.
    """
    stoppable = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if stoppable:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from openvoice.cli import main as run

    if stoppable:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return run()
