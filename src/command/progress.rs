//! Work beside which its progress is shown, and told to whoever asks.

use std::future::pending;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use nettool::relay::Meter;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep_until;

use crate::output::Progress;

/// The signals by which somebody asks how far we are.
pub(super) struct Questions(Vec<Signal>);

impl Questions {
    /// Takes these signals over. Needs a runtime.
    pub(super) fn watch(signals: &[i32]) -> Self {
        let watch = |number: &i32| signal(SignalKind::from_raw(*number)).ok();
        Self(signals.iter().filter_map(watch).collect())
    }

    /// Waits for one.
    pub(super) async fn came(&mut self) {
        std::future::poll_fn(|context| self.poll(context)).await;
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        for signal in &mut self.0 {
            if let Poll::Ready(Some(())) = Pin::new(&mut *signal).poll_recv(context) {
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }
}

/// Does the work, and shows how far it is.
pub(super) async fn shown<T>(
    work: impl Future<Output = T>,
    meter: &Meter,
    mut progress: Progress<'_>,
    mut questions: Questions,
) -> T {
    let mut work = pin!(work);
    let result = loop {
        let next = progress.next();
        let look = async {
            match next {
                Some(moment) => sleep_until(moment.into()).await,
                None => pending().await,
            }
        };
        tokio::select! {
            result = work.as_mut() => break result,
            () = questions.came() => progress.answer(),
            () = meter.begun() => progress.begin(),
            () = look => progress.look(),
        }
    };
    progress.end();
    result
}
