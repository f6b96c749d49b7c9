# Slots that are threads of this worker; with one slot, that is the main thread.


class Threads:
    """Calls the function on threads."""

    def __init__(self, desk, slots, call, read, new_writer, at_end=None):
        self.desk = desk
        self.slots = slots
        # Whether the main thread is the only one.
        self.alone = slots == 1
        self.call = call
        self.read = read
        self.new_writer = new_writer
        # What each thread does at its end.
        self.at_end = at_end
        lock = threading.Lock()
        self.arrived = threading.Condition(lock)
        self.over = threading.Condition(lock)
        self.claiming = threading.Lock()
        self.reading = False
        # Those that wait and were not woken, and all that there are.
        self.idle = 0
        self.working = 0
        self.lanes = []
        self.take = self.take_alone if desk.alone or slots == 1 else self.take_together

    def begin(self, lazy):
        """Starts the threads, which is part of the start of this worker and takes milliseconds where there are many; the first
        of them where the others are to be started when there is something for them to do."""
        if not self.alone:
            with self.arrived:
                for slot in range(1 if lazy else self.slots):
                    self.start(slot)
                    self.working += 1

    def serve(self):
        """Works until there will be no more inputs. Whether something was left behind."""
        if self.alone:
            self.lanes = [Lane(0)]
            self.work(self.lanes[0])
            return False
        watch = self.desk.limit is not None
        with self.over:
            while self.working:
                self.over.wait(self.patience() if watch else None)
                if watch:
                    self.look()
        return any(thread.name.startswith("triway-left") for thread in threading.enumerate())

    def start(self, slot):
        lane = Lane(slot)
        # A thread that is left behind must not keep this process.
        thread = lane.handle = threading.Thread(target=self.run, args=(lane,), name="triway-%d" % slot, daemon=True)
        thread.start()
        self.lanes[slot : slot + 1] = [lane]

    def run(self, lane):
        try:
            self.work(lane)
        except BaseException as error:
            # The parent is gone, or cannot be spoken to; what it has not got stands on the board.
            if not isinstance(error, (Gone, OSError)):
                sys.excepthook(type(error), error, error.__traceback__)
            os._exit(1)
        if not lane.left:
            with self.arrived:
                self.working -= 1
                self.over.notify()

    def work(self, lane):
        try:
            self.attempt(lane)
        finally:
            self.desk.add(lane)
            if self.at_end:
                self.at_end()

    def attempt(self, lane):
        """One attempt after the other, on this thread."""
        desk, call, read, write = self.desk, self.call, self.read, self.new_writer()
        put, append, alone = desk.put, desk.append, self.alone
        take, words, cell = self.take, self.desk.board.words, lane.cell
        claim = desk.waiting.popleft if desk.alone else desk.claim
        single = alone or desk.alone
        # A thread that makes an attempt holds itself.
        words[cell + HOLDS] = 1
        since = cell + SINCE
        # To look at the clocks costs as much as a tiny call; so where calls are tiny, every sixteenth is looked at.
        long, cpu, serialising = True, 0, 0
        while True:
            try:
                place, raw, _ = claim() if single else take()
            except IndexError:
                item = self.wait(lane)
                if item is None:
                    return
                place, raw, _ = item
            began = now()
            words[since] = began
            words[cell] = place + 1
            if long or not place & 15:
                used = spent()
                try:
                    value = read(raw)
                    called = now()
                    value = call(value)
                    returned = now()
                    status, body = write(value)
                    value = None
                    took = now() - began
                    serialising += (took + called - returned) * (1 if long else 16)
                except BaseException as error:
                    value = None
                    status, body = FAILED, desk.failure(error)
                    took = now() - began
                used = spent() - used
                long = took > 20_000
            else:
                try:
                    status, body = write(call(read(raw)))
                except BaseException as error:
                    status, body = FAILED, desk.failure(error)
                used = took = now() - began
                long = took > 20_000
            cpu += used
            lane.cpu = cpu
            lane.serialising = serialising
            if alone and not desk.forked:
                append(lane, place, began, took, used, status, body)
            elif not put(lane, place, began, took, used, status, body):
                if desk.forked:
                    end_child()
                return

    def take_alone(self):
        return self.desk.claim()

    def take_together(self):
        with self.claiming:
            return self.desk.claim()

    def wait(self, lane):
        """The next input; None when there will be none. One thread reads for all."""
        desk, arrived = self.desk, self.arrived
        desk.board.words[lane.cell] = 0
        while True:
            with arrived:
                try:
                    return self.desk.waiting.popleft() if desk.alone else self.take()
                except IndexError:
                    pass
                if desk.ended:
                    return None
                if self.reading:
                    # Whoever wakes it counts it out.
                    self.idle += 1
                    arrived.wait()
                    continue
                self.reading = True
            frame = None
            wanted = 0
            try:
                desk.flush()
                frame = desk.link.recv()
            finally:
                with arrived:
                    self.reading = False
                    if frame:
                        desk.take_in(frame)
                    # This thread takes one; another takes over the reading.
                    over = desk.ended or not frame
                    woken = self.idle if over else min(self.idle, len(desk.waiting))
                    self.idle -= woken
                    arrived.notify(woken)
                    if not over:
                        wanted = len(desk.waiting) - woken
            if wanted and len(self.lanes) < self.slots:
                self.start_more(wanted, lane)

    def start_more(self, wanted, lane):
        """So many, as long as there are slots. Gives back what this machine has no threads for, on this lane."""
        with self.arrived:
            for slot in range(len(self.lanes), min(len(self.lanes) + wanted, self.slots)):
                try:
                    self.start(slot)
                except RuntimeError as error:
                    self.slots = slot
                    said = told("local-limit", "this machine gives no further thread (%s)" % error)
                    break
                self.working += 1
            else:
                return
        try:
            while True:
                place, _, _ = self.take()
                self.desk.put(lane, place, now(), 0, 0, FAILED, said)
        except IndexError:
            pass

    # What does not return.

    def patience(self):
        """How long nothing need be looked at, in seconds."""
        words, most = self.desk.board.words, self.desk.limit + self.desk.patience
        first = min((words[lane.cell + SINCE] for lane in self.lanes if words[lane.cell]), default=None)
        nanos = most if first is None else min(most, first + most - now())
        return max(nanos, 1_000_000) / 1e9

    def look(self):
        """Leaves behind what has outlasted its limit and half of the grace; the rest of the grace is the parent's."""
        words, most = self.desk.board.words, self.desk.limit + self.desk.patience
        for lane in list(self.lanes):
            holder, since = words[lane.cell], words[lane.cell + SINCE]
            if holder and now() - since >= most:
                if self.desk.leave_behind(lane, holder - 1, since, "its thread does not return"):
                    lane.handle.name = "triway-left"
                    try:
                        self.start(lane.slot)
                    except RuntimeError:
                        # Others have to do without it; without any, the parent has to start another interpreter.
                        self.working -= 1
                        if not self.working:
                            raise


def end_child():
    """The function has forked, and this is the child, which came back from it: it has nothing to do here."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(0)
