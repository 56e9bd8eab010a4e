//! Failures that only a running proxy meets: the error that the MCP client reads, or whoever runs `test`.

use chipp_auth::sandbox::{Fault, Options};
use serde_json::{Value, json};

use crate::frame::Seen;
use crate::host::Host;
use crate::house::House;

/// Signs in, opens a session, and calls a tool in the situation that `arrange` makes.
fn calling(tool: &str, login: &[&str], arrange: impl Fn(&House)) -> Seen {
    let house = House::new(Options::default());
    assert_eq!(house.login(login).code, 0);
    let mut host = Host::of(&house, &[]);
    assert!(host.initialize().get("result").is_some());
    // `initialized` has no answer; a request after it has, and then no fault can strike the wrong one.
    assert!(host.ask("tools/list", json!({})).get("result").is_some());
    arrange(&house);
    let answer: Value = host.call(tool);
    Seen::default().answer(&format!("tools/call {tool}"), &answer).at(&house)
}

pub fn missing_scope() -> Seen {
    // With `--no-browser`, since the obstacle to a browser differs from machine to machine.
    let house = House::new(Options::default());
    assert_eq!(house.login(&["--scope", "apps:read"]).code, 0);
    let mut host = Host::of(&house, &["--no-browser"]);
    assert!(host.initialize().get("result").is_some());
    let answer: Value = host.call("create_app");
    Seen::default().answer("tools/call create_app", &answer).at(&house)
}

/// The session is gone, and the server opens no other.
pub fn forgotten_session() -> Seen {
    calling("list_apps", &[], |house| {
        house.sandbox.fail_next(Fault::mcp(404, "{}"));
        let refusal =
            json!({"jsonrpc": "2.0", "id": "chipp-auth-renew", "error": {"code": -32603, "message": "no"}});
        house.sandbox.fail_next(Fault::mcp(200, refusal.to_string()));
    })
}

pub fn broken_answer() -> Seen {
    calling("create_app", &[], |house| house.sandbox.fail_next(Fault::McpDrop))
}

pub fn huge_answer() -> Seen {
    calling("list_apps", &[], |house| house.sandbox.fail_next(Fault::mcp(200, "x".repeat(33 << 20))))
}

/// The seed's "Tools Don't Load After OAuth": a token that is for somebody else; a server in trouble; one that
/// cannot list its tools.
pub fn no_tools() -> Seen {
    let house = House::new(Options::default());
    assert_eq!(house.login(&[]).code, 0);
    // What the server speaks is known then, and no fault can strike the question for it.
    assert_eq!(house.run(&["test", "--no-refresh"]).code, 0);
    let testing = |arrange: &dyn Fn()| {
        Seen::twice(&["test", "--no-refresh"], |args| {
            arrange();
            house.run(args)
        })
    };
    let refused = testing(&|| {
        // The token is taken for one that has ended before its time, and renewed once.
        (0..2).for_each(|_| house.sandbox.fail_next(Fault::McpUnauthorized));
    });
    let broken = testing(&|| (0..4).for_each(|_| house.sandbox.fail_next(Fault::mcp(500, "{}"))));
    refused.with(broken).at(&house)
}
