"""The program of the article that this project began with, in a minimal form of our own.

After part 7 of Lynn Root's "asyncio: We Did It Wrong" (https://roguelynn.com/words/asyncio-profiling/).
It is one process with a queue in memory: a message is pulled by one task, and handled by one that
starts two more, to extend it and to acknowledge it when it is saved and restarted; each step writes
a log line. The pretended work of the original sleeps up to a second and fails one time in four;
here it does neither, so that what is measured is the program itself. Nothing is durable: the log is
the only trace of a job.

article.py [-n JOBS] DIR
"""

import asyncio
import dataclasses
import logging
import uuid

import measure


@dataclasses.dataclass
class Message:
    host: str
    id: str = dataclasses.field(repr=False)
    restarted: bool = dataclasses.field(default=False, repr=False)
    saved: bool = dataclasses.field(default=False, repr=False)
    acked: bool = dataclasses.field(default=False, repr=False)


class Service:
    """The pipeline, until so many jobs have been acknowledged."""

    def __init__(self, jobs):
        self.jobs = jobs
        self.messages = []
        self.acked = 0
        self.queue = asyncio.Queue()
        self.done = asyncio.Event()
        self.tasks = set()

    def spawn(self, step):
        task = asyncio.create_task(step)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def publish(self):
        for number in range(self.jobs):
            message = Message(host=f"web-{number:08}.example.net", id=str(uuid.uuid4()))
            self.messages.append(message)
            self.spawn(self.queue.put(message))
            await asyncio.sleep(0)

    async def consume(self):
        while True:
            message = await self.queue.get()
            logging.info("Pulled %s", message)
            self.spawn(self.handle(message))

    async def handle(self, message):
        finished = asyncio.Event()
        self.spawn(self.extend(message, finished))
        self.spawn(self.acknowledge(message, finished))
        for result in await asyncio.gather(self.save(message), self.restart(message), return_exceptions=True):
            if isinstance(result, Exception):
                logging.error("Not done: %s", result)
        finished.set()

    async def save(self, message):
        await asyncio.sleep(0)
        message.saved = True
        logging.info("Saved %s", message)

    async def restart(self, message):
        await asyncio.sleep(0)
        message.restarted = True
        logging.info("Restarted %s", message.host)

    async def extend(self, message, finished):
        while not finished.is_set():
            logging.info("Extended the deadline of %s by 3 seconds", message)
            await asyncio.sleep(2)

    async def acknowledge(self, message, finished):
        await finished.wait()
        message.acked = True
        logging.info("Acknowledged %s", message)
        self.acked += 1
        if self.acked == self.jobs:
            self.done.set()


async def run(jobs):
    service = Service(jobs)
    roles = measure.Roles()
    roles.begin()
    service.spawn(service.consume())
    service.spawn(service.publish())
    await service.done.wait()
    used = roles.end()
    for task in list(service.tasks):
        task.cancel()
    return service.messages, used


def main():
    options = measure.options(["none"], 30000)
    path = f"{options.dir}/mayhem.log"
    logging.basicConfig(
        filename=path,
        level=logging.INFO,
        format="%(asctime)s,%(msecs)d %(levelname)s: %(message)s",
        datefmt="%H:%M:%S",
    )
    messages, used = asyncio.run(run(options.jobs))
    with open(path, encoding="utf-8") as log:
        acknowledged = sum("INFO: Acknowledged " in line for line in log)
    if not all(each.saved and each.restarted and each.acked for each in messages):
        measure.fail("not every job is done")
    if not acknowledged == len(messages) == options.jobs:
        measure.fail(f"{acknowledged} of {options.jobs} jobs are acknowledged in the log")
    measure.print_result(options.jobs, *used)


if __name__ == "__main__":
    main()
