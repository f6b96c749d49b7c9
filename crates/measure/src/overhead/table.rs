//! The table that every article on the subject shows, filled with what was measured here: a pure function of figures.
//!
//! What stands in a cell without a figure is how the thing is built (worker processes share no lock), not what somebody
//! found elsewhere.

use super::{
    pays::in_words,
    report::{Cell, Figure, Pays, Python, Row},
    told::{many, told},
};

/// What the cells are made of.
pub(super) struct Found<'a> {
    pub(super) figures: &'a [Figure],
    pub(super) pays: &'a [Pays],
    pub(super) python: Option<&'a Python>,
    pub(super) memory_bytes: Option<u64>,
    /// How many threads and processes the system allows.
    pub(super) allowed: Option<u64>,
}

/// All rows; those of Python where there is an interpreter.
pub(super) fn rows(found: &Found<'_>) -> Vec<Row> {
    let mut rows = vec![found.threads(), found.processes(), found.tasks()];
    if let Some(python) = found.python {
        rows.push(found.python_threads(python));
        rows.push(found.python_processes(python));
        rows.push(found.python_tasks());
    }
    rows
}

impl Found<'_> {
    fn threads(&self) -> Row {
        Row {
            id: "threads".to_owned(),
            name: "threads".to_owned(),
            best_for: self.best_for("threads"),
            lock_impact: self.cell(
                "{} to take a lock that is free, {} with two threads at it, {} with twice as many as processors",
                &["lock.free", "lock.two", "lock.many"],
            ),
            parallelism: self.parallelism("parallel.threads"),
            memory: self.cell("{} each", &["memory.thread"]),
            switch_cost: self.cell("{}", &["switch.thread"]),
            data_sharing: self.cell(
                "all memory is shared; {} to hand an input over",
                &["hand.threads"],
            ),
            scale: self.scale("memory.thread", true),
        }
    }

    fn processes(&self) -> Row {
        Row {
            id: "processes".to_owned(),
            name: "processes".to_owned(),
            best_for: self.best_for("processes"),
            lock_impact: self.cell("none: workers share no lock", &[]),
            parallelism: self.parallelism("parallel.processes"),
            memory: self.cell("{} each", &["memory.process"]),
            switch_cost: self.cell("{}", &["switch.process"]),
            data_sharing: self.cell(
                "copies: {} for a million integers; {} to hand an input over",
                &["share.serialised", "hand.processes"],
            ),
            scale: self.scale("memory.process", true),
        }
    }

    fn tasks(&self) -> Row {
        Row {
            id: "async".to_owned(),
            name: "async".to_owned(),
            best_for: self.best_for("async"),
            lock_impact: self.cell(
                "that of the runtime's threads: {} free, {} with two at it",
                &["lock.free", "lock.two"],
            ),
            parallelism: self.parallelism("parallel.async"),
            memory: self.cell("{} each", &["memory.task"]),
            switch_cost: self.cell("{}", &["switch.task"]),
            data_sharing: self.cell(
                "all memory is shared; {} to hand an input over",
                &["hand.async"],
            ),
            scale: self.scale("memory.task", false),
        }
    }

    fn python_threads(&self, python: &Python) -> Row {
        let late = "who wakes up comes {} late while another thread computes, {} while none does";
        let lock_impact = match python.free_threaded {
            true => format!("no lock of the interpreter: {late}"),
            false => format!("the interpreter's lock: {late}"),
        };
        Row {
            id: "python-threads".to_owned(),
            name: "Python threads".to_owned(),
            best_for: self.best_for("python-threads"),
            lock_impact: self.cell(&lock_impact, &["python.lock.contended", "python.lock.free"]),
            parallelism: self.parallelism("python.parallel.threads"),
            memory: self.cell("{} each", &["python.memory.thread"]),
            switch_cost: self.cell(
                "{} of the system's, and {} where the other computes",
                &["switch.thread", "python.lock.contended"],
            ),
            data_sharing: self.cell(
                "all objects are shared; {} to hand an input over",
                &["python.hand.threads"],
            ),
            scale: self.scale("python.memory.thread", true),
        }
    }

    fn python_processes(&self, python: &Python) -> Row {
        let memory = match python.start_method.as_str() {
            "spawn" => "{} spawned, as its pools do, {} forked",
            "fork" => "{} spawned, {} forked, as its pools do",
            _ => "{} spawned, {} forked",
        };
        Row {
            id: "python-processes".to_owned(),
            name: "Python processes".to_owned(),
            best_for: self.best_for("python-processes"),
            lock_impact: self.cell("none: each has an interpreter of its own", &[]),
            parallelism: self.parallelism("python.parallel.processes"),
            memory: self.cell(memory, &["python.memory.spawn", "python.memory.fork"]),
            switch_cost: self.cell("{} of the system's", &["switch.process"]),
            data_sharing: self.cell(
                "pickles: {} for a million integers; {} to hand an input over",
                &["python.share.pickled", "python.hand.processes"],
            ),
            scale: self.scale("python.memory.spawn", true),
        }
    }

    fn python_tasks(&self) -> Row {
        Row {
            id: "python-async".to_owned(),
            name: "Python async".to_owned(),
            best_for: self.best_for("python-async"),
            lock_impact: self.cell("none among coroutines of one event loop", &[]),
            parallelism: self.cell("none: an event loop is one thread", &[]),
            memory: self.cell("{} each", &["python.memory.task"]),
            switch_cost: self.cell("{}", &["python.switch.task"]),
            data_sharing: self.cell(
                "all objects are shared; {} to hand an input over",
                &["python.hand.async"],
            ),
            scale: self.scale("python.memory.task", false),
        }
    }

    /// What the model pays for, and from when on.
    fn best_for(&self, row: &str) -> Cell {
        let own = self.pays.iter().filter(|pays| pays.row == row);
        let words: Vec<String> = own.map(in_words).collect();
        Cell {
            text: words.join("; "),
            figures: Vec::new(),
        }
    }

    fn parallelism(&self, id: &str) -> Cell {
        self.cell("lanes that compute are {} as fast as one", &[id])
    }

    /// How many there can be: as memory goes, and as the system allows where it counts such things.
    fn scale(&self, memory: &str, counted: bool) -> Cell {
        let each = self.figure(memory).and_then(|figure| figure.median);
        let room = self.memory_bytes.zip(each.filter(|each| *each > 0.0));
        let mut text = match room {
            Some((bytes, each)) => format!("memory for {}", many(as_float(bytes) / each)),
            None => "memory for (not measured)".to_owned(),
        };
        if let (true, Some(allowed)) = (counted, self.allowed) {
            text += &format!("; the system allows {}", many(as_float(allowed)));
        }
        Cell {
            text,
            figures: vec![memory.to_owned()],
        }
    }

    /// Words with figures in the places of `{}`.
    fn cell(&self, words: &str, ids: &[&str]) -> Cell {
        let mut pieces = words.split("{}");
        let mut text = pieces.next().unwrap_or("").to_owned();
        for (piece, id) in pieces.zip(ids) {
            text += &told(self.figure(id));
            text += piece;
        }
        Cell {
            text,
            figures: ids.iter().map(|&id| id.to_owned()).collect(),
        }
    }

    fn figure(&self, id: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.id == id)
    }
}

#[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
fn as_float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::{
        super::{catalog, pays::pays_from},
        *,
    };

    fn figures(median: Option<f64>) -> Vec<Figure> {
        let of = |what: &catalog::What| Figure {
            id: what.id.to_owned(),
            name: what.name.to_owned(),
            unit: what.unit,
            median,
            ci95: None,
            range: None,
            rounds: 1,
            how: what.how.to_owned(),
            missing: None,
        };
        catalog::figures(true).map(of).collect()
    }

    fn python() -> Python {
        Python {
            version: "3.12.1".to_owned(),
            implementation: "cpython".to_owned(),
            executable: "/usr/bin/python3".to_owned(),
            free_threaded: false,
            switch_interval_s: 0.005,
            start_method: "fork".to_owned(),
        }
    }

    fn table(figures: &[Figure], python: Option<&Python>) -> Vec<Row> {
        let pays = pays_from(figures, [2, 100], python.is_some());
        rows(&Found {
            figures,
            pays: &pays,
            python,
            memory_bytes: Some(8 << 30),
            allowed: Some(31_700),
        })
    }

    #[test]
    fn cells_hold_what_was_measured() {
        let mut figures = figures(Some(2.0));
        let set = |figures: &mut Vec<Figure>, id: &str, to: f64| {
            let mut all = figures.iter_mut();
            all.find(|figure| figure.id == id).unwrap().median = Some(to);
        };
        set(&mut figures, "lock.free", 12e-9);
        set(&mut figures, "lock.two", 80e-9);
        set(&mut figures, "memory.thread", 8192.0);
        let rows = table(&figures, None);
        assert_eq!(
            rows.len(),
            3,
            "without an interpreter there are no rows of it"
        );
        let threads = &rows[0];
        assert!(
            threads
                .lock_impact
                .text
                .starts_with("12 ns to take a lock that is free, 80 ns with two")
        );
        let scale = "memory for 1.0 million; the system allows 32 thousand";
        assert_eq!(threads.scale.text, scale);
        assert_eq!(threads.memory.text, "8.0 KiB each");
        assert_eq!(threads.memory.figures, ["memory.thread"]);
    }

    #[test]
    fn what_was_not_measured_is_said_and_never_made_up() {
        let figures = figures(None);
        let python = python();
        let rows = table(&figures, Some(&python));
        assert_eq!(rows.len(), 6);
        for row in &rows {
            for (column, cell) in row.columns() {
                let stands_alone = cell.figures.is_empty() && column != "best for";
                let says = cell.text.contains("(not measured)");
                assert!(says != stands_alone, "{}, {column}: {}", row.id, cell.text);
            }
        }
    }

    #[test]
    fn every_figure_of_a_cell_is_in_the_catalog_and_has_a_place() {
        let figures = figures(Some(1.0));
        let mut python = python();
        for method in ["fork", "spawn", "forkserver"] {
            python.start_method = method.to_owned();
            for row in table(&figures, Some(&python)) {
                for (column, cell) in row.columns() {
                    let known = |id: &String| figures.iter().any(|figure| figure.id == *id);
                    assert!(cell.figures.iter().all(known), "{}, {column}", row.id);
                    assert!(!cell.text.contains("{}"), "{}, {column}", row.id);
                    let missing = cell.text.contains("not measured");
                    assert!(!missing, "{}, {column}: {}", row.id, cell.text);
                }
            }
        }
    }
}
