//! Commands that sign in without a person: in a CI job there is neither a keychain nor a home.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use crate::house::{Ended, wait};

/// An MCP server with its authorization server, which remembers the bodies of its token requests.
struct Site {
    base: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Site {
    fn start() -> Site {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let site = Site { base: format!("http://{}", listener.local_addr().unwrap()), asked: Arc::default() };
        let (base, asked) = (site.base.clone(), Arc::clone(&site.asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                // A connection that ends early is a client's right.
                let _ = answer(stream, &base, &asked);
            }
        });
        site
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// The program in a job: no home that can be written to, no store, no keychain.
    fn job(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chipp-auth"));
        command.env_clear().args(args).arg(format!("{}/mcp", self.base)).args(["--client-id", "job"]);
        command.env("CHIPP_AUTH_HOME", "/dev/null/nothing").env("CHIPP_AUTH_CLIENT_SECRET", "pass");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

/// Answers one request.
fn answer(mut stream: TcpStream, base: &str, asked: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut line, mut length) = (String::new(), 0);
    reader.read_line(&mut line)?;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        if let Some(text) = header.to_ascii_lowercase().strip_prefix("content-length:") {
            length = text.trim().parse().unwrap();
        }
        if header.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let body = String::from_utf8(body).unwrap();
    let (status, answer) = match line.split(' ').nth(1).unwrap_or_default() {
        "/.well-known/oauth-protected-resource/mcp" => {
            (200, format!(r#"{{"resource":"{base}/mcp","authorization_servers":["{base}"]}}"#))
        }
        "/.well-known/oauth-authorization-server" => {
            (200, format!(r#"{{"issuer":"{base}","token_endpoint":"{base}/token"}}"#))
        }
        "/token" => {
            let refused = body.contains("refused.jwt.x");
            let mut asked = asked.lock().unwrap();
            asked.push(body);
            match refused {
                true => (400, r#"{"error":"invalid_grant"}"#.to_owned()),
                false => {
                    (200, format!(r#"{{"access_token":"token-{}","token_type":"Bearer"}}"#, asked.len()))
                }
            }
        }
        _ => (401, String::new()),
    };
    let length = answer.len();
    write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{answer}")
}

fn run(command: &mut Command) -> Ended {
    wait(command.spawn().unwrap())
}

// X-01: each command gets its token and leaves nothing behind.
#[test]
fn a_job_needs_neither_a_store_nor_a_home() {
    let site = Site::start();
    assert_eq!(run(&mut site.job(&["token", "--client-credentials"])).ok(), "token-1");
    let headers = run(&mut site.job(&["headers", "--client-credentials"]));
    assert_eq!(headers.json(), serde_json::json!({"Authorization": "Bearer token-2"}));
    assert!(site.asked().iter().all(|body| body.contains("grant_type=client_credentials")));
    assert!(!Path::new("/dev/null/nothing").exists());
}

// A store that was chosen is used: the second process finds what the first one got.
#[test]
fn a_job_with_a_store_shares_it() {
    let (site, home) = (Site::start(), tempfile::tempdir().unwrap());
    for _ in 0..2 {
        let mut job = site.job(&["token", "--client-credentials", "--store", "file"]);
        job.env("CHIPP_AUTH_HOME", home.path()).env("CHIPP_AUTH_PASSPHRASE", "correct horse");
        assert_eq!(run(&mut job).ok(), "token-1");
    }
    assert_eq!(site.asked().len(), 1);
}

// X-04: the verdict of the server, once, and no advice to open a browser.
#[test]
fn a_job_whose_jwt_is_refused_says_so() {
    let (site, home) = (Site::start(), tempfile::tempdir().unwrap());
    let jwt = home.path().join("jwt");
    std::fs::write(&jwt, "refused.jwt.x\n").unwrap();
    let ended = run(site.job(&["token"]).arg("--assertion-file").arg(&jwt));
    ended.failed("login-denied", 3);
    assert!(!ended.stderr.contains("chipp-auth login"), "{ended:?}");
    assert_eq!(site.asked().len(), 1);
}

// The secret of a profile's client is kept in the store, and every command that needs it finds it there.
#[tokio::test]
async fn a_machine_finds_its_secret_in_the_store() {
    use chipp_auth::paths::Paths;
    use chipp_auth::profile::{Choices, Target};
    use chipp_auth::store::{Kind, Settings, Store};
    let (site, home) = (Site::start(), tempfile::tempdir().unwrap());
    let entry = format!(
        "[profiles.job]\nurl = \"{}/mcp\"\nclient_id = \"job\"\nclient_credentials = true\ntoken_style = \"form_post\"\n",
        site.base
    );
    std::fs::write(home.path().join("profiles.toml"), entry).unwrap();
    let paths = Paths { config: home.path().into(), data: home.path().into() };
    let settings =
        Settings { kind: Kind::File, passphrase: Some("correct horse".into()), interactive: false };
    let key = Target::resolve(Some("job"), home.path(), Choices::default()).unwrap().secret_key().unwrap();
    Store::open(settings, &paths).keep_secret(&key, &"s3cret-of-job".into()).await.unwrap();
    let job = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chipp-auth"));
        command.env_clear().args(args).args(["job", "--store", "file"]);
        command.env("CHIPP_AUTH_HOME", home.path()).env("CHIPP_AUTH_PASSPHRASE", "correct horse");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    assert_eq!(run(&mut job(&["token"])).ok(), "token-1");
    assert_eq!(run(&mut job(&["reset", "--yes"])).code, 0);
    let mut host = crate::host::Host::start(job(&["proxy"]));
    host.initialize();
    let asked = site.asked();
    assert!(asked.len() >= 2, "{asked:?}");
    assert!(asked.iter().all(|body| body.contains("client_secret=s3cret-of-job")), "{asked:?}");
}

#[test]
fn a_job_without_a_client_is_told_what_is_missing() {
    let site = Site::start();
    let mut command = Command::new(env!("CARGO_BIN_EXE_chipp-auth"));
    command.env_clear().args(["token", "--client-credentials"]).arg(format!("{}/mcp", site.base));
    command.env("CHIPP_AUTH_HOME", "/dev/null/nothing");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let ended = run(&mut command);
    ended.failed("usage", 2);
    assert!(ended.stderr.contains("--client-id"), "{ended:?}");
}
