//! Who talks to whom: every client to servers in two languages at least, every server to two clients.

use super::parties::Era;
use super::parties::Sdk::{self, FastMcp, Python, Rmcp, TypeScript, TypeScriptV1};
use super::play::{Role, one_session, pair};

/// A client that initializes, and a server with sessions.
fn legacy(client: Sdk, server: Sdk) {
    let Some((protocol, server)) = pair(&Role::legacy(client), server, Era::Legacy) else { return };
    assert_eq!(protocol, super::parties::LEGACY);
    one_session(&server);
    assert_eq!(server.happened("cancelled"), 1, "the tool was told");
}

macro_rules! pairs {
    ($($name:ident: $client:ident to $server:ident;)*) => {$(
        #[test]
        fn $name() {
            legacy($client, $server);
        }
    )*};
}

// Beside those of `signed_in`.
pairs! {
    typescript_v1_to_itself: TypeScriptV1 to TypeScriptV1;
    typescript_v1_to_typescript: TypeScriptV1 to TypeScript;
    typescript_v1_to_python: TypeScriptV1 to Python;
    typescript_to_typescript_v1: TypeScript to TypeScriptV1;
    typescript_to_fastmcp: TypeScript to FastMcp;
    typescript_to_rmcp: TypeScript to Rmcp;
    python_to_typescript_v1: Python to TypeScriptV1;
    python_to_rmcp: Python to Rmcp;
    fastmcp_to_itself: FastMcp to FastMcp;
    fastmcp_to_typescript: FastMcp to TypeScript;
    rmcp_to_itself: Rmcp to Rmcp;
    rmcp_to_typescript: Rmcp to TypeScript;
    rmcp_to_fastmcp: Rmcp to FastMcp;
}
