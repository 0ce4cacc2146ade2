//! Colours: where the stream, the environment and the user want them.

use std::fmt::Display;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Effects};

/// How one stream may be decorated.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Style {
    colored: bool,
}

impl Style {
    /// Text without any decoration.
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self { colored: false };

    /// The style of stdout: the option first, then NO_COLOR, CLICOLOR_FORCE and the terminal.
    pub(crate) fn of_stdout(choice: ColorChoice) -> Self {
        Self::of(choice, || AutoStream::choice(&std::io::stdout()))
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
        }
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
