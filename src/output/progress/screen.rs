//! stderr as the bar is drawn on it, one frame a write, and cleared before anything else is said.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::TermLike;
use nettool::process;

use crate::output::stderr;
use crate::output::style::COLUMNS;

/// Back to the start of the line, and the line is empty (ECMA-48, EL).
const CLEAR: &str = "\r\u{1b}[2K";

/// For how long nothing is drawn after payload was handed to the terminal: it may still be on its
/// way.
const HOLD: Duration = Duration::from_millis(200);

/// Where the bar is drawn.
#[derive(Debug, Default)]
pub(crate) struct Screen(Mutex<State>);

/// What is on it.
#[derive(Debug, Default)]
struct State {
    /// What was drawn and is not yet shown.
    frame: String,
    /// How many columns it may take; 0 before they were counted.
    columns: u16,
    /// Whether the next frame is shown.
    shows: bool,
    /// Whether a bar is there now, and whether one ever was.
    is_drawn: bool,
    was_drawn: bool,
    /// When payload last went to a terminal, and whether it stopped within a line.
    payload: Option<(Instant, bool)>,
}

impl Screen {
    /// Takes the bar away, if it is there, so that something else can be written.
    pub(crate) fn lift(&self) {
        let mut state = self.state();
        if state.is_drawn {
            state.is_drawn = false;
            if is_ours() {
                stderr::say(CLEAR);
            }
        }
    }

    /// Makes room for payload that goes to a terminal.
    pub(crate) fn make_room(&self, payload: &[u8]) {
        let Some(last) = payload.last() else {
            return;
        };
        self.lift();
        let mut state = self.state();
        state.payload = Some((Instant::now(), *last != b'\n'));
    }

    /// Whether payload has gone to a terminal.
    pub(super) fn has_payload(&self) -> bool {
        self.state().payload.is_some()
    }

    /// Whether a bar was ever drawn.
    pub(crate) fn was_drawn(&self) -> bool {
        self.state().was_drawn
    }

    /// How many columns the next frame may take: one less than there are, since a full line would
    /// leave the cursor waiting at its end. They are counted once a frame: a terminal that is made
    /// narrower meanwhile must not get half of it as if it were wide.
    pub(super) fn measure(&self) -> usize {
        let columns = process::terminal_columns(io::stderr()).unwrap_or(COLUMNS);
        let columns = columns.saturating_sub(1).max(1);
        self.state().columns = columns;
        columns.into()
    }

    /// Shows what is drawn meanwhile, if this is the time and the place for it.
    pub(super) fn showing(&self, draw: impl FnOnce()) {
        let mut state = self.state();
        let hinders = |(at, within_line): (Instant, bool)| within_line || at.elapsed() < HOLD;
        let hindered = state.payload.is_some_and(hinders) && process::is_terminal(io::stderr());
        state.shows = !hindered && is_ours() && stderr::is_taken() && process::stderr_has_room();
        drop(state);
        draw();
        self.state().shows = false;
    }

    /// What is on it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether stderr may be drawn on: no terminal, or one that we are in the foreground of.
fn is_ours() -> bool {
    process::foreground(io::stderr())
}

/// The screen as the bar sees it.
#[derive(Debug)]
pub(super) struct Canvas(pub(super) Arc<Screen>);

impl Canvas {
    /// Adds to the frame.
    #[expect(clippy::unnecessary_wraps, reason = "the trait wants a result")]
    fn add(&self, text: &str) -> io::Result<()> {
        self.0.state().frame.push_str(text);
        Ok(())
    }

    /// Moves the cursor (ECMA-48, CUU to CUB).
    fn move_cursor(&self, count: usize, direction: char) -> io::Result<()> {
        match count {
            0 => Ok(()),
            count => self.add(&format!("\u{1b}[{count}{direction}")),
        }
    }
}

impl TermLike for Canvas {
    fn width(&self) -> u16 {
        self.0.state().columns.max(1)
    }

    fn move_cursor_up(&self, count: usize) -> io::Result<()> {
        self.move_cursor(count, 'A')
    }

    fn move_cursor_down(&self, count: usize) -> io::Result<()> {
        self.move_cursor(count, 'B')
    }

    fn move_cursor_right(&self, count: usize) -> io::Result<()> {
        self.move_cursor(count, 'C')
    }

    fn move_cursor_left(&self, count: usize) -> io::Result<()> {
        self.move_cursor(count, 'D')
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.add(&format!("{text}\n"))
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.add(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.add(CLEAR)
    }

    fn flush(&self) -> io::Result<()> {
        let mut state = self.0.state();
        let frame = std::mem::take(&mut state.frame);
        if !state.shows {
            return Ok(());
        }
        (state.is_drawn, state.was_drawn) = (true, true);
        stderr::say(&frame);
        Ok(())
    }
}
