//! Taking clients off a listening socket, whatever becomes of one of them.

use std::io;
use std::time::Duration;

use crate::error::{Action, Error, Result};
use crate::event::{Event, Observer};
use crate::net::{Accepted, Listener};

/// For how long nobody is accepted when the system has no room: at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The next client. What befalls a single one ends nothing; at the limit on open files we pause,
/// tell of it once, and go on.
///
/// # Errors
/// The socket itself can no longer accept.
pub(super) async fn next_client(listener: &Listener, observer: &dyn Observer) -> Result<Accepted> {
    let mut pause = FIRST_PAUSE;
    loop {
        let error = match listener.accept().await {
            Ok(accepted) => return Ok(accepted),
            Err(error) => error,
        };
        let short = is_shortage(&error);
        let fatal = is_fatal(&error);
        let name = listener
            .addresses()
            .first()
            .map(|(_, address)| address.to_string());
        let error = Error::new(Action::Accept, name.unwrap_or_default(), error);
        if fatal {
            return Err(error);
        }
        if !short || pause == FIRST_PAUSE {
            observer.notice(&Event::AcceptFailed { error: &error });
        }
        if short {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// Whether the system lacks room for one more.
fn is_shortage(error: &io::Error) -> bool {
    let shortages = [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM];
    error
        .raw_os_error()
        .is_some_and(|errno| shortages.contains(&errno))
}

/// Whether the listening socket itself is at fault, so that the next call would fail alike.
fn is_fatal(error: &io::Error) -> bool {
    let faults = [
        libc::EBADF,
        libc::EFAULT,
        libc::EINVAL,
        libc::ENOTSOCK,
        libc::EOPNOTSUPP,
    ];
    error
        .raw_os_error()
        .is_none_or(|errno| faults.contains(&errno))
}
