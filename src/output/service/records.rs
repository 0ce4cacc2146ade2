//! What a script reads of a server and its clients.

use nettool::serve::{ChildEnd, Standing, Totals};
use serde::Serialize;

use crate::output::record::microseconds;

/// `child`.
#[derive(Serialize)]
pub(super) struct Child {
    client: u64,
    pid: u32,
    status: Option<i32>,
    signal: Option<i32>,
}

impl Child {
    /// How the command of a client ended.
    pub(super) fn new(client: u64, end: ChildEnd) -> Self {
        Self {
            client,
            pid: end.pid,
            status: end.status,
            signal: end.signal,
        }
    }
}

/// `served`.
#[derive(Serialize)]
pub(super) struct Served {
    clients: u64,
    failed: u64,
    refused: u64,
    bytes_sent: u64,
    bytes_received: u64,
    datagrams_lost: Option<u64>,
    datagrams_cut: u64,
    datagrams_unsent: u64,
    elapsed_us: u64,
}

impl Served {
    /// What was done for all clients.
    pub(super) fn new(totals: &Totals) -> Self {
        Self {
            clients: totals.clients,
            failed: totals.failed,
            refused: totals.refused,
            bytes_sent: totals.sent,
            bytes_received: totals.received,
            datagrams_lost: totals.datagrams_lost,
            datagrams_cut: totals.datagrams_cut,
            datagrams_unsent: totals.datagrams_unsent,
            elapsed_us: microseconds(totals.elapsed),
        }
    }
}

/// `progress` of a server for many.
#[derive(Serialize)]
pub(super) struct Stands {
    client: Option<u64>,
    bytes_sent: u64,
    bytes_acked: Option<u64>,
    bytes_received: u64,
    elapsed_us: u64,
    bytes_total: Option<u64>,
    clients_now: u64,
    clients: u64,
    failed: u64,
    refused: u64,
}

impl Stands {
    /// What is done so far.
    pub(super) fn new(standing: &Standing) -> Self {
        let totals = &standing.totals;
        Self {
            client: None,
            bytes_sent: totals.sent,
            bytes_acked: None,
            bytes_received: totals.received,
            elapsed_us: microseconds(totals.elapsed),
            bytes_total: None,
            clients_now: standing.present,
            clients: totals.clients,
            failed: totals.failed,
            refused: totals.refused,
        }
    }
}

/// `saved`.
#[derive(Serialize)]
pub(super) struct Saved<'a> {
    /// The client's number.
    pub(super) client: u64,
    /// The file that holds what came.
    pub(super) path: &'a str,
    /// Its length.
    pub(super) bytes: u64,
}
