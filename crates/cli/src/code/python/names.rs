//! Which names a statement `import` may have for a module that is the user's own.

/// Words of the language, which name nothing.
const KEYWORDS: &str = "\
    False None True and as assert async await break class continue def del elif else except finally for from \
    global if import in is lambda nonlocal not or pass raise return try while with yield";

/// Modules that Python brings along, as 3.13 and earlier versions have them. A file of such a name is found in their place,
/// or they in its.
const STANDARD: &str = "\
    abc annotationlib antigravity argparse array ast asynchat asyncio asyncore atexit base64 bdb binascii bisect \
    builtins bz2 cProfile calendar cgi cmath cmd code codecs codeop collections colorsys compileall compression \
    concurrent configparser contextlib contextvars copy copyreg csv ctypes curses dataclasses datetime dbm \
    decimal difflib dis distutils doctest email encodings ensurepip enum errno faulthandler fcntl filecmp \
    fileinput fnmatch fractions ftplib functools gc genericpath getopt getpass gettext glob graphlib grp gzip \
    hashlib heapq hmac html http idlelib imaplib imp importlib inspect io ipaddress itertools json keyword \
    linecache locale logging lzma mailbox marshal math mimetypes mmap modulefinder msvcrt multiprocessing netrc \
    nt ntpath nturl2path numbers opcode operator optparse os pathlib pdb pickle pickletools pkgutil platform \
    plistlib poplib posix posixpath pprint profile pstats pty pwd py_compile pyclbr pydoc pydoc_data pyexpat \
    queue quopri random re readline reprlib resource rlcompleter runpy sched secrets select selectors shelve \
    shlex shutil signal site smtpd smtplib socket socketserver sqlite3 sre_compile sre_constants sre_parse ssl \
    stat statistics string stringprep struct subprocess symtable sys sysconfig syslog tabnanny tarfile tempfile \
    termios textwrap this threading time timeit tkinter token tokenize tomllib trace traceback tracemalloc tty \
    turtle turtledemo types typing unicodedata unittest urllib uuid venv warnings wave weakref webbrowser winreg \
    winsound wsgiref xml xmlrpc zipapp zipfile zipimport zlib zoneinfo";

/// Whether this is a name that code may have.
pub(super) fn is_plain(name: &str) -> bool {
    let begins = name.starts_with(|first: char| first.is_alphabetic() || first == '_');
    let goes_on = name.chars().all(|one| one.is_alphanumeric() || one == '_');
    begins && goes_on && !KEYWORDS.split(' ').any(|word| word == name)
}

/// Whether Python has a module of this name.
pub(super) fn is_standard(name: &str) -> bool {
    STANDARD.split(' ').any(|module| module == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_an_import_may_have_are_plain() {
        for (name, plain, standard) in [
            ("app", true, false),
            ("_app2", true, false),
            ("größe", true, false),
            ("my-app", false, false),
            ("2app", false, false),
            ("class", false, false),
            ("", false, false),
            ("queue", true, true),
            ("json", true, true),
        ] {
            assert_eq!(
                (is_plain(name), is_standard(name)),
                (plain, standard),
                "{name}"
            );
        }
    }
}
