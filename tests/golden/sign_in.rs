//! Sign-ins that do not finish.

use std::net::TcpListener;
use std::path::Path;

use chipp_auth::sandbox::{Consent, Options};
use rustix::process::{Pid, Signal, kill_process};
use url::Url;

use crate::frame::Seen;
use crate::house::{Ended, House, Login, follow, wait};
use crate::{fake, support};

fn house() -> House {
    House::new(Options::default())
}

pub fn denied() -> Seen {
    let house = House::new(Options { auto_consent: Some(Consent::Deny), ..Options::default() });
    let refuse = |args: &[&str]| {
        let mut login = Login::spawn(house.command(args));
        follow(&login.url());
        login.wait()
    };
    let chipp = Seen::twice(&["login", "--no-browser"], refuse);
    // Where the application is the user's own, more may be behind it.
    own_client(&house, "");
    chipp.with(Seen::twice(&["login", "--no-browser", "work"], refuse)).at(&house)
}

/// The profile `work` for a client that the user registered.
fn own_client(house: &House, more: &str) {
    let client = "client_id = \"chipp-mcp-client\"\ntoken_style = \"json\"";
    let entry = format!("\n[profiles.work]\nurl = \"{}\"\n{client}\n{more}\n", house.sandbox.mcp_url());
    let file = house.home.path().join("profiles.toml");
    let text = std::fs::read_to_string(&file).unwrap() + &entry;
    std::fs::write(file, text).unwrap();
}

/// A port that was free a moment ago.
pub fn free() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The seed's "Invalid redirect_uri".
pub fn unregistered() -> Seen {
    let (house, port) = (house(), free());
    own_client(&house, &format!("redirect_port = {port}\nredirect_path = \"/oauth/callback\""));
    Seen::of(&house, &["login", "work"]).hide("[PORT]", port)
}

pub fn nobody_comes() -> Seen {
    let house = house();
    let chipp = Seen::of(&house, &["login", "--no-browser", "--timeout", "1s"]);
    let port = free();
    own_client(&house, &format!("redirect_port = {port}"));
    chipp.with(Seen::of(&house, &["login", "--no-browser", "--timeout", "1s", "work"])).hide("[PORT]", port)
}

pub fn no_browser() -> Seen {
    Seen::of(&house(), &["login", "--timeout", "1s"])
}

pub fn interrupted() -> Seen {
    let house = house();
    Seen::twice(&["login", "--no-browser"], |args| {
        let mut login = Login::spawn(house.command(args));
        login.url();
        kill_process(Pid::from_raw(login.id() as i32).unwrap(), Signal::INT).unwrap();
        login.wait()
    })
    .at(&house)
}

pub fn port_taken() -> Seen {
    let house = house();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    Seen::of(&house, &["login", "--no-browser", "--port", &port.to_string()]).hide("[PORT]", port)
}

pub fn foreign_issuer() -> Seen {
    let house = house();
    Seen::twice(&["login", "--no-browser"], |args| {
        let mut login = Login::spawn(house.command(args));
        let url = Url::parse(&login.url()).unwrap();
        let given = |wanted: &str| url.query_pairs().find(|(name, _)| name == wanted).unwrap().1.into_owned();
        let mut back = Url::parse(&given("redirect_uri")).unwrap();
        back.query_pairs_mut()
            .append_pair("code", "stolen")
            .append_pair("state", &given("state"))
            .append_pair("iss", "https://evil.example");
        follow(back.as_str());
        login.wait()
    })
    .at(&house)
}

pub fn no_pkce() -> Seen {
    let house = house();
    let base = fake::json(|origin, path| {
        (path == "/.well-known/oauth-authorization-server").then(|| {
            serde_json::json!({
                "issuer": origin,
                "authorization_endpoint": format!("{origin}/authorize"),
                "token_endpoint": format!("{origin}/token"),
            })
            .to_string()
        })
    });
    house.point_chipp_at(&base);
    Seen::of(&house, &["login"]).hide("[BASE]", base)
}

pub fn refused_connection() -> Seen {
    let house = house();
    let base = fake::nobody();
    house.point_chipp_at(&base);
    Seen::of(&house, &["login"]).hide("[BASE]", base)
}

/// nothing to trust; a certificate that nobody vouches for; a server that does not speak TLS.
pub fn bad_certificates() -> Option<Seen> {
    if !support::require(&["openssl"]) {
        return None;
    }
    let house = house();
    let empty = house.home.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let run = |args: &[&str], certificates: Option<&Path>| -> Ended {
        let mut command = house.command(args);
        if let Some(certificates) = certificates {
            command.env("SSL_CERT_DIR", certificates);
        }
        wait(command.spawn().unwrap())
    };
    let nothing_trusted = Seen::twice(&["login", "https://localhost:9/mcp"], |args| run(args, Some(&empty)));

    let server = support::tls::TlsServer::start(house.home.path());
    let url = format!("https://localhost:{}/mcp", server.port);
    let self_signed = Seen::twice(&["login", &url], |args| run(args, None)).hide("[PORT]", server.port);

    let plain = format!("https://localhost:{}/mcp", house.sandbox.base().port().unwrap());
    let not_tls = Seen::twice(&["login", &plain], |args| run(args, None))
        .at(&house)
        .hide("[PORT]", house.sandbox.base().port().unwrap());
    Some(nothing_trusted.with(self_signed).with(not_tls))
}

pub fn silent_server() -> Seen {
    // Two homes, or the second sign-in would wait for the first.
    let houses = [house(), house()];
    let (_listener, base) = fake::silent();
    let args = ["login", "--no-browser"];
    let json = ["login", "--no-browser", "--json"];
    // Both at once: each waits for 20 s.
    let started = [(&args[..], &houses[0]), (&json[..], &houses[1])].map(|(args, house)| {
        house.point_chipp_at(&base);
        (args, house.command(args).spawn().unwrap())
    });
    let mut seen = Seen::default();
    for (args, process) in started {
        seen = seen.and(args, wait(process));
    }
    seen.hide("[BASE]", base)
}
