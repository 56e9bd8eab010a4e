//! A distant server: everything between the client and the server arrives later, also the connection itself.
//! Threads, because their sleep is exact to some 50 µs, while the runtime's timer counts in milliseconds.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How long one way takes: half a round trip.
pub(crate) const ONE_WAY: Duration = Duration::from_millis(10);

/// Starts a relay to this address, and returns its own.
pub(crate) fn start(to: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let to = to.to_owned();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // A real handshake takes a round trip before the client may speak. Here it speaks at once,
            // and is heard as if it had waited.
            let open = Instant::now() + 2 * ONE_WAY;
            let Ok(server) = TcpStream::connect(&to) else { continue };
            let (Ok(client_too), Ok(server_too)) = (client.try_clone(), server.try_clone()) else { continue };
            pass(client, server, open);
            pass(server_too, client_too, open);
        }
    });
    address
}

/// Passes on in one direction, until it ends.
fn pass(mut from: TcpStream, mut to: TcpStream, open: Instant) {
    let (later, arrivals) = mpsc::channel::<(Instant, Vec<u8>)>();
    let _ = (from.set_nodelay(true), to.set_nodelay(true));
    thread::spawn(move || {
        let mut buffer = vec![0; 64 << 10];
        // The end of the stream travels as an empty chunk.
        while let Ok(count) = from.read(&mut buffer) {
            let sent = Instant::now().max(open);
            if later.send((sent + ONE_WAY, buffer[..count].to_vec())).is_err() || count == 0 {
                break;
            }
        }
    });
    thread::spawn(move || {
        for (at, chunk) in arrivals {
            thread::sleep(at.saturating_duration_since(Instant::now()));
            if chunk.is_empty() || to.write_all(&chunk).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}
