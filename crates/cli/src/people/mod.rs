//! What people read while they wait, all on standard error: remarks, a progress bar, errors.

pub(crate) mod events;
pub(crate) mod excerpt;
pub(crate) mod figures;
pub(crate) mod hosts;
mod one_line;
pub(crate) mod summary;

use std::{
    fmt,
    io::{self, IsTerminal as _, Write as _},
    time::Duration,
};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use self::one_line::OneLine;
use crate::exit::Fault;

/// How often the bar is drawn, at most.
const DRAWN_HZ: u8 = 10;

/// How wide a terminal must be for a bar beside the figures; they matter more.
const COLUMNS_FOR_A_BAR: usize = 80;

/// Of which outcomes people are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interest {
    /// Of each.
    All,
    /// Of those that failed or needed a retry; of the others by host.
    Trouble,
}

/// Standard error, with a progress bar at its bottom if it is a terminal. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Screen {
    bar: ProgressBar,
    quiet: bool,
    terminal: bool,
}

impl Screen {
    /// Says only errors if `quiet`.
    pub(crate) fn new(quiet: bool) -> Self {
        Self {
            bar: ProgressBar::hidden(),
            quiet,
            terminal: io::stderr().is_terminal(),
        }
    }

    /// Whether somebody watches.
    pub(crate) fn is_watched(&self) -> bool {
        self.terminal && !self.quiet
    }

    /// Whether it may be coloured.
    pub(crate) fn has_colour(&self) -> bool {
        anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never
    }

    /// Shows a progress bar, if somebody watches; one without end if the total is not known. There must be nobody else
    /// who writes to the terminal.
    pub(crate) fn show_bar(&self, total: Option<u64>, what: &str) {
        if !self.is_watched() {
            return;
        }
        let template = match total {
            Some(_) if one_line::columns() < COLUMNS_FOR_A_BAR => {
                "{msg} {human_pos}/{human_len}, {rate}/s, {left} left"
            }
            Some(_) => "{msg} [{bar:20}] {human_pos}/{human_len}, {rate} a second, {left} left",
            None => "{msg} {spinner} {human_pos}, {rate} a second, {elapsed} so far",
        };
        let style = style(template)
            .with_key("rate", |state: &ProgressState, to: &mut dyn fmt::Write| {
                // Writing to the line that is being drawn does not fail.
                let _drawn = to.write_str(&figures::number(state.per_sec()));
            })
            .with_key("left", |state: &ProgressState, to: &mut dyn fmt::Write| {
                // Nothing says how long the first takes.
                let _drawn = match state.pos() {
                    0 => to.write_str("?"),
                    _ => write!(to, "{:#}", HumanDuration(state.eta())),
                };
            })
            .progress_chars("=> ");
        self.bar.set_style(style);
        self.bar.set_message(what.to_owned());
        if let Some(total) = total {
            self.bar.set_length(total);
        }
        // A bar that is shown already would leave its last line behind on a new target.
        if self.bar.is_hidden() {
            let line = Box::new(OneLine::default());
            self.bar
                .set_draw_target(ProgressDrawTarget::term_like_with_hz(line, DRAWN_HZ));
        }
        self.bar.reset();
        self.bar.enable_steady_tick(Duration::from_millis(200));
    }

    /// The bar goes a step further.
    pub(crate) fn step(&self) {
        self.bar.inc(1);
    }

    /// So many are done, whatever they are.
    pub(crate) fn set_position(&self, done: u64) {
        self.bar.set_position(done);
    }

    /// No more inputs begin, so there is no telling from those that ended how long the others would have taken.
    pub(crate) fn bar_stops(&self) {
        if !self.bar.is_hidden() {
            self.bar
                .set_style(style("{msg} {human_pos} done, stopping"));
        }
    }

    /// What the bar says beside itself.
    pub(crate) fn set_message(&self, message: String) {
        self.bar.set_message(message);
    }

    /// Takes the bar away for good.
    pub(crate) fn end_bar(&self) {
        self.bar.finish_and_clear();
    }

    /// Tells people something, if they want to be told.
    pub(crate) fn say(&self, line: &str) {
        if !self.quiet {
            self.warn(line);
        }
    }

    /// Several lines, likewise.
    pub(crate) fn say_all<'a>(&self, lines: impl IntoIterator<Item = &'a str>) {
        lines.into_iter().for_each(|line| self.say(line));
    }

    /// A line that is told even to those who want to hear nothing else.
    pub(crate) fn warn(&self, line: &str) {
        // If nobody can be told, there is nobody to tell that either.
        let _unheard = self.write(format!("{line}\n").as_bytes());
    }

    /// Writes above the bar.
    pub(crate) fn write(&self, text: &[u8]) -> io::Result<()> {
        self.without_bar(|| io::stderr().lock().write_all(text))
    }

    /// Takes the bar away while something else writes to the terminal.
    pub(crate) fn without_bar<R>(&self, write: impl FnOnce() -> R) -> R {
        self.bar.suspend(write)
    }
}

/// The template is a constant; if it did not parse, the library's own would do.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Says why the program cannot go on, with all causes.
pub(crate) fn complain(fault: &Fault) {
    let cause = &fault.cause;
    // If nobody can be told, the exit code still tells.
    let _unheard = writeln!(io::stderr().lock(), "triway: {cause:#}");
}
