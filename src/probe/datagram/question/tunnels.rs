//! What carries other things, encrypted. `WireGuard` answers only whom it knows, and is not asked.

use super::Question;

/// QUIC (RFC 8999, section 5.1; RFC 9000, sections 6 and 15): a version that nobody has, so that the
/// server names its own. Less than 1200 bytes would be dropped (RFC 9000, section 14.1).
pub(super) const QUIC: Question = Question {
    protocol: "quic",
    bytes: || {
        let (long_header, no_version) = (0xc0, [0x1a, 0x2a, 0x3a, 0x4a]);
        let head = [
            &[long_header][..],
            &no_version,
            &[8],
            b"nettool1",
            &[8],
            b"nettool2",
        ];
        let mut bytes = head.concat();
        bytes.resize(1200, 0);
        bytes
    },
    // A long header with version 0, and our own source as the destination.
    is_answer: |answer| {
        let is_long = answer.first().is_some_and(|first| first & 0x80 != 0);
        is_long
            && answer.get(1..6) == Some(&[0, 0, 0, 0, 8])
            && answer.get(6..14) == Some(b"nettool2")
    },
};

/// DTLS 1.2 (RFC 6347, section 4.2.2): a `ClientHello`, which a server answers with a cookie alone.
pub(super) const DTLS: Question = Question {
    protocol: "dtls",
    bytes: || {
        let version = [0xfe, 0xfd];
        // TLS_ECDHE_ECDSA and ECDHE_RSA with AES_128_GCM_SHA256, RSA_WITH_AES_128_CBC_SHA, and
        // PSK_WITH_AES_128_CCM_8 as small things have it.
        let suites = [0, 8, 0xc0, 0x2b, 0xc0, 0x2f, 0x00, 0x2f, 0xc0, 0xa8];
        let (no_session, no_cookie, no_compression) = ([0], [0], [1, 0]);
        let body = [
            &version[..],
            &[0x6e; 32],
            &no_session,
            &no_cookie,
            &suites,
            &no_compression,
        ];
        let body = body.concat();
        let length = [0, 0, u8::try_from(body.len()).unwrap_or(0)];
        let (client_hello, message, offset) = ([1], [0, 0], [0, 0, 0]);
        let hello = [
            &client_hello[..],
            &length,
            &message,
            &offset,
            &length,
            &body,
        ]
        .concat();
        let (handshake, epoch, sequence) = ([22], [0, 0], [0; 6]);
        let size = [0, u8::try_from(hello.len()).unwrap_or(0)];
        // The record is said to be of DTLS 1.0, which all know (section 4.1).
        [
            &handshake[..],
            &[0xfe, 0xff],
            &epoch,
            &sequence,
            &size,
            &hello,
        ]
        .concat()
    },
    // A handshake or an alert.
    is_answer: |answer| {
        let is_record = matches!(answer.get(..2), Some([21 | 22, 0xfe]));
        let is_client = answer.first() == Some(&22) && answer.get(13) == Some(&1);
        is_record && answer.len() >= 13 && !is_client
    },
};

/// IKE version 1 (RFC 2408, RFC 2409): main mode with one proposal. A server of version 2 alone
/// says so.
pub(super) const IKE: Question = Question {
    protocol: "isakmp",
    bytes: ike,
    is_answer: |answer| {
        answer.len() >= 28 && answer.starts_with(COOKIE) && answer.get(8..16) != Some(&[0; 8])
    },
};

/// The same behind a translator of addresses, where a marker tells it from ESP (RFC 3948, section 2.2).
pub(super) const IKE_OVER_NAT: Question = Question {
    protocol: "isakmp",
    bytes: || [vec![0; 4], ike()].concat(),
    is_answer: |answer| {
        answer
            .split_at_checked(4)
            .is_some_and(|(_, answer)| (IKE.is_answer)(answer))
    },
};

/// By what an answer to IKE is known.
const COOKIE: &[u8] = b"nettool1";

/// An `ISAKMP` message with a security association.
fn ike() -> Vec<u8> {
    // AES-CBC of 128 bits, SHA-1, pre-shared key, MODP-1024, in attributes of fixed length.
    let attributes = [
        [0x80, 1, 0, 7],
        [0x80, 14, 0, 128],
        [0x80, 2, 0, 2],
        [0x80, 3, 0, 1],
        [0x80, 4, 0, 2],
    ];
    let transform = payload(&[&[1, 1, 0, 0][..], &attributes.concat()].concat());
    let (number, isakmp, no_spi, transforms) = (1, 1, 0, 1);
    let proposal = payload(&[&[number, isakmp, no_spi, transforms][..], &transform].concat());
    let (ipsec, identity_only) = ([0, 0, 0, 1], [0, 0, 0, 1]);
    let association = payload(&[&ipsec[..], &identity_only, &proposal].concat());
    let (next_association, version, main_mode, flags) = (1, 0x10, 2, 0);
    let head = [
        COOKIE,
        &[0; 8],
        &[next_association, version, main_mode, flags],
        &[0; 4],
    ]
    .concat();
    let length = u32::try_from(
        head.len()
            .saturating_add(4)
            .saturating_add(association.len()),
    );
    [&head[..], &length.unwrap_or(0).to_be_bytes(), &association].concat()
}

/// A payload that none follows: its length is its first four bytes' and its content's.
fn payload(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len().saturating_add(4)).unwrap_or(0);
    [&[0, 0][..], &length.to_be_bytes(), content].concat()
}

/// `OpenVPN` (its `ssl_pkt.h`): a hard reset of a client, version 2. A server with `tls-auth` is silent.
pub(super) const OPENVPN: Question = Question {
    protocol: "openvpn",
    bytes: || {
        let (hard_reset_client, no_acknowledgments, packet) = (7 << 3, 0, [0; 4]);
        [
            &[hard_reset_client][..],
            b"nettool1",
            &[no_acknowledgments],
            &packet,
        ]
        .concat()
    },
    // A hard reset of a server, with any key.
    is_answer: |answer| answer.len() >= 14 && answer.first().is_some_and(|first| first >> 3 == 8),
};

#[cfg(test)]
mod tests {
    use super::{DTLS, IKE, IKE_OVER_NAT, OPENVPN, QUIC};

    #[test]
    fn lengths_are_as_they_say() {
        assert_eq!((QUIC.bytes)().len(), 1200);
        let ike = (IKE.bytes)();
        assert_eq!(
            ike[24..28],
            u32::try_from(ike.len()).expect("small").to_be_bytes()
        );
        let dtls = (DTLS.bytes)();
        assert_eq!(usize::from(dtls[12]), dtls.len() - 13);
        assert_eq!(usize::from(dtls[16]), dtls.len() - 25);
    }

    #[test]
    fn answers_are_told_from_others() {
        let versions = b"\x80\0\0\0\0\x08nettool2\x08nettool1\0\0\0\x01";
        assert_eq!(QUIC.name(versions), Some("quic"));
        assert_eq!(QUIC.name(&versions[..13]), None);
        assert_eq!(
            DTLS.name(b"\x16\xfe\xff\0\0\0\0\0\0\0\0\0\x03\x03\0\0"),
            Some("dtls")
        );
        let mut answer = (IKE_OVER_NAT.bytes)();
        assert!(!(IKE_OVER_NAT.is_answer)(&answer));
        answer[12..20].copy_from_slice(b"a server");
        assert_eq!(IKE_OVER_NAT.name(&answer), Some("isakmp"));
        assert_eq!(OPENVPN.name(b"\x40a server\x00\0\0\0\0"), Some("openvpn"));
    }
}
