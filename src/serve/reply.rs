//! The same answer to everything.

use super::client::Client;
use crate::error::Result;
use crate::relay::End;

/// Answers each read with `text` until the client ends.
pub(super) async fn serve(client: &Client, text: &[u8]) -> Result<End> {
    while client.receive(|_| ()).await?.is_some() {
        client.send(text).await?;
    }
    Ok(End::Both)
}
