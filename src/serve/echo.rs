//! Everything that came goes back.

use super::client::Client;
use crate::error::Result;
use crate::relay::End;

/// Echoes until the client ends. What it does not take yet is kept, and no more is read until it
/// has been taken.
pub(super) async fn serve(client: &Client) -> Result<End> {
    let echo = |bytes: &[u8]| {
        let sent = client.send_now(bytes)?;
        Ok(bytes.get(sent..).unwrap_or_default().to_vec())
    };
    while let Some(left) = client.receive(echo).await? {
        client.send(&left?).await?;
    }
    Ok(End::Both)
}
