//! A server whose certificate nobody vouches for.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// `openssl s_server` with a certificate of its own making.
pub struct TlsServer {
    process: Child,
    pub port: u16,
}

impl TlsServer {
    pub fn start(home: &Path) -> TlsServer {
        let openssl = |args: &[&str]| {
            let mut command = Command::new("openssl");
            command.args(args).current_dir(home);
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
            command
        };
        let request =
            "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost";
        let request: Vec<_> = request
            .split(' ')
            .chain([
                "-addext",
                "subjectAltName=DNS:localhost",
                "-addext",
                "basicConstraints=critical,CA:FALSE",
            ])
            .collect();
        assert!(openssl(&request).status().unwrap().success());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let accept = port.to_string();
        let serve = ["s_server", "-accept", &accept, "-cert", "cert.pem", "-key", "key.pem", "-quiet"];
        let process = openssl(&serve).spawn().unwrap();
        while std::net::TcpStream::connect(("localhost", port)).is_err() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        TlsServer { process, port }
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
