"""The server as a process: its log, its signals, its end."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable

from .model import Model
from .server import Server, ServerConfig


def serve(load: Callable[[], Model], config: ServerConfig) -> None:
    """Serve until a `Shutdown` message, SIGTERM, Ctrl-C or the end of the parent process.

    Raises:
        DuologueError: what `Server.open` raises.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    server = Server(load, config)
    server.open()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    server.run()
    # All of ours is closed; the libraries' own clearing up would take seconds, or wait for an import to end.
    logging.shutdown()
    os._exit(0)
