//! How far a conversation or a probe is: a bar, a line a second, or a line when it is asked for.

mod pace;
mod probed;
mod screen;
mod status;

use std::io::{stderr, stdin, stdout};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use nettool::process;
use nettool::relay::{Meter, Transform};

use self::pace::Pace;
pub(crate) use self::probed::Probed;
use self::screen::Canvas;
pub(super) use self::screen::Screen;
pub(crate) use self::status::Total;
use self::status::{Status, clock};
use super::escape::TerminalFilter;
use super::record::microseconds;
use super::{Output, record, terminal_understands};

/// How often the bar is drawn.
const FRAME: Duration = Duration::from_millis(100);

/// Said of bytes that somebody else moves, where the system does not count them.
const UNCOUNTED: &str = "how much was sent and received is not known: the command has the socket";

/// How often a line is printed.
const LINE: Duration = Duration::from_secs(1);

/// What is over sooner needs no bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// From this width on there is room for a bar before the figures.
const WIDE: usize = 50;

/// The columns that the figures have before the bar grows: a file's with its rate, the time left and
/// what is queued.
const FIGURES: usize = 62;

/// How long a bar may be: a shorter one shows nothing, a longer one nothing more.
const LENGTHS: RangeInclusive<usize> = 8..=40;

/// What the user wants to see.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    /// A bar where somebody looks at it and nothing else is shown.
    Auto,
    /// A bar.
    Bar,
    /// A line a second.
    Log,
    /// Nothing.
    Nothing,
}

/// The progress of one conversation.
#[derive(Debug)]
pub(crate) struct Progress<'a> {
    output: &'a Output,
    meter: &'a Meter,
    total: Total,
    /// What is being done as long as there is nobody to talk with.
    waiting: String,
    began: Instant,
    form: Form,
    pace: Pace,
    /// The most that was ever acknowledged: what is counted while it is sent may lag behind.
    acknowledged: u64,
    bar: Option<(ProgressBar, Shape)>,
    /// When there is something to show next.
    next: Option<Instant>,
    lines: u32,
}

/// What the line of the bar is made of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Shape {
    /// A bar of so many columns, and figures.
    Bar(usize),
    /// Something that moves, and figures.
    Spinner,
    /// Figures.
    Narrow,
}

impl Shape {
    /// The shape for so many columns. It does not depend on the figures: a bar whose length changed
    /// with them would tell nothing.
    fn of(columns: usize, has_total: bool) -> Self {
        if columns < WIDE {
            return Self::Narrow;
        }
        if !has_total {
            return Self::Spinner;
        }
        let room = columns.saturating_sub("[] ".len().saturating_add(FIGURES));
        Self::Bar(room.clamp(*LENGTHS.start(), *LENGTHS.end()))
    }

    /// The columns that stand before the figures.
    fn width(self) -> usize {
        match self {
            Self::Bar(length) => "[] ".len().saturating_add(length),
            Self::Spinner => "| ".len(),
            Self::Narrow => 0,
        }
    }

    /// How a line of this shape is made.
    fn style(self) -> ProgressStyle {
        let template = match self {
            Self::Bar(length) => format!("[{{bar:{length}}}] {{wide_msg}}"),
            Self::Spinner => "{spinner} {wide_msg}".to_owned(),
            Self::Narrow => "{wide_msg}".to_owned(),
        };
        ProgressStyle::with_template(&template)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ")
            .tick_chars("|/-\\ ")
    }
}

impl<'a> Progress<'a> {
    /// The progress of what this meter counts. stdin and stdout are those of the conversation.
    pub(crate) fn new(
        output: &'a Output,
        meter: &'a Meter,
        form: Form,
        total: Total,
        waiting: String,
    ) -> Self {
        Self {
            output,
            meter,
            total,
            waiting,
            began: Instant::now(),
            form: output.form(form),
            pace: Pace::default(),
            acknowledged: 0,
            bar: None,
            next: None,
            lines: 0,
        }
    }

    /// Whether anything is to be shown unasked.
    pub(crate) fn is_wanted(&self) -> bool {
        self.form != Form::Nothing
    }

    /// There is somebody to talk with.
    pub(crate) fn begin(&mut self) {
        self.lines = 0;
        self.next = self.is_wanted().then(Instant::now);
    }

    /// When to look next, if at all.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.next
    }

    /// Looks, and shows what is to be shown.
    pub(crate) fn look(&mut self) {
        let Some(status) = self.status() else {
            // Whoever was there is gone without a byte; the next one is a new beginning.
            self.next = None;
            return self.output.screen.lift();
        };
        self.next = Instant::now().checked_add(FRAME);
        self.pace.note(status.elapsed, status.position());
        match self.form {
            Form::Log => self.look_for_line(status),
            Form::Bar => self.draw(status),
            Form::Auto if self.is_out_of_place() => {
                self.output.screen.lift();
                (self.form, self.next) = (Form::Nothing, None);
            }
            // A conversation that carries nothing has nothing to count.
            Form::Auto if status.elapsed >= PATIENCE && status.has_moved() => {
                self.draw(status);
            }
            Form::Auto | Form::Nothing => {}
        }
    }

    /// Says how far it is, because somebody asked.
    pub(crate) fn answer(&mut self) {
        let status = self.status();
        if self.output.is_json() {
            return self.put_record(status);
        }
        let text = match status {
            Some(status) if !self.meter.is_counted() => {
                format!("{UNCOUNTED}, {} elapsed", clock(status.elapsed))
            }
            Some(status) => self.line(status),
            None => format!("{}, {} elapsed", self.waiting, clock(self.began.elapsed())),
        };
        self.output.answer(&text);
    }

    /// It is over: the bar is taken away.
    pub(crate) fn end(&mut self) {
        self.output.screen.lift();
        self.next = None;
    }

    /// The figures of this moment; none as long as there is nobody to talk with.
    fn status(&mut self) -> Option<Status> {
        let elapsed = self.meter.elapsed()?;
        let (acknowledged, sent) = (self.meter.acknowledged(), self.meter.sent());
        let acknowledged = acknowledged.map(|bytes| bytes.max(self.acknowledged).min(sent));
        self.acknowledged = acknowledged.unwrap_or(0);
        Some(Status {
            elapsed,
            sent,
            acknowledged,
            received: self.meter.received(),
            total: self.total,
        })
    }

    /// Whether payload is on the terminal, so that a bar would be in its way: what came, or what
    /// was typed and sent.
    fn is_out_of_place(&self) -> bool {
        let typed = self.meter.sent() > 0 && process::is_terminal(stdin());
        typed || self.output.screen.has_payload()
    }

    /// Prints a line when its second is over.
    fn look_for_line(&mut self, status: Status) {
        if status.elapsed < LINE.saturating_mul(self.lines.saturating_add(1)) {
            return;
        }
        // A second that was missed is not made up for.
        self.lines = u32::try_from(status.elapsed.as_secs()).unwrap_or(u32::MAX);
        // Whoever does not read them must not hold up the bytes.
        if !process::stderr_has_room() {
            return;
        }
        if self.output.is_json() {
            return self.put_record(Some(status));
        }
        self.output.answer(&self.line(status));
    }

    /// The figures as a line.
    fn line(&self, status: Status) -> String {
        let rate = self.pace.rate(status.elapsed, status.position());
        status.text(rate)
    }

    /// The figures as a record.
    fn put_record(&self, status: Option<Status>) {
        let status = status.map(|status| record::Progressed {
            client: Some(1),
            bytes_sent: status.sent,
            bytes_acked: status.acknowledged,
            bytes_received: status.received,
            elapsed_us: microseconds(status.elapsed),
            bytes_total: status.length(),
        });
        let progress = status.unwrap_or_default();
        self.output.put(&record::line("progress", &progress));
    }

    /// Draws the bar.
    fn draw(&mut self, status: Status) {
        let length = status.length();
        let columns = self.output.screen.measure();
        let shape = Shape::of(columns, length.is_some());
        let rate = self.pace.rate(status.elapsed, status.position());
        let (bar, drawn) = self
            .bar
            .get_or_insert_with(|| (bar(&self.output.screen), Shape::Narrow));
        if *drawn != shape {
            bar.set_style(shape.style());
            *drawn = shape;
        }
        bar.set_length(length.unwrap_or(0));
        bar.set_position(status.position());
        bar.set_message(status.fitting(columns.saturating_sub(shape.width()), rate));
        self.output.screen.showing(|| bar.tick());
    }
}

/// A bar on this screen that shows nothing unless it is told to.
fn bar(screen: &Arc<Screen>) -> ProgressBar {
    let target = ProgressDrawTarget::term_like(Box::new(Canvas(Arc::clone(screen))));
    ProgressBar::with_draw_target(None, target).with_style(Shape::Narrow.style())
}

impl Output {
    /// What is shown of what the user wants. `-q` wants nothing; a bar has no records, and `auto`
    /// is there for a person who looks at a terminal.
    fn form(&self, wish: Form) -> Form {
        match wish {
            _ if self.wishes.quiet => Form::Nothing,
            Form::Auto if self.is_json() || !is_watched() => Form::Nothing,
            Form::Bar if self.is_json() => Form::Log,
            wish => wish,
        }
    }

    /// What payload has to pass on its way to a terminal.
    pub(crate) fn payload_filter(&self, raw: bool) -> Box<dyn Transform> {
        Box::new(Payload {
            screen: Arc::clone(&self.screen),
            filter: (!raw).then(TerminalFilter::default),
        })
    }
}

/// Whether somebody looks at stderr and nothing else is shown there: of a program between two
/// pipes (a `ProxyCommand`) the terminal is somebody else's.
fn is_watched() -> bool {
    let between = process::is_channel(stdin()) && process::is_channel(stdout());
    terminal_understands() && !between && process::is_terminal(stderr())
}

/// Payload for a terminal: the bar makes room for it, and unless it is wanted raw its control
/// sequences are escaped.
#[derive(Debug)]
struct Payload {
    screen: Arc<Screen>,
    filter: Option<TerminalFilter>,
}

impl Transform for Payload {
    fn transform(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.screen.make_room(bytes);
        match &mut self.filter {
            Some(filter) => filter.transform(bytes, out),
            None => out.extend_from_slice(bytes),
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        if let Some(filter) = &mut self.filter {
            filter.finish(out);
        }
    }

    fn noticed(&mut self) -> bool {
        self.filter.as_mut().is_some_and(Transform::noticed)
    }
}
