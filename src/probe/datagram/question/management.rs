//! Time, files, and what machines are managed by.

use super::{Question, ber, is_ber_sequence, number};

/// The network time protocol (RFC 5905): the request of a client, version 4, and nothing else; no
/// monlist.
pub(super) const NTP: Question = Question {
    protocol: "ntp",
    bytes: || [&[0x23][..], &[0; 47]].concat(),
    // Mode 4 is a server's.
    is_answer: |answer| answer.len() >= 48 && answer.first().is_some_and(|first| first & 7 == 4),
};

/// TFTP (RFC 1350): read a file that is not there; the answer is an error, or its first block.
pub(super) const TFTP: Question = Question {
    protocol: "tftp",
    bytes: || b"\0\x01nettool-probe\0octet\0".to_vec(),
    // DATA, ERROR, or the OACK of RFC 2347.
    is_answer: |answer| answer.len() >= 4 && matches!(number(answer, 0), Some(3 | 5 | 6)),
};

/// ONC RPC (RFC 5531): procedure 0, which does nothing, of version 2 of the port mapper (RFC 1833).
pub(super) const RPC: Question = Question {
    protocol: "rpcbind",
    bytes: || {
        let (call, version, credentials) = (0, 2, [0; 4]);
        let (program, program_version, procedure) = (100_000, 2, 0);
        let words = [RPC_ID, call, version, program, program_version, procedure];
        let words = words.into_iter().chain(credentials);
        words.flat_map(u32::to_be_bytes).collect()
    },
    is_answer: |answer| {
        let reply = [RPC_ID.to_be_bytes(), 1_u32.to_be_bytes()].concat();
        answer.starts_with(&reply) && answer.len() >= 12
    },
};

/// By what the answer of a port mapper is known.
const RPC_ID: u32 = 0x6e74_7470;

/// SNMP version 3 (RFC 3414, section 4): the discovery of an engine, which needs no password.
pub(super) const SNMP_V3: Question = Question {
    protocol: "snmp",
    bytes: || {
        let (max_size, reportable, user_security) = ([0x02, 0x03, 0x00, 0xff, 0xe3], 0x04, 3);
        let header = [
            &ber(INTEGER, &[0x6e])[..],
            &max_size,
            &ber(OCTETS, &[reportable]),
            &ber(INTEGER, &[user_security]),
        ];
        let (nobody, zero) = (ber(OCTETS, &[]), ber(INTEGER, &[0]));
        let security = [&nobody[..], &zero, &zero, &nobody, &nobody, &nobody].concat();
        let pdu = ber(
            GET,
            &[
                &ber(INTEGER, &[0x6e])[..],
                &zero,
                &zero,
                &ber(SEQUENCE, &[]),
            ]
            .concat(),
        );
        let scoped = ber(SEQUENCE, &[&nobody[..], &nobody, &pdu].concat());
        let message = [
            &ber(INTEGER, &[3])[..],
            &ber(SEQUENCE, &header.concat()),
            &ber(OCTETS, &ber(SEQUENCE, &security)),
            &scoped,
        ];
        ber(SEQUENCE, &message.concat())
    },
    is_answer: is_snmp_answer,
};

/// SNMP version 1 (RFC 1157): how long are you up, asked of the community that everybody leaves as
/// it is.
pub(super) const SNMP_V1: Question = Question {
    protocol: "snmp",
    bytes: || {
        let (zero, null) = (ber(INTEGER, &[0]), ber(0x05, &[]));
        // sysUpTime.0: 1.3.6.1.2.1.1.3.0, the first two in one byte.
        let name = ber(0x06, &[0x2b, 6, 1, 2, 1, 1, 3, 0]);
        let variable = ber(SEQUENCE, &[name, null].concat());
        let list = ber(SEQUENCE, &variable);
        let pdu = ber(
            GET,
            &[&ber(INTEGER, &[0x6e])[..], &zero, &zero, &list].concat(),
        );
        let message = [&zero[..], &ber(OCTETS, b"public"), &pdu];
        ber(SEQUENCE, &message.concat())
    },
    is_answer: is_snmp_answer,
};

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const SEQUENCE: u8 = 0x30;
/// A `GetRequest-PDU` (RFC 3416, section 3).
const GET: u8 = 0xa0;

/// A message with a response or a report in it (RFC 3416, section 3).
fn is_snmp_answer(answer: &[u8]) -> bool {
    is_ber_sequence(answer) && (answer.contains(&0xa2) || answer.contains(&0xa8))
}

/// RIP version 2 (RFC 2453, section 3.9.1): one route that nobody has, not the whole table.
pub(super) const RIP: Question = Question {
    protocol: "rip",
    bytes: || {
        let (request, version, family) = (1, 2, 2);
        let (network, mask, gateway) = ([192, 0, 2, 0], [255, 255, 255, 0], [0; 4]);
        let route = [[0, family, 0, 0], network, mask, gateway, [0, 0, 0, 16]].concat();
        [vec![request, version, 0, 0], route].concat()
    },
    is_answer: |answer| answer.len() >= 4 && answer.starts_with(&[2]),
};

/// IPMI over RMCP: the presence ping of ASF 2.0, section 3.2.4.2; IPMI 2.0 asks for it in section 13.2.3.
pub(super) const IPMI: Question = Question {
    protocol: "ipmi",
    bytes: || {
        let (rmcp, no_acknowledgment, asf) = (0x06, 0xff, 0x06);
        let (enterprise, ping) = ([0x00, 0x00, 0x11, 0xbe], 0x80);
        let header = [rmcp, 0, no_acknowledgment, asf];
        [&header[..], &enterprise, &[ping, 0x6e, 0, 0]].concat()
    },
    is_answer: |answer| {
        // A presence pong, or IPMI itself (class 7).
        let is_pong = answer.get(8) == Some(&0x40);
        let class = answer.get(3).map(|class| class & 0x1f);
        answer.starts_with(&[0x06]) && (is_pong || class == Some(7))
    },
};

/// RADIUS (RFC 5997): are you there. A server answers only clients that it knows.
pub(super) const RADIUS: Question = Question {
    protocol: "radius",
    bytes: || {
        let (status_server, identifier, length) = (12, 0x6e, 38);
        let (authenticator, message_authenticator) = ([0; 16], [80, 18]);
        let header = [status_server, identifier, 0, length];
        [
            &header[..],
            &authenticator,
            &message_authenticator,
            &[0; 16],
        ]
        .concat()
    },
    is_answer: |answer| {
        let length = number(answer, 2).map(usize::from);
        answer.len() >= 20
            && answer.get(1) == Some(&0x6e)
            && length == Some(answer.len())
            && matches!(answer.first(), Some(2 | 3 | 5 | 11))
    },
};

/// memcached (its `protocol.txt`, "UDP protocol"): the version, and no statistics.
pub(super) const MEMCACHED: Question = Question {
    protocol: "memcached",
    bytes: || {
        let (request, sequence, datagrams, reserved) = (0x6e74, 0, 1, 0);
        let frame = [request, sequence, datagrams, reserved]
            .into_iter()
            .flat_map(u16::to_be_bytes);
        frame.chain(*b"version\r\n").collect()
    },
    is_answer: |answer| {
        number(answer, 0) == Some(0x6e74)
            && answer
                .get(8..)
                .is_some_and(|text| text.starts_with(b"VERSION "))
    },
};

/// NAT-PMP (RFC 6886, section 3.2): what is your external address.
pub(super) const NAT_PMP: Question = Question {
    protocol: "nat-pmp",
    bytes: || vec![0, 0],
    is_answer: |answer| answer.len() >= 8 && answer.get(1) == Some(&128),
};

#[cfg(test)]
mod tests {
    use super::{super::is_ber_sequence, NTP, RADIUS, SNMP_V1, SNMP_V3};

    #[test]
    fn the_bytes_are_those_of_the_documents() {
        let v1 = b"\x30\x26\x02\x01\x00\x04\x06public\xa0\x19\x02\x01\x6e\x02\x01\x00\x02\x01\x00\
            \x30\x0e\x30\x0c\x06\x08\x2b\x06\x01\x02\x01\x01\x03\x00\x05\x00";
        assert_eq!((SNMP_V1.bytes)(), v1);
        assert!(is_ber_sequence(&(SNMP_V3.bytes)()));
        assert_eq!((RADIUS.bytes)().len(), 38);
    }

    #[test]
    fn a_client_is_no_server() {
        let mut answer = (NTP.bytes)();
        assert!(!(NTP.is_answer)(&answer));
        answer[0] = 0x24;
        assert_eq!(NTP.name(&answer), Some("ntp"));
        assert_eq!(NTP.name(&answer[..47]), None);
    }

    #[test]
    fn a_response_of_snmp_is_told_from_a_request() {
        let mut answer = (SNMP_V1.bytes)();
        answer[13] = 0xa2;
        assert_eq!(SNMP_V1.name(&answer), Some("snmp"));
    }
}
