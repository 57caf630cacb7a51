"""Stands between Kafka's clients and a broker, and knows where a request begins and ends.

It can hold one request back and deliver it later, when its sender has long given up and goes on by
another connection; cut everybody off without a word; and call back when a request or an answer of
some kind passes. That is where the network decides what a transaction comes to, so moments are named
by these messages: no line of the programs under test knows of it.

Protocol: every message is a 4-byte length and that many bytes. A request begins with a 2-byte API
key, a 2-byte version and a 4-byte correlation id, an answer with the correlation id (Kafka protocol
guide, "Request Header", "Response Header").
"""

import asyncio
import contextlib
import struct
import threading

# The requests that make a transaction (Kafka protocol guide, "API keys").
PRODUCE = 0
INIT_PRODUCER_ID = 22
ADD_PARTITIONS_TO_TXN = 24
ADD_OFFSETS_TO_TXN = 25
END_TXN = 26
TXN_OFFSET_COMMIT = 28
NAMES = {PRODUCE: "Produce", INIT_PRODUCER_ID: "InitProducerId",
         ADD_PARTITIONS_TO_TXN: "AddPartitionsToTxn", ADD_OFFSETS_TO_TXN: "AddOffsetsToTxn",
         END_TXN: "EndTxn", TXN_OFFSET_COMMIT: "TxnOffsetCommit"}
REQUEST = "request"
ANSWER = "answer"
HELD_ANSWER_TIMEOUT_S = 5


BEGINNING = 200


def task_of(message):
    """Which of the hub's tasks sent a request of a transaction: it begins with the transactional
    id."""
    for task in ("admit", "fold"):
        if f".{task}.".encode() in message[:BEGINNING]:
            return task
    return None


class Held:
    """One request that was held back, or will be: the next of that kind; of that task, with that text
    near its beginning, and after records of that task's transaction are in Kafka, where it is asked for.

    caught, given_up, answered: set when the proxy holds it, when its sender closed the connection,
    when the broker answered it after its release."""

    def __init__(self, proxy, api_key, task, text, after_records):
        self.proxy = proxy
        self.api_key = api_key
        self.task = task
        self.text = text.encode()
        self.after_records = after_records
        self.caught = threading.Event()
        self.given_up = threading.Event()
        self.answered = threading.Event()
        self._go_on = asyncio.Event()
        self._dropped = False

    def is_meant(self, api_key, message):
        return (self.api_key == api_key and self.task in (None, task_of(message)) and
                self.text in message[:BEGINNING] and
                not (self.after_records and self.task not in self.proxy.written))

    async def wait(self, client_gone):
        """True where it is to be delivered."""
        self.caught.set()
        leaving = asyncio.create_task(self._see_off(client_gone))
        await self._go_on.wait()
        leaving.cancel()
        return not self._dropped

    async def _see_off(self, client_gone):
        await client_gone.wait()
        self.given_up.set()

    def release(self):
        self.proxy.call(self._go_on.set)

    def drop(self):
        self._dropped = True
        self.release()


class Connection:
    """One client's connection and the broker's behind it."""

    def __init__(self, proxy, client, server):
        self.proxy = proxy
        self.client_reader, self.client_writer = client
        self.server_reader, self.server_writer = server
        self.requests = asyncio.Queue()  # read and not passed on; None at the end
        self.client_gone = asyncio.Event()
        self.held = None
        self.asked = {}  # correlation id: (API key, task, Held or None)
        self.owed = 0  # answers

    async def run(self):
        reading = asyncio.create_task(self.read_requests())
        passing = asyncio.create_task(self.pass_requests())
        answers = asyncio.create_task(self.pass_answers())
        await asyncio.wait([reading, answers], return_when=asyncio.FIRST_COMPLETED)
        self.client_gone.set()
        self.proxy.given_up |= self.owed > 0 and self.proxy.is_cut()
        if not answers.done():
            # What its sender sent before it left is still on its way.
            await asyncio.wait([passing, answers], return_when=asyncio.FIRST_COMPLETED)
            if self.held is not None:
                await asyncio.wait([answers], timeout=HELD_ANSWER_TIMEOUT_S)
        for task in (reading, passing, answers):
            task.cancel()
        for writer in (self.client_writer, self.server_writer):
            writer.close()

    @staticmethod
    async def read(reader):
        """One message with its length; None at the end."""
        try:
            size = await reader.readexactly(4)
            return size + await reader.readexactly(struct.unpack(">i", size)[0])
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    @staticmethod
    async def write(writer, message):
        with contextlib.suppress(ConnectionError, RuntimeError):
            writer.write(message)
            await writer.drain()

    async def read_requests(self):
        while (message := await self.read(self.client_reader)) is not None:
            self.owed += 1
            self.requests.put_nowait(message)
        self.requests.put_nowait(None)

    async def pass_requests(self):
        while (message := await self.requests.get()) is not None:
            api_key, _, correlation_id = struct.unpack_from(">hhi", message, 4)
            held = self.proxy.take_order(api_key, message)
            task = task_of(message)
            if api_key == END_TXN:
                self.proxy.written.discard(task)
            self.asked[correlation_id] = (api_key, task, held)
            await self.proxy.tell(REQUEST, api_key)
            if held is not None:
                self.held = held
                if not await held.wait(self.client_gone):
                    return
            await self.proxy.is_open(REQUEST)
            await self.write(self.server_writer, message)

    async def pass_answers(self):
        while (message := await self.read(self.server_reader)) is not None:
            correlation_id = struct.unpack_from(">i", message, 4)[0]
            api_key, task, held = self.asked.pop(correlation_id, (None, None, None))
            if held is not None:
                held.answered.set()
            if api_key == PRODUCE:
                self.proxy.written.add(task)
            await self.proxy.tell(ANSWER, api_key)
            await self.proxy.is_open(ANSWER)
            await self.write(self.client_writer, message)
            self.owed -= 1


class Proxy:
    """Listens on `port` and passes on to the broker's; in a thread of its own."""

    def __init__(self, port, upstream_port):
        self.port = port
        self.upstream_port = upstream_port
        self.orders = []
        self.watchers = []
        self.written = set()  # tasks that have written records since they last ended a transaction
        self.given_up = False  # a request, since the cut
        self.loop = asyncio.new_event_loop()
        self.open = {REQUEST: asyncio.Event(), ANSWER: asyncio.Event()}
        for gate in self.open.values():
            gate.set()
        self.thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self.listening = threading.Event()

    def start(self):
        self.thread.start()
        self.listening.wait()
        return self

    def stop(self):
        self.call(self.loop.stop)
        self.thread.join()

    def call(self, function, *arguments):
        self.loop.call_soon_threadsafe(function, *arguments)

    def _run(self):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(
            asyncio.start_server(self._accept, "127.0.0.1", self.port))
        self.listening.set()
        self.loop.run_forever()
        server.close()
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))

    async def _accept(self, reader, writer):
        try:
            server = await asyncio.open_connection("127.0.0.1", self.upstream_port)
        except OSError:
            writer.close()
            return
        with contextlib.suppress(asyncio.CancelledError):  # at the end
            await Connection(self, (reader, writer), server).run()

    # --- what the fault programme orders ---

    def hold_next(self, api_key, task=None, text="", after_records=False):
        """Holds the next such request."""
        held = Held(self, api_key, task, text, after_records)
        self.call(self.orders.append, held)
        return held

    def take_order(self, api_key, message):
        for order in self.orders:
            if order.is_meant(api_key, message):
                self.orders.remove(order)
                return order
        return None

    def cancel(self, held):
        def do():
            if held in self.orders:
                self.orders.remove(held)
        self.call(do)

    def when(self, way, api_key, action):
        """Calls action once, in the proxy's thread, when such a message passes; it goes on when the
        action has returned."""
        self.call(self.watchers.append, (way, api_key, action))

    def forget_watchers(self):
        self.call(self.watchers.clear)

    async def tell(self, way, api_key):
        for watcher in list(self.watchers):
            if watcher[:2] == (way, api_key):
                self.watchers.remove(watcher)
                watcher[2]()

    def cut(self, *ways):
        """Nothing passes that way any more, and nobody is told."""
        def do():
            self.given_up = False
            for way in ways:
                self.open[way].clear()
        self.call(do)

    def is_cut(self):
        return not all(gate.is_set() for gate in self.open.values())

    def is_given_up(self):
        """Whether a client has left since the cut without an answer that was due to it."""
        return self.given_up and self.is_cut()

    def heal(self):
        for gate in self.open.values():
            self.call(gate.set)

    async def is_open(self, way):
        await self.open[way].wait()
