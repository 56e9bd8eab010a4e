//! The corpus of token answers through real sockets, in every request style; and answers that are no
//! good HTTP (T4, T5, T7; rows 82 to 84, 88 to 98, 106 to 108).

use std::sync::Arc;
use std::time::{Duration, Instant};

use chipp_auth::credential::{Client, TokenStyle};
use chipp_auth::error::Name;
use chipp_auth::http::Reach;
use chipp_auth::http::retry_after::Wait;
use chipp_auth::oauth::answer::{Answer, Cause, Issued, Refusal};
use chipp_auth::oauth::wire::{Code, Endpoint};
use futures_util::stream::{self, StreamExt};
use oauth2::PkceCodeVerifier;

use crate::server::{Request, Server, http};
use crate::tokens::{cases, verdict};

pub const STYLES: [TokenStyle; 4] =
    [TokenStyle::FormPost, TokenStyle::FormBasic, TokenStyle::Json, TokenStyle::JsonBasic];
/// How many are asked at once.
pub const ABREAST: usize = 16;
/// No single answer takes longer, whatever it is: the limits of T4 are not reached by any of these.
const LIMIT: Duration = Duration::from_secs(15);

pub fn client(style: TokenStyle) -> Client {
    Client { id: "client-id".into(), secret: Some("client-secret".into()), style, ..Client::default() }
}

/// Asks by one of the two requests that spend something.
async fn ask(server: &Server, path: &str, style: TokenStyle, refresh: bool) -> Result<Issued, Refusal> {
    let (url, client) = (server.url(path), client(style));
    let reach = Reach::named(["http://127.0.0.1"]);
    let issuer = "http://127.0.0.1";
    let endpoint = Endpoint { url: &url, issuer, client: &client, resource: None, reach: &reach, dpop: None };
    let asking = async {
        if refresh {
            return endpoint.refresh(&"old-refresh-token".into()).await;
        }
        let verifier = PkceCodeVerifier::new("v".repeat(43));
        let code = Code {
            code: "the-code".into(),
            verifier: Some(verifier),
            redirect_uri: "http://localhost:1/callback".into(),
        };
        endpoint.exchange(code).await
    };
    tokio::time::timeout(LIMIT, asking).await.unwrap_or_else(|_| panic!("{path} hangs"))
}

/// Each style writes its request in its own way, and the client's secret in one place (T7).
fn check_style(request: &Request, style: TokenStyle) {
    let json = matches!(style, TokenStyle::Json | TokenStyle::JsonBasic);
    let basic = matches!(style, TokenStyle::FormBasic | TokenStyle::JsonBasic);
    assert_eq!(request.body.starts_with('{'), json, "{style:?}: {}", request.body);
    assert_eq!(request.header("authorization").is_some(), basic, "{style:?}: {}", request.head);
    assert_eq!(request.body.contains("client-secret"), !basic, "{style:?}: {}", request.body);
    assert_eq!(request.header("accept"), Some("application/json"));
}

/// The socket changes no verdict: whatever style asks, the answer means what the pure reader says.
#[tokio::test]
async fn every_answer_means_the_same_in_every_style() {
    let cases = Arc::new(cases());
    let answers = Arc::clone(&cases);
    let server = Server::start(move |request| {
        let index: usize = request.path().rsplit('/').next().unwrap().parse().unwrap();
        http(answers[index].status, "", &answers[index].body)
    })
    .await;
    let all = (0..cases.len()).flat_map(|index| STYLES.map(|style| (index, style)));
    let asked = stream::iter(all).map(|(index, style)| {
        let (server, case) = (&server, &cases[index]);
        async move {
            let path = format!("/{style:?}/{index}");
            let found = match ask(server, &path, style, index % 2 == 0).await {
                Ok(issued) => Answer::Issued(issued),
                Err(refusal) => Answer::Refused(refusal),
            };
            assert_eq!(verdict(&found), verdict(&case.judge()), "{style:?}: {}", case.name);
        }
    });
    let asked = asked.buffer_unordered(ABREAST).count().await;
    assert!(asked >= 2000, "{asked}");
    let requests = server.asked();
    assert_eq!(requests.len(), asked, "one request each: nothing is sent twice (T3)");
    for request in requests {
        let style = STYLES.into_iter().find(|style| request.path().starts_with(&format!("/{style:?}/")));
        check_style(&request, style.unwrap());
    }
}

/// Row 88 to 91 and 108: what is no good HTTP. `None` is any of the names for a lost connection.
fn raw() -> Vec<(&'static str, Vec<u8>, Option<Name>)> {
    let good = r#"{"access_token":"a","refresh_token":"r","token_type":"Bearer"}"#;
    let bytes = |text: String| text.into_bytes();
    let long = "x".repeat(300 * 1024);
    vec![
        ("closed at once", Vec::new(), None),
        ("not HTTP", b"SSH-2.0-OpenSSH_9.6\r\n".to_vec(), None),
        ("half a status line", b"HTTP/1.1 2".to_vec(), None),
        ("half a head", b"HTTP/1.1 200 OK\r\nContent-Ty".to_vec(), None),
        ("a status of its own", b"HTTP/1.1 999999 OK\r\n\r\n".to_vec(), None),
        (
            "a body that breaks off",
            bytes(format!("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{good}")),
            None,
        ),
        (
            "two lengths",
            bytes(format!(
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: {}\r\n\r\n{good}",
                good.len()
            )),
            None,
        ),
        (
            "a length that is no number",
            bytes(format!("HTTP/1.1 200 OK\r\nContent-Length: 6x\r\n\r\n{good}")),
            None,
        ),
        (
            "a bad chunk",
            bytes(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{good}")),
            None,
        ),
        (
            "a chunk without an end",
            bytes(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{good}")),
            None,
        ),
        ("only interim answers", bytes("HTTP/1.1 100 Continue\r\n\r\n".repeat(50)), None),
        (
            "a head of a megabyte",
            bytes(format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(1 << 20))),
            None,
        ),
        ("a thousand headers", bytes(format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(1000))), None),
        // T4: the whole answer is bounded.
        ("too much", http(200, "", format!("{{\"a\":\"{long}\"}}").as_bytes()), Some(Name::BadResponse)),
        ("too much with an error", http(500, "", long.as_bytes()), Some(Name::BadResponse)),
        // We ask for no compression; what comes compressed is not unpacked, so there is no bomb.
        (
            "compressed",
            http(200, "Content-Encoding: gzip\r\n", b"\x1f\x8b\x08\0\0\0\0\0"),
            Some(Name::BadResponse),
        ),
    ]
}

#[tokio::test]
async fn what_is_no_good_http_ends_in_a_name_at_once() {
    let server = Server::start(|request| {
        let index: usize = request.path().rsplit('/').next().unwrap().parse().unwrap();
        raw().swap_remove(index).1
    })
    .await;
    for (index, (name, _, expected)) in raw().into_iter().enumerate() {
        for style in STYLES {
            let began = Instant::now();
            let refusal = ask(&server, &format!("/{index}"), style, true).await.expect_err(name);
            assert!(began.elapsed() < LIMIT, "{name}");
            let found = refusal.error.name();
            let lost = matches!(found, Name::NetworkDown | Name::BadResponse);
            assert!(expected.map_or(lost, |expected| found == expected), "{name}: {:?}", refusal.error);
            assert_ne!(refusal.cause, Cause::InvalidGrant, "{name}");
        }
    }
}

// CL and TE together: the transfer coding counts (RFC 9112 section 6.3), and the connection is not used again.
#[tokio::test]
async fn a_length_beside_chunks_does_not_split_the_answer() {
    let server = Server::start(|_| {
        let body = "{\"access_token\":\"a\"}";
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n";
        format!("{head}{:x}\r\n{body}\r\n0\r\n\r\n", body.len()).into_bytes()
    })
    .await;
    match ask(&server, "/0", TokenStyle::Json, true).await {
        Ok(issued) => assert!(issued.refresh.is_none()),
        Err(refusal) => assert!(matches!(refusal.error.name(), Name::BadResponse | Name::NetworkDown)),
    }
    assert_eq!(server.asked().len(), 1);
}

// Rows 82 to 84: how long to wait is read off the answer, in every style.
#[tokio::test]
async fn retry_after_reaches_the_caller() {
    let later = std::time::SystemTime::now() + Duration::from_secs(600);
    let date = humantime::format_rfc3339_seconds(later).to_string();
    let http_date = httpdate::fmt_http_date(later);
    let rows = [
        (429, "5".to_owned(), 5..=5),
        (503, "120".to_owned(), 120..=120),
        (429, http_date, 590..=600),
        (500, "-3".to_owned(), 1..=1),
        (429, date, 5..=5),
        (502, "1000000000".to_owned(), 3600..=3600),
    ];
    let values: Vec<_> = rows.iter().map(|(status, value, _)| (*status, value.clone())).collect();
    let server = Server::start(move |request| {
        let (status, value) = &values[request.path()[1..].parse::<usize>().unwrap()];
        http(*status, &format!("Retry-After: {value}\r\n"), b"{}")
    })
    .await;
    for (index, (_, value, seconds)) in rows.into_iter().enumerate() {
        for style in STYLES {
            let refusal = ask(&server, &format!("/{index}"), style, true).await.unwrap_err();
            let Cause::Busy(Some(wait)) = refusal.cause else { panic!("{value}: {refusal:?}") };
            assert!(seconds.contains(&wait.duration().as_secs()), "{value}: {wait:?}");
            assert_eq!(matches!(wait, Wait::Later(_)), *seconds.end() > 60, "{value}");
        }
    }
}
