//! How far a probe is.

use std::fmt::Write;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use nettool::process;

use super::{FRAME, PATIENCE, WIDE, bar, is_watched};
use crate::output::Output;

/// What is drawn; the bar takes what room the figures leave.
const TEMPLATE: &str = "{wide_bar} {percent}%, {msg}, {rate}/s, ETA {eta}";
/// What is drawn where there is no room for a bar.
const NARROW: &str = "{percent}%, {wide_msg}";

/// The bar of one probe; it is gone when this is dropped.
#[derive(Debug)]
pub(crate) struct Probed<'a> {
    output: &'a Output,
    bar: ProgressBar,
    began: Instant,
    drawn: Option<Instant>,
    /// Whether there was room for a bar when it was drawn.
    is_wide: Option<bool>,
    is_wanted: bool,
    open: u64,
}

impl<'a> Probed<'a> {
    /// A bar for so many ports, if anybody wants it: somebody looks at stderr, `--quiet` was not
    /// said, and no records go to the same terminal.
    pub(crate) fn new(output: &'a Output, ports: u64) -> Self {
        let mixes = output.is_json() && process::is_terminal(std::io::stdout());
        let bar = bar(&output.screen);
        bar.set_length(ports);
        Self {
            output,
            bar,
            began: Instant::now(),
            drawn: None,
            is_wide: None,
            is_wanted: is_watched() && !output.wishes.quiet && !mixes,
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

    /// Draws, where that is allowed.
    fn draw(&mut self) {
        let is_wide = self.output.screen.measure() >= WIDE;
        if self.is_wide.replace(is_wide) != Some(is_wide) {
            self.bar.set_style(style(is_wide));
        }
        self.drawn = Some(Instant::now());
        self.bar.set_message(format!("{} open", self.open));
        self.output.screen.showing(|| self.bar.tick());
    }
}

impl Drop for Probed<'_> {
    fn drop(&mut self) {
        self.output.screen.lift();
    }
}

/// How the line is made, with a bar where there is room for it.
fn style(is_wide: bool) -> ProgressStyle {
    let rate = |state: &ProgressState, text: &mut dyn Write| {
        // The text grows in memory.
        let _ = write!(text, "{:.0}", state.per_sec());
    };
    ProgressStyle::with_template(if is_wide { TEMPLATE } else { NARROW })
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("rate", rate)
        .progress_chars("=> ")
}
