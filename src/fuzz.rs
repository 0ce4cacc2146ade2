//! What eats bytes from outside, for fuzzing: each function must come back, whatever it is given.
//! `tests/fuzz` has the targets and the corpus; the tests below replay it.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use crate::value::{
    AddressRange, Cidr, Dscp, Duration, Endpoint, Group, Host, Port, PortList, Rate, Size,
};
use crate::{interfaces, probe, sys};

/// Values as people write them; each is what it was after being written and read again.
pub fn values(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    again::<AddressRange>(&text);
    again::<Cidr>(&text);
    again::<Duration>(&text);
    again::<Endpoint>(&text);
    again::<Host>(&text);
    again::<PortList>(&text);
    again::<Rate>(&text);
    again::<Size>(&text);
    let _ = text.parse::<Dscp>();
    let _ = text.parse::<Group>();
    let _ = text.parse::<Port>();
}

/// Reads, writes and reads again.
fn again<T: FromStr<Err: Debug> + Display + PartialEq + Debug>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        let written = value.to_string();
        assert!(
            written.parse().is_ok_and(|again: T| again == value),
            "{text:?} was written as {written:?}"
        );
    }
}

/// Answers of `rtnetlink(7)`: links, addresses, routes.
pub fn netlink(bytes: &[u8]) {
    sys::fuzz::netlink(bytes);
}

/// Answers of `sock_diag(7)`.
pub fn sock_diag(bytes: &[u8]) {
    sys::fuzz::sock_diag(bytes);
}

/// Lines of /proc/net/tcp, udp and unix.
pub fn proc_net(bytes: &[u8]) {
    sys::fuzz::proc_net(bytes);
}

/// The payload of a control message of the error queue.
pub fn icmp(bytes: &[u8]) {
    sys::fuzz::icmp(bytes);
}

/// resolv.conf(5).
pub fn resolver(bytes: &[u8]) {
    interfaces::fuzz(bytes);
}

/// What a UDP port answers, to whatever it was asked.
pub fn answers(bytes: &[u8]) {
    probe::fuzz_answers(bytes);
}

/// What a TCP port says first.
pub fn banners(bytes: &[u8]) {
    probe::fuzz_banners(bytes);
}

#[cfg(test)]
mod tests {
    use crate::replay::replay;

    #[test]
    fn values_are_read_or_refused() {
        replay("values", super::values);
    }

    #[test]
    fn messages_of_netlink_are_read_or_refused() {
        replay("netlink", super::netlink);
    }

    #[test]
    fn messages_of_sock_diag_are_read_or_refused() {
        replay("sock_diag", super::sock_diag);
    }

    #[test]
    fn tables_are_read_or_refused() {
        replay("proc_net", super::proc_net);
    }

    #[test]
    fn messages_of_the_error_queue_are_read_or_refused() {
        replay("icmp", super::icmp);
    }

    #[test]
    fn answers_are_known_or_not() {
        replay("answers", super::answers);
    }

    #[test]
    fn banners_are_told_on_one_line() {
        replay("banners", super::banners);
    }

    #[test]
    fn files_of_the_resolver_are_read() {
        replay("resolver", super::resolver);
    }
}
