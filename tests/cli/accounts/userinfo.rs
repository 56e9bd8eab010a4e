//! The account's name, asked of the userinfo endpoint that a profile states.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use chipp_auth::sandbox::Options;

use super::{token, write_asking};
use crate::house::House;

/// A server of one answer, and the heads of the requests to it.
struct Provider {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Provider {
    fn answering(answer: &'static str) -> Provider {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&asked);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count == 1) {
                    head.push(byte[0]);
                }
                all.lock().unwrap().push(String::from_utf8(head).unwrap());
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Provider { port, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

const OCTOCAT: &str =
    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 30\r\n\r\n{\"id\":58323,\"login\":\"octocat\"}";

/// A house whose `crm` asks this provider.
fn house(provider: &Provider) -> House {
    let house = House::new(Options::default());
    let userinfo = format!("http://127.0.0.1:{}/user", provider.port);
    write_asking(&house, &userinfo, &[("crm", "account_from = [\"userinfo.login\"]")]);
    house
}

#[test]
fn it_is_asked_with_the_fresh_token() {
    let provider = Provider::answering(OCTOCAT);
    let house = house(&provider);
    let ended = house.login(&["crm"]);
    assert!(ended.stderr.contains("Connected to Salesforce as octocat."), "{ended:?}");
    let asked = provider.asked();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].starts_with("GET /user HTTP/1.1\r\n"), "{asked:?}");
    let header = format!("authorization: bearer {}\r\n", token(&house, &["crm"]));
    assert!(asked[0].to_lowercase().contains(&header.to_lowercase()), "{asked:?}");
}

// A name is worth no sign-in.
#[test]
fn without_it_the_sign_in_is_as_good() {
    let provider = Provider::answering("HTTP/1.1 500 Oh\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    let house = house(&provider);
    let ended = house.login(&["crm"]);
    assert!(ended.stderr.contains("Signed in to crm (Salesforce)."), "{ended:?}");
    assert_eq!(provider.asked().len(), 1);
}
