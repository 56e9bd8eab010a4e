//! A code that the token endpoint refuses without saying why.

use chipp_auth::sandbox::{Fault, Options};

use crate::frame::Seen;
use crate::house::{House, Login, follow};

/// A profile with a secret at a server that takes JSON only.
fn house(style: &str) -> House {
    let house = House::new(Options::default());
    let base = house.sandbox.base();
    let base = base.as_str().trim_end_matches('/');
    let oauth = format!("{base}/api/mcp/oauth");
    let profile = format!(
        "[profiles.acme]\nurl = \"{base}/mcp/messages\"\nauthorize_url = \"{oauth}/authorize\"\n\
         token_url = \"{oauth}/token\"\nclient_id = \"chipp-mcp-client\"\ntoken_style = \"{style}\"\n"
    );
    std::fs::write(house.home.path().join("profiles.toml"), profile).unwrap();
    house
}

fn login(house: &House, faults: usize) -> Seen {
    Seen::twice(&["login", "acme", "--no-browser"], |args| {
        for _ in 0..faults {
            house.sandbox.fail_next(Fault::token(400, "text/html", "<h1>Bad Request</h1>"));
        }
        let mut command = house.command(args);
        command.env("CHIPP_AUTH_CLIENT_SECRET", "s3cr3t");
        let mut login = Login::spawn(command);
        follow(&login.url());
        login.wait()
    })
    .at(house)
}

/// Not a word; the body of the wrong type; every style.
pub fn refused() -> Seen {
    let silent = login(&house("form_basic"), 1);
    silent.with(login(&house("form_post"), 0)).with(login(&house("auto"), 4))
}
