"""Slow name servers of others delay no look-up of the process itself."""

import subprocess
import sys

SCRIPT = """
import socket, time, _socket
sleep, real = time.sleep, _socket.getaddrinfo
def slow(host, *args, **named):
    if host.startswith("slow"):
        sleep(1.5)
    return real("127.0.0.1", *args, **named)
_socket.getaddrinfo = socket.getaddrinfo = slow
from gevent import monkey
monkey.patch_all()
import gevent
from cropsvc.outbound.lookup import look_up
others = [gevent.spawn(look_up, f"slow{number}.test", 80) for number in range(20)]
gevent.sleep(0.1)
socket.getaddrinfo("redis.test", 6379)
print(sum(other.ready() for other in others))
gevent.joinall(others, timeout=10)
print({other.value[0][4] for other in others})
"""


def test_the_process_looks_names_up_while_those_of_others_are_slow() -> None:
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=True
    )
    assert run.stdout.splitlines() == ["0", "{('127.0.0.1', 80)}"]
