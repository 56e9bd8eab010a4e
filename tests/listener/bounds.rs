//! Many, slow, silent and large: nothing of it delays or ends the wait.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use chipp_auth::login::Page;

use crate::support::{LONG, Login, Plan, STATE};

/// L2 and rows 16 to 19: 10,000 forged callbacks, and then the right one.
#[test]
fn forged_callbacks_change_nothing() {
    let login = Login::start(Plan { issuer: Some("https://as.example"), ..Plan::default() });
    let near = &STATE[..STATE.len() - 1];
    let long = "x".repeat(8000);
    let forged = [
        "/callback".to_owned(),
        "/callback?code=1".into(),
        "/callback?error=access_denied".into(),
        "/callback?error=access_denied&state=".into(),
        "/callback?code=1&state=wrong".into(),
        format!("/callback?code=1&state={near}"),
        format!("/callback?code=1&state={STATE}{STATE}"),
        format!("/callback?code=1&state={STATE}&state={STATE}"),
        format!("/callback?code=1&STATE={STATE}"),
        format!("/callback?code={long}&state=x"),
    ];
    for round in 0..1000 {
        for target in &forged {
            let answer = login.get(target);
            assert_eq!((answer.status, answer.page()), (400, "400-not-ours"), "{round} {target:.60}");
        }
    }
    assert_eq!(login.ignored.count(), 10_000);
    assert_eq!(login.sign_in().page(), "signed-in");
    assert_eq!(login.end().unwrap(), "C0DE");
}

/// L7: 31 silent connections, as browsers open them in advance.
#[test]
fn silent_connections_delay_nothing() {
    let login = Login::start(Plan::default());
    let silent: Vec<TcpStream> = (0..31).map(|_| login.connect()).collect();
    // All of them are accepted before the callback comes.
    assert_eq!(login.get("/favicon.ico").status, 404);
    let start = Instant::now();
    assert_eq!(login.sign_in().page(), "signed-in");
    // A silent connection that counts costs ten; the rest is room for a busy machine.
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert!(login.end().is_ok());
    drop(silent);
}

/// Row 32: more connections than are served are closed, and room comes back.
#[test]
fn a_flood_of_connections_passes() {
    let login = Login::start(Plan::default());
    let mut flood: Vec<TcpStream> = (0..1000).map(|_| login.connect()).collect();
    // The last one is past the limit: closed without a word, and long before the 10 seconds.
    let start = Instant::now();
    assert_eq!(flood.last_mut().unwrap().read(&mut [0; 1]).unwrap_or(0), 0);
    assert!(start.elapsed() < Duration::from_secs(5));
    let open = flood.iter().filter(|stream| {
        stream.set_nonblocking(true).unwrap();
        stream.peek(&mut [0; 1]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    });
    assert_eq!(open.count(), 32);
    drop(flood);
    // Whoever hung up has left; the next browser gets in.
    let limit = Instant::now() + LONG;
    let request =
        format!("GET /callback?code=C0DE&state={STATE} HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", login.port);
    while login.raw(request.as_bytes()).is_none() {
        assert!(Instant::now() < limit);
    }
    assert_eq!(login.get("/done").page(), "signed-in");
    assert_eq!(login.end().unwrap(), "C0DE");
}

/// Row 31, and the silent connection: closed after 10 seconds, both.
#[test]
fn slow_and_silent_connections_are_closed() {
    let login = Login::start(Plan::default());
    let (mut slow, mut silent) = (login.connect(), login.connect());
    let start = Instant::now();
    let mut other = slow.try_clone().unwrap();
    let drip = std::thread::spawn(move || {
        for byte in format!("GET /callback?{} HTTP/1.1\r\n", "x".repeat(100)).bytes() {
            if other.write_all(&[byte]).is_err() || start.elapsed() > LONG {
                return;
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    });
    assert_eq!(silent.read(&mut [0; 1]).unwrap_or(0), 0);
    let _ = slow.read(&mut [0; 400]);
    let taken = start.elapsed();
    assert!(taken > Duration::from_secs(8) && taken < Duration::from_secs(30), "{taken:?}");
    assert_eq!(login.sign_in().page(), "signed-in");
    assert!(login.end().is_ok());
    drop(slow);
    drip.join().unwrap();
}

/// Row 30.
#[test]
fn a_large_head_is_refused() {
    let login = Login::start(Plan::default());
    let target = format!("/callback?code=1&state={STATE}");
    for headers in [
        format!("X: {}\r\n", "x".repeat(20_000)),
        format!("X: {}\r\n", "x".repeat(1_000_000)),
        "X: y\r\n".repeat(10_000),
        "X: y\r\n".repeat(200),
    ] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: localhost:{}\r\n{headers}\r\n", login.port);
        if let Some(answer) = login.raw(request.as_bytes()) {
            assert_eq!((answer.status, answer.page()), (431, ""), "{}", headers.len());
        }
    }
    let fits = login.ask("GET", "/callback", &format!("X: {}\r\n", "x".repeat(12_000)));
    assert_eq!(fits.status, 400);
    assert_eq!(login.sign_in().page(), "signed-in");
    assert!(login.end().is_ok());
}

/// L6: what listens, listens on loopback, on both families; L12: and nothing else does.
#[test]
#[cfg(target_os = "linux")]
fn only_loopback_listens() {
    let listening = |port: u16| -> Vec<String> {
        let tables =
            ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| std::fs::read_to_string(path).unwrap_or_default());
        let lines = tables.iter().flat_map(|table| table.lines().skip(1));
        let fields = lines.map(|line| line.split_whitespace().collect::<Vec<_>>());
        // State 0A is LISTEN.
        fields
            .filter(|f| f[3] == "0A" && f[1].ends_with(&format!(":{port:04X}")))
            .map(|f| f[1].to_owned())
            .collect()
    };
    let login = Login::start(Plan { exchange: (Duration::ZERO, Page::SignedIn), ..Plan::default() });
    let port = login.port;
    let expected =
        ["0100007F", "00000000000000000000000001000000"].map(|address| format!("{address}:{port:04X}"));
    assert_eq!(listening(port), expected);
    login.sign_in();
    assert!(login.end().is_ok());
    assert!(listening(port).is_empty());
}
