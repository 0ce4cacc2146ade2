//! What `nettool probe` tells.

use clap::{Args, ValueEnum};
use nettool::probe::State;

/// What is told.
#[derive(Args, Debug)]
#[command(next_help_heading = "Report")]
#[expect(clippy::doc_markdown, reason = "the help is plain text")]
pub(super) struct ReportArgs {
    /// Ports of which states to list
    ///
    /// [default: open; with --plain and --json all]
    #[arg(long, value_name = "STATE", value_delimiter = ',')]
    show: Option<Vec<Shown>>,
    /// One line a port: host addr port proto state errno errname rtt_us tries service, with tabs
    #[arg(long, conflicts_with_all = ["json", "connect_ex"])]
    plain: bool,
    /// One line a port: PORT ERRNO, as connect_ex of Python returns it
    #[arg(long, conflicts_with_all = ["json", "show"])]
    pub(super) connect_ex: bool,
    /// The exit status is 0 only if all ports are open
    #[arg(long)]
    pub(super) all_open: bool,
}

/// A state to list.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Shown {
    /// A connection was accepted
    Open,
    /// The host answered that nobody listens
    Closed,
    /// ICMP says that the port may not be reached
    Rejected,
    /// Silence
    Filtered,
    /// Silence over UDP
    #[value(name = "open|filtered", alias = "open-filtered")]
    OpenFiltered,
    /// There is no way to the host
    Unreachable,
    /// We could not find out
    Undetermined,
    /// Every state
    All,
}

/// How results are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    /// For a person.
    Human,
    /// One line of fields a port.
    Plain,
    /// `PORT ERRNO`.
    ConnectEx,
}

impl ReportArgs {
    /// How results are written, unless as records.
    pub(super) fn form(&self) -> Form {
        match (self.plain, self.connect_ex) {
            (true, _) => Form::Plain,
            (_, true) => Form::ConnectEx,
            _ => Form::Human,
        }
    }

    /// Ports of which states are listed.
    pub(super) fn shown(&self, json: bool) -> Vec<State> {
        let Some(wanted) = &self.show else {
            let all = json || self.form() != Form::Human;
            return if all {
                State::ALL.to_vec()
            } else {
                vec![State::Open]
            };
        };
        let shows = |state: &State| wanted.iter().any(|shown| shown.includes(*state));
        State::ALL.into_iter().filter(shows).collect()
    }
}

impl Shown {
    /// Whether ports of this state are meant.
    fn includes(self, state: State) -> bool {
        match self {
            Self::All => true,
            Self::Open => state == State::Open,
            Self::Closed => state == State::Closed,
            Self::Rejected => state == State::Rejected,
            Self::Filtered => state == State::Filtered,
            Self::OpenFiltered => state == State::OpenFiltered,
            Self::Unreachable => state == State::Unreachable,
            Self::Undetermined => state == State::Undetermined,
        }
    }
}
