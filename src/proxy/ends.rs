//! What ends the proxy from outside: signals, and a parent that is gone (P7).

use std::time::Duration;

use tokio::sync::mpsc;

use super::End;

/// How often the parent is looked for. A host that is killed usually closes our stdin, but a wrapper
/// between us may keep it open.
const PARENT: Duration = Duration::from_secs(3);

/// Starts watching. Each event is one message; the second signal comes as a second message.
pub(super) fn watch() -> mpsc::Receiver<End> {
    let (to, from) = mpsc::channel(4);
    #[cfg(unix)]
    {
        use tokio::signal::unix::SignalKind;
        for kind in [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()] {
            tokio::spawn(signals(kind, to.clone()));
        }
        tokio::spawn(parent(to));
    }
    #[cfg(not(unix))]
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() && to.send(End::Signal(2)).await.is_ok() {}
    });
    from
}

#[cfg(unix)]
async fn signals(kind: tokio::signal::unix::SignalKind, to: mpsc::Sender<End>) {
    // Without the handler the signal's own effect stays: the process ends, only less tidily.
    let Ok(mut signal) = tokio::signal::unix::signal(kind) else { return };
    while signal.recv().await.is_some() && to.send(End::Signal(kind.as_raw_value())).await.is_ok() {}
}

#[cfg(unix)]
async fn parent(to: mpsc::Sender<End>) {
    let first = std::os::unix::process::parent_id();
    while std::os::unix::process::parent_id() == first {
        tokio::select! {
            () = tokio::time::sleep(PARENT) => {}
            () = to.closed() => return,
        }
    }
    let _ = to.send(End::Orphaned).await;
}
