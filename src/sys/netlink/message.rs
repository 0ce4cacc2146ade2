//! The bytes of netlink(7) and rtnetlink(7): messages, their attributes, numbers. Nothing here
//! trusts a length.

use std::io;

/// The length of a message's header.
const HEADER: usize = 16;

/// A message without its header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Message<'a> {
    /// What it is.
    pub(super) kind: u16,
    /// Flags, among them that a dump was interrupted.
    flags: u16,
    /// The number of the request that it answers.
    pub(super) sequence: u32,
    /// What follows the header.
    pub(super) body: &'a [u8],
}

impl Message<'_> {
    /// Whether the table changed while it was read, so that entries may be missing.
    pub(super) fn is_unsteady(&self) -> bool {
        i32::from(self.flags) & libc::NLM_F_DUMP_INTR != 0
    }

    /// Whether the answer ends here; an error is one too.
    pub(super) fn is_end(&self) -> io::Result<bool> {
        let kind = i32::from(self.kind);
        if kind != libc::NLMSG_DONE && kind != libc::NLMSG_ERROR {
            return Ok(false);
        }
        // Both begin with an error number, negated; old kernels end a dump without one.
        match i32_at(self.body, 0) {
            Ok(number) if number < 0 => Err(io::Error::from_raw_os_error(number.saturating_neg())),
            _ => Ok(kind == libc::NLMSG_DONE),
        }
    }
}

/// The messages of a datagram.
#[derive(Debug)]
pub(super) struct Messages<'a>(&'a [u8]);

impl<'a> Messages<'a> {
    /// Those in these bytes.
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The first one, and how many bytes it takes.
    fn first(&self) -> io::Result<(Message<'a>, usize)> {
        let length = length(u32_at(self.0, 0)?)?;
        let body = self.0.get(HEADER..length).ok_or_else(malformed)?;
        let message = Message {
            kind: u16_at(self.0, 4)?,
            flags: u16_at(self.0, 6)?,
            sequence: u32_at(self.0, 8)?,
            body,
        };
        Ok((message, length))
    }
}

/// Ends after a message that is malformed.
impl<'a> Iterator for Messages<'a> {
    type Item = io::Result<Message<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let first = (!self.0.is_empty()).then(|| self.first())?;
        Some(first_of(&mut self.0, first))
    }
}

/// An attribute: what it is, and its value.
pub(super) type Attribute<'a> = (u16, &'a [u8]);

/// The attributes of a message or of another attribute.
#[derive(Debug)]
pub(super) struct Attributes<'a>(&'a [u8]);

impl<'a> Attributes<'a> {
    /// Those in these bytes.
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Those of a message, behind a fixed part of this length.
    pub(super) fn behind(fixed: usize, body: &'a [u8]) -> io::Result<Self> {
        body.get(fixed..).map(Self).ok_or_else(malformed)
    }

    /// The first one, and how many bytes it takes. The two upper bits of its type say how it is
    /// made, not what it is (`NLA_F_NESTED`, `NLA_F_NET_BYTEORDER`).
    fn first(&self) -> io::Result<(Attribute<'a>, usize)> {
        let length = usize::from(u16_at(self.0, 0)?);
        let kind = u16_at(self.0, 2)? & 0x3fff;
        let value = self.0.get(4..length).ok_or_else(malformed)?;
        Ok(((kind, value), length))
    }
}

/// Ends after an attribute that is malformed.
impl<'a> Iterator for Attributes<'a> {
    type Item = io::Result<Attribute<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let first = (!self.0.is_empty()).then(|| self.first())?;
        Some(first_of(&mut self.0, first))
    }
}

/// What is asked for (`NLM_F_REQUEST`, and with it `NLM_F_DUMP`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Extent {
    /// One entry.
    One = 0x1,
    /// A whole table.
    All = 0x301,
}

/// A request.
pub(super) fn request(kind: u16, extent: Extent, sequence: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEADER.saturating_add(body.len())).unwrap_or(u32::MAX);
    let mut bytes = Vec::with_capacity(HEADER + body.len());
    bytes.extend_from_slice(&length.to_ne_bytes());
    bytes.extend_from_slice(&kind.to_ne_bytes());
    bytes.extend_from_slice(&(extent as u16).to_ne_bytes());
    bytes.extend_from_slice(&sequence.to_ne_bytes());
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(body);
    bytes
}

/// Adds an attribute to a body.
pub(super) fn add_attribute(body: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = u16::try_from(value.len().saturating_add(4)).unwrap_or(u16::MAX);
    body.extend_from_slice(&length.to_ne_bytes());
    body.extend_from_slice(&kind.to_ne_bytes());
    body.extend_from_slice(value);
    body.resize(body.len().next_multiple_of(4), 0);
}

/// The first of several, whose length is known if it is well formed; `bytes` are then the rest, and
/// none after one that is malformed.
fn first_of<T>(bytes: &mut &[u8], first: io::Result<(T, usize)>) -> io::Result<T> {
    match first {
        Ok((first, length)) => {
            *bytes = after(bytes, length);
            Ok(first)
        }
        Err(error) => {
            *bytes = &[];
            Err(error)
        }
    }
}

/// What follows something of this length; everything starts at a multiple of four.
fn after(bytes: &[u8], length: usize) -> &[u8] {
    bytes.get(length.next_multiple_of(4)..).unwrap_or_default()
}

/// A length that memory can have.
fn length(length: u32) -> io::Result<usize> {
    usize::try_from(length).map_err(|_| malformed())
}

/// Reads a number in the order of bytes of this machine.
macro_rules! number_at {
    ($name:ident, $type:ty) => {
        /// The number that begins at this place.
        pub(super) fn $name(bytes: &[u8], place: usize) -> io::Result<$type> {
            let number = bytes.get(place..).and_then(|bytes| bytes.first_chunk());
            number
                .map(|bytes| <$type>::from_ne_bytes(*bytes))
                .ok_or_else(malformed)
        }
    };
}

number_at!(u8_at, u8);
number_at!(u16_at, u16);
number_at!(u32_at, u32);
number_at!(u64_at, u64);
number_at!(i32_at, i32);

/// What is said of an answer that contradicts itself.
pub(super) fn malformed() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "the kernel's answer makes no sense",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An attribute as the kernel writes it.
    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        add_attribute(&mut bytes, kind, value);
        bytes
    }

    #[test]
    fn a_request_reads_back() {
        let bytes = [
            request(18, Extent::All, 7, &[1, 2, 3, 4]),
            request(22, Extent::One, 8, &[]),
        ]
        .concat();
        let messages: Vec<_> = Messages::of(&bytes).map(Result::unwrap).collect();
        assert_eq!(messages.len(), 2);
        assert_eq!((messages[0].kind, messages[0].sequence), (18, 7));
        assert_eq!(messages[0].body, [1, 2, 3, 4]);
        assert_eq!(messages[1].sequence, 8);
    }

    #[test]
    fn an_end_may_be_an_error() {
        let message = |kind: i32, number: i32| {
            let kind = u16::try_from(kind).unwrap();
            let bytes = request(kind, Extent::One, 1, &number.to_ne_bytes());
            Messages::of(&bytes).next().unwrap().unwrap().is_end()
        };
        assert!(message(libc::NLMSG_DONE, 0).unwrap());
        assert!(!message(libc::NLMSG_ERROR, 0).unwrap());
        assert!(!message(16, -1).unwrap());
        let refused = message(libc::NLMSG_ERROR, -libc::EPERM).unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(libc::EPERM));
        assert!(message(libc::NLMSG_DONE, i32::MIN).is_err());
    }

    #[test]
    fn nested_attributes_are_known_by_their_number() {
        let bytes = [
            attribute(3, b"eth0\0"),
            attribute(0x8012, &attribute(1, b"veth")),
        ]
        .concat();
        let all: Vec<_> = Attributes::of(&bytes).map(Result::unwrap).collect();
        assert_eq!(all[0], (3, b"eth0\0".as_slice()));
        assert_eq!(all[1].0, 18);
        let nested = Attributes::of(all[1].1).next().unwrap().unwrap();
        assert_eq!(nested, (1, b"veth".as_slice()));
    }

    #[test]
    fn lengths_that_lie_are_noticed() {
        for bytes in [&[3_u8, 0, 1, 0][..], &[9, 0, 1, 0, 0, 0, 0, 0], &[4, 0, 1]] {
            assert!(Attributes::of(bytes).next().unwrap().is_err());
        }
        assert!(Messages::of(&[0xff; 40]).next().unwrap().is_err());
        assert!(Messages::of(&[0; 40]).next().unwrap().is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_their_end(bytes in any::<Vec<u8>>()) {
            prop_assert!(Messages::of(&bytes).count() <= bytes.len());
            prop_assert!(Attributes::of(&bytes).count() <= bytes.len());
        }
    }
}
