//! What announces services and things.

use super::{Question, ber, is_ber_sequence};

/// SSDP (`UPnP` device architecture 1.1, section 1.3.2): root devices alone, not every service.
pub(super) const SSDP: Question = Question {
    protocol: "ssdp",
    bytes: || {
        b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\n\
          ST: upnp:rootdevice\r\n\r\n"
            .to_vec()
    },
    is_answer: |answer| answer.starts_with(b"HTTP/1.1 ") || answer.starts_with(b"NOTIFY "),
};

/// Connectionless LDAP (RFC 1798, in the form of RFC 4511): one attribute of the root, not all.
pub(super) const LDAP: Question = Question {
    protocol: "ldap",
    bytes: || {
        let (base, scope, aliases, limit) = (
            ber(0x04, &[]),
            ber(0x0a, &[0]),
            ber(0x0a, &[0]),
            ber(0x02, &[0]),
        );
        let (types_only, filter) = (ber(0x01, &[0]), ber(0x87, b"objectClass"));
        let attributes = ber(0x30, &ber(0x04, b"supportedLDAPVersion"));
        let parts = [
            base,
            scope,
            aliases,
            limit.clone(),
            limit,
            types_only,
            filter,
            attributes,
        ];
        let search = ber(0x63, &parts.concat());
        ber(0x30, &[ber(0x02, &[0x6e]), search].concat())
    },
    // A SearchResultEntry, or the end of the search.
    is_answer: |answer| {
        let ours = answer
            .windows(4)
            .position(|bytes| bytes.starts_with(&[0x02, 0x01, 0x6e]));
        let kind = ours.and_then(|place| answer.get(place.saturating_add(3)));
        is_ber_sequence(answer) && matches!(kind, Some(0x64 | 0x65))
    },
};

/// `CoAP` (RFC 7252, section 4.3): an empty message that is to be confirmed, the ping of this protocol.
pub(super) const COAP: Question = Question {
    protocol: "coap",
    bytes: || vec![0x40, 0x00, 0x6e, 0x74],
    // An acknowledgment or a reset with our number.
    is_answer: |answer| {
        let kind = answer.first().map(|first| first & 0xf0);
        matches!(kind, Some(0x60 | 0x70)) && answer.get(2..4) == Some(b"nt")
    },
};

/// The SQL Server browser (MS-SQLR, section 2.2.3): the default instance alone, not all of them.
pub(super) const MSSQL: Question = Question {
    protocol: "ms-sql-m",
    bytes: || b"\x04MSSQLSERVER\0".to_vec(),
    is_answer: |answer| {
        let length = answer
            .get(1..3)
            .and_then(|bytes| bytes.first_chunk().copied());
        let length = length.map(u16::from_le_bytes).map(usize::from);
        answer.starts_with(&[0x05]) && length == answer.len().checked_sub(3)
    },
};

/// Web services discovery (OASIS WS-Discovery 1.1, section 5.2): any device, by itself.
pub(super) const WS_DISCOVERY: Question = Question {
    protocol: "ws-discovery",
    bytes: || {
        b"<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
          xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" \
          xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\"><s:Header>\
          <a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action>\
          <a:MessageID>urn:uuid:6e657474-6f6f-4c00-8000-70726f626500</a:MessageID>\
          <a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To></s:Header>\
          <s:Body><d:Probe/></s:Body></s:Envelope>"
            .to_vec()
    },
    is_answer: |answer| {
        let has = |word: &[u8]| answer.windows(word.len()).any(|bytes| bytes == word);
        has(b"ProbeMatch")
    },
};

/// `BACnet` (ASHRAE 135, annex J and clause 16.10): who is there.
pub(super) const BACNET: Question = Question {
    protocol: "bacnet",
    bytes: || {
        let (bacnet_ip, unicast, length) = (0x81, 0x0a, [0x00, 0x08]);
        let (version, control) = (0x01, 0x00);
        let (unconfirmed, who_is) = (0x10, 0x08);
        vec![
            bacnet_ip,
            unicast,
            length[0],
            length[1],
            version,
            control,
            unconfirmed,
            who_is,
        ]
    },
    // I-Am.
    is_answer: |answer| answer.starts_with(&[0x81]) && has_i_am(answer),
};

/// Whether an unconfirmed request with the service I-Am is in it.
fn has_i_am(answer: &[u8]) -> bool {
    answer.windows(2).skip(4).any(|bytes| bytes == [0x10, 0x00])
}

#[cfg(test)]
mod tests {
    use super::{COAP, LDAP, MSSQL};

    #[test]
    fn answers_are_told_from_others() {
        assert_eq!(COAP.name(&[0x70, 0, b'n', b't']), Some("coap"));
        assert_eq!(COAP.name(&[0x70, 0, b'n', b'u']), None);
        let done = b"\x30\x0c\x02\x01\x6e\x65\x07\x0a\x01\x00\x04\x00\x04\x00";
        assert_eq!(LDAP.name(done), Some("ldap"));
        assert_eq!(LDAP.name(&done[..13]), None);
        assert_eq!(MSSQL.name(b"\x05\x03\x00abc"), Some("ms-sql-m"));
        assert_eq!(MSSQL.name(b"\x05\x04\x00abc"), None);
    }
}
