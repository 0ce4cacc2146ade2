//! What a UDP port is asked, so that whoever serves it answers.
//!
//! Every question is our own, made from the document that its comment names. None makes a server
//! send many times what it was sent: nobody's port can be used as an amplifier by them.

mod discovery;
mod management;
mod names;
mod tunnels;
mod voice;

/// One question in one protocol.
#[derive(Debug)]
pub(super) struct Question {
    /// What the protocol is called where an answer is reported.
    pub(super) protocol: &'static str,
    /// The datagram.
    pub(super) bytes: fn() -> Vec<u8>,
    /// Whether a datagram is an answer of this protocol.
    pub(super) is_answer: fn(&[u8]) -> bool,
}

/// For ports of which nothing is known: two empty lines, which echo servers give back and servers
/// of text take for a mistake.
const ANYTHING: Question = Question {
    protocol: "echo",
    bytes: || b"\r\n\r\n".to_vec(),
    is_answer: |answer| answer == b"\r\n\r\n",
};

/// The questions of each port, in the order of asking.
const QUESTIONS: &[(&[u16], &[Question])] = &[
    (&[7], &[ANYTHING]),
    (&[53], &[names::DNS]),
    (&[69], &[management::TFTP]),
    (&[111], &[management::RPC]),
    (&[123], &[management::NTP]),
    (&[137], &[names::NETBIOS]),
    (&[161], &[management::SNMP_V3, management::SNMP_V1]),
    (&[389], &[discovery::LDAP]),
    (&[443, 80, 8443], &[tunnels::QUIC, tunnels::DTLS]),
    (&[500], &[tunnels::IKE]),
    (&[520], &[management::RIP]),
    (&[623], &[management::IPMI]),
    (&[853], &[tunnels::QUIC]),
    (&[1194], &[tunnels::OPENVPN]),
    (&[1434], &[discovery::MSSQL]),
    (&[1645, 1812, 1813], &[management::RADIUS]),
    (&[1900], &[discovery::SSDP]),
    (&[3478, 5349, 19302], &[voice::STUN]),
    (&[3702], &[discovery::WS_DISCOVERY]),
    (&[4500], &[tunnels::IKE_OVER_NAT]),
    (&[5060], &[voice::SIP]),
    (&[5351], &[management::NAT_PMP]),
    (&[5353], &[names::MDNS]),
    (&[5355], &[names::LLMNR]),
    (&[5683], &[discovery::COAP]),
    (&[5684], &[tunnels::DTLS]),
    (&[11211], &[management::MEMCACHED]),
    (&[47808], &[discovery::BACNET]),
];

/// The questions for other ports: whoever moved a service moved one of these most often.
const ELSEWHERE: &[Question] = &[ANYTHING, names::DNS, voice::STUN];

/// The questions of a port.
fn questions_of(port: u16) -> &'static [Question] {
    let known = QUESTIONS.iter().find(|(ports, _)| ports.contains(&port));
    known.map_or(ELSEWHERE, |(_, questions)| questions)
}

/// How many different questions there are for a port.
pub(in crate::probe) fn variety(port: u16) -> u8 {
    u8::try_from(questions_of(port).len()).unwrap_or(1)
}

/// What a port is asked at its try of this number, from 1.
pub(super) fn question(port: u16, number: u8) -> &'static Question {
    let questions = questions_of(port);
    let number = usize::from(number.saturating_sub(1));
    let turn = number.checked_rem(questions.len()).unwrap_or(0);
    questions.get(turn).unwrap_or(&ANYTHING)
}

/// How many different questions a port is asked at least.
pub(super) fn questions(port: u16) -> u8 {
    variety(port).min(2)
}

/// Protocols whose servers may answer from another port than that they were asked on: TFTP always
/// does (RFC 1350, section 4), and those that are asked by multicast as their socket happens to be.
const FROM_ANY_PORT: [&str; 3] = ["tftp", "ssdp", "ws-discovery"];

impl Question {
    /// Whether the answer may come from any port of whom was asked.
    pub(super) fn is_answered_from_any_port(&self) -> bool {
        FROM_ANY_PORT.contains(&self.protocol)
    }

    /// The protocol of an answer, if it is this question's or an echo.
    pub(super) fn name(&self, answer: &[u8]) -> Option<&'static str> {
        if answer == (self.bytes)() {
            return Some("echo");
        }
        (self.is_answer)(answer).then_some(self.protocol)
    }
}

/// Reads a datagram as an answer to every question, for fuzzing.
#[cfg(any(test, feature = "fuzz"))]
pub(crate) fn fuzz(answer: &[u8]) {
    let known = QUESTIONS.iter().flat_map(|(_, questions)| *questions);
    for question in known.chain(ELSEWHERE) {
        let _ = question.name(answer);
    }
}

/// One element of the Basic Encoding Rules (X.690): a tag, a length below 128, the content.
fn ber(tag: u8, content: &[u8]) -> Vec<u8> {
    debug_assert!(content.len() < 128, "only the short form is written");
    let length = u8::try_from(content.len()).unwrap_or(0);
    [&[tag, length], content].concat()
}

/// Whether an answer is a SEQUENCE of the Basic Encoding Rules that is as long as it says.
fn is_ber_sequence(answer: &[u8]) -> bool {
    let Some(([0x30, length], rest)) = answer.split_first_chunk() else {
        return false;
    };
    match *length {
        short @ 0..=0x7f => usize::from(short) == rest.len(),
        0x81..=0x84 => {
            let (head, content) = rest
                .split_at_checked(usize::from(length & 7))
                .unwrap_or_default();
            let said = head
                .iter()
                .fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
            !head.is_empty() && said == content.len()
        }
        _ => false,
    }
}

/// The two bytes of an answer from `offset` on, as a number.
fn number(answer: &[u8], offset: usize) -> Option<u16> {
    let bytes = answer.get(offset..)?.first_chunk()?;
    Some(u16::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::{
        ELSEWHERE, FROM_ANY_PORT, QUESTIONS, Question, is_ber_sequence, question, questions,
        variety,
    };
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn all() -> impl Iterator<Item = &'static Question> {
        QUESTIONS
            .iter()
            .flat_map(|(_, questions)| *questions)
            .chain(ELSEWHERE)
    }

    #[test]
    fn a_port_is_asked_one_question_after_the_other() {
        assert_eq!(question(53, 1).protocol, "dns");
        assert_eq!(question(53, 2).protocol, "dns");
        let names = (1..=3).map(|number| question(161, number).protocol);
        assert_eq!(names.collect::<Vec<_>>(), ["snmp", "snmp", "snmp"]);
        assert_ne!((question(161, 1).bytes)(), (question(161, 2).bytes)());
        assert_eq!(question(9999, 0).protocol, "echo");
        assert_eq!(question(9999, 2).protocol, "dns");
        assert_eq!((questions(161), questions(53), questions(9999)), (2, 1, 2));
        assert_eq!((variety(161), variety(53), variety(9999)), (2, 1, 3));
    }

    #[test]
    fn every_port_is_in_the_table_once() {
        let ports: Vec<u16> = QUESTIONS
            .iter()
            .flat_map(|(ports, _)| *ports)
            .copied()
            .collect();
        let once: HashSet<u16> = ports.iter().copied().collect();
        assert_eq!(ports.len(), once.len());
        assert!(
            all()
                .map(|question| question.protocol)
                .collect::<HashSet<_>>()
                .len()
                >= 20
        );
    }

    #[test]
    fn who_answers_from_another_port_is_in_the_table() {
        let from_any = all().filter(|question| question.is_answered_from_any_port());
        let names: HashSet<_> = from_any.map(|question| question.protocol).collect();
        assert_eq!(names, HashSet::from(FROM_ANY_PORT));
    }

    #[test]
    fn questions_fit_into_a_packet_and_are_no_answers() {
        for question in all() {
            let bytes = (question.bytes)();
            assert!(
                !bytes.is_empty() && bytes.len() <= 1200,
                "{}",
                question.protocol
            );
            let is_echo = question.protocol == "echo";
            assert_eq!(
                (question.is_answer)(&bytes),
                is_echo,
                "{}",
                question.protocol
            );
            assert_eq!(question.name(&bytes), Some("echo"));
        }
    }

    #[test]
    fn an_answer_is_a_sequence_as_long_as_it_says() {
        assert!(is_ber_sequence(&[0x30, 2, 1, 1]));
        assert!(is_ber_sequence(&[0x30, 0x81, 1, 5]));
        assert!(is_ber_sequence(&[0x30, 0x84, 0, 0, 0, 1, 5]));
        for wrong in [
            &[0x30][..],
            &[0x30, 3, 1],
            &[0x31, 0],
            &[0x30, 0x80],
            &[0x30, 0x82, 1],
        ] {
            assert!(!is_ber_sequence(wrong), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn any_answer_is_known_or_not(answer in prop::collection::vec(any::<u8>(), 0..200)) {
            for question in all() {
                let _ = question.name(&answer);
            }
        }

        /// Answers that begin as questions do get further into the readers.
        #[test]
        fn a_question_that_was_changed_is_known_or_not(
            place in 0..200_usize, byte in any::<u8>(), length in 0..200_usize,
        ) {
            for question in all() {
                let mut answer = (question.bytes)();
                if let Some(changed) = answer.get_mut(place) {
                    *changed = byte;
                }
                answer.truncate(length);
                let _ = question.name(&answer);
            }
        }
    }
}
