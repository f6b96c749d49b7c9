# The life of this worker.


def describe(spec, configuration):
    """What the parent wants to know before it starts workers."""
    process, canary = os.getpid(), os.open(os.devnull, os.O_RDONLY)
    began = time.monotonic()
    try:
        target = loaded(spec, configuration["share"])
    finally:
        if os.getpid() != process:
            # The module has forked, and both go on; one answer is enough.
            os._exit(0)
    imported = time.monotonic() - began
    if is_closed(canary):
        raise Problem(
            "%s closes descriptors that are not its own while it is imported, among them the one through which a worker "
            "is spoken to; let it close what it has opened" % spec.rpartition(":")[0]
        )
    awaits = is_async(target.function)
    if awaits and configuration["loop"] != "asyncio":
        # Whether there is one.
        new_loop_of(configuration["loop"])
    return {
        "name": getattr(target.function, "__name__", type(target.function).__name__),
        "is_async": awaits,
        "is_class": target.is_class,
        "hooks": [name for name in ("setup", "teardown") if target.hook(name)],
        "import_s": imported,
        # Only now: a module may have switched the lock on again.
        "has_gil": getattr(sys, "_is_gil_enabled", lambda: True)(),
        "is_free_threaded": bool(free_threaded()),
        "has_subinterpreters": has_subinterpreters(),
    }


def free_threaded():
    import sysconfig

    return sysconfig.get_config_var("Py_GIL_DISABLED")


def has_subinterpreters():
    import importlib.util

    return any(importlib.util.find_spec(name) for name in ("_interpreters", "_xxsubinterpreters"))


def answer(spec, configuration):
    """Describes the target, in one line of JSON. What the module prints is not part of it."""
    # The script came through standard input, which is closed by now; so this is number 0, which stays open whatever the
    # module closes.
    out = os.dup(1)
    os.dup2(2, 1)
    end_with_reader(out)
    sys.stdin = open(os.devnull)
    # All that is used from here on, before the user's folder is on the path: its modules may have the same names.
    import base64
    import difflib
    import inspect
    import marshal
    import sysconfig
    import traceback

    said = {"version": "%d.%d.%d" % sys.version_info[:3], "executable": sys.executable, "problem": None}
    try:
        said.update(describe(spec, configuration))
        # What began this script left it here, compiled.
        said["compiled"] = base64.b64encode(marshal.dumps(script)).decode()
    except Problem as problem:
        said["problem"] = without_halves(str(problem))
        said["is_target"] = problem.is_target
    end_with_reader(out, False)
    with open(out, "wb") as pipe:
        pipe.write(json.dumps(said).encode() + b"\n")
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads that the module has started would be waited for.
    os._exit(0)


def end_with_reader(pipe, wanted=True):
    """Whether the kernel ends this process once nobody can read its answer: an import may go on for ever, in code that
    looks at nothing. Not while it answers, because whatever is read then is told in the same way."""
    import fcntl

    fcntl.fcntl(pipe, fcntl.F_SETSIG, 9)
    fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
    flags = fcntl.fcntl(pipe, fcntl.F_GETFL)
    fcntl.fcntl(pipe, fcntl.F_SETFL, flags | os.O_ASYNC if wanted else flags & ~os.O_ASYNC)


def new_loop_of(name):
    if name == "uvloop":
        try:
            import uvloop
        except ImportError as error:
            raise Problem("--loop uvloop: %s; install it where this Python finds it" % error) from None
        return uvloop.new_event_loop
    import asyncio

    return asyncio.new_event_loop


def run_hook(hook, loop=None):
    if hook is None:
        return
    called = hook()
    if hasattr(called, "__await__"):
        if loop:
            loop.run_until_complete(called)
        else:
            import asyncio

            asyncio.run(as_coroutine(called))


class Worker:
    """Everything that one worker has."""

    def __init__(self, link, board, hello):
        configuration = hello["configuration"]
        self.link = link
        self.hello = hello
        self.desk = Desk(link, board, hello)
        self.in_loop = hello["inner"] == "async"
        self.target = loaded(configuration["target"], configuration["share"])
        self.loop = None
        self.close_loop = None
        self.probe = None
        function = self.target.function
        if configuration["is_async"]:
            new_loop = new_loop_of(configuration["loop"])
            if self.in_loop:
                import asyncio

                self.loop = new_loop()
                asyncio.set_event_loop(self.loop)
            else:
                function = OnOwnLoop(function, new_loop)
                self.close_loop = function.close
        self.call = spread(function) if configuration["args"] else function
        self.read = reader(configuration["input"], configuration["folder"])
        self.new_writer = lambda: writer(configuration["default"])
        try:
            run_hook(self.target.hook("setup"), self.loop)
        except BaseException as error:
            raise Problem("its setup() failed: %s\n%s" % (type(error).__name__, trace_of(error) or error)) from None
        slots = self.hello["slots"]
        if self.in_loop:
            self.lanes = Coroutines(self.desk, slots, self.call, self.read, self.new_writer, self.loop)
        else:
            self.lanes = Threads(self.desk, slots, self.call, self.read, self.new_writer, self.close_loop)
            self.lanes.begin(self.hello["lazy"])

    def serve(self):
        """Whether something was left behind."""
        if self.hello["configuration"]["probe"]:
            self.probe = Probe()
        return self.lanes.serve()

    def leave(self, left):
        self.desk.flush()
        try:
            run_hook(self.target.hook("teardown"), self.loop)
        except BaseException as error:
            print("teardown() failed:", trace_of(error) or error, file=sys.stderr)
        if self.loop and not left:
            close(self.loop)
        told = {
            "peak_memory_bytes": peak_bytes(),
            "cpu_ns": self.desk.cpu,
            "run_queue_ns": self.desk.run_queue,
            "serialising_ns": self.desk.serialising,
            "lock_wait_ns": self.probe.end() if self.probe else None,
            "longest_hold": self.lanes.longest if self.in_loop else None,
        }
        self.link.send(BYE, json.dumps(told).encode())


class Probe:
    """How late a thread comes to run that wants nothing but a moment: it needs the interpreter's lock for that."""

    NAP = 1_000_000
    MOST = 100_000

    def __init__(self):
        self.late = []
        self.ended = False
        self.thread = threading.Thread(target=self.run, name="triway-probe", daemon=True)
        self.thread.start()

    def run(self):
        while not self.ended and len(self.late) < self.MOST:
            began = now()
            time.sleep(self.NAP / 1e9)
            self.late.append(now() - began - self.NAP)

    def end(self):
        self.ended = True
        self.thread.join()
        self.late.sort()
        return (self.late[len(self.late) // 2], self.late[-1]) if self.late else None


def peak_bytes():
    try:
        with open("/proc/self/status", "rb") as status:
            for line in status:
                if line.startswith(b"VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None


def work(socket_file, board_file):
    sys.stdout.reconfigure(line_buffering=True)
    link = Link(socket_file)
    try:
        _, payload = link.recv()
        hello = json.loads(bytes(payload))
        board = Board(board_file, hello["slots"])
        try:
            worker = Worker(link, board, hello)
        except Problem as problem:
            link.send(READY, json.dumps({"problem": without_halves(str(problem))}).encode())
            sys.stderr.flush()
            os._exit(1)
        link.send(READY, b'{"problem":null}')
        left = worker.serve()
        worker.leave(left)
    except (Gone, OSError):
        # The parent is gone, or the function has closed the socket. The board has what was not sent.
        os._exit(1)
    if left:
        # What was left behind may never return, and would be waited for.
        import atexit

        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def main(arguments):
    sys.argv[1:] = []
    if arguments[0] == "describe":
        answer(arguments[1], json.loads(arguments[2]))
    else:
        work(int(arguments[0]), int(arguments[1]))


main(sys.argv[2:])
