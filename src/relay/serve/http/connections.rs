//! Connections: accepts them, bounds what each may cost, and hands their requests on.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch::Receiver;
use tokio::task::JoinSet;

use super::places::{Place, Places};
use super::unread::Unread;
use super::{Door, tls};

/// So many connections are open at once at most; for the next one, the one that has been idle longest is closed.
const CONNECTIONS: usize = 512;

/// How long a request's head may take to come, and with it a kept connection to be used again.
pub(super) const HEAD: Duration = Duration::from_secs(15);

/// How long a request's head may be, in bytes.
const LONGEST_HEAD: usize = 64 << 10;

/// How long after a connection that could not be accepted the next one is tried.
const ACCEPT_AGAIN: Duration = Duration::from_millis(10);

/// Accepts connections until `closing`, and then lets those that are open be answered.
pub async fn accept(listener: TcpListener, door: Arc<Door>, closing: Receiver<bool>) {
    let mut places = Places::new(CONNECTIONS);
    let mut connections = JoinSet::new();
    let mut until_closed = closing.clone();
    let closed = async move {
        // An error says that there is nobody left to close it.
        let _ = until_closed.wait_for(|is_closed| *is_closed).await;
    };
    tokio::pin!(closed);
    loop {
        let accepted = async {
            let stream = listener.accept().await;
            (stream, places.take().await)
        };
        let (stream, place) = tokio::select! {
            biased;
            () = &mut closed => break,
            accepted = accepted => match accepted {
                (Ok((stream, _)), place) => (stream, place),
                // A connection that is gone before it is accepted, or no free file descriptor: the next may do.
                _ => {
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                    continue;
                }
            },
        };
        let (door, closing) = (Arc::clone(&door), closing.clone());
        connections.spawn(converse(stream, door, closing, place));
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn converse(stream: TcpStream, door: Arc<Door>, closing: Receiver<bool>, place: Arc<Place>) {
    // Without it a small answer can wait 40 ms for an acknowledgement; failing costs only that.
    let _ = stream.set_nodelay(true);
    let Ok(peer) = stream.peer_addr() else { return };
    let Some(tls) = &door.tls else { return exchange(stream, peer, door, closing, place).await };
    let greeted = async {
        if tls::is_clear(&stream).await {
            return Err(stream);
        }
        tls.greet(stream).await.map(Some).or(Ok(None))
    };
    tokio::select! {
        greeted = tokio::time::timeout(HEAD, greeted) => match greeted {
            Ok(Ok(Some(stream))) => exchange(stream, peer, Arc::clone(&door), closing, place).await,
            Ok(Err(clear)) => tls::refuse(clear).await,
            _ => {}
        },
        () = place.is_wanted() => {}
    }
}

/// Takes a connection's requests, and answers each.
pub(super) async fn exchange<S>(
    stream: S,
    peer: SocketAddr,
    door: Arc<Door>,
    mut closing: Receiver<bool>,
    place: Arc<Place>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let held = Arc::clone(&place);
    let service = service_fn(move |request: Request<Incoming>| {
        let (door, place) = (Arc::clone(&door), Arc::clone(&held));
        Box::pin(async move { Ok::<_, Infallible>(door.respond(request, peer, &place).await) })
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_headers(128)
        .max_buf_size(LONGEST_HEAD)
        .serve_connection(Unread::new(TokioIo::new(stream)), service);
    tokio::pin!(connection);
    let closed = async {
        // An error says that there is nobody left to close it.
        let _ = closing.wait_for(|is_closed| *is_closed).await;
    };
    // A sender that breaks off has been told nothing; what it sent whole is kept.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = place.is_wanted() => if !place.is_at_work() { return },
        () = closed => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}
