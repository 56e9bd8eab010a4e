//! The log and the life of the sandbox itself.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use chipp_auth::sandbox::{Kind, Options, Sandbox};

use crate::kit::{Kit, VERIFIER, call, exchange, headless, pair};

#[tokio::test]
async fn the_log_tells_everything_and_keeps_every_secret() {
    let kit = Kit::new(headless());
    let resource = kit.sandbox.mcp_url();
    let callback =
        kit.authorize(&[("state", "canary-state"), ("resource", resource.as_str())]).await.callback();
    let first = pair(&kit.token(&exchange(&callback["code"])).await);
    let session = kit.open(&first.access, "2025-11-25").await;
    kit.rpc(&first.access, &session, &call(1, "list_apps", serde_json::json!({}))).await;
    kit.rpc("chipp_at_canary", &session, &call(1, "chipp_at_canary", serde_json::json!({}))).await;
    let second = pair(&kit.refresh(&first.refresh).await);
    kit.get("/canary-path?token=canary-query").await;

    let log = kit.sandbox.log();
    let kinds: Vec<_> = log.iter().map(|entry| entry.kind).collect();
    let expected =
        [Kind::Authorize, Kind::Token, Kind::Mcp, Kind::Mcp, Kind::Mcp, Kind::Token, Kind::Other].to_vec();
    assert_eq!(kinds, expected);
    assert_eq!(log[0].resource.as_deref(), Some(resource.as_str()));
    assert_eq!(
        (log[1].client.as_deref(), log[1].grant),
        (Some("chipp-mcp-client"), Some("authorization_code"))
    );
    assert_eq!((log[3].tool, log[3].method.as_deref()), (Some("list_apps"), Some("tools/call")));
    assert_eq!((log[3].generation, log[3].session, log[3].version), (Some(1), true, Some("2025-11-25")));
    assert_eq!((log[4].status, log[4].note, log[4].tool), (401, Some("unknown"), None));
    assert_eq!((log[5].generation, log[5].issued), (Some(1), Some(2)));
    assert!(log.is_sorted_by_key(|entry| entry.at));

    let text = format!("{log:?} {:?}", kit.sandbox.counts());
    let secrets =
        [&first.access, &first.refresh, &second.access, &second.refresh, &callback["code"], &session];
    for secret in
        secrets.map(String::as_str).into_iter().chain([VERIFIER, "canary", "chipp_at_", "chipp_rt_"])
    {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[test]
fn a_synchronous_test_can_use_it_and_a_drop_ends_it_at_once() {
    let sandbox = Sandbox::start(Options::default()).unwrap();
    let address = ("127.0.0.1", sandbox.base().port().unwrap());
    // Open connections, one of them silent in mid request, must not hold it up.
    let _idle = TcpStream::connect(address).unwrap();
    let mut half = TcpStream::connect(address).unwrap();
    std::io::Write::write_all(&mut half, b"POST /api/mcp/oauth/token HTTP/1.1\r\nContent-Length: 9\r\n")
        .unwrap();
    let start = Instant::now();
    drop(sandbox);
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_fixed_port_is_used_or_refused() {
    let first = Sandbox::start(Options::default()).unwrap();
    let port = first.base().port();
    let error = Sandbox::start(Options { port, ..Options::default() }).err().unwrap();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    drop(first);
    assert_eq!(Sandbox::start(Options { port, ..Options::default() }).unwrap().base().port(), port);
}

#[tokio::test]
async fn the_button_in_the_settings_ends_every_sign_in() {
    let kit = Kit::new(headless());
    let (one, two) = (kit.sign_in("*").await, kit.sign_in("*").await);
    kit.sandbox.revoke_all();
    kit.sandbox.revoke_all();
    assert_eq!((kit.refresh(&one.refresh).await.status, kit.refresh(&two.refresh).await.status), (400, 400));
    assert_eq!(kit.sandbox.counts().families_revoked, 2, "each once");
}
