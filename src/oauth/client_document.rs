//! Client ID metadata documents: a client whose id is the address of its own description
//! (draft-ietf-oauth-client-id-metadata-document-00, A-17). Nothing is registered, and the id is good at
//! every server.

use serde_json::{Value, json};
use url::Url;

use crate::error::{Error, Name, Result};
use crate::http;

/// Checks that an address can be such a client id: https, with a path, and without user name, fragment,
/// query or dot segments. The last have gone when a [`Url`] was made of the text.
///
/// # Errors
/// `usage`, with what is wrong.
pub fn check(url: &Url) -> Result<()> {
    let wrong = match () {
        () if url.scheme() != "https" => "is not https",
        () if !url.username().is_empty() || url.password().is_some() => "contains a user name",
        () if url.path() == "/" => "has no path",
        () if url.fragment().is_some() => "contains a fragment",
        // Allowed at a pinch, but comparing queries is where servers differ.
        () if url.query().is_some() => "contains a query",
        () => return Ok(()),
    };
    let what = format!("the address of a client ID metadata document {wrong}: {}", http::show(url));
    Err(Error::new(Name::Usage, what).hinted("give one such as https://example.com/oauth/client.json"))
}

/// The same for the text of an address, which servers compare character by character with the `client_id`
/// in the document.
///
/// # Errors
/// `usage`, with what is wrong.
pub fn parse(text: &str) -> Result<Url> {
    let url = Url::parse(text)
        .map_err(|_| Error::new(Name::Usage, "the address of the document is not a valid URL"))?;
    check(&url)?;
    if url.as_str() != text {
        let what = "the address of the document is not in the form in which it will be compared";
        return Err(Error::new(Name::Usage, what).hinted(format!("write it as {}", http::show(&url))));
    }
    Ok(url)
}

/// The document that has to be found at `url`. The redirect URIs have no port, because a server must allow
/// any port for a loopback address (OAuth 2.1 section 8.4.2); both forms are listed, because some take
/// the name only.
pub fn document(url: &Url, name: &str) -> Value {
    json!({
        "client_id": url.as_str(),
        "client_name": name,
        "application_type": "native",
        "redirect_uris": ["http://127.0.0.1/callback", "http://localhost/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    //
    #[test]
    fn only_an_address_that_every_server_takes_is_a_client_id() {
        for good in ["https://chipp.ai/oauth/chipp-auth.json", "https://e.com:8443/c", "https://e.com/a/b/"] {
            assert_eq!(parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "http://e.com/client.json",
            "http://localhost/client.json",
            "https://e.com",
            "https://e.com/",
            "https://user@e.com/client.json",
            "https://:secret@e.com/client.json",
            "https://e.com/client.json#x",
            "https://e.com/client.json?x=1",
            "https://e.com/a/../client.json",
            "https://e.com/./client.json",
            "https://e.com/%2e%2E/client.json",
            "https://E.com/client.json",
            "https://e.com:443/client.json",
            "https://e.com/a b",
            " https://e.com/client.json",
            "client.json",
        ] {
            let error = parse(bad).unwrap_err();
            assert_eq!(error.name(), Name::Usage, "{bad}");
            assert!(!error.to_json().to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn the_document_describes_itself() {
        let url = parse("https://e.com/client.json").unwrap();
        let document = document(&url, "Ada");
        assert_eq!(document["client_id"], url.as_str());
        assert_eq!(document["token_endpoint_auth_method"], "none");
        assert!(document.get("client_secret").is_none());
        for redirect in document["redirect_uris"].as_array().unwrap() {
            let redirect = Url::parse(redirect.as_str().unwrap()).unwrap();
            assert!(http::is_loopback(&redirect) && redirect.port().is_none());
        }
    }
}
