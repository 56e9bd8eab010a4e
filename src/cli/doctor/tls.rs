//! Certificates: whether this system has authorities to judge by, and whether the servers' certificates hold.
//! The connections are those that the other checks make anyhow.

use std::path::Path;

use url::Url;

use crate::error::{Error, Name};
use crate::http;

use super::check::Check;

pub(super) const ID: &str = "certificates";

/// The certificate authorities of this system. Reads them; blocks meanwhile.
pub(super) fn roots() -> Check {
    // Elsewhere the system decides, and looks at no variable.
    let names = if cfg!(any(windows, target_vendor = "apple")) {
        &[][..]
    } else {
        &["SSL_CERT_FILE", "SSL_CERT_DIR"]
    };
    let set: Vec<_> = names
        .iter()
        .filter_map(|name| Some((*name, std::env::var_os(name).filter(|value| !value.is_empty())?)))
        .collect();
    if let Some((name, value)) = set.iter().find(|(_, value)| std::fs::metadata(value).is_err()) {
        let place = Path::new(value).display();
        let what = format!("{name} names {place}, which cannot be read");
        let error = Error::new(Name::TlsFailed, what).hinted(format!("correct {name}, or unset it"));
        return Check::fail(ID, &error);
    }
    let from = match set.as_slice() {
        [] => String::new(),
        set => format!(
            ", as {} {}",
            set.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" and "),
            if set.len() == 1 { "says" } else { "say" }
        ),
    };
    match http::trust() {
        Ok(()) => {
            Check::ok(ID, format!("this computer has certificate authorities to judge servers by{from}"))
        }
        Err(error) if set.is_empty() => Check::fail(ID, &error),
        Err(error) => Check::fail(ID, &error.hinted(format!("correct {}, or unset it", set[0].0))),
    }
}

/// What the connections to the servers showed, on top of that. `errors`: those of the MCP server and of its
/// authorization server, if there were any.
pub(super) fn judged(roots: Check, encrypted: &[&Url], errors: &[Option<&Error>]) -> Check {
    if roots.failed() {
        return roots;
    }
    if let Some(error) = errors.iter().flatten().find(|error| error.name() == Name::TlsFailed) {
        return Check::fail(ID, error);
    }
    let mut hosts: Vec<_> = encrypted.iter().filter_map(|url| url.host_str()).collect();
    hosts.dedup();
    match hosts.as_slice() {
        [] => roots,
        hosts => Check::ok(ID, format!("{}; those of {} hold", roots.what, hosts.join(" and "))),
    }
}
