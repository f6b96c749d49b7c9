//! Examples below the help texts.

pub(crate) const TRIWAY: &str = "\
Examples:
  triway compare http                  which model is best at requesting URLs, on this machine
  triway advise py app.py:fetch items.jsonl   which model for this function, and why
  triway run http urls.txt -o out.csv  request every URL of a file
  triway check urls.txt --cert-days 14 which URLs are not healthy, and why
  triway overhead                      what a thread, a process and an async task cost here
  triway run sh 'gzip -k' -- *.txt      a command for each input
  triway run cpu --n 100000000 -c 2    keep two processors busy

Exit codes: 0 every input succeeded; 1 some failed; 2 wrong usage or unreadable input;
3 the job could not run; 130 interrupted; 143 terminated.";

pub(crate) const RUN: &str = "\
Examples:
  triway run http urls.txt -c 50 -m async -o out.jsonl
  triway run http --timeout 5s --retries 2 -- https://example.org/ https://example.com/
  zcat urls.gz | triway run http - --rate 100/s --max-failures 5% > out.jsonl
  triway run sh 'gzip -k' --trace trace.json -- *.txt
  triway run cpu -m processes          with no inputs: an embedded example";

pub(crate) const ADVISE: &str = "\
Each input that is looked at is executed once, and really; -o keeps the outcomes.

Examples:
  triway advise http urls.txt -o probed.jsonl
  triway advise py app.py:fetch items.jsonl --budget 5s
  triway advise py app.py:fetch items.jsonl --code > pool.py
  triway advise sh 'gzip -k' --dry-probe -- *.txt
  triway advise py --example fake-async  with an embedded example";

pub(crate) const COMPARE: &str = "\
Examples:
  triway compare http                  with no inputs: an embedded server and 50 URLs
  triway compare http urls.txt --models threads@50,async@50,async@1000
  triway compare cpu --work spin --n 5 --inputs 100 --rounds 15
  triway compare cpu numbers.txt --format json -o comparison.json
  triway compare http urls.txt --report comparison.html --trace comparison.json";

pub(crate) const SWEEP: &str = "\
Enough is the smallest concurrency within 5 % of the best one measured, below the first at which more
inputs fail than before. A concurrency tells something with four inputs for each at once; with fewer
inputs it is shown only. Where a budget does not allow all inputs for all, the slow ones get fewer.

Examples:
  triway sweep http                    with no inputs: an embedded server and its URLs
  triway sweep http urls.txt -m async -c 1..512
  triway sweep sql 'select * from t where a = :a' rows.jsonl --db sqlite:t.db -m threads -c 1,2,5,10
  triway sweep py app.py:fetch items.jsonl -m threads -c 1..100/12 --budget 5m -o sweep.json";

pub(crate) const OVERHEAD: &str = "\
Start, memory, hand-over of an input, context switch and locks of threads, processes and async tasks, and the same in
Python, where there is an interpreter; hence from which duration of an input each model pays. Each figure is the middle of
several rounds, with an interval from six rounds on. What cannot be measured is missing, and it is said why.

Examples:
  triway overhead
  triway overhead --budget 30s --format md -o overhead.md
  triway overhead --python ~/.venv/bin/python --format json";

pub(crate) const JOURNAL: &str = "\
A journal holds the outcome of every input that came to its end, and how many inputs there were.
Credentials in inputs are left out.

Examples:
  triway run http urls.txt --journal run.journal -o out.jsonl
  triway run http urls.txt --journal run.journal -o out.jsonl --resume
  triway run http urls.txt --journal run.journal -o out.jsonl --retry-failed
  triway journal show run.journal --format csv";

pub(crate) const SERVE: &str = "\
Asked to end (Ctrl-C, TERM), it takes no further connection, gives requests in flight five seconds
and ends with 0; asked again, it ends at once, with 130 or 143.

Examples:
  triway serve http --port 8080        then: curl http://127.0.0.1:8080/delay/0.5
  triway serve http --port 0           takes a free port and prints it
  triway serve http --tls --write-ca ca.pem
                                       then: curl --cacert ca.pem https://127.0.0.1:8080/

Routes, of which / tells more:
  /status/N  /delay/SECONDS  /bytes/N  /drip?seconds=S&bytes=N  /gzip  /bomb
  /redirect/N  /redirect-loop  /get  /anything  /headers  /cookies  /basic-auth/USER/PASS
  /rate/N     429 for more than N requests a second, of all clients together
  /slots/N    N requests at once, each for 0.01 s or ?seconds=S; the others queue
  /flaky/P    503 in P per cent of all cases";

pub(crate) const COMPLETIONS: &str = "\
Examples:
  triway completions bash > ~/.local/share/bash-completion/completions/triway
  triway completions fish > ~/.config/fish/completions/triway.fish";

pub(crate) const MAN: &str = "\
Examples:
  triway man | man -l -
  triway man ~/.local/share/man/man1";

pub(crate) const HTTP: &str = "\
An input is a URL; credentials in it, and the values of parameters such as token or api_key, are
used and never shown. With no inputs, an embedded server answers 50 URLs, 40 at once and 10 after a
tenth of a second.

Examples:
  triway run http urls.txt --timeout 5s --retries 2
  triway compare http --urls 5 --delay 200ms -c 5
  triway run http urls.txt --per-host 4 --host-interval 50ms
  triway run http -m threads -c 20 --accept 200..=299,404 -- https://example.org/";

pub(crate) const CHECK: &str = "\
Exit codes: 0 all are healthy; 1 some are not; 2 wrong usage or unreadable input.
A rule file has tables [[rule]] with the same words: match, accept, max-latency, contains, header,
json, cert-days. For what can be said once, the last rule that matches counts; the rest adds up.
A sitemap that another one leads to and that cannot be read is one that is not healthy, and the
others go on; so is a sitemap that lists no pages at all. A page in several sitemaps is checked once.

Examples:
  triway check urls.txt --max-latency 800ms --cert-days 14
  triway check urls.txt --config triway.toml --per-host 4 --format json -o health.json
  triway check --json state==ready --retries 0 -- https://example.org/health";

pub(crate) const CHECK_TASK: &str = "\
An input is a URL, as for http. `triway check` runs the same and tells of trouble alone.

Examples:
  triway compare check urls.txt --max-latency 800ms
  triway run check urls.txt -m threads -o health.jsonl";

pub(crate) const CPU: &str = "\
An input is a number. With no inputs, as many as --inputs says, each --n.

Examples:
  triway run cpu --n 100000000 --inputs 4 -m processes
  triway compare cpu --work spin --n 50 --inputs 8";

pub(crate) const COLUMNS: &str = "\
An input is a file: CSV (.csv, .tsv, also .gz), Parquet or Arrow IPC. Each gives count, sum, avg, min, max of the
column and the rows it has; the total over all is told at the end. count is of the rows that match and have a
value; avg of none is null. Whole numbers add up exactly, and a sum beyond 64 bits is written as a string; floats
add up exactly, too, and are rounded once, so that no order or split changes a sum. Not-a-number is greater than
all other numbers. Texts, dates and points in time have min and max. Values in predicates: 50, 2.5, \"a\", 'a',
2026-01-31, 2026-01-31T12:00:00, true; a column of any name stands in backquotes. The types of a CSV's columns are
those of its first rows, whole numbers beyond 64 bits being floats; a later value that does not fit fails the file. With no inputs, an embedded example.

Examples:
  triway run columns --column price --where 'x > 50 and kind == \"a\"' data/*.parquet
  triway run columns --column price --split big.csv -o parts.jsonl --total -
  triway compare columns --column x --where 'day >= 2026-06-01' data/*.csv
  find . -name '*.arrow' | triway run columns --column x --files-from -";

pub(crate) const SQL: &str = "\
An input is a JSON object, one a line, or a record of a CSV file (.csv, .tsv; its values are texts, empty ones null).
Its values go to the parameters of their names; parameters are never part of the statement's text. Each row is a
transaction of its own, on disk when its outcome is told. A query gives its rows as output. With nothing given, an
embedded example.

With --journal, the database has a table triway_done, and --resume writes no row twice, whatever ended the run before.
PostgreSQL is asked for with what PGHOST, PGPORT, PGUSER, PGDATABASE, PGPASSWORD, PGPASSFILE (or ~/.pgpass), PGSSLMODE
and PGSSLROOTCERT say where the URL does not. A password never stands on a command line. compare sql gives each trial a
copy: of the file, or of the tables that the statement names, in a schema of its own; triggers, foreign keys and other
tables of a server are not copied. Under async, one thread writes to SQLite for all.

Examples:
  triway run sql 'insert into users(name, email) values (:name, :email)' rows.jsonl --db sqlite:users.db
  triway run sql 'update users set email = :email where id = :id' fix.csv --db sqlite:users.db -c 4
  triway run sql 'select * from users where name = :name' --db sqlite:users.db -- '{\"name\":\"Ada\"}'
  triway run sql 'insert into t values (:a)' rows.jsonl --db sqlite:t.db --setup t.sql --verify 'select count(*) from t'
  triway run sql 'insert into t values (:a)' rows.jsonl --db sqlite:t.db -m async -c 64 --group
  triway run sql 'insert into t values (:a)' rows.jsonl --db postgres://ada@db.example/shop --journal rows.journal";

pub(crate) const ECHO: &str = "\
An input is a message of one line. Each lane has a connection of its own, made when it is needed. With
no server given, one is started for the job; with no inputs, there are a thousand messages.

Without --rate, a lane sends its next message when it has its answer. With --rate 1000/s, each message
has its moment; one that comes late because all lanes wait is sent as soon as there is one, and its
outcome has response_s, the time from its moment to its answer, beside run_s.

With --server, compare makes servers the arms: each trial has a fresh one, and the same clients speak to
all of them. The table then has what the server spent: processor time a message, and how much its own
memory grew for a connection. What a client waits for its first answer has the connect in it.

Examples:
  triway serve echo --delay 500ms &
  triway run echo --to 127.0.0.1:7777 -c 10 -- hello again
  triway run echo --to 127.0.0.1:7777 -c 1000 --messages 100000 -q -o /dev/null
  triway run echo --to 127.0.0.1:7777 -c 200 --messages 10000 --rate 2000/s -o out.jsonl
  triway compare echo --models sequential,threads@50,async@50
  triway compare echo --server async --server threads --server processes --connections 10,100,1000";

pub(crate) const SERVE_ECHO: &str = "\
A line is answered with a line, `Echo: ` and what it said; lines of a connection one after the other.
Told to end (Ctrl-C, TERM), the server takes no further connection, answers what has arrived, and exits
with 0; told twice, it ends at once.

Examples:
  triway serve echo --model threads --port 7777 --delay 500ms
  triway serve echo --model processes --workers 4 --max-connections 10000
  printf 'hello\\n' | nc -N 127.0.0.1 7777";

pub(crate) const GENERATE: &str = "\
Examples:
  triway generate columns --rows 1000000 --files 8 data
  triway generate columns --rows 70000000 --files 1 --format csv big";

pub(crate) const SH: &str = "\
An input is a line, byte for byte. {} is replaced by it, {.} without its extension, {/} without its
directory, {//} by the directory, {/.} without both, {#} by its number; where there is no place for
it, it is the last argument. It is always part of one argument and never read by a shell, also with
--shell. What commands write is shown as they wrote it, each in one piece, unless -o or --format ask
for outcomes; --format joblog is GNU parallel's log. --timeout 200% is twice the median so far.
With no command and no inputs, an embedded example.

Examples:
  triway run sh 'convert {} {.}.png' -- *.jpg
  triway run sh --shell 'sort {} | uniq -c > {.}.count' -- *.txt
  find . -name '*.log' | triway run sh 'gzip -k' - -c 4 --timeout 200% --tag
  triway run sh 'grep -c x' files.txt -o outcomes.jsonl
  triway compare sh 'sha256sum' -- *.iso";

pub(crate) const PY: &str = "\
A function is FILE.py:NAME or PACKAGE.MODULE:NAME, in a file or module as `python` finds it. An input is a JSON value,
one a line, and so is a result; bytes are a result too, written as {\"base64\":\"…\"}. A class is made once a worker, and
its instance called. The module's setup() and teardown(), if it has them, run once a worker. What it prints goes to
standard error. An exception fails its input, with the traceback in the outcome's error.trace.

Models: sequential is one interpreter; threads one with Python threads; processes as many interpreters; async one whose
event loop awaits an `async def`; hybrid some with threads or coroutines inside. Unless -c says otherwise, as many as
Python's own pools have: threads four more than processors, processes one for each, async 100.

Python is the one that --python names, that of the active virtual environment, or python3; 3.9 or later. No package is
needed. With no function given, an example: --example sqrt, fetch, batches, insert, digest, tiny, fake-async or locked.

Examples:
  triway compare py app.py:fetch items.jsonl
  triway run py app.py:fetch items.jsonl -m threads -c 20 --timeout 10s -o out.jsonl
  triway run py app.py:resize --files -m processes --worker-memory 1GiB -- photos/*.jpg
  triway run py package.module:Parser --lines lines.txt --journal run.journal
  triway run py app.py:score rows.jsonl --share TABLE=table.bin
  triway compare py --example digest";
