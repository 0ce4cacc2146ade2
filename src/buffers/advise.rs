//! Whether the buffers of this machine are large enough for a path.

use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::origin::{RECEIVE_TUNING, Settings, WINDOW_SCALING};
use super::{Direction, Transport, connected};
use crate::error::{Action, Cause, Error, Result};
use crate::sys;

/// The most that a TCP connection can have on the way: its window, 16 bits wide, shifted by 14
/// (RFC 7323, 2.3).
const LARGEST_WINDOW: u64 = UNSCALED_WINDOW << 14;

/// The same of one whose ends do not both scale their windows (RFC 7323, 2.2).
const UNSCALED_WINDOW: u64 = 0xffff;

/// What a path needs, and what there is.
#[derive(Debug)]
pub struct Advice {
    /// Bytes a second.
    pub bandwidth: u64,
    /// There and back.
    pub round_trip: Duration,
    /// How many bytes are on the way when the path is full: the bandwidth-delay product.
    pub product: u64,
    /// What each end of a connection needs of this machine: one for each direction, and one more for
    /// each setting that is switched off and keeps it small.
    pub needs: Vec<Need>,
    /// Why some of it is unknown.
    pub unknown: Vec<Error>,
}

/// What one direction needs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Need {
    /// Which one.
    pub direction: Direction,
    /// The setting that says how far TCP lets its buffer grow, or whether it does (tcp(7)).
    pub setting: &'static str,
    /// How far it should: the payload of a buffer is about half of its size, the rest is the system's
    /// own data.
    pub needed: u64,
    /// How far it may.
    pub largest: Option<u64>,
    /// What to set it to if that is too little and would help: smallest, first and largest size, or 1
    /// for what is switched off.
    pub remedy: Option<String>,
}

impl Need {
    /// Whether there is enough; `None` where that is unknown.
    #[must_use]
    pub fn is_met(&self) -> Option<bool> {
        self.largest.map(|largest| largest >= self.needed)
    }
}

impl Advice {
    /// Whether a single connection can fill the path at all, whatever its buffers.
    #[must_use]
    pub fn fits_one_connection(&self) -> bool {
        self.product <= LARGEST_WINDOW
    }
}

/// Compares the product of a path with what TCP may use here; nothing if that is more than can be
/// counted. Nothing is changed.
#[must_use]
pub fn advise(bandwidth: u64, round_trip: Duration) -> Option<Advice> {
    let product = product(bandwidth, round_trip)?;
    let needed = product.checked_mul(2)?;
    let mut settings = Settings::default();
    let mut needs = Vec::new();
    for direction in Direction::BOTH {
        needs.push(need(&mut settings, direction, needed));
        needs.extend(switched_off(&mut settings, direction, needed));
    }
    Some(Advice {
        bandwidth,
        round_trip,
        product,
        needs,
        unknown: settings.unread,
    })
}

/// The bytes that are on the way when the path is full.
fn product(bandwidth: u64, round_trip: Duration) -> Option<u64> {
    let bytes = u128::from(bandwidth).checked_mul(round_trip.as_nanos())?;
    u64::try_from(bytes.div_ceil(1_000_000_000)).ok()
}

/// What one direction needs.
fn need(settings: &mut Settings, direction: Direction, needed: u64) -> Need {
    let (setting, sizes) = settings.tcp_sizes(direction);
    let largest = sizes.map(|[_, _, largest]| largest);
    let remedy = sizes
        .filter(|[_, _, largest]| is_remedied(*largest, needed))
        .map(|[smallest, first, _]| format!("{smallest} {first} {needed}"));
    Need {
        direction,
        setting,
        needed,
        largest,
        remedy,
    }
}

/// What one direction needs of settings that are off: without its tuning a receive buffer stays as
/// large as it begins, and a window that is not scaled is small whatever the buffer.
fn switched_off(settings: &mut Settings, direction: Direction, needed: u64) -> Vec<Need> {
    let mut off = Vec::new();
    if settings.autotuned(Transport::Tcp, direction) == Some(false) {
        let (_, sizes) = settings.tcp_sizes(direction);
        off.push((RECEIVE_TUNING, sizes.map(|[_, first, _]| first)));
    }
    if settings.window_scaling() == Some(false) {
        off.push((WINDOW_SCALING, Some(2 * UNSCALED_WINDOW)));
    }
    let need = |(setting, largest): (_, Option<u64>)| Need {
        direction,
        setting,
        needed,
        largest,
        remedy: largest
            .filter(|largest| is_remedied(*largest, needed))
            .map(|_| "1".to_owned()),
    };
    off.into_iter().map(need).collect()
}

/// Whether more than this is needed, and a setting can give it.
const fn is_remedied(largest: u64, needed: u64) -> bool {
    largest < needed && needed <= 2 * LARGEST_WINDOW
}

/// Measures the round trip to the first of these addresses that answers, on a connection that is
/// closed again.
///
/// # Errors
/// None answers in time; the error names each.
pub fn round_trip(target: &str, addresses: &[SocketAddr], limit: Duration) -> Result<Duration> {
    let mut attempts = Vec::new();
    for address in addresses {
        let began = Instant::now();
        match connected(address, limit) {
            Ok(stream) => return Ok(measured(&stream).unwrap_or_else(|| began.elapsed())),
            Err(error) => attempts.push((address.to_string(), error)),
        }
    }
    Err(Error::new(
        Action::Connect,
        target,
        Cause::Attempts(attempts),
    ))
}

/// What the handshake took, as the kernel measured it.
fn measured(stream: &TcpStream) -> Option<Duration> {
    let (local, peer) = (stream.local_addr().ok()?, stream.peer_addr().ok()?);
    let socket = sys::tcp_socket(local, peer).ok()??;
    let rtt = Duration::from_micros(socket.tcp?.rtt_us.into());
    (!rtt.is_zero()).then_some(rtt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_path_holds_bandwidth_times_delay() {
        let path =
            |bandwidth, milliseconds| product(bandwidth, Duration::from_millis(milliseconds));
        assert_eq!(path(12_500_000, 50), Some(625_000));
        assert_eq!(path(1, 1), Some(1));
        assert_eq!(product(u64::MAX, Duration::MAX), None);
        assert!(advise(u64::MAX, Duration::from_secs(1)).is_none());
    }

    #[test]
    fn what_is_too_little_has_a_remedy() {
        let little = advise(1, Duration::from_millis(1)).unwrap();
        assert!(little.needs.iter().all(|need| need.remedy.is_none()));
        let most = advise(LARGEST_WINDOW, Duration::from_secs(1)).unwrap();
        assert!(most.fits_one_connection());
        for need in most.needs {
            assert_eq!(need.needed, 2 * LARGEST_WINDOW);
            assert_eq!(need.remedy.is_some(), need.is_met() == Some(false));
        }
    }

    #[test]
    fn what_no_window_holds_has_none() {
        let more = advise(LARGEST_WINDOW + 1, Duration::from_secs(1)).unwrap();
        assert!(!more.fits_one_connection());
        for need in more.needs {
            assert_eq!(need.needed, 2 * (LARGEST_WINDOW + 1));
            assert_eq!(
                (need.remedy.clone(), need.is_met() == Some(true)),
                (None, false)
            );
        }
    }
}
