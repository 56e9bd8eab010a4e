//! The known word that a wrong one was probably meant to be.

/// The nearest of `known`, if it is near enough not to be a guess.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let distance = |known: &str| strsim::damerau_levenshtein(word, known);
    let near = known.iter().map(|known| (distance(known), *known)).min_by_key(|(distance, _)| *distance)?;
    let enough = (word.chars().count().max(near.1.chars().count()) / 3).max(1);
    (near.0 <= enough).then_some(near.1)
}

/// What other programs and providers call our keys.
const OTHERS: &[(&str, &str)] = &[
    ("server", "url"),
    ("server_url", "url"),
    ("mcp_url", "url"),
    ("mcp_server_url", "url"),
    ("endpoint", "url"),
    ("address", "url"),
    ("type", "auth"),
    ("auth_type", "auth"),
    ("authtype", "auth"),
    ("issuer", "authorization_server"),
    ("auth_server", "authorization_server"),
    ("authorization_url", "authorize_url"),
    ("auth_url", "authorize_url"),
    ("authorization_endpoint", "authorize_url"),
    ("authorize_endpoint", "authorize_url"),
    ("token_endpoint", "token_url"),
    ("access_token_url", "token_url"),
    ("revocation_endpoint", "revoke_url"),
    ("revocation_url", "revoke_url"),
    ("userinfo_endpoint", "userinfo_url"),
    ("clientid", "client_id"),
    ("oauth_client_id", "client_id"),
    ("id", "client_id"),
    ("consumer_key", "client_id"),
    ("app_id", "client_id"),
    ("scopes", "scope"),
    ("permissions", "scope"),
    ("token_request_style", "token_style"),
    ("token_endpoint_auth_method", "token_style"),
    ("style", "token_style"),
    ("authorization_params", "authorize_params"),
    ("auth_params", "authorize_params"),
    ("extra_params", "authorize_params"),
    ("redirect_uri", "redirect_path"),
    ("callback_path", "redirect_path"),
    ("callback_url", "redirect_path"),
    ("callback_port", "redirect_port"),
    ("port", "redirect_port"),
    ("audience", "resource"),
    ("header", "headers"),
    ("allowed_hosts", "hosts"),
    ("provider", "preset"),
    ("template", "preset"),
    ("private_key_file", "client_key_file"),
    ("account", "account_from"),
    ("vars", "variables"),
];

/// The key that an unknown one stands for.
pub fn key<'a>(unknown: &str, known: &[&'a str]) -> Option<&'a str> {
    let mut word = String::new();
    for c in unknown.chars() {
        if c.is_ascii_uppercase() && word.ends_with(|last: char| last.is_ascii_lowercase()) {
            word.push('_');
        }
        word.push(if "- ".contains(c) { '_' } else { c.to_ascii_lowercase() });
    }
    let other = OTHERS.iter().find(|(other, _)| *other == word).map(|(_, ours)| *ours);
    let exact = known.iter().copied().find(|known| *known == word);
    exact
        .or(other.and_then(|ours| known.iter().copied().find(|known| *known == ours)))
        .or_else(|| nearest(&word, known))
}

/// Whether something of this name is a secret, which no file is to hold.
pub fn is_secret(name: &str) -> bool {
    let name: String =
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let whole =
        ["token", "bearer", "key", "pat", "jwt", "auth_token", "credential", "credentials", "authorization"];
    let part = [
        "secret",
        "password",
        "passwd",
        "passphrase",
        "accesstoken",
        "refreshtoken",
        "apikey",
        "bearertoken",
        "authtoken",
        "privatekey",
    ];
    !name.ends_with("file") && (whole.contains(&name.as_str()) || part.iter().any(|part| name.contains(part)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_found_and_nothing_is_guessed() {
        let known = ["token_url", "url", "client_id", "scope", "authorize_url"];
        for (word, meant) in [
            ("tokn_url", Some("token_url")),
            ("tokenUrl", Some("token_url")),
            ("client-id", Some("client_id")),
            ("Scopes", Some("scope")),
            ("auth_url", Some("authorize_url")),
            ("ulr", Some("url")),
            ("colour", None),
        ] {
            assert_eq!(key(word, &known), meant, "{word}");
        }
    }

    #[test]
    fn secrets_are_known_by_their_names() {
        for name in
            ["client_secret", "clientSecret", "token", "api-key", "password", "access_token", "REFRESH_TOKEN"]
        {
            assert!(is_secret(name), "{name}");
        }
        for name in ["token_url", "token_style", "client_key_file", "token_params", "token_types"] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
