//! Who is a client, and who may be sent what.

use std::time::Instant;

use super::Server;
use super::peers::{Peer, Place};
use crate::event::Event;
use crate::net::Address;
use crate::relay::End;
use crate::serve::{Behaviour, Refusal};

impl Server {
    /// Takes in whoever is heard for the first time, or again after a long time, or had found no
    /// room when there is some now.
    pub(super) fn welcome(&mut self, place: &Place, now: Instant) {
        match self.peers.get(place).map(|peer| peer.refusal) {
            None => {}
            Some(Some(Refusal::Full)) if !self.is_full() => {
                self.peers.forget(place);
            }
            Some(_) => return,
        }
        let address = place.address();
        let refusal = self.admit(&address).err();
        if let Some(reason) = refusal {
            self.totals.refused = self.totals.refused.saturating_add(1);
            self.tell(&Event::Refused {
                proto: self.proto(place),
                peer: &address,
                reason,
            });
        } else {
            self.totals.clients = self.totals.clients.saturating_add(1);
            self.tell(&Event::ClientCame {
                client: self.totals.clients,
                proto: self.proto(place),
                local: &self.local(place),
                peer: &address,
            });
            self.tell_of_deaf(place, &address);
        }
        let peer = Peer::new(self.totals.clients, refusal, now);
        if let Some(forgotten) = self.peers.add(place.clone(), peer) {
            self.part(forgotten, End::Limit);
        }
    }

    /// Whether somebody may be a client.
    fn admit(&self, peer: &Address) -> Result<(), Refusal> {
        self.service.gate.admit(peer)?;
        if self.is_full() {
            return Err(Refusal::Full);
        }
        Ok(())
    }

    /// Whether there are as many clients as there may be.
    fn is_full(&self) -> bool {
        let most = self.service.max_clients;
        most.is_some_and(|most| self.peers.clients() >= most)
    }

    /// Whether somebody may be sent more than they sent. To anybody else it would be a weapon in
    /// the hand of whoever forges addresses (RFC 8085, section 6.6, of amplification).
    pub(super) fn trusts(&self, address: &Address) -> bool {
        let ip = address.ip().map(|address| address.ip().to_canonical());
        ip.is_none_or(|ip| ip.is_loopback() || self.service.gate.names(ip))
    }

    /// Tells of somebody who hears nothing of what others say.
    fn tell_of_deaf(&mut self, place: &Place, address: &Address) {
        if !matches!(self.service.behaviour, Behaviour::Broker(_)) {
            return;
        }
        if !self.trusts(address) {
            self.tell_withheld(address);
        }
        if place.from.is_none() {
            self.tell_unnamed();
        }
    }
}
