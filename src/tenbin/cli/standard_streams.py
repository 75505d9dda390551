"""Standard input, output and error, where whoever started us has closed some of them, as daemons are started."""

from __future__ import annotations

import os
import sys

STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def open_standard_streams() -> None:
    """Give those that are closed the null device.

    Else what is opened next bears their numbers: a worker would be handed the port in place of its standard input, and
    what the interpreter says of its own end would go to a client.
    """
    for number, (name, mode) in enumerate(STREAMS):
        try:
            os.fstat(number)
        except OSError:
            # The lowest number that is free, hence this one; whoever is started by us gets it, too.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, closefd=False))
