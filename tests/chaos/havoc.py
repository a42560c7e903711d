"""What is done to the stack under load: kills at random, the store killed, stopped, the web too."""

import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from tests.processes import SANDBOX, command_line
from tests.stack import Stack

SEASONED = 5.0  # seconds; a younger crop process may have a job whose first one was killed:
# to end that too would use up the job's two attempts, and the job would rightly fail


@dataclass(frozen=True)
class Plan:
    """How much of each; times in seconds."""

    kills: int  # of workers and their crop processes
    store_kills: int
    store_stops: tuple[float, ...]  # how long each time
    web_restarts: int
    pause: float  # between two kills, on average

    def events(self, rand: random.Random) -> list[str]:
        """The order of events: the kills, and the others spread among them."""
        rare = ["store-kill"] * self.store_kills + ["web"] * self.web_restarts
        rare += [f"store-stop {seconds}" for seconds in self.store_stops]
        rand.shuffle(rare)
        events = ["kill"] * self.kills
        for number, event in enumerate(rare, 1):
            events.insert(number * self.kills // (len(rare) + 1) + number - 1, event)
        return events


@dataclass
class Havoc:
    """Does what the plan says, and counts the processes that it ended."""

    stack: Stack
    rand: random.Random
    counts: Counter[str] = field(default_factory=Counter)

    def run(self, plan: Plan) -> None:
        """All of the plan."""
        for event in plan.events(self.rand):
            name, _, argument = event.partition(" ")
            self._doing(name)(float(argument or 0))
            time.sleep(self.rand.uniform(0.4, 1.6) * plan.pause)
        self._keep_the_worker_up()

    def _doing(self, name: str) -> Callable[[float], None]:
        return {
            "kill": self._kill,
            "store-kill": self._kill_store,
            "store-stop": self._stop_store,
            "web": self._restart_web,
        }[name]

    def _kill(self, _: float) -> None:
        """A crop process, a worker, both of them at once, or the supervisor with all below it."""
        self._keep_the_worker_up()
        workers, crops = self._workers()
        seasoned = [one for one in crops if _age(one) > SEASONED]
        kind = self.rand.choices(["crop", "worker", "both", "all"], [40, 35, 15, 10])[0]
        if kind == "all":
            self.stack.kill(self.stack.worker)
            self.counts["supervisor"] += 1
            self._keep_the_worker_up()
            return
        victims = [self.rand.choice(seasoned)] if seasoned and kind != "worker" else []
        victims += [self.rand.choice(workers)] if workers and kind != "crop" else []
        for victim in victims:
            with suppress(psutil.NoSuchProcess):
                victim.kill()
                self.counts["crop process" if victim in crops else "worker"] += 1

    def _workers(self) -> tuple[list[psutil.Process], list[psutil.Process]]:
        workers, crops = [], []
        for process in self.stack.worker.tree()[1:]:
            command = command_line(process)
            if SANDBOX in command:
                crops.append(process)
            elif "worker.py" in command:
                workers.append(process)
        return workers, crops

    def _keep_the_worker_up(self) -> None:
        if not self.stack.worker.running:
            self.stack.worker.start()

    def _kill_store(self, _: float) -> None:
        self.stack.kill(self.stack.valkey)
        self.counts["store"] += 1
        time.sleep(self.rand.uniform(0.2, 2.0))
        self.stack.start_valkey()

    def _stop_store(self, seconds: float) -> None:
        self.stack.valkey.signal(signal.SIGSTOP)
        self.counts["store stopped"] += 1
        time.sleep(seconds)
        self.stack.valkey.signal(signal.SIGCONT)

    def _restart_web(self, _: float) -> None:
        number = self.rand.choice([signal.SIGKILL, signal.SIGTERM])
        self.stack.web.signal(number)
        if self.stack.web.join(45) is None:
            self.stack.kill(self.stack.web)
        self.counts["web"] += 1
        self.stack.start_web()


def _age(process: psutil.Process) -> float:
    """Seconds since it started; 0 when it has ended."""
    with suppress(psutil.NoSuchProcess):
        return time.time() - process.create_time()
    return 0.0
