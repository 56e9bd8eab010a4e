//! A token endpoint that answers what it was told, in order, and tells what it was asked.

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use url::Url;

pub type Answer = (u16, Value);
type Hook = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

#[derive(Clone)]
pub struct Endpoint {
    pub url: Url,
    state: Arc<Mutex<State>>,
}

struct State {
    answers: std::vec::IntoIter<Answer>,
    presented: Vec<String>,
    hook: Option<Hook>,
}

/// Tokens of generation `n`, living ten seconds.
pub fn issue(n: u64) -> Answer {
    let body = json!({
        "access_token": format!("access-{n}"), "refresh_token": format!("refresh-{n}"),
        "token_type": "Bearer", "expires_in": 10,
    });
    (200, body)
}

pub fn refuse() -> Answer {
    (400, json!({"error": "invalid_grant"}))
}

pub fn status(status: u16) -> Answer {
    (status, json!({}))
}

impl Endpoint {
    pub async fn start(answers: Vec<Answer>) -> Endpoint {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/token", listener.local_addr().unwrap()).parse().unwrap();
        let state = State { answers: answers.into_iter(), presented: Vec::new(), hook: None };
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

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
        let body = request.collect().await?.to_bytes();
        let body: Value = serde_json::from_slice(&body).unwrap();
        let ((status, answer), hook) = {
            let mut state = self.state.lock().unwrap();
            state.presented.push(body["refresh_token"].as_str().unwrap().to_owned());
            (state.answers.next().expect("one request more than expected"), state.hook.clone())
        };
        if let Some(hook) = hook {
            hook().await;
        }
        let response = Response::builder().status(status).header("content-type", "application/json");
        Ok(response.body(Full::from(answer.to_string())).unwrap())
    }

    /// Runs this when a request has arrived, before its answer.
    pub fn before_answer<F: Future<Output = ()> + Send + 'static>(
        &self,
        hook: impl Fn() -> F + Send + Sync + 'static,
    ) {
        self.state.lock().unwrap().hook = Some(Arc::new(move || Box::pin(hook())));
    }

    /// The refresh tokens that were presented, in order.
    pub fn presented(&self) -> Vec<String> {
        self.state.lock().unwrap().presented.clone()
    }

    pub fn requests(&self) -> usize {
        self.presented().len()
    }
}
