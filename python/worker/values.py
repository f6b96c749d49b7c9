# Inputs and results: from bytes to Python values and back.


class BadInput(Exception):
    """The input is not of the form that it should have."""


class Unheld(Exception):
    """The result is of a type that cannot be handed back."""


def reader(form, folder):
    """What makes a value of an input's bytes."""
    return {"json": read_json, "lines": read_line, "files": lambda raw: read_file(raw, folder)}[form]


def read_line(raw):
    try:
        return str(raw, "utf-8")
    except UnicodeDecodeError as error:
        raise BadInput("the input is not UTF-8: byte %d is %#04x" % (error.start, error.object[error.start])) from None


def read_json(raw, scan=json.JSONDecoder().scan_once, decode=json.JSONDecoder().decode):
    try:
        text = str(raw, "utf-8")
    except UnicodeDecodeError:
        read_line(raw)
    try:
        value, end = scan(text, 0)
        if end == len(text):
            return value
    except StopIteration:
        # It begins with white space, or with what is no JSON.
        pass
    except (ValueError, RecursionError):
        pass
    try:
        return decode(text.lstrip("\ufeff"))
    except RecursionError:
        raise BadInput("the input is JSON that is nested too deeply") from None
    except ValueError as error:
        said = str(error) or "it does not read"
        raise BadInput("the input is no JSON value: %s; --lines takes lines as they are" % said) from None


def read_file(raw, folder):
    name = os.fsdecode(bytes(raw))
    try:
        with open(os.path.join(folder, name), "rb") as file:
            return file.read()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise BadInput("the file %s cannot be read: %s" % (name, why)) from None


def spread(function):
    """Calls the function with the elements of a list, or the fields of an object, as its arguments."""

    def call(value):
        if type(value) is list:
            return function(*value)
        if type(value) is dict:
            return function(**value)
        raise BadInput("with --args an input is a JSON list or object, not %s" % name_of(value))

    return call


def writer(default):
    """What makes bytes of a result, and says of which kind they are. For one thread."""
    convert = {None: None, "str": str, "repr": repr}[default]

    def refuse(value):
        nonlocal theirs
        if convert:
            theirs = True
            shown = convert(value)
            theirs = False
            return shown
        if type(value).__name__ == "coroutine":
            value.close()
            raise Unheld(
                "the result is a coroutine, although the function is no `async def`; a decorator that awaits what it "
                "wraps, in an `async def` of its own, would make it one"
            )
        raise Unheld(
            "the result %s %s, which JSON cannot hold; return plain values, or take --default str"
            % ("is" if value is top else "has", name_of(value, "a value of type "))
        )

    encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=refuse).encode
    quote = json.encoder.encode_basestring
    top = None
    # Whether what was raised comes from the user's own code.
    theirs = False

    def write(value):
        nonlocal top, theirs
        kind = type(value)
        if kind is int:
            try:
                text = int.__repr__(value)
            except ValueError:
                raise too_many_digits() from None
        elif kind is str:
            text = quote(value)
        elif value is None:
            return DONE, b"null"
        elif kind is bytes:
            return DONE_BYTES, value
        elif kind is bytearray or kind is memoryview:
            return DONE_BYTES, bytes(value)
        else:
            top, theirs = value, False
            try:
                text = encode(value)
            except ValueError as error:
                if theirs:
                    raise
                text = unusual(value, convert, error)
            except RecursionError:
                if theirs:
                    raise
                raise Unheld("the result is nested too deeply for JSON") from None
            finally:
                top = None
        try:
            return DONE, text.encode()
        except UnicodeEncodeError:
            if convert:
                import re

                return DONE, re.sub("[\ud800-\udfff]", lambda half: "\\\\u%x" % ord(half[0]), text).encode()
            raise Unheld(
                "the result has a surrogate without its partner, which is no text; take --default str to have it escaped"
            ) from None

    return write


def unusual(value, convert, error):
    if "circular" in str(error).lower():
        raise Unheld("the result refers to itself, which JSON cannot hold") from None
    if "integer string conversion" in str(error):
        raise too_many_digits() from None
    if "float" not in str(error).lower():
        raise Unheld("the result cannot be written as JSON: %s" % error) from None
    if not convert:
        raise Unheld(
            "the result has %s, which JSON cannot hold; take --default str to have it as text"
            % ("a NaN" if "nan" in str(error) or "nan" in repr(value)[:1000] else "an infinite number")
        ) from None
    return json.dumps(finite(value, convert), separators=(",", ":"), ensure_ascii=False, default=convert)


def too_many_digits():
    return Unheld(
        "the result has a whole number of more than %d digits, which this interpreter does not write out; "
        "sys.set_int_max_str_digits(0) in its module allows it" % sys.get_int_max_str_digits()
    )


def finite(value, convert):
    """The same with floats that JSON lacks as text."""
    if isinstance(value, float):
        return value if value - value == 0 else convert(value)
    if isinstance(value, (list, tuple)):
        return [finite(one, convert) for one in value]
    if isinstance(value, dict):
        return {key: finite(one, convert) for key, one in value.items()}
    return value


def name_of(value, before=""):
    kind = type(value)
    name = kind.__qualname__ if kind.__module__ == "builtins" else kind.__module__ + "." + kind.__qualname__
    return before + name


# Failures.


def failure(error):
    """A failure as the parent reads it."""
    if isinstance(error, BadInput):
        return told("bad-input", str(error), retryable=False)
    if isinstance(error, Unheld):
        return told("unserialisable", str(error), retryable=False)
    try:
        said = str(error)
    except BaseException:
        said = "(it cannot be shown)"
    name = type(error).__name__
    return told("exception", name + ": " + said if said else name, trace_of(error))


def told(kind, message, trace=None, retryable=True):
    said = {"kind": kind, "message": shortened(message), "retryable": retryable}
    if trace:
        said["trace"] = shortened(trace)
    return json.dumps(said).encode()


def shortened(text, most=16_000):
    text = without_halves(text)
    return text if len(text) <= most else "%s… (%d characters)" % (text[:most], len(text))


def without_halves(text):
    """The same with surrogates that lack their partner written out: no reader of JSON has to know them."""
    return text.encode("utf-8", "backslashreplace").decode()


def trace_of(error):
    """The user's own part of the traceback; None where there is none."""
    try:
        import traceback

        made = traceback.TracebackException(type(error), error, error.__traceback__)
        before = len(made.stack)
        leave_out_ours(made)
        if not made.stack and before and not isinstance(error, SyntaxError):
            return None
        return "".join(made.format()).rstrip("\n")
    except BaseException:
        # Whatever an exception does that is asked about itself, it is still the failure of its input.
        return None


OURS = ("<triway", "<frozen importlib")


def leave_out_ours(made):
    """Leaves what the user wrote: what stands behind the last step of ours."""
    while made:
        ours = [at for at, frame in enumerate(made.stack) if frame.filename.startswith(OURS)]
        if ours:
            del made.stack[: ours[-1] + 1]
        made = made.__cause__ or made.__context__
