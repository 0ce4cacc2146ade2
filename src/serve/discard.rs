//! Everything that comes is dropped.

use super::client::Client;
use crate::error::Result;
use crate::relay::End;

/// Reads until the client ends.
pub(super) async fn serve(client: &Client) -> Result<End> {
    while client.receive(|_| ()).await?.is_some() {}
    Ok(End::Both)
}
