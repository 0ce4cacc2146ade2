//! Colours and the width of lines: where the stream, the environment and the user want them.

use std::fmt::Display;
use std::io::stdout;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Effects};
use nettool::process;

/// The width of a terminal that does not say its own.
pub(super) const COLUMNS: u16 = 80;

/// How one stream may be decorated.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Style {
    colored: bool,
    /// How many columns a line may take; without a terminal it takes what it needs, since programs
    /// read lines.
    width: Option<usize>,
}

impl Style {
    /// Text without any decoration.
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self {
        colored: false,
        width: None,
    };

    /// The same on a terminal of so many columns.
    #[cfg(test)]
    pub(crate) fn narrow(self, columns: usize) -> Self {
        Self {
            width: Some(columns),
            ..self
        }
    }

    /// The style of stdout: the option first, then NO_COLOR, CLICOLOR_FORCE and the terminal.
    pub(crate) fn of_stdout(choice: ColorChoice) -> Self {
        Self::of(choice, || AutoStream::choice(&stdout())).on_stdout()
    }

    /// The style of stderr, decided on its own.
    pub(crate) fn of_stderr(choice: ColorChoice) -> Self {
        Self::of(choice, || AutoStream::choice(&std::io::stderr()))
    }

    /// Asks the environment only where the user left it open.
    fn of(choice: ColorChoice, environment: impl FnOnce() -> ColorChoice) -> Self {
        let choice = if choice == ColorChoice::Auto {
            environment()
        } else {
            choice
        };
        Self {
            colored: choice != ColorChoice::Never,
            width: None,
        }
    }

    /// The same with the width that stdout has now: a terminal may have become another size.
    pub(crate) fn on_stdout(self) -> Self {
        let columns = || {
            let columns = process::terminal_columns(stdout());
            columns.unwrap_or(COLUMNS).into()
        };
        Self {
            width: process::is_terminal(stdout()).then(columns),
            ..self
        }
    }

    /// How many columns a line may take, if that is limited.
    pub(crate) fn width(self) -> Option<usize> {
        self.width
    }

    /// A word that says that something failed.
    pub(crate) fn error(self, text: impl Display) -> String {
        self.paint(
            anstyle::Style::new()
                .fg_color(Some(AnsiColor::Red.into()))
                .bold(),
            text,
        )
    }

    /// A word that warns.
    pub(crate) fn warning(self, text: impl Display) -> String {
        self.paint(
            anstyle::Style::new()
                .fg_color(Some(AnsiColor::Yellow.into()))
                .bold(),
            text,
        )
    }

    /// A word that helps.
    pub(crate) fn hint(self, text: impl Display) -> String {
        self.paint(
            anstyle::Style::new().fg_color(Some(AnsiColor::Cyan.into())),
            text,
        )
    }

    /// Something that is as it should be: an open port, an interface that is up.
    pub(crate) fn good(self, text: impl Display) -> String {
        self.paint(
            anstyle::Style::new().fg_color(Some(AnsiColor::Green.into())),
            text,
        )
    }

    /// What the eye looks for first.
    pub(crate) fn strong(self, text: impl Display) -> String {
        self.paint(anstyle::Style::new().effects(Effects::BOLD), text)
    }

    /// What is there for completeness.
    pub(crate) fn dim(self, text: impl Display) -> String {
        self.paint(anstyle::Style::new().effects(Effects::DIMMED), text)
    }

    /// Puts the codes around the text, or leaves it alone.
    fn paint(self, style: anstyle::Style, text: impl Display) -> String {
        if self.colored {
            format!("{style}{text}{style:#}")
        } else {
            text.to_string()
        }
    }
}
