//! The metadata of the MCP server as a protected resource (RFC 9728; A-02 to A-05).

use serde::Deserialize;
use url::Url;

use super::Known;
use super::fetch::Fetch;
use super::probe::Answer;
use crate::error::{Error, Name, Result, clean};
use crate::http;

/// The most authorization servers that are tried (A-05).
const SERVERS: usize = 3;

/// RFC 9728 section 2, the members that matter here.
#[derive(Debug, Deserialize)]
pub(super) struct Resource {
    /// The identifier, verbatim: it goes into requests as it is (A-26).
    pub(super) resource: String,
    authorization_servers: Option<Vec<String>>,
    scopes_supported: Option<Vec<String>>,
}

impl Resource {
    /// The authorization servers to try: the one that the stored sign-in used, then the others in their
    /// order (A-05). Nothing of one is ever used at another (A-22).
    pub(super) fn servers(&self, preferred: Option<&str>) -> Vec<&str> {
        let mut servers: Vec<&str> = Vec::new();
        for server in self.authorization_servers.iter().flatten() {
            if !servers.contains(&server.as_str()) {
                servers.push(server);
            }
        }
        servers.sort_by_key(|server| Some(*server) != preferred);
        servers.truncate(SERVERS);
        servers
    }

    /// All scopes that the resource knows, where the challenge names none (A-50).
    pub(super) fn scope(&self) -> Option<String> {
        self.scopes_supported.as_ref().filter(|scopes| !scopes.is_empty()).map(|scopes| scopes.join(" "))
    }
}

/// Finds the metadata: where the challenge says, and only there; else at the well-known addresses, first
/// with the path, then at the root (A-03).
///
/// # Errors
/// `wrong-origin` if it is about another server (A-04), and what [`Fetch::first`] says.
pub(super) async fn find(known: &Known, answer: &Answer, fetch: &mut Fetch) -> Result<Option<Resource>> {
    let check = |at: &Url, found: &Resource| {
        if covers(&found.resource, &known.url) {
            return Ok(());
        }
        let what = format!("{} describes another server, {}", http::show(at), clean(&found.resource));
        Err(Error::new(Name::WrongOrigin, what))
    };
    let mut astray = None;
    if let Some(text) = &answer.metadata {
        match Url::parse(text) {
            Ok(url) if url.origin() == known.url.origin() => return fetch.first(vec![url], check).await,
            // Whoever speaks for the server does it at the server (D3): anything else would let it send us
            // to any host, and a proxy in front of it that takes itself for somebody else (`http`, an inner
            // name) is a mistake seen often. Its own well-known addresses tell the truth in both cases.
            _ => {
                let what =
                    format!("{} refers to {}, which is elsewhere", http::show(&known.url), clean(text));
                tracing::warn!("{what}");
                astray = Some(Error::new(Name::WrongOrigin, what));
            }
        }
    }
    match fetch.first(well_known(&known.url), check).await? {
        None => astray.map_or(Ok(None), Err),
        found => Ok(found),
    }
}

/// Whether metadata of `resource` is about `url`: the same origin, and the same path or one above it
/// (A-04; a server may describe all its endpoints at its root).
fn covers(resource: &str, url: &Url) -> bool {
    // It is sent verbatim, and the URL type would drop blanks and line ends without a word.
    if !resource.chars().all(|c| c.is_ascii_graphic()) {
        return false;
    }
    let Ok(resource) = Url::parse(resource) else { return false };
    let prefix = resource.path().trim_end_matches('/');
    let rest = url.path().strip_prefix(prefix);
    resource.origin() == url.origin()
        && resource.username().is_empty()
        && resource.password().is_none()
        // RFC 8707 section 2.
        && resource.fragment().is_none()
        && (resource.query().is_none() || resource.query() == url.query())
        && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// With the path, then at the root (RFC 9728 section 3.1).
fn well_known(url: &Url) -> Vec<Url> {
    const NAME: &str = "/.well-known/oauth-protected-resource";
    let path = url.path().trim_end_matches('/');
    let mut paths = vec![format!("{NAME}{path}"), NAME.to_owned()];
    paths.dedup();
    let at = |path: &String| {
        let mut url = url.clone();
        url.set_query(None);
        url.set_fragment(None);
        url.set_path(path);
        url
    };
    paths.iter().map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // A-04.
    #[test]
    fn metadata_must_be_about_this_server() {
        let url = Url::parse("https://e.com/a/mcp?v=1").unwrap();
        for good in [
            "https://e.com/a/mcp",
            "https://e.com/a/mcp?v=1",
            "https://e.com",
            "https://e.com/",
            "https://E.com:443/a",
            "https://e.com/a/",
        ] {
            assert!(covers(good, &url), "{good}");
        }
        for bad in [
            "https://e.com/a/mcp/x",
            "https://e.com/a/m",
            "https://e.com/b",
            "https://e.com/a/mcp?v=2",
            "https://e.com/a/mcp#x",
            "https://u@e.com/a/mcp",
            "http://e.com/a/mcp",
            "https://e.com:8443/a/mcp",
            "https://evil.e.com/a/mcp",
            "https://e.com.evil.example/a/mcp",
            "https://e.com@evil.example/a/mcp",
            " https://e.com/a/mcp",
            "https://e.com/a\n/mcp",
            "e.com/a/mcp",
            "",
        ] {
            assert!(!covers(bad, &url), "{bad}");
        }
    }

    // A-03.
    #[test]
    fn the_well_known_addresses_are_with_and_without_the_path() {
        let all = |text| {
            let urls = well_known(&Url::parse(text).unwrap());
            urls.iter().map(Url::to_string).collect::<Vec<_>>()
        };
        let root = "https://e.com/.well-known/oauth-protected-resource";
        assert_eq!(all("https://e.com/a/mcp?x=1#f"), [format!("{root}/a/mcp"), root.to_owned()]);
        assert_eq!(all("https://e.com/"), [root]);
    }

    // A-05.
    #[test]
    fn the_server_of_the_stored_sign_in_comes_first_and_the_number_is_bounded() {
        let servers = ["a", "b", "a", "c", "d", "e"].map(str::to_owned).to_vec();
        let found = Resource {
            resource: String::new(),
            authorization_servers: Some(servers),
            scopes_supported: None,
        };
        assert_eq!(found.servers(None), ["a", "b", "c"]);
        assert_eq!(found.servers(Some("d")), ["d", "a", "b"]);
        assert_eq!(found.servers(Some("elsewhere")), ["a", "b", "c"]);
    }

    // A-50.
    #[test]
    fn no_scopes_are_no_scope() {
        let read = |json: &str| serde_json::from_str::<Resource>(json).unwrap().scope();
        assert_eq!(read(r#"{"resource":"r","scopes_supported":["a","b"]}"#).as_deref(), Some("a b"));
        assert_eq!(read(r#"{"resource":"r","scopes_supported":[]}"#), None);
        assert_eq!(read(r#"{"resource":"r","scopes_supported":null}"#), None);
    }
}
