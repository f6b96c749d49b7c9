//! Connections served as async tasks.

use std::{future::Future, io, net::TcpListener, pin::pin, sync::Arc, time::Duration};

use tokio::{
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use triway_wait::NonBlocking;

use super::{places::Place, session::serve, shared::Shared};
use crate::listen::{ACCEPT_PAUSE, accept, waiting};

/// How long a server that is to end listens for what has arrived: the runtime tells of a new connection's first bytes
/// some time after they came.
const ARRIVAL: Duration = Duration::from_millis(50);

/// Serves until `shutdown` ends, and then what is in flight.
///
/// # Errors
/// An error of the listening socket that waiting does not mend.
pub(super) async fn run(
    listener: TcpListener,
    shared: Arc<Shared>,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let (drain, connections) = (CancellationToken::new(), TaskTracker::new());
    let permits = Arc::new(Semaphore::new(
        shared.limits.connections.min(Semaphore::MAX_PERMITS),
    ));
    let mut shutdown = pin!(shutdown);
    let ended = loop {
        let accepted = async {
            // Nobody closes the semaphore, so there is always a permit in the end.
            let permit = Arc::clone(&permits).acquire_owned().await.ok();
            Ok((accept(&listener).await?, permit))
        };
        let ((stream, _), permit) = tokio::select! {
            biased;
            () = &mut shutdown => break Ok(()),
            accepted = accepted => match accepted {
                Ok(accepted) => accepted,
                Err(error) => break Err(error),
            },
        };
        connections.spawn(attend(stream, permit, Arc::clone(&shared), drain.clone()));
    };
    let listener = listener.into_std()?;
    for stream in waiting(&listener) {
        let Ok(permit) = Arc::clone(&permits).try_acquire_owned() else {
            break;
        };
        if let Ok(stream) = TcpStream::from_std(stream) {
            connections.spawn(attend(
                stream,
                Some(permit),
                Arc::clone(&shared),
                drain.clone(),
            ));
        }
    }
    drop(listener);
    drain.cancel();
    connections.close();
    // Those that take longer end with the runtime.
    let _in_time = tokio::time::timeout(shared.limits.drain, connections.wait()).await;
    ended
}

/// Serves a connection that was accepted, to its end.
async fn attend(
    stream: TcpStream,
    permit: Option<OwnedSemaphorePermit>,
    shared: Arc<Shared>,
    drain: CancellationToken,
) {
    // Without it, an answer waits for the other side's delayed acknowledgement.
    let _without = stream.set_nodelay(true);
    let _place = place(&shared).await;
    let ended = async {
        drain.cancelled().await;
        tokio::time::sleep(ARRIVAL).await;
    };
    serve::<NonBlocking>(stream, &shared.limits, &shared.counters, ended).await;
    drop(permit);
}

/// A place for a connection among those of all workers; waits for one.
async fn place(shared: &Shared) -> Option<Place> {
    let own = shared.places.as_ref()?;
    loop {
        if let Some(place) = own.take() {
            return Some(place);
        }
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }
}
