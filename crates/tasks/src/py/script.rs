//! The script that an interpreter runs: the pieces of `python/worker`, put together.

/// What an interpreter is given on its command line: a look at its version, and then the script, whose descriptor the
/// first argument names. Where the interpreter puts the working folder first, nothing of ours is looked for there.
pub(super) const BEGINNING: &str = "\
import sys
if sys.version_info < (3, 9):
    sys.exit('Python %d.%d is too old; 3.9 or later is needed' % sys.version_info[:2])
if sys.path[:1] == ['']:
    del sys.path[0]
import os
with open('/proc/self/fd/' + sys.argv[1], 'rb') as script:
    os.close(int(sys.argv[1]))
    script = script.read()
if script.startswith(b'#'):
    script = compile(script, '<triway>', 'exec')
else:
    import marshal
    script = marshal.loads(script)
exec(script)
";

/// The script itself. It begins with a `#`, which nothing does that an interpreter has compiled.
pub(super) const SCRIPT: &str = concat!(
    include_str!("../../../../python/worker/wire.py"),
    include_str!("../../../../python/worker/values.py"),
    include_str!("../../../../python/worker/target.py"),
    include_str!("../../../../python/worker/desk.py"),
    include_str!("../../../../python/worker/threads.py"),
    include_str!("../../../../python/worker/coroutines.py"),
    include_str!("../../../../python/worker/main.py"),
);
