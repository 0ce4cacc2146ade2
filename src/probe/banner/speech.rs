//! How to begin, and how to tell what was said.

use std::fmt::Write as _;

/// As much as is read of what a server says.
pub(super) const LONGEST: usize = 512;

/// How to begin a conversation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Opening {
    /// Listen alone: what a printer reads it prints.
    Silence,
    /// Listen, then ask as a web browser would.
    Patience,
    /// Ask as a web browser would at once.
    Http,
    /// Ask for TLS at once.
    Tls,
}

/// Where servers speak HTTP, which waits for the client.
const HTTP: &[u16] = &[
    80, 591, 631, 2375, 3000, 3128, 5000, 5173, 5601, 5985, 8000, 8001, 8006, 8008, 8080, 8081,
    8086, 8088, 8123, 8200, 8500, 8888, 9000, 9090, 9091, 9200, 10000, 32400,
];

/// Where servers speak TLS from the first byte on.
const TLS: &[u16] = &[
    443, 465, 563, 636, 853, 989, 990, 992, 993, 995, 2376, 3269, 4443, 5061, 5671, 5986, 6443,
    6514, 6697, 8443, 8883, 9443, 10250,
];

/// The ports of printers that print what comes (`JetDirect`).
const PRINTERS: std::ops::RangeInclusive<u16> = 9100..=9107;

/// What is tried with a port, each on a connection of its own, until something is said.
pub(super) fn openings(port: u16) -> &'static [Opening] {
    match port {
        _ if PRINTERS.contains(&port) => &[Opening::Silence],
        _ if TLS.contains(&port) => &[Opening::Tls, Opening::Http],
        _ if HTTP.contains(&port) => &[Opening::Http, Opening::Tls],
        _ => &[Opening::Patience, Opening::Tls],
    }
}

impl Opening {
    /// Whether the server may speak first.
    pub(super) const fn listens_first(self) -> bool {
        matches!(self, Self::Silence | Self::Patience)
    }

    /// What is said to a server that waits.
    pub(super) fn question(self, host: &str) -> Option<Vec<u8>> {
        match self {
            Self::Silence => None,
            Self::Patience | Self::Http => Some(head(host)),
            Self::Tls => Some(client_hello()),
        }
    }
}

/// A request for the head of the first page (RFC 9110, section 9.3.2).
fn head(host: &str) -> Vec<u8> {
    let host: String = host.chars().filter(char::is_ascii_graphic).collect();
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host
    };
    format!(
        "HEAD / HTTP/1.0\r\nHost: {host}\r\nUser-Agent: nettool-probe\r\nConnection: close\r\n\r\n"
    )
    .into_bytes()
}

/// A `ClientHello` of TLS 1.2 (RFC 5246, section 7.4.1.2): small, and never followed by anything.
fn client_hello() -> Vec<u8> {
    let (version, random, no_session) = ([3, 3], [0x6e; 32], [0]);
    // ECDHE with ECDSA and with RSA, AES-GCM or ChaCha20, then plain RSA.
    let suites = [
        0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x2c, 0xc0, 0x30, 0xcc, 0xa9, 0xcc, 0xa8, 0x00, 0x9c, 0x00,
        0x2f,
    ];
    let no_compression = [1, 0];
    // x25519 and secp256r1 (RFC 8422, section 5.1.1); uncompressed points (section 5.1.2).
    let groups = [0, 10, 0, 6, 0, 4, 0, 29, 0, 23];
    let points = [0, 11, 0, 2, 1, 0];
    // RSA-PSS, ECDSA and PKCS 1 with SHA-256 (RFC 8446, section 4.2.3).
    let signatures = [0, 13, 0, 8, 0, 6, 8, 4, 4, 3, 4, 1];
    let extensions = sized(&[&groups[..], &points, &signatures].concat());
    let suites = sized(&suites);
    let body = [
        &version[..],
        &random,
        &no_session,
        &suites,
        &no_compression,
        &extensions,
    ]
    .concat();
    let hello = [&[1, 0][..], &sized(&body)].concat();
    [&[22, 3, 1][..], &sized(&hello)].concat()
}

/// Content behind its length in two bytes.
fn sized(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap_or(0);
    [&length.to_be_bytes()[..], content].concat()
}

/// Whether what was said is a record of TLS: a handshake or an alert (RFC 8446, section 5.1).
fn is_tls(said: &[u8]) -> bool {
    matches!(said, [21 | 22, 3, 0..=4, ..])
}

/// Whether enough was said to tell what it is.
pub(super) fn is_complete(said: &[u8]) -> bool {
    is_tls(said) || said.len() >= LONGEST
}

/// What was said as one line that obeys nobody: `tls`, or text with everything but letters, digits and
/// ASCII punctuation spelt out.
pub(super) fn words(said: &[u8]) -> String {
    if is_tls(said) {
        return "tls".to_owned();
    }
    let said = said.get(..LONGEST).unwrap_or(said);
    let mut text = String::with_capacity(said.len());
    for chunk in said.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '\\' => text.push_str("\\\\"),
                ' '..='~' => text.push(letter),
                _ if !letter.is_ascii() && letter.is_alphanumeric() => text.push(letter),
                _ => text.extend(letter.escape_default()),
            }
        }
        for byte in chunk.invalid() {
            // Writing to a String does not fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// Whatever was said is one line of text that obeys nobody, for fuzzing.
#[cfg(any(test, feature = "fuzz"))]
pub(crate) fn fuzz(said: &[u8]) {
    let text = words(said);
    let harmless =
        |letter: char| !letter.is_control() && (letter.is_ascii() || letter.is_alphanumeric());
    assert!(text.chars().all(harmless), "{said:?} becomes {text:?}");
    let _ = is_complete(said);
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, Opening, client_hello, head, is_complete, openings, words};
    use proptest::prelude::*;

    #[test]
    fn the_port_tells_how_to_begin() {
        assert_eq!(openings(22)[0], Opening::Patience);
        assert_eq!(openings(80)[0], Opening::Http);
        assert_eq!(openings(443)[0], Opening::Tls);
        assert_eq!(openings(9100), [Opening::Silence]);
        assert_eq!(Opening::Silence.question("h"), None);
    }

    #[test]
    fn lengths_are_as_they_say() {
        let hello = client_hello();
        let number = |place: usize| usize::from(hello[place]) << 8 | usize::from(hello[place + 1]);
        assert_eq!(number(3), hello.len() - 5);
        assert_eq!(number(7), hello.len() - 9);
        assert!(hello.starts_with(&[22, 3, 1]));
    }

    #[test]
    fn a_host_cannot_add_headers() {
        let text = String::from_utf8(head("h\r\nX: y")).expect("text");
        assert!(text.contains("\r\nHost: [hX:y]\r\n"), "{text}");
    }

    #[test]
    fn what_is_said_obeys_nobody() {
        for (said, text) in [
            (&b"SSH-2.0-x\r\n"[..], "SSH-2.0-x\\r\\n"),
            (b"\x1b[2J\\", "\\u{1b}[2J\\\\"),
            (
                "gr\u{fc}\u{df}e \u{202e}".as_bytes(),
                "gr\u{fc}\u{df}e \\u{202e}",
            ),
            (b"\xff\xfd\x18", "\\xff\\xfd\\u{18}"),
            (b"\x16\x03\x03\0\x2a", "tls"),
            (b"\x15\x03\x01\0\x02\x02\x28", "tls"),
            (b"", ""),
        ] {
            assert_eq!(words(said), text);
        }
        assert_eq!(words(&[b'a'; 600]).len(), LONGEST);
        assert!(is_complete(b"\x15\x03\x01") && !is_complete(b"\x15\x03"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_one_printable_line(said in prop::collection::vec(any::<u8>(), 0..700)) {
            let text = words(&said);
            prop_assert!(text.chars().all(|c| c == ' ' || c.is_ascii_graphic() || c.is_alphanumeric()));
            prop_assert!(text.len() <= LONGEST * 10);
        }
    }
}
