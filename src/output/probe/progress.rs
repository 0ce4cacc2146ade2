//! How far a probe is, on stderr, for somebody who looks.

use std::fmt::Write;
use std::io::{stderr, stdin, stdout};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use nettool::process;
use rustix::fs::FileType;

use crate::output::Output;

/// What is over sooner needs no bar.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often it is drawn.
const FRAME: Duration = Duration::from_millis(100);
/// What is drawn; the bar takes what room the figures leave.
const TEMPLATE: &str = "{wide_bar} {percent}%, {msg}, {rate}/s, ETA {eta}";

/// The bar of one probe; it is gone when this is dropped.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    began: Instant,
    drawn: Option<Instant>,
    is_wanted: bool,
    open: u64,
}

impl Progress {
    /// A bar for so many ports, if anybody wants it: stderr is a terminal, `--quiet` was not said,
    /// no records go to the same terminal, and we are no part of a pipeline on both sides.
    pub(crate) fn new(output: &Output, ports: u64) -> Self {
        let mixes = output.is_json() && process::is_terminal(stdout());
        let is_between = is_stream(stdin()) && is_stream(stdout());
        let is_wanted =
            process::is_terminal(stderr()) && !output.wishes.quiet && !mixes && !is_between;
        let bar = ProgressBar::with_draw_target(Some(ports), ProgressDrawTarget::hidden());
        Self {
            bar,
            began: Instant::now(),
            drawn: None,
            is_wanted,
            open: 0,
        }
    }

    /// So many more ports are known, and so many of them open; draws when it is time.
    pub(crate) fn add(&mut self, ports: u64, open: u64) {
        self.bar.inc(ports);
        self.open = self.open.saturating_add(open);
        let is_early = self.drawn.unwrap_or(self.began).elapsed() < FRAME;
        if self.is_wanted && !is_early && self.began.elapsed() >= PATIENCE {
            self.draw();
        }
    }

    /// Draws, unless the terminal is another's at the moment: then nothing is written.
    fn draw(&mut self) {
        if !process::foreground(stderr()) {
            return;
        }
        if self.drawn.is_none()
            && let Ok(style) = ProgressStyle::with_template(TEMPLATE)
        {
            let rate = |state: &ProgressState, text: &mut dyn Write| {
                // The text grows in memory.
                let _ = write!(text, "{:.0}", state.per_sec());
            };
            let style = style.with_key("rate", rate).progress_chars("=> ");
            self.bar.set_style(style);
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.drawn = Some(Instant::now());
        self.bar.set_message(format!("{} open", self.open));
        self.bar.tick();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.drawn.is_some() && process::foreground(stderr()) {
            self.bar.finish_and_clear();
        }
    }
}

/// Whether this is a pipe or a socket.
fn is_stream(descriptor: impl AsFd) -> bool {
    let kind = rustix::fs::fstat(descriptor).map(|stat| FileType::from_raw_mode(stat.st_mode));
    kind.is_ok_and(|kind| matches!(kind, FileType::Fifo | FileType::Socket))
}
