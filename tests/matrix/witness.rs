//! A host that nothing should be sent to. It listens on both loopback addresses, takes every connection,
//! and keeps each byte.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[derive(Clone, Default)]
pub struct Witness {
    pub port: u16,
    /// What came, one entry a connection.
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Witness {
    pub async fn start() -> Witness {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let witness = Witness { port: listener.local_addr().unwrap().port(), ..Witness::default() };
        witness.clone().listen(listener);
        // `localhost` may mean either.
        if let Ok(second) = TcpListener::bind(("::1", witness.port)).await {
            witness.clone().listen(second);
        }
        witness
    }

    fn listen(self, listener: TcpListener) {
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(self.clone().hear(stream));
            }
        });
    }

    async fn hear(self, mut stream: TcpStream) {
        let index = {
            let mut heard = self.heard.lock().unwrap();
            heard.push(Vec::new());
            heard.len() - 1
        };
        let mut chunk = [0; 4096];
        while let Ok(read @ 1..) = stream.read(&mut chunk).await {
            self.heard.lock().unwrap()[index].extend_from_slice(&chunk[..read]);
            // An answer keeps a client talking that should not have begun.
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await;
        }
    }

    /// Everything that came. An empty entry is a connection without a byte.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect()
    }

    /// Nobody came.
    pub fn assert_alone(&self, what: &str) {
        let heard = self.heard();
        assert!(heard.is_empty(), "{what}: the other host heard {heard:?}");
    }
}

/// The witness does hear those who come.
#[tokio::test]
async fn the_witness_is_not_deaf() {
    let witness = Witness::start().await;
    let mut stream = TcpStream::connect(("127.0.0.1", witness.port)).await.unwrap();
    stream.write_all(b"canary").await.unwrap();
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(witness.heard(), ["canary"]);
}
