//! A server that answers by table and remembers what it was asked.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use chipp_auth::http::Reach;
use http::HeaderMap;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use url::Url;

/// What is answered on one path.
#[derive(Clone, Default)]
pub struct Page {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Page {
    pub fn json(value: &serde_json::Value) -> Page {
        Page {
            status: 200,
            headers: vec![("content-type", "application/json".into())],
            body: value.to_string(),
        }
    }
}

/// A request that came.
#[derive(Clone)]
pub struct Asked {
    pub path: String,
    pub headers: HeaderMap,
    pub body: String,
}

#[derive(Clone)]
pub struct Server {
    pub base: String,
    pages: Arc<Mutex<HashMap<String, Page>>>,
    first: Arc<Mutex<VecDeque<Page>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub async fn start() -> Server {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let server = Server { base, pages: Arc::default(), first: Arc::default(), asked: Arc::default() };
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

    pub fn url(&self, path: &str) -> Url {
        format!("{}{path}", self.base).parse().unwrap()
    }

    /// What is reachable for a client whose MCP server is here.
    pub fn reach(&self) -> Reach {
        Reach::named([&self.base])
    }

    pub fn page(&self, path: &str, page: Page) {
        self.pages.lock().unwrap().insert(path.to_owned(), page);
    }

    /// Answers the next request with this, wherever it goes, before those by path.
    pub fn first(&self, page: Page) {
        self.first.lock().unwrap().push_back(page);
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub fn paths(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.path).collect()
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
        let (parts, body) = request.into_parts();
        let body = String::from_utf8(body.collect().await?.to_bytes().to_vec()).unwrap();
        let path = parts.uri.path().to_owned();
        self.asked.lock().unwrap().push(Asked { path: path.clone(), headers: parts.headers, body });
        let first = self.first.lock().unwrap().pop_front();
        let page = first.or_else(|| self.pages.lock().unwrap().get(&path).cloned());
        let page = page.unwrap_or(Page { status: 404, ..Page::default() });
        let mut response = Response::builder().status(page.status);
        for (name, value) in page.headers {
            response = response.header(name, value);
        }
        Ok(response.body(Full::from(page.body)).unwrap())
    }
}
