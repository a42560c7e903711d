"""The load generator: one thread, non-blocking sockets, keep-alive, a closed loop per client.

It shares the cores with what it measures, so it does little: an upload is handed to the kernel
from where it lies, a response is read into one buffer. Its own CPU time is part of the result.
"""

import heapq
import itertools
import re
import selectors
import socket
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field

from bench.results import BenchError

READ_BYTES = 1 << 18
STALL_SECONDS = 60.0
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CLOSES = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)

Address = tuple[str, int]


@dataclass(frozen=True)
class Send:
    """One request, in the parts that make it up."""

    parts: tuple[bytes, ...]


@dataclass(frozen=True)
class Pause:
    """Seconds to wait, as a page does between two polls."""

    seconds: float


@dataclass(frozen=True)
class Answer:
    """One response."""

    status: int
    head: bytes
    body: bytes

    def expect(self, status: int) -> "Answer":
        """Itself; raises BenchError on another status, with what the server said."""
        if self.status != status:
            raise BenchError(f"{self.status} instead of {status}: {self.body[:400]!r}")
        return self


Step = Send | Pause
Exchange = Callable[[int], Generator[Step, Answer, None]]
"""What a client does again and again; its argument counts the exchanges of all clients."""


@dataclass
class Load:
    """What came out: when each exchange ended, how long it took, and our own CPU time."""

    clients: int
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    ended: list[float] = field(default_factory=list)
    took: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Exchanges per second, from end to end, without each client's first."""
        steady = self.ended[self.clients - 1 :]
        if len(steady) < 2:
            raise BenchError(f"only {len(self.ended)} exchanges in {self.seconds:.1f} s")
        return (len(steady) - 1) / (steady[-1] - steady[0])

    @property
    def cpu_percent(self) -> float:
        """Our own share of one core."""
        return 100 * self.cpu_seconds / self.seconds


def run(
    addresses: Sequence[Address],
    exchange: Exchange,
    *,
    clients: int,
    seconds: float = 3600.0,
    exchanges: int = 10**9,
) -> Load:
    """Runs *clients*, spread evenly over *addresses*, for *seconds* or so many *exchanges*."""
    load = Load(clients)
    with selectors.DefaultSelector() as selector:
        crowd = _Crowd(selector, load, exchange, exchanges)
        for number in range(clients):
            crowd.add(addresses[number % len(addresses)])
        started, cpu = time.perf_counter(), time.process_time()
        crowd.run(started + seconds)
        load.seconds = time.perf_counter() - started
        load.cpu_seconds = time.process_time() - cpu
        crowd.close()
    return load


class _Crowd:
    """All clients, and the loop that turns them."""

    def __init__(
        self, selector: selectors.BaseSelector, load: Load, exchange: Exchange, exchanges: int
    ) -> None:
        self.selector, self.load, self.exchange = selector, load, exchange
        self.numbers: Iterator[int] = iter(range(exchanges))
        self.buffer = memoryview(bytearray(READ_BYTES))
        self.paused: list[tuple[float, int, _Client]] = []
        self._tie = itertools.count()
        self._clients: list[_Client] = []
        self.busy = 0
        self.deadline = 0.0

    def add(self, address: Address) -> None:
        """One more client, connected."""
        self._clients.append(_Client(self, address))

    def run(self, deadline: float) -> None:
        """Turns until *deadline*, or until there is nothing more to do."""
        self.deadline = deadline
        self.busy = len(self._clients)
        for client in self._clients:
            client.begin()
        while self.busy:
            self._turn()

    @property
    def is_over(self) -> bool:
        """Whether no exchange is begun any more; those under way are waited for."""
        enough = len(self.load.ended) >= 2 * self.load.clients
        return enough and time.perf_counter() >= self.deadline

    def _turn(self) -> None:
        wake = self.paused[0][0] - time.perf_counter() if self.paused else STALL_SECONDS
        ready = self.selector.select(max(0.0, wake))
        if not ready and not self.paused:
            raise BenchError(f"no answer for {STALL_SECONDS:g} s")
        for key, events in ready:
            key.data.serve(events)
        while self.paused and self.paused[0][0] <= time.perf_counter():
            heapq.heappop(self.paused)[2].advance(None)

    def pause(self, client: "_Client", seconds: float) -> None:
        """Wakes *client* later."""
        heapq.heappush(self.paused, (time.perf_counter() + seconds, next(self._tie), client))

    def close(self) -> None:
        """Ends all connections."""
        for client in self._clients:
            client.socket.close()


class _Client:
    """One keep-alive connection and where its exchange is."""

    def __init__(self, crowd: _Crowd, address: Address) -> None:
        self._crowd = crowd
        self.socket = socket.create_connection(address, timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        crowd.selector.register(self.socket, selectors.EVENT_READ, self)
        self._out: list[memoryview] = []
        self._in = bytearray()
        self._need = 0  # bytes of the whole response, once its head is there
        self._head_end = 0
        self._began = 0.0
        self._steps: Generator[Step, Answer, None] | None = None

    def begin(self) -> None:
        """The next exchange, if one is left."""
        number = None if self._crowd.is_over else next(self._crowd.numbers, None)
        if number is None:
            self._crowd.busy -= 1
            self._crowd.selector.unregister(self.socket)  # the server may close it while it rests
            return
        self._steps = self._crowd.exchange(number)
        self._began = time.perf_counter()
        self.advance(None)

    def advance(self, answer: Answer | None) -> None:
        """The next step of the exchange, or its end."""
        assert self._steps is not None
        try:
            step = self._steps.send(answer)  # type: ignore[arg-type]
        except StopIteration:
            self._ended(time.perf_counter())
            return
        if isinstance(step, Pause):
            self._crowd.pause(self, step.seconds)
            return
        self._out = [memoryview(part) for part in step.parts]
        self._write()

    def _ended(self, now: float) -> None:
        if not self._crowd.is_over:
            self._crowd.load.ended.append(now)
            self._crowd.load.took.append(now - self._began)
        self.begin()

    def serve(self, events: int) -> None:
        """The socket can be read or written."""
        if events & selectors.EVENT_WRITE:
            self._write()
        if events & selectors.EVENT_READ:
            self._read()

    def _write(self) -> None:
        while self._out:
            try:
                sent = self.socket.sendmsg(self._out)
            except BlockingIOError:
                self._listen(selectors.EVENT_READ | selectors.EVENT_WRITE)
                return
            while self._out and sent >= len(self._out[0]):
                sent -= len(self._out.pop(0))
            if sent:
                self._out[0] = self._out[0][sent:]
        self._listen(selectors.EVENT_READ)

    def _listen(self, events: int) -> None:
        if self._crowd.selector.get_key(self.socket).events != events:
            self._crowd.selector.modify(self.socket, events, self)

    def _read(self) -> None:
        try:
            count = self.socket.recv_into(self._crowd.buffer)
        except BlockingIOError:
            return
        if not count:
            raise BenchError(f"the server closed a connection; before: {bytes(self._in[:200])!r}")
        self._in += self._crowd.buffer[:count]
        if not self._need:
            self._measure()
        if self._need and len(self._in) >= self._need:
            self._answered()

    def _measure(self) -> None:
        end = self._in.find(b"\r\n\r\n")
        if end < 0:
            return
        self._head_end = end + 4
        head = bytes(self._in[:end])
        length = LENGTH.search(head)
        if CLOSES.search(head) or not (length or head[9:12] == b"204"):
            raise BenchError(f"no keep-alive or no length: {head!r} {bytes(self._in[end:])!r}")
        self._need = self._head_end + (int(length[1]) if length else 0)

    def _answered(self) -> None:
        head, body = bytes(self._in[: self._head_end]), bytes(self._in[self._head_end : self._need])
        self._in.clear()
        self._need = 0
        self.advance(Answer(int(head[9:12]), head, body))
