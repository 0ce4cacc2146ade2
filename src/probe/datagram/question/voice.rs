//! Telephony.

use super::{Question, number};

/// STUN (RFC 8489, section 6): where do I come from.
pub(super) const STUN: Question = Question {
    protocol: "stun",
    bytes: || {
        let (binding, length) = ([0x00, 0x01], [0x00, 0x00]);
        [&binding[..], &length, MAGIC_COOKIE, b"nettoolprobe"].concat()
    },
    is_answer: |answer| {
        // A success or an error of a binding.
        matches!(number(answer, 0), Some(0x0101 | 0x0111))
            && answer.get(4..8) == Some(MAGIC_COOKIE)
            && answer.get(8..20) == Some(b"nettoolprobe")
    },
};

/// What tells RFC 8489 from its predecessor.
const MAGIC_COOKIE: &[u8] = &[0x21, 0x12, 0xa4, 0x42];

/// SIP (RFC 3261, section 11): what can you do. The answer comes to where the question came from
/// (RFC 3581).
pub(super) const SIP: Question = Question {
    protocol: "sip",
    bytes: || {
        b"OPTIONS sip:nettool@invalid SIP/2.0\r\n\
          Via: SIP/2.0/UDP nettool.invalid;branch=z9hG4bK-nettool;rport\r\n\
          From: <sip:nettool@nettool.invalid>;tag=nettool\r\n\
          To: <sip:nettool@invalid>\r\n\
          Call-ID: nettool-probe\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 0\r\nContent-Length: 0\r\n\r\n"
            .to_vec()
    },
    is_answer: |answer| answer.starts_with(b"SIP/2.0 "),
};

#[cfg(test)]
mod tests {
    use super::{SIP, STUN};

    #[test]
    fn an_error_is_an_answer_too() {
        let mut answer = (STUN.bytes)();
        answer[..2].copy_from_slice(&[0x01, 0x11]);
        assert_eq!(STUN.name(&answer), Some("stun"));
        assert_eq!(STUN.name(&answer[..19]), None);
        assert_eq!(SIP.name(b"SIP/2.0 483 Too Many Hops\r\n"), Some("sip"));
    }
}
