//! Names: DNS and its relatives share one form (RFC 1035, section 4.1).

use super::{Question, number};

/// DNS (RFC 1035): which version are you, as BIND began it: small, and never passed on to others.
pub(super) const DNS: Question = Question {
    protocol: "dns",
    bytes: || message(0, &["version", "bind"], TXT, CHAOS),
    is_answer: is_response,
};

/// Multicast DNS (RFC 6762): which types of service there are. A question from another port than
/// 5353 is answered to that port alone (section 6.7).
pub(super) const MDNS: Question = Question {
    protocol: "mdns",
    bytes: || message(0, &["_services", "_dns-sd", "_udp", "local"], PTR, INTERNET),
    is_answer: is_response,
};

/// Link-local multicast name resolution (RFC 4795): the name of the loopback address, which every
/// responder knows or refuses alone.
pub(super) const LLMNR: Question = Question {
    protocol: "llmnr",
    bytes: || message(0, &["1", "0", "0", "127", "in-addr", "arpa"], PTR, INTERNET),
    is_answer: is_response,
};

/// The `NetBIOS` name service (RFC 1002, section 4.2.17): the node status of whoever is asked.
pub(super) const NETBIOS: Question = Question {
    protocol: "netbios-ns",
    bytes: || message(0, &[ANY_NETBIOS_NAME], NBSTAT, INTERNET),
    is_answer: is_response,
};

/// `*` and fifteen zeros in the first-level encoding of RFC 1001, section 14.1.
const ANY_NETBIOS_NAME: &str = "CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// By what an answer is known to be to our question.
const ID: u16 = 0x6e74;

const PTR: u16 = 12;
const TXT: u16 = 16;
const NBSTAT: u16 = 33;
const INTERNET: u16 = 1;
const CHAOS: u16 = 3;

/// A message with one question.
fn message(flags: u16, name: &[&str], kind: u16, class: u16) -> Vec<u8> {
    let mut bytes: Vec<u8> = [ID, flags, 1, 0, 0, 0]
        .into_iter()
        .flat_map(u16::to_be_bytes)
        .collect();
    for label in name {
        bytes.push(u8::try_from(label.len()).unwrap_or(0));
        bytes.extend(label.bytes());
    }
    bytes.push(0);
    bytes.extend([kind, class].into_iter().flat_map(u16::to_be_bytes));
    bytes
}

/// A header with our number and the bit of a response.
fn is_response(answer: &[u8]) -> bool {
    let flags = number(answer, 2).unwrap_or(0);
    answer.len() >= 12 && number(answer, 0) == Some(ID) && flags & 0x8000 != 0
}

#[cfg(test)]
mod tests {
    use super::{DNS, NETBIOS};

    #[test]
    fn the_bytes_are_those_of_the_documents() {
        let expected = b"nt\0\0\0\x01\0\0\0\0\0\0\x07version\x04bind\0\0\x10\0\x03";
        assert_eq!((DNS.bytes)(), expected);
        let netbios = (NETBIOS.bytes)();
        assert_eq!((netbios.len(), &netbios[12..15]), (50, &b"\x20CK"[..]));
    }

    #[test]
    fn a_refusal_is_an_answer_and_another_number_is_none() {
        let refused = b"nt\x80\x05\0\x01\0\0\0\0\0\0";
        assert_eq!(DNS.name(refused), Some("dns"));
        assert_eq!(DNS.name(&refused[..11]), None);
        assert_eq!(DNS.name(b"nu\x80\x05\0\x01\0\0\0\0\0\0"), None);
    }
}
