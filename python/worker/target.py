# The user's function: how it is found, and what it needs around it.


class Problem(Exception):
    """Why there is nothing to call, in words for people; whether that is the fault of whoever named it."""

    def __init__(self, said, is_target=False):
        super().__init__(said)
        self.is_target = is_target


class Target:
    """The function and its module."""

    def __init__(self, spec, shared):
        where, _, name = spec.rpartition(":")
        self.module = load(where)
        for share, path in shared:
            setattr(self.module, share, mapped(path))
        self.function, self.is_class = called(self.module, where, name)

    def hook(self, name):
        """The module's own `setup` or `teardown`, if it has one; not one that it only imported."""
        hook = getattr(self.module, name, None)
        if callable(hook) and getattr(hook, "__module__", None) == self.module.__name__:
            return hook
        return None


def load(where):
    if where.endswith(".py"):
        return load_file(os.path.abspath(where))
    # As with `python -m`.
    sys.path.insert(0, os.getcwd())
    import importlib

    return importlib.import_module(where)


def load_file(path):
    import importlib.util

    folder, file = os.path.split(path)
    name = file[: -len(".py")]
    sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    # As if it had been imported by its name, so that what it makes can be pickled.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def called(module, where, name):
    """What is called, and whether that is an instance that was made of a class."""
    if "<" in name:
        raise Problem("`%s` has no name that it could be found by; give it one at the top level of %s" % (name, where), True)
    value = module
    for part in name.split("."):
        if isinstance(value, type(load)):
            raise Problem(
                "`%s` is a function inside the function `%s`, which exists only while that runs; move it to the top "
                "level of %s" % (part, value.__name__, where),
                True,
            )
        try:
            value = getattr(value, part)
        except AttributeError:
            raise Problem("%s has no `%s`%s" % (where, name, near(module, part)), True) from None
    is_class = isinstance(value, type)
    if is_class:
        if not callable(getattr(value, "__call__", None)) or "__call__" not in dir_of(value):
            raise Problem("the class `%s` has no method `__call__`, so its instances cannot be called" % name, True)
        value = value()
    if not callable(value):
        raise Problem("`%s` of %s is %s and cannot be called%s" % (name, where, name_of(value), near(module, name)), True)
    return value, is_class


def dir_of(kind):
    return {name for one in kind.__mro__ for name in vars(one)}


def near(module, name):
    import difflib

    names = [one for one, value in vars(module).items() if callable(value) and not one.startswith("__")]
    close = difflib.get_close_matches(name, names, 3, 0.5)
    if close:
        return "; did you mean %s?" % " or ".join("`%s`" % one for one in close)
    own = [one for one in names if getattr(vars(module)[one], "__module__", None) == module.__name__]
    return "; it has %s" % ", ".join("`%s`" % one for one in own[:10]) if own else ""


def mapped(path):
    """A file as bytes that all workers see without a copy."""
    with open(path, "rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return memoryview(b"")
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def is_async(function):
    """Whether a call gives a coroutine."""
    import inspect

    call = getattr(type(function), "__call__", None)
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)


def loaded(spec, shared):
    """The target, or the Problem that there is with it; whatever the user's module does when it is imported."""
    try:
        return Target(spec, shared)
    except Problem:
        raise
    except BaseException as error:
        trace = trace_of(error) or "%s: %s" % (type(error).__name__, error)
        raise Problem("%s cannot be imported\n%s" % (spec.rpartition(":")[0], trace)) from None
