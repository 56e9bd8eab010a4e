use super::*;

fn refusal(status: u16, body: &str) -> Refusal {
    let status = StatusCode::from_u16(status).unwrap();
    Refusal { status, headers: HeaderMap::new(), body: body.to_owned().into(), in_session: false }
}

const REQUEST: &str = "change the request: the server does not accept it as it is";
const GONE: &str = "check the address of the MCP server: nothing is there (any more)";
const NOT_MCP: &str = "check the address: what is there does not speak MCP over HTTP";
const SLOW: &str = "look whether the server has acted before you repeat a call that changes something";
const HEADERS: &str =
    "shorten the arguments that go into headers (or those of --header): the server takes less";
const VERSION: &str = "tell the operator of the server: it wants another version of HTTP";
const MINUTE: &str = "try again in a minute; nothing was lost";
const OTHER: &str = "check the address, and what was asked for: trying again will not help";
const LATER: &str = "try again later";

/// Status, name, whether trying again may help, what happened, what to do.
type Row = (u16, &'static str, bool, &'static str, &'static str);

const ROWS: &[Row] = &[
    (
        302,
        "redirect-refused",
        false,
        "e.com redirects to another address",
        "check the address of the server; requests with secrets are never redirected",
    ),
    (400, "bad-response", false, "e.com answered HTTP 400", REQUEST),
    (401, "login-required", false, "e.com does not accept the sign-in", "run `chipp-auth login`"),
    (
        402,
        "bad-response",
        false,
        "e.com answered HTTP 402",
        "check your plan and its billing at the provider of the server",
    ),
    (
        403,
        "bad-response",
        false,
        "e.com answered HTTP 403",
        "check that your account may do this on the server",
    ),
    (404, "bad-response", false, "e.com answered HTTP 404", GONE),
    (
        405,
        "bad-response",
        false,
        "e.com answered HTTP 405",
        "check the address: what is there takes no MCP messages",
    ),
    (406, "bad-response", false, "e.com answered HTTP 406", NOT_MCP),
    (
        407,
        "network-down",
        false,
        "e.com answered HTTP 407",
        "give the proxy's user name and password in HTTPS_PROXY",
    ),
    (408, "timeout", true, "e.com answered HTTP 408", SLOW),
    (409, "bad-response", true, "e.com answered HTTP 409", "try again: something else was in the way"),
    (410, "bad-response", false, "e.com answered HTTP 410", GONE),
    (
        413,
        "too-large",
        false,
        "e.com answered HTTP 413",
        "send less at a time: the server takes no message as large as this",
    ),
    (414, "too-large", false, "e.com answered HTTP 414", HEADERS),
    (415, "bad-response", false, "e.com answered HTTP 415", NOT_MCP),
    (418, "bad-response", false, "e.com answered HTTP 418", OTHER),
    (
        421,
        "bad-response",
        false,
        "e.com answered HTTP 421",
        "check the address: the server does not serve this host name",
    ),
    (422, "bad-response", false, "e.com answered HTTP 422", REQUEST),
    (425, "server-busy", true, "e.com answered HTTP 425", LATER),
    (426, "bad-response", false, "e.com answered HTTP 426", VERSION),
    (429, "server-busy", true, "e.com has had too many requests", LATER),
    (431, "too-large", false, "e.com answered HTTP 431", HEADERS),
    (
        451,
        "bad-response",
        false,
        "e.com answered HTTP 451",
        "the server may not answer this for legal reasons; ask its operator",
    ),
    (500, "server-error", true, "e.com answered HTTP 500", MINUTE),
    (
        501,
        "server-error",
        false,
        "e.com answered HTTP 501",
        "check the address: the server cannot do what MCP needs",
    ),
    (502, "server-error", true, "e.com answered HTTP 502", MINUTE),
    (503, "server-error", true, "e.com answered HTTP 503", MINUTE),
    (504, "timeout", true, "e.com answered HTTP 504", SLOW),
    (505, "bad-response", false, "e.com answered HTTP 505", VERSION),
    (
        511,
        "captive-portal",
        true,
        "the network asks for a sign-in of its own",
        "open a browser and sign in to the network, then try again",
    ),
    (522, "server-error", true, "e.com answered HTTP 522", MINUTE),
    (599, "server-error", true, "e.com answered HTTP 599", MINUTE),
];

// Row 132.
#[test]
fn each_status_has_its_name_and_its_words() {
    for (status, name, retryable, what, hint) in ROWS {
        let error = refusal(*status, "<html>").into_error("e.com");
        assert_eq!(error.name().row().text, *name, "{status}");
        assert_eq!((error.what(), error.hint().as_str()), (*what, *hint), "{status}");
        assert_eq!(error.retryable(), *retryable, "{status}");
        assert_eq!(error.to_rpc()["data"]["retryable"], *retryable, "{status}");
        assert_eq!(error.to_json()["error"]["retryable"], *retryable, "{status}");
    }
}

/// The server's own words go with it, and not its hint's.
#[test]
fn what_the_server_says_is_repeated() {
    let said = refusal(402, r#"{"error":{"message":"Your plan has ended\n"}}"#).into_error("e.com");
    assert_eq!(said.what(), "e.com answered HTTP 402: Your plan has ended");
    let said = refusal(500, r#"{"error":"boom"}"#).into_error("e.com");
    assert_eq!(said.what(), "e.com answered HTTP 500: boom");
}

#[test]
fn a_redirect_says_where_it_leads_without_its_query() {
    let mut redirect = refusal(308, "");
    redirect.headers.insert(LOCATION, "https://new.example/mcp?code=secret".parse().unwrap());
    assert_eq!(redirect.into_error("e.com").what(), "e.com redirects to https://new.example/mcp");
}

/// A time of its own, on the wall.
#[test]
fn a_server_under_maintenance_says_when_it_is_back() {
    let mut away = refusal(503, "");
    away.headers.insert(RETRY_AFTER, "120".parse().unwrap());
    let hint = away.into_error("e.com").hint();
    assert!(hint.starts_with("try again after ") && hint.len() == "try again after 14:32:10".len(), "{hint}");
}

// T-23, T-24, T-63.
#[test]
fn a_lost_session_is_told_from_other_refusals() {
    let gone = |status, body: &str| Refusal { in_session: true, ..refusal(status, body) }.is_session_gone();
    assert!(gone(404, "") && gone(404, "Could not find session"));
    assert!(gone(400, "No transport found for sessionId"));
    assert!(gone(
        400,
        r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: No valid session ID"},"id":null}"#
    ));
    assert!(!gone(404, r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}"#));
    assert!(!gone(400, "") && !gone(400, "Bad Request") && !gone(500, "session not found"));
    assert!(!gone(400, &format!("{}No transport found for sessionId", " ".repeat(PLAIN))));
    assert!(!refusal(404, "").is_session_gone(), "there was no session");
}
