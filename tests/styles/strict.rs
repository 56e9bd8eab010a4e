//! Token endpoints that take one style and no other, each with a temper of its own.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chipp_auth::credential::TokenStyle;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use url::Url;

use crate::kit::{ID, SECRET};

/// What it says to a request in another style.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Says {
    /// What RFC 6749 section 5.2 has for it.
    InvalidClient,
    InvalidRequest,
    UnsupportedGrantType,
    /// A status without a body.
    Silent(u16),
    /// A page.
    Page,
    /// JSON of its own making.
    Json,
    /// 200 with an error inside.
    InsideSuccess,
    InvalidGrant,
    /// No answer at all.
    Nothing,
    /// The connection breaks.
    Break,
    /// 307 to another place.
    Redirect,
}

/// A server's habits.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    /// The style that it takes; none: no style at all.
    pub takes: Option<TokenStyle>,
    /// Any request that carries the code spends it.
    pub burns: bool,
    pub says: Says,
    /// It never says why: not even of a code that is spent.
    pub mute: bool,
}

#[derive(Default)]
struct Seen {
    styles: Vec<TokenStyle>,
    bodies: Vec<String>,
    spent: bool,
}

#[derive(Clone)]
pub struct Strict {
    pub url: Url,
    habits: Habits,
    seen: Arc<Mutex<Seen>>,
}

impl Strict {
    pub async fn start(habits: Habits) -> Strict {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/token", listener.local_addr().unwrap()).parse().unwrap();
        let server = Strict { url, habits, seen: Arc::default() };
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = serving.clone();
                let service = hyper::service::service_fn(move |request| server.clone().answer(request));
                let builder = hyper::server::conn::http1::Builder::new();
                tokio::spawn(builder.serve_connection(TokioIo::new(stream), service));
            }
        });
        server
    }

    /// The same on a thread of its own, with an authorization endpoint where nobody is asked.
    pub fn start_alone(habits: Habits) -> Strict {
        let (sender, started) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                sender.send(Strict::start(habits).await).unwrap();
                std::future::pending::<()>().await;
            });
        });
        started.recv().unwrap()
    }

    pub fn at(&self, path: &str) -> Url {
        self.url.join(path).unwrap()
    }

    /// The bodies of the token requests so far.
    pub fn bodies(&self) -> Vec<String> {
        self.seen.lock().unwrap().bodies.clone()
    }

    /// The styles of the requests so far, in order.
    pub fn styles(&self) -> Vec<TokenStyle> {
        self.seen.lock().unwrap().styles.clone()
    }

    /// Gives out a new code.
    pub fn renew(&self) {
        self.seen.lock().unwrap().spent = false;
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, std::io::Error> {
        let (parts, body) = request.into_parts();
        if parts.uri.path() == "/authorize" {
            return Ok(self.authorize(parts.uri.query().unwrap()));
        }
        assert_eq!(parts.uri.path(), "/token", "nothing is followed");
        let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
        let style = style(&parts.headers, &body);
        let right = {
            let mut seen = self.seen.lock().unwrap();
            seen.styles.push(style);
            let body = String::from_utf8(body.to_vec()).unwrap();
            let spent = seen.spent && body.contains("authorization_code");
            seen.bodies.push(body);
            let right = self.habits.takes == Some(style);
            seen.spent |= right || self.habits.burns;
            right.then_some(!spent)
        };
        let bad = |code: &str| reply(400, &json!({"error": code}).to_string());
        match (right, self.habits.says) {
            (Some(true), _) => {
                // Never good for long, so that everybody who uses it renews it.
                let answer = json!({
                    "access_token": "a", "token_type": "Bearer", "refresh_token": "r", "expires_in": 1, "scope": "granted",
                });
                Ok(reply(200, &answer.to_string()))
            }
            (Some(false), _) if !self.habits.mute => Ok(bad("invalid_grant")),
            (_, Says::InvalidClient) => Ok(reply(401, &json!({"error": "invalid_client"}).to_string())),
            (_, Says::InvalidRequest) => Ok(bad("invalid_request")),
            (_, Says::UnsupportedGrantType) => Ok(bad("unsupported_grant_type")),
            (_, Says::InvalidGrant) => Ok(bad("invalid_grant")),
            (_, Says::Silent(status)) => Ok(reply(status, "")),
            (_, Says::Page) => Ok(reply(403, "<html><h1>Forbidden</h1>")),
            (_, Says::Json) => {
                Ok(reply(400, &json!({"message": "Something went wrong", "code": 7}).to_string()))
            }
            (_, Says::InsideSuccess) => {
                Ok(reply(200, &json!({"ok": false, "error": "bad_client_secret"}).to_string()))
            }
            (_, Says::Redirect) => {
                let mut response = reply(307, "");
                response.headers_mut().insert("location", "/elsewhere".parse().unwrap());
                Ok(response)
            }
            (_, Says::Break) => Err(std::io::Error::other("the connection breaks")),
            (_, Says::Nothing) => {
                // tokio's clock runs ahead while everybody waits for this answer.
                tokio::time::pause();
                tokio::time::sleep(Duration::from_secs(120)).await;
                tokio::time::resume();
                Ok(reply(500, ""))
            }
        }
    }
}

impl Strict {
    fn authorize(&self, query: &str) -> Response<Full<Bytes>> {
        let pairs: Vec<(String, String)> =
            url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let given = |wanted: &str| pairs.iter().find(|(name, _)| name == wanted).unwrap().1.clone();
        let mut back = Url::parse(&given("redirect_uri")).unwrap();
        back.query_pairs_mut().append_pair("code", "AUTH_CODE").append_pair("state", &given("state"));
        self.renew();
        let mut response = reply(302, "");
        response.headers_mut().insert("location", back.as_str().parse().unwrap());
        response
    }
}

fn reply(status: u16, body: &str) -> Response<Full<Bytes>> {
    Response::builder().status(status).body(Full::from(body.to_owned())).unwrap()
}

/// Which style a request has: it must have all of it, and nothing of another. The secret is in one place.
fn style(headers: &http::HeaderMap, body: &[u8]) -> TokenStyle {
    let body = std::str::from_utf8(body).unwrap();
    let json = match headers["content-type"].to_str().unwrap() {
        "application/json" => true,
        "application/x-www-form-urlencoded" => false,
        other => panic!("{other}"),
    };
    let members: Vec<(String, String)> = if json {
        let object: Value = serde_json::from_str(body).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        object.as_object().unwrap().iter().map(|(name, value)| (name.clone(), text(value))).collect()
    } else {
        url::form_urlencoded::parse(body.as_bytes()).into_owned().collect()
    };
    let member = |name: &str| members.iter().find(|(found, _)| found == name).map(|(_, v)| v.as_str());
    let basic = headers.get("authorization").map(|value| {
        let value = value.to_str().unwrap().strip_prefix("Basic ").unwrap();
        let text = String::from_utf8(STANDARD.decode(value).unwrap()).unwrap();
        let decode = |text: &str| url::form_urlencoded::parse(text.as_bytes()).next().unwrap().0.into_owned();
        let (id, secret) = text.split_once(':').unwrap();
        assert_eq!((decode(id).as_str(), decode(secret).as_str()), (ID, SECRET));
    });
    match basic {
        Some(()) => assert!(member("client_secret").is_none() && member("client_id").is_none(), "{body}"),
        None => {
            assert_eq!(member("client_id"), Some(ID));
            assert!(member("client_secret").is_none_or(|secret| secret == SECRET));
        }
    }
    match (json, basic) {
        (false, None) => TokenStyle::FormPost,
        (false, Some(())) => TokenStyle::FormBasic,
        (true, None) => TokenStyle::Json,
        (true, Some(())) => TokenStyle::JsonBasic,
    }
}
