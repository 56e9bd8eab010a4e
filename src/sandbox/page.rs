//! The pages: self-contained, without script, light and dark. Everything that came from outside is
//! escaped, and a policy forbids whatever escaping might have missed.

use http::Response;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use url::{Host, Url};

use super::authorize::Asked;
use super::reply::{self, Body};
use super::secret;

const STYLE: &str = include_str!("page.css");

/// The consent page. `number` is the one-time number of the request.
pub(super) fn consent(asked: &Asked, email: &str, number: &str) -> Response<Body> {
    let rows: String = asked
        .scope
        .in_words()
        .into_iter()
        .map(|(name, words)| format!("<li><span>{}</span><code>{}</code></li>", escape(words), escape(name)))
        .collect();
    let (name, email) = (escape(&asked.client.name), escape(email));
    let target = Url::parse(&asked.redirect).ok();
    let host = escape(target.as_ref().and_then(Url::host_str).unwrap_or_default());
    let initial = email.chars().next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let body = format!(
        r#"<p class="brand">Chipp <small>sandbox</small></p>
<h1><strong id="application">{name}</strong> wants to access your account</h1>
<p class="account"><span class="face" aria-hidden="true">{initial}</span><span>Signed in as <b id="email">{email}</b></span></p>
<h2>What it asks for</h2>
<ul id="scopes">{rows}</ul>
<form method="post" action="/api/mcp/oauth/consent">
<input type="hidden" name="request" value="{number}">
<button id="deny" name="choice" value="deny">Deny</button>
<button id="authorize" name="choice" value="authorize" class="main">Authorize</button>
</form>
<p class="note">You will return to an application on <b>{host}</b>. Authorize only if you just asked it to sign in.
You can revoke the access at any time.</p>"#
    );
    html(200, "Authorize", &body, &form_targets(target.as_ref()))
}

/// A page for what must not be answered to the client.
pub(super) fn refusal(what: &str) -> Response<Body> {
    let what = escape(what);
    let body = format!(
        r#"<p class="brand">Chipp <small>sandbox</small></p>
<h1>This sign-in cannot go on</h1>
<p id="error" role="alert">{what}</p>
<p class="note">Nothing was granted. You can close this page.</p>"#
    );
    html(400, "Sign-in refused", &body, "'none'")
}

/// Where the form may lead. Chromium applies `form-action` to the redirect after the form as well,
/// so the client's origin has to be named. An IPv6 literal cannot be written in a policy; there the
/// scheme alone has to do.
fn form_targets(target: Option<&Url>) -> String {
    match target {
        Some(url) if matches!(url.host(), Some(Host::Ipv6(_))) => format!("'self' {}:", url.scheme()),
        Some(url) => format!("'self' {}", url.origin().ascii_serialization()),
        None => "'self'".to_owned(),
    }
}

fn html(status: u16, title: &str, body: &str, form_action: &str) -> Response<Body> {
    let text = format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} · Chipp sandbox</title>
<style>{STYLE}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"#
    );
    let policy = format!(
        "default-src 'none'; style-src {}; form-action {form_action}; base-uri 'none'; frame-ancestors 'none'",
        secret::csp_hash(STYLE)
    );
    let mut response = reply::raw(status, "text/html; charset=utf-8", text);
    reply::set(&mut response, CONTENT_SECURITY_POLICY, &policy);
    reply::set(&mut response, CACHE_CONTROL, "no-store");
    reply::set(&mut response, REFERRER_POLICY, "no-referrer");
    reply::set(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}

/// Text as HTML text or attribute value.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}
