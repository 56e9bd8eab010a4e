//! A token endpoint that answers what it was told, in order, and tells what it was asked; and beside it
//! documents that are always there.

use std::collections::{BTreeMap, HashMap};
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use http::HeaderMap;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use url::Url;

type Hook = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// One answer; with the status 0, the connection is closed instead.
#[derive(Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Value,
}

impl Answer {
    pub fn of(status: u16, body: Value) -> Answer {
        Answer { status, headers: Vec::new(), body }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Answer {
        self.headers.push((name, value.into()));
        self
    }
}

/// A request to the token endpoint.
#[derive(Clone)]
pub struct Asked {
    pub headers: HeaderMap,
    /// The parameters, whatever their style.
    pub parameters: BTreeMap<String, String>,
}

#[derive(Clone)]
pub struct Endpoint {
    pub url: Url,
    state: Arc<Mutex<State>>,
}

struct State {
    answers: std::vec::IntoIter<Answer>,
    asked: Vec<Asked>,
    pages: HashMap<String, Answer>,
    /// How often documents were asked for.
    read: usize,
    hook: Option<Hook>,
}

/// Tokens of generation `n`, living ten seconds.
pub fn issue(n: u64) -> Answer {
    let body = json!({
        "access_token": format!("access-{n}"), "refresh_token": format!("refresh-{n}"),
        "token_type": "Bearer", "expires_in": 10,
    });
    Answer::of(200, body)
}

pub fn error(status: u16, code: &str) -> Answer {
    Answer::of(status, json!({"error": code}))
}

pub fn refuse() -> Answer {
    error(400, "invalid_grant")
}

pub fn status(status: u16) -> Answer {
    Answer::of(status, json!({}))
}

/// The connection ends without an answer.
pub fn lose() -> Answer {
    status(0)
}

impl Endpoint {
    pub async fn start(answers: Vec<Answer>) -> Endpoint {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/token", listener.local_addr().unwrap()).parse().unwrap();
        let state = State {
            answers: answers.into_iter(),
            asked: Vec::new(),
            pages: HashMap::new(),
            read: 0,
            hook: None,
        };
        let endpoint = Endpoint { url, state: Arc::new(Mutex::new(state)) };
        let serving = endpoint.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let endpoint = serving.clone();
                let service = hyper::service::service_fn(move |request| endpoint.clone().answer(request));
                let builder = hyper::server::conn::http1::Builder::new();
                tokio::spawn(builder.serve_connection(TokioIo::new(stream), service));
            }
        });
        endpoint
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Failure> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        if parts.uri.path() != self.url.path() {
            let mut state = self.state.lock().unwrap();
            state.read += 1;
            let page = state.pages.get(parts.uri.path()).cloned();
            return page.unwrap_or_else(|| status(404)).response();
        }
        let asked = Asked { parameters: parameters(&body), headers: parts.headers };
        let (answer, hook) = {
            let mut state = self.state.lock().unwrap();
            state.asked.push(asked);
            (state.answers.next().expect("one request more than expected"), state.hook.clone())
        };
        if let Some(hook) = hook {
            hook().await;
        }
        answer.response()
    }

    /// The address of the server, without a path.
    pub fn base(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// Puts a document on a path.
    pub fn page(&self, path: &str, answer: Answer) {
        self.state.lock().unwrap().pages.insert(path.to_owned(), answer);
    }

    /// How often documents were asked for.
    pub fn read(&self) -> usize {
        self.state.lock().unwrap().read
    }

    /// Runs this when a request has arrived, before its answer.
    pub fn before_answer<F: Future<Output = ()> + Send + 'static>(
        &self,
        hook: impl Fn() -> F + Send + Sync + 'static,
    ) {
        self.state.lock().unwrap().hook = Some(Arc::new(move || Box::pin(hook())));
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.state.lock().unwrap().asked.clone()
    }

    /// The values of a parameter, in order of the requests.
    pub fn all(&self, parameter: &str) -> Vec<String> {
        let asked = self.asked();
        asked.iter().map(|asked| asked.parameters.get(parameter).cloned().unwrap_or_default()).collect()
    }

    /// The refresh tokens that were presented, in order.
    pub fn presented(&self) -> Vec<String> {
        self.all("refresh_token")
    }

    pub fn requests(&self) -> usize {
        self.asked().len()
    }
}

impl Answer {
    fn response(self) -> Result<Response<Full<Bytes>>, Failure> {
        if self.status == 0 {
            return Err("the connection is lost".into());
        }
        let mut response = Response::builder().status(self.status).header("content-type", "application/json");
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        Ok(response.body(Full::from(self.body.to_string())).unwrap())
    }
}

fn parameters(body: &[u8]) -> BTreeMap<String, String> {
    match serde_json::from_slice::<BTreeMap<String, String>>(body) {
        Ok(members) => members,
        Err(_) => url::form_urlencoded::parse(body).into_owned().collect(),
    }
}
