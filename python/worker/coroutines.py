# Slots that are coroutines on one event loop.

import types


class Coroutines:
    """Awaits what the function gives."""

    def __init__(self, desk, slots, call, read, new_writer, loop):
        self.desk = desk
        self.slots = slots
        self.call = call
        self.read = read
        self.write = new_writer()
        self.loop = loop
        # Those that serve a slot now.
        self.lanes = {}
        # What slots without an input wait for.
        self.idle = deque()
        self.left = False
        self.yielded = 0
        # The longest that a coroutine held the loop, in nanoseconds, and for which input.
        self.longest = 0, 0
        self.cpu = self.serialising = 0

    def serve(self):
        """Works until there will be no more inputs. Whether something was left behind."""
        # A future and no task, so that a function that cancels all tasks of the loop does not end the worker.
        self.over = self.loop.create_future()
        file = self.desk.link.socket.fileno()
        self.loop.add_reader(file, self.receive)
        for slot in range(self.slots):
            self.start(slot)
        if self.desk.limit is not None:
            self.look()
        self.loop.run_until_complete(self.over)
        self.loop.remove_reader(file)
        self.desk.cpu, self.desk.serialising, self.desk.run_queue = self.cpu, self.serialising, run_queue()
        return self.left

    def start(self, slot):
        lane = self.lanes[slot] = Lane(slot)
        lane.handle = self.loop.create_task(self.work(lane))
        lane.handle.add_done_callback(lambda task: self.ended(lane, task))

    def ended(self, lane, task):
        if task.cancelled():
            # Somebody cancelled all tasks of the loop, this one too.
            error = None
            if not lane.left and (self.desk.waiting or not self.desk.ended):
                self.start(lane.slot)
                return
        else:
            error = task.exception()
        if not lane.left:
            self.lanes.pop(lane.slot, None)
        if not self.over.done():
            if error:
                self.over.set_exception(error)
            elif not self.lanes:
                self.over.set_result(None)

    def receive(self):
        """The socket can be read."""
        from socket import MSG_DONTWAIT

        desk = self.desk
        try:
            while True:
                frame = desk.link.recv(MSG_DONTWAIT)
                if not frame:
                    break
                desk.take_in(frame)
        except BaseException as error:
            if not self.over.done():
                self.over.set_exception(error)
            return
        wanted = len(self.idle) if desk.ended else len(desk.waiting)
        while wanted and self.idle:
            waits = self.idle.popleft()
            if not waits.done():
                waits.set_result(None)
                wanted -= 1

    async def work(self, lane):
        """One attempt after the other."""
        desk, call, read, write, append = self.desk, self.call, self.read, self.write, self.desk.append
        words, cell, idle, loop = desk.board.words, lane.cell, self.idle, self.loop
        claim = desk.waiting.popleft if desk.alone else desk.claim
        coroutine = types.CoroutineType
        # Only a step that has ended with an `await` lets go of the loop.
        words[cell + HOLDS] = 1
        since = cell + SINCE
        # To look at the clocks costs as much as a tiny call; so where calls are tiny, every sixteenth is looked at.
        long, cpu, serialising, longest = True, 0, 0, 0
        while True:
            try:
                place, raw, index = claim()
            except IndexError:
                words[cell] = 0
                self.count(cpu, serialising)
                cpu = serialising = 0
                if desk.ended:
                    return
                desk.flush()
                waits = loop.create_future()
                idle.append(waits)
                await waits
                self.yielded = now()
                continue
            began = now()
            words[since] = began
            words[cell] = place + 1
            looked = long or not place & 15
            used = step = 0
            try:
                if looked:
                    value = read(raw)
                    called = now()
                    awaited = call(value)
                    value = None
                    used = spent()
                else:
                    awaited = call(read(raw))
                if type(awaited) is not coroutine:
                    awaited = as_coroutine(awaited)
                try:
                    first = awaited.send(None)
                except StopIteration as ended:
                    result = ended.value
                    if looked:
                        used = spent() - used
                else:
                    result, used, step = await steps(awaited, first, began, used, words, cell + HOLDS)
                    self.yielded = now()
                    if lane.cancelled == place:
                        # It went on to its end all the same; the next input of this lane was not cancelled.
                        forget_cancellation(lane)
                if looked:
                    returned = now()
                    status, body = write(result)
                    serialising += (called - began + now() - returned) * (1 if long else 16)
                else:
                    status, body = write(result)
                result = None
            except BaseException as error:
                status, body = FAILED, self.failure(error, lane, place)
                # How far its steps had come nobody has counted.
                used = UNKNOWN
            took = now() - began
            long = took > 20_000
            if not used:
                used = took
            if used != UNKNOWN:
                cpu += used
                if not step:
                    step = took
            if step > longest:
                longest = step
                self.longest = max(self.longest, (step, index))
            if desk.forked:
                end_child()
            if lane.left:
                return
            append(lane, place, began, took, used, status, body)
            # Slots whose inputs never wait would keep the loop from all others.
            if began + took - self.yielded > 2_000_000:
                words[cell] = 0
                await pause()
                self.yielded = now()

    def count(self, cpu, serialising):
        self.cpu += cpu
        self.serialising += serialising

    def failure(self, error, lane, place):
        if type(error).__name__ != "CancelledError":
            return self.desk.failure(error)
        forget_cancellation(lane)
        if lane.cancelled == place:
            return told("timeout", "not done within its time limit of %s; it was cancelled" % time_of(self.desk.limit))
        return failure(error)

    # What takes too long.

    def look(self):
        """Cancels what has outlasted its limit, and leaves behind what does not end within half of the grace."""
        desk, words = self.desk, self.desk.board.words
        at, limit = now(), self.desk.limit
        for lane in list(self.lanes.values()):
            holder = words[lane.cell]
            if not holder:
                continue
            since = words[lane.cell + SINCE]
            if at - since < limit:
                continue
            if lane.cancelled != holder - 1:
                lane.cancelled = holder - 1
                lane.handle.cancel()
            elif at - since >= limit + desk.patience:
                if desk.leave_behind(lane, holder - 1, since, "it was cancelled and went on"):
                    self.left = True
                    self.start(lane.slot)
        self.loop.call_later(min(max(limit / 20e9, 0.001), 0.02), self.look)


def forget_cancellation(lane):
    """Lets the lane's task be as if nobody had cancelled it. Before Python 3.11 nobody counts."""
    task = lane.handle
    if hasattr(task, "uncancel"):
        while task.cancelling():
            task.uncancel()


@types.coroutine
def steps(coroutine, yielded, began, used, words, holds):
    """Goes on with a coroutine after its first step; the board says while a step holds the loop.

    What it gives, the processor time of all its steps, and how long the longest of them took. `used` is the processor
    time before the first one, or 0 where steps are short and their time is as good.
    """
    send, throw = coroutine.send, coroutine.throw
    looked = used > 0
    total = longest = 0
    while True:
        step = now() - began
        if step > longest:
            longest = step
        total += spent() - used if looked else step
        words[holds] = 0
        error = None
        try:
            yield yielded
        except BaseException as thrown:
            error = thrown
        words[holds] = 1
        used = spent() if looked else 0
        began = now()
        try:
            yielded = throw(error) if error else send(None)
        except StopIteration as ended:
            step = now() - began
            return ended.value, total + (spent() - used if looked else step), max(longest, step)


@types.coroutine
def pause():
    yield


async def as_coroutine(awaited):
    return await awaited


class OnOwnLoop:
    """An `async def` as a function that blocks, with an event loop for each thread."""

    def __init__(self, function, new_loop):
        self.function = function
        self.new_loop = new_loop
        self.own = threading.local()

    def __call__(self, *args, **kwargs):
        loop = getattr(self.own, "loop", None)
        if loop is None:
            import asyncio

            loop = self.own.loop = self.new_loop()
            asyncio.set_event_loop(loop)
        return loop.run_until_complete(as_coroutine(self.function(*args, **kwargs)))

    def close(self):
        """Closes this thread's loop."""
        loop = getattr(self.own, "loop", None)
        if loop is not None:
            close(loop)


def close(loop):
    """Ends what was begun on a loop and not awaited, as `asyncio.run` does, and then the loop."""
    import asyncio

    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        # What goes on all the same must not keep this worker.
        loop.run_until_complete(asyncio.wait(left, timeout=1))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
