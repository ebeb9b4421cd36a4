"""Why an address cannot be listened on, in one sentence."""

from __future__ import annotations

import errno
import os
import socket

from collector.errors import StartError


def cannot_listen(key: str, address: str, error: OSError | None) -> StartError:
    """Return the refusal to start; `key` is the setting that names `address`, and `error` why, as far as it is known."""
    if error is None:
        reason, advice = "", "is another program using it?"
    elif error.errno == errno.EADDRINUSE:
        reason, advice = "", "another program uses it: is another collector running?"
    elif error.errno is None or error.errno < 0:  # a code of getaddrinfo
        reason, advice = " (its host name is not known)", "name an address of this machine"
    else:
        reason, advice = f" ({os.strerror(error.errno)})", "name another address or port"
    return StartError(f"{key}: cannot listen on {address}{reason}: {advice}")


def tried(address: str) -> OSError | None:
    """Try an address host:port that another library could not listen on; return the reason that it kept to itself."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    try:
        socket.create_server((host, int(port)), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        return error
    return None
