//! What is to be said of an address as a whole.

use std::fmt::{self, Display, Formatter};

use nettool::probe::Rationed;

/// What is strange about an address.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Remark {
    /// All of its ports are open, and they are so many.
    AllOpen(usize),
    /// It limits its resets to about so many a second, and was given the time that takes, or not.
    Limited {
        /// Resets a second.
        rate: f64,
        /// Whether its closed ports may be unknown.
        fast: bool,
    },
    /// It says of few of its closed UDP ports that they are closed.
    Rationed(Rationed),
    /// It rejects TCP ports, perhaps more than it says.
    Rejecting,
}

impl Remark {
    /// Whether it is known, and not only possible: then it is told where there is no report, too.
    pub(crate) const fn is_sure(&self) -> bool {
        !matches!(self, Self::Rejecting)
    }
}

impl Display for Remark {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::AllOpen(ports) => write!(
                f,
                "all {ports} ports are open: perhaps a proxy or a tarpit answers in its place"
            ),
            Self::Limited { rate, fast } => {
                let rate = rounded(*rate);
                write!(f, "limits its resets to about {rate} a second: ")?;
                f.write_str(if *fast {
                    "what is filtered for reset-limit may be closed; without --fast it is told"
                } else {
                    "closed ports took their time; --fast does without"
                })
            }
            Self::Rationed(Rationed {
                asked, answered, ..
            }) => write!(
                f,
                "{answered} of {asked} UDP ports answered, the host limits its ICMP"
            ),
            Self::Rejecting => f.write_str(
                "rejects by ICMP, of which many hosts send only so much: what is filtered may be \
                 rejected, too",
            ),
        }
    }
}

/// A rate with two digits that count.
fn rounded(rate: f64) -> f64 {
    let unit = 10_f64.powf((rate.max(1.0).log10().floor() - 1.0).max(0.0));
    (rate / unit).round() * unit
}
