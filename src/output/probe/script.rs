//! Lines for scripts.

use std::collections::BTreeMap;

use nettool::probe::{PortReport, State};

use super::Findings;
use crate::output::escaped;

impl Findings {
    /// The lines of `--plain`, with a field for the banner if one was wanted.
    pub(crate) fn plain(&self, banner: bool) -> String {
        let listed = self.addresses.iter().flat_map(|address| &address.listed);
        listed.map(|report| plain_line(report, banner)).collect()
    }

    /// The lines of `--connect-ex`: of each port the best that any address has to say, so that a
    /// name that is served on one of its addresses is open. Silence is EAGAIN, which `connect_ex` of Python
    /// returns when the timeout of its socket has passed (`sock_call_ex` of socketmodule.c).
    pub(crate) fn connect_ex(&self) -> String {
        let mut best: BTreeMap<u16, (State, i32)> = BTreeMap::new();
        for report in self.addresses.iter().flat_map(|address| &address.listed) {
            let answer = (report.state, report.errno.unwrap_or(libc::EAGAIN));
            let known = best.entry(report.port).or_insert(answer);
            *known = (*known).min(answer);
        }
        let line = |(port, (_, errno))| format!("{port} {errno}\n");
        best.into_iter().map(line).collect()
    }
}

/// One port with its fields; what is not known is `-`.
fn plain_line(report: &PortReport, banner: bool) -> String {
    let known = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let mut fields = vec![
        escaped(&report.host).into_owned(),
        report.addr.to_string(),
        report.port.to_string(),
        report.proto.as_str().to_owned(),
        report.state.to_string(),
        known(report.errno.map(|errno| errno.to_string())),
        known(report.errname.map(str::to_owned)),
        known(report.rtt.map(|rtt| rtt.as_micros().to_string())),
        report.tries.to_string(),
        known(report.service.map(|service| escaped(service).into_owned())),
    ];
    if banner {
        fields.push(known(
            report
                .banner
                .as_deref()
                .map(|banner| escaped(banner).into_owned()),
        ));
    }
    fields.join("\t") + "\n"
}

#[cfg(test)]
mod tests {
    use super::super::testing::findings;
    use nettool::probe::State;

    #[test]
    fn fields_are_separated_by_tabs_and_never_empty() {
        let text = findings(State::ALL.to_vec()).plain(false);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            "host\t192.0.2.1\t22\ttcp\topen\t0\t-\t1500\t1\tssh"
        );
        assert_eq!(
            lines[2],
            "host\t192.0.2.1\t24\ttcp\tfiltered\t-\t-\t-\t3\t-"
        );
    }

    #[test]
    fn silence_is_what_connect_ex_makes_of_it() {
        let text = findings(State::ALL.to_vec()).connect_ex();
        assert_eq!(text, "22 0\n23 111\n24 11\n25 113\n8080 0\n");
    }
}
