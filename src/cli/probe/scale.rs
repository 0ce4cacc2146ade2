//! One job for many machines and many runs.

use std::path::{Path, PathBuf};

use clap::Args;
use nettool::value::Shard;

use super::{Party, ProbeArgs, Usage, value};

/// Scaling out.
#[derive(Args, Debug)]
#[command(next_help_heading = "Many machines and runs")]
pub(super) struct ScaleArgs {
    /// Probe part I of N of all ports; every machine is given the same targets and the same --seed
    /// [default seed: 0]
    #[arg(long, value_name = "I/N", value_parser = value::<Shard>, conflicts_with_all = ["all_addresses", "ping"])]
    shard: Option<Shard>,
    /// Go on where this file says that a run was stopped; a run that is stopped writes it, one that
    /// ends removes it
    #[arg(long, value_name = "FILE", conflicts_with = "ping")]
    resume: Option<PathBuf>,
    /// Make one report of what runs with --json printed into these files
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = [
        "words", "ports", "udp", "ping", "fast", "patience", "exclude", "exclude_ports", "all_addresses", "ipv4", "ipv6", "seed",
        "try_timeout", "tries", "rate", "concurrency", "deadline", "source", "interface", "shard",
        "resume",
    ])]
    merge: Vec<PathBuf>,
}

impl ProbeArgs {
    /// Which part is probed, if not all.
    pub(crate) fn shard(&self) -> Result<Option<Shard>, Usage> {
        let named = self.exclude.iter().find_map(|party| match party {
            Party::Host(host) if host.to_string().parse::<std::net::IpAddr>().is_err() => {
                Some(host)
            }
            _ => None,
        });
        match named {
            Some(name) if self.scale.shard.is_some() => Err(Usage::new(format!(
                "with --shard write the addresses of {name} after --exclude: a name may have others \
                 on another machine"
            ))),
            _ => Ok(self.scale.shard),
        }
    }

    /// Where it says what an earlier run has left over.
    pub(crate) fn resume(&self) -> Option<&Path> {
        self.scale.resume.as_deref()
    }

    /// What is merged, if something is.
    pub(crate) fn merged(&self) -> &[PathBuf] {
        &self.scale.merge
    }
}
