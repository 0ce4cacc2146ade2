//! Files of networks: a network a line, or several with blanks between them; `#` begins a comment.

use std::path::Path;

use nettool::value::Cidr;

use super::{Usage, contents};
use crate::command::Failure;

/// Reads a file of networks. One without any is a mistake.
pub(super) fn read(path: &Path) -> Result<Vec<Cidr>, Failure> {
    let bytes = contents(path)?;
    let networks = parse(&bytes)
        .map_err(|(line, problem)| Usage::new(format!("{}:{line}: {problem}", path.display())))?;
    if networks.is_empty() {
        let path = path.display();
        let text = format!("{path} lists no network; write 0.0.0.0/0 and ::/0 for all");
        return Err(Usage::new(text).into());
    }
    Ok(networks)
}

/// The networks of such a file, or the number of the first line that has a mistake, and which.
fn parse(bytes: &[u8]) -> Result<Vec<Cidr>, (usize, String)> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut networks = Vec::new();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = String::from_utf8_lossy(line);
        let words = line.split('#').next().unwrap_or_default();
        for word in words.split_whitespace() {
            let network = word.parse::<Cidr>();
            let failed = |error: nettool::value::ValueError| error.to_string();
            networks.push(network.map_err(|error| (index.saturating_add(1), failed(error)))?);
        }
    }
    Ok(networks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_file_says_is_read_or_refused() {
        crate::replay::replay("network_list", |bytes| {
            let _ = parse(bytes);
        });
    }

    #[test]
    fn a_file_has_networks_and_comments() {
        let text = "\u{feff}# ours\r\n10.0.0.0/8\r\n\r\n  ::1 192.0.2.1 # two\nfd00::/8";
        let networks = parse(text.as_bytes()).unwrap();
        let texts: Vec<_> = networks.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["10.0.0.0/8", "::1/128", "192.0.2.1/32", "fd00::/8"]);
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        let mistakes: [(&[u8], usize); 3] = [
            (b"10.0.0.1/8", 1),
            (b"::1\n#\n1.2.3", 3),
            (b"::1\n\xff\n", 2),
        ];
        for (text, line) in mistakes {
            let (number, problem) = parse(text).unwrap_err();
            assert_eq!(number, line, "{problem}");
        }
    }
}
