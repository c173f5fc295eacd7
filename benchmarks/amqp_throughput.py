"""Small messages a second to one consumer: the embedded broker beside RabbitMQ, same machine, in turns.

The limit (issue 6): the embedded broker carries at least 1 000 a second, so that vendors' test suites stay fast. The
consumer is pika in a process of its own, over TLS, acknowledging each message; RabbitMQ's queue is a quorum queue.
"""

import asyncio
import ssl
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path

import pika

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from fiksmelding.simulator import Keys, Simulator
from support.broker_platforms import Address, platform_of
from support.rabbitmq import installed, rabbitmq

MESSAGES = 3_000
BODY = bytes(1_000)
ROUNDS = 3
PREFETCHES = (10, 100)
LIMIT_PER_SECOND = 1_000

Make = Callable[[], Simulator]


def consume(port: int, login: tuple[str, str], roots: str, queue: str, prefetch: int) -> float:
    """Seconds from the first delivery to the last acknowledgement of `MESSAGES`."""
    connection = pika.BlockingConnection(
        pika.ConnectionParameters(
            "127.0.0.1",
            port,
            credentials=pika.PlainCredentials(*login),
            ssl_options=pika.SSLOptions(ssl.create_default_context(cafile=roots), "127.0.0.1"),
        )
    )
    channel = connection.channel()
    channel.basic_qos(prefetch_count=prefetch)
    moments: list[float] = []

    def arrived(_: object, method: pika.spec.Basic.Deliver, properties: pika.BasicProperties, body: bytes) -> None:
        assert len(body) == len(BODY)
        assert properties.headers["melding-id"] == str(len(moments))
        moments.append(time.perf_counter())
        channel.basic_ack(method.delivery_tag)
        if len(moments) == MESSAGES:
            channel.stop_consuming()

    channel.basic_consume(queue, arrived)
    channel.start_consuming()
    connection.close()
    return time.perf_counter() - moments[0]


async def per_second(make: Make, prefetch: int, consumers: ProcessPoolExecutor) -> float:
    async with platform_of(make()) as platform:
        for number in range(MESSAGES - 1):
            platform.put(str(number), BODY)
        await platform.publish(str(MESSAGES - 1), BODY)
        return MESSAGES / await consumed(platform.address, prefetch, consumers)


async def consumed(address: Address, prefetch: int, consumers: ProcessPoolExecutor) -> float:
    login = (address.user, address.password)
    return await asyncio.get_running_loop().run_in_executor(
        consumers, consume, address.port, login, address.roots, address.queue, prefetch
    )


def measure(brokers: dict[str, Make]) -> bool:
    fast_enough = True
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as consumers:
        for prefetch in PREFETCHES:
            figures: dict[str, list[float]] = {name: [] for name in brokers}
            for _ in range(ROUNDS):
                for name, make in brokers.items():
                    figures[name].append(asyncio.run(per_second(make, prefetch, consumers)))
            medians = {name: statistics.median(found) for name, found in figures.items()}
            shown = ", ".join(f"{name} {median:,.0f}/s" for name, median in medians.items())
            ratio = medians["embedded"] / medians["RabbitMQ"] if "RabbitMQ" in medians else None
            beside = f"; embedded is {ratio:.2f} of RabbitMQ" if ratio else "; RabbitMQ is not installed"
            print(f"prefetch {prefetch}: {shown}{beside}; limit {LIMIT_PER_SECOND:,}/s")
            fast_enough &= medians["embedded"] >= LIMIT_PER_SECOND
    return fast_enough


def main() -> None:
    keys = Keys()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        brokers: dict[str, Make] = {"embedded": lambda: Simulator(keys=keys)}
        if installed():
            node = stack.enter_context(rabbitmq(keys, Path(folder)))
            brokers["RabbitMQ"] = lambda: Simulator(keys=keys, **node.simulator)
        if not measure(brokers):
            sys.exit("The embedded broker is too slow.")


if __name__ == "__main__":
    main()
