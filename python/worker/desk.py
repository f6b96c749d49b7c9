# Where inputs wait, where outcomes are written down, and what the slots of this worker share.

from collections import deque


class Desk:
    """What all slots of a worker share."""

    def __init__(self, link, board, hello):
        self.link = link
        self.board = board
        self.waiting = deque()
        self.came = 0
        self.ended = False
        self.limit = hello["limit_ns"]
        self.patience = hello["grace_ns"] // 2
        # A worker whose inputs nobody else could do never has to give any back.
        self.alone = hello["alone"]
        self.skip = range(0)
        self.heeded = 0
        self.lock = threading.Lock()
        # A child that the function forks has neither socket nor slots.
        self.forked = False
        os.register_at_fork(after_in_child=self.leave_to_parent)
        self.put, self.append, self.flush = outbox(self)
        # What the lanes have measured, in nanoseconds.
        self.cpu = self.serialising = self.run_queue = 0

    def leave_to_parent(self):
        self.forked = True
        self.link.socket.close()

    def add(self, lane):
        """Adds what a lane has measured, at its end and on its thread."""
        waited = run_queue()
        with self.lock:
            self.cpu += lane.cpu
            self.serialising += lane.serialising
            self.run_queue += waited

    # Inputs.

    def take_in(self, frame):
        """Adds the inputs of a frame to those that wait."""
        kind, payload = frame
        if kind == DRAIN:
            self.ended = True
            return
        if kind != INPUTS:
            raise Gone
        at, place, add = 0, self.came, self.waiting.append
        head, read = INPUT.size, INPUT.unpack_from
        end = len(payload)
        while at < end:
            index, _, length = read(payload, at)
            at += head
            add((place, payload[at : at + length], index))
            at += length
            place += 1
        self.came = place

    def claim(self):
        """The next input that the parent has not taken back; IndexError where none waits. One caller at a time."""
        words, waiting = self.board.words, self.waiting
        while True:
            item = waiting.popleft()
            place = item[0]
            words[NEXT] = place + 1
            # The parent asks, makes all processors agree on what was written, and reads NEXT. So it either sees that
            # this input was claimed, or this sees that it asks.
            if words[RECALL] != self.heeded:
                self.heed()
            if place not in self.skip:
                return item

    def heed(self):
        words = self.board.words
        asked = words[RECALL]
        while words[DECIDED] != asked:
            time.sleep(0)
        self.skip = range(words[FROM], words[TO])
        self.heeded = asked
        words[HEEDED] = asked

    # Slots.

    def failure(self, error):
        """A failure as the parent reads it."""
        if getattr(error, "errno", None) == errno.EBADF and self.link.is_closed():
            # Some other input has closed all descriptors, and the parent runs this one again.
            os._exit(1)
        return failure(error)

    def leave_behind(self, lane, place, since, what):
        """Gives an attempt up whose thread or coroutine does not end; False if it has ended just now."""
        took = now() - since
        body = told(
            "timeout",
            "not done within its time limit of %s; %s, so it was left behind" % (time_of(self.limit), what),
        )
        with self.lock:
            if lane.left or self.board.words[lane.cell] != place + 1:
                return False
            lane.left = True
        self.put(lane, place, since, took, UNKNOWN, LEFT_BEHIND, body, True)
        return True


def time_of(nanos):
    text = "%.3f" % (nanos / 1e9)
    return text.rstrip("0").rstrip(".") + "s"


def run_queue():
    """How long this thread was ready to run and had no processor, in nanoseconds."""
    try:
        with open("/proc/thread-self/schedstat", "rb") as counts:
            return int(counts.read().split()[1])
    except (OSError, IndexError, ValueError):
        return 0


class Lane:
    """One slot while it is served by one thread or coroutine."""

    __slots__ = ("cancelled", "cell", "cpu", "handle", "left", "serialising", "slot")

    def __init__(self, slot):
        self.slot = slot
        self.cell = CELLS + slot * CELL_WORDS
        # Somebody else serves its slot now; what it says does not count.
        self.left = False
        self.cancelled = -1
        self.handle = None
        self.cpu = self.serialising = 0


def outbox(desk):
    """What writes an outcome down, among threads and alone, and what sends those that were written down."""
    link, words, board, waiting = desk.link, desk.board.words, desk.board.bytes, desk.waiting
    begin_at, lock, pack, head = desk.board.outbox_at, desk.lock, OUTCOME.pack_into, OUTCOME.size
    held = since = emptied = 0

    def send():
        nonlocal held, emptied
        if held:
            link.send(OUTCOMES, memoryview(board)[begin_at : begin_at + held])
            # Only now: if this process dies before, the parent has them twice and takes the first.
            held = 0
            emptied += 1 << 32
            words[OUTBOX] = emptied

    def append(lane, place, began, took, used, status, body):
        """Writes an outcome down in shared memory, which keeps it until it is sent. One caller at a time; what the cell says
        it says until the slot waits."""
        nonlocal held, since
        length = len(body)
        size = head + length
        if held + size > OUTBOX_BYTES:
            if length > MOST_BYTES:
                status, body = FAILED, told("unserialisable", too_long(length), retryable=False)
                length = len(body)
                size = head + length
            send()
            if size > OUTBOX_BYTES:
                link.send(OUTCOMES, OUTCOME.pack(place, began, took, used, lane.slot, status, length), body)
                return
        at = begin_at + held
        pack(board, at, place, began, took, used, lane.slot, status, length)
        board[at + head : at + size] = body
        if not held:
            since = began + took
        held += size
        words[OUTBOX] = emptied | held
        if not waiting or held >= FULL_BYTES or began + took - since >= PATIENCE:
            send()

    def put(lane, place, began, took, used, status, body, even_left=False):
        """The same among several; False if this lane has nothing to say any more."""
        # In a child that was forked, whoever held the lock is not there to release it.
        if desk.forked:
            return False
        with lock:
            if lane.left and not even_left:
                return False
            append(lane, place, began, took, used, status, body)
            words[lane.cell] = 0
        return True

    def flush():
        with lock:
            send()

    return put, append, flush


def too_long(length):
    return "the result is %d bytes long; one may have %d" % (length, MOST_BYTES)
