//! A look at a target: its name is resolved, and all its addresses are tried at once.

use super::vigil::Sign;
use crate::error::Error;
use crate::net::Family;
use crate::probe::attempt::{Connector, Tried, try_unix};
use crate::probe::report::State;
use crate::probe::sought::Sought;
use crate::value::{Endpoint, Host};
use std::net::SocketAddr;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;

/// What a look found out.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) target: usize,
    pub(super) look: u64,
    pub(super) what: What,
}

/// One piece of what a look found out.
#[derive(Debug)]
pub(super) enum What {
    /// The name has no address.
    Unresolved(Error),
    /// These addresses are tried.
    Resolved(Vec<SocketAddr>),
    /// An address was tried.
    Tried(SocketAddr, Tried),
    /// A path was tried.
    TriedPath(Tried),
    /// What it all comes to so far.
    Sign(Sign),
}

/// Who looks at a target, and tells what it sees.
#[derive(Clone)]
pub(super) struct Teller {
    pub(super) target: usize,
    pub(super) look: u64,
    pub(super) sender: UnboundedSender<Heard>,
}

impl Teller {
    /// Tells, if anybody still listens.
    fn tell(&self, what: What) {
        let _ = self.sender.send(Heard {
            target: self.target,
            look: self.look,
            what,
        });
    }

    /// Looks once.
    pub(super) async fn look(self, sought: Sought, family: Family, connector: Connector) {
        match sought {
            Sought::Port(Endpoint::Tcp(host, port)) => {
                let try_it = |address| {
                    let connector = connector.clone();
                    async move { connector.tcp(address, None).await }
                };
                self.look_at_host(&host, port, family, try_it).await;
            }
            Sought::Port(Endpoint::Udp(host, port)) => {
                let try_it = |address| {
                    let connector = connector.clone();
                    async move { connector.udp_any(address).await.1 }
                };
                self.look_at_host(&host, port, family, try_it).await;
            }
            Sought::Host(host) => {
                let try_it = |address| {
                    let connector = connector.clone();
                    async move { connector.up(address).await }
                };
                self.look_at_host(&host, 0, family, try_it).await;
            }
            Sought::Port(Endpoint::Unix(path)) => {
                let tried = try_unix(&path);
                self.tell(What::TriedPath(tried));
                self.tell(What::Sign(sign_of(&tried)));
            }
        }
    }

    /// Resolves a name and tries all its addresses.
    async fn look_at_host<T>(
        &self,
        host: &Host,
        port: u16,
        family: Family,
        try_it: impl Fn(SocketAddr) -> T,
    ) where
        T: Future<Output = Tried> + Send + 'static,
    {
        let addresses = match crate::net::resolve(host, port, family).await {
            Ok(addresses) => addresses,
            Err(error) => {
                self.tell(What::Unresolved(error));
                return self.tell(What::Sign(Sign::Nothing));
            }
        };
        self.tell(What::Resolved(addresses.clone()));
        let mut tries = JoinSet::new();
        for address in addresses {
            let trying = try_it(address);
            tries.spawn(async move { (address, trying.await) });
        }
        let mut all_answered = true;
        while let Some(Ok((address, tried))) = tries.join_next().await {
            self.tell(What::Tried(address, tried));
            match sign_of(&tried) {
                Sign::Open => return self.tell(What::Sign(Sign::Open)),
                Sign::Closed => self.tell(What::Sign(Sign::Answered)),
                _ => all_answered = false,
            }
        }
        let sign = if all_answered {
            Sign::Closed
        } else {
            Sign::Nothing
        };
        self.tell(What::Sign(sign));
    }
}

/// What one try shows of a target that has only one address.
const fn sign_of(tried: &Tried) -> Sign {
    match tried.state {
        State::Open => Sign::Open,
        _ if tried.is_answer() => Sign::Closed,
        _ => Sign::Nothing,
    }
}
