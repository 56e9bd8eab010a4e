//! The variables that send requests through a proxy. Their values often hold a password: of each only the
//! host and the port are shown.

use url::Url;

use crate::http;

use super::check::Check;

const ID: &str = "proxy";

/// As everybody writes them; the lower-case form of each counts as well.
const VARIABLES: [&str; 3] = ["HTTPS_PROXY", "ALL_PROXY", "HTTP_PROXY"];

/// Which are set, and whether requests to the target go through one.
pub(super) fn checks(target: Option<&Url>) -> Vec<Check> {
    let value = |name: &str| {
        let names = [name.to_owned(), name.to_ascii_lowercase()];
        names.into_iter().find_map(|name| {
            let value = std::env::var_os(&name).filter(|value| !value.is_empty())?;
            Some((name, value.to_string_lossy().into_owned()))
        })
    };
    let set = VARIABLES.iter().filter_map(|name| value(name)).collect();
    judge(set, value("NO_PROXY").is_some(), target.map(way))
}

/// How requests get there.
fn way(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match http::proxy(url) {
        Some(proxy) => format!("requests to {host} go through {proxy}"),
        None => format!("requests to {host} go there directly"),
    }
}

fn judge(set: Vec<(String, String)>, exceptions: bool, way: Option<String>) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut words = Vec::new();
    for (name, value) in set {
        match host(&value) {
            Some(host) => words.push(format!("{name} names {host}")),
            None => checks.push(Check::warn(
                ID,
                format!("{name} is set, but not to an address"),
                format!("correct {name}, or unset it: the form is http://HOST:PORT"),
            )),
        }
    }
    words.extend(exceptions.then(|| "NO_PROXY is set".to_owned()));
    if words.is_empty() && checks.is_empty() {
        words.push("no proxy variable is set".to_owned());
    }
    words.extend(way);
    checks.push(Check::ok(ID, words.join("; ")));
    checks
}

/// Host and port. The scheme may be left out, as in curl.
fn host(value: &str) -> Option<String> {
    let text = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
    let url = Url::parse(text.trim()).ok()?;
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    url.host_str().filter(|host| !host.is_empty()).map(|host| format!("{host}{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::check::Status;

    #[test]
    fn of_a_proxy_only_host_and_port_are_shown() {
        for (value, shown) in [
            ("http://ada:s3cret@proxy.example:3128/x?s3cret", Some("proxy.example:3128")),
            ("ada:s3cret@proxy.example:3128", Some("proxy.example:3128")),
            ("proxy.example", Some("proxy.example")),
            ("socks5h://ada:s3cret@[::1]:1080", Some("[::1]:1080")),
            ("http://s3cret:pass word", None),
            ("://s3cret", None),
        ] {
            assert_eq!(host(value).as_deref(), shown, "{value}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_warned_of_and_not_shown() {
        let checks = judge(vec![("HTTPS_PROXY".into(), "http://s3cret:pass word".into())], false, None);
        assert_eq!(checks[0].status, Status::Warn);
        assert!(checks.iter().all(|check| !check.what.contains("s3cret")), "{checks:?}");
        let none = judge(Vec::new(), false, Some("requests go there directly".into()));
        assert_eq!(none[0].what, "no proxy variable is set; requests go there directly");
    }
}
