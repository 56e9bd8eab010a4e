//! Reads `WWW-Authenticate` header values: several headers, several challenges in one header,
//! quoted strings with quoted pairs, token68, any order and case.
//!
//! A total, pure function, written here because no small well-kept crate does it. Where the text is
//! malformed, what was read so far counts and the rest is skipped: a hostile server can make us see
//! no challenge, never make us fail.

/// One challenge: a scheme and its parameters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Challenge {
    /// The scheme, in lower case.
    pub scheme: String,
    /// Parameters in order, names in lower case. The first of a name counts.
    pub params: Vec<(String, String)>,
}

impl Challenge {
    /// The value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The error code (RFC 6750 section 3.1), such as `insufficient_scope`.
    pub fn error(&self) -> Option<&str> {
        self.get("error")
    }

    /// The scope that the request needs. An empty one counts as none.
    pub fn scope(&self) -> Option<&str> {
        self.get("scope").filter(|scope| !scope.trim().is_empty())
    }

    /// Where the resource's metadata is (RFC 9728 section 5.1, A-03). Not checked in any way.
    pub fn resource_metadata(&self) -> Option<&str> {
        self.get("resource_metadata")
    }

    /// The protection space (RFC 9110 section 11.5).
    pub fn realm(&self) -> Option<&str> {
        self.get("realm")
    }
}

/// The challenge that OAuth answers, if there is one: scheme Bearer (RFC 6750) or DPoP (RFC 9449
/// section 7.1). Of several, the first that says something; a gateway in front of the server may have
/// put an empty one before it.
pub fn find<S: AsRef<str>>(values: &[S]) -> Option<Challenge> {
    let usable = |challenge: &Challenge| matches!(challenge.scheme.as_str(), "bearer" | "dpop");
    let all = || values.iter().flat_map(|value| parse(value.as_ref())).filter(usable);
    let telling = |found: &Challenge| {
        found.error().is_some() || found.scope().is_some() || found.resource_metadata().is_some()
    };
    all().find(telling).or_else(|| all().next())
}

/// All challenges of one header value.
pub fn parse(value: &str) -> Vec<Challenge> {
    let mut rest = Cursor(value);
    let mut challenges: Vec<Challenge> = Vec::new();
    loop {
        rest.skip(|c| c == ',' || is_blank(c));
        let Some(word) = rest.token() else {
            // Not a token: skip one character, so that garbage cannot hide what follows a comma.
            if rest.next().is_none() {
                return challenges;
            }
            rest.skip(|c| c != ',');
            continue;
        };
        // `name = value` belongs to the challenge before it; a lone word starts a new one.
        let mut ahead = rest;
        ahead.skip(is_blank);
        if ahead.0.starts_with('=') {
            rest = ahead;
            if let (Some(value), Some(challenge)) = (rest.parameter(), challenges.last_mut()) {
                challenge.params.push((word.to_ascii_lowercase(), value));
            }
        } else {
            challenges.push(Challenge { scheme: word.to_ascii_lowercase(), params: Vec::new() });
            rest.token68();
        }
    }
}

fn is_blank(c: char) -> bool {
    c == ' ' || c == '\t'
}

/// RFC 9110 section 5.6.2.
fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

/// The unread rest of the text.
#[derive(Clone, Copy)]
struct Cursor<'a>(&'a str);

impl<'a> Cursor<'a> {
    fn next(&mut self) -> Option<char> {
        let mut chars = self.0.chars();
        let c = chars.next();
        self.0 = chars.as_str();
        c
    }

    fn skip(&mut self, unwanted: impl Fn(char) -> bool) {
        self.0 = self.0.trim_start_matches(unwanted);
    }

    fn token(&mut self) -> Option<&'a str> {
        let end = self.0.find(|c| !is_token(c)).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(end);
        self.0 = rest;
        (!word.is_empty()).then_some(word)
    }

    /// `= value`, with a quoted string or a word for a value. Servers write addresses and scopes
    /// without the quotes that they need, so a word goes up to the next blank or comma.
    fn parameter(&mut self) -> Option<String> {
        self.next();
        self.skip(is_blank);
        if self.0.starts_with('"') {
            return self.quoted();
        }
        let end = self.0.find(|c| c == ',' || c == '"' || is_blank(c)).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(end);
        self.0 = rest;
        (!word.is_empty()).then(|| word.to_owned())
    }

    /// A quoted string with quoted pairs (RFC 9110 section 5.6.4); `None` if it never ends.
    fn quoted(&mut self) -> Option<String> {
        self.next();
        let mut value = String::new();
        loop {
            match self.next()? {
                '"' => return Some(value),
                '\\' => value.push(self.next()?),
                c => value.push(c),
            }
        }
    }

    /// Skips credentials of the form token68 (RFC 9110 section 11.2), which Bearer never uses.
    fn token68(&mut self) {
        let mut ahead = *self;
        ahead.skip(is_blank);
        let end = ahead.0.find(|c: char| !(c.is_ascii_alphanumeric() || "-._~+/=".contains(c)));
        let (word, rest) = ahead.0.split_at(end.unwrap_or(ahead.0.len()));
        let after = rest.trim_start_matches(is_blank);
        let padded = word.trim_end_matches('=').len();
        if !word.is_empty() && !word[..padded].contains('=') && (after.is_empty() || after.starts_with(',')) {
            // `Basic realm` with a parameter behind it is not token68: `after` would start with `=`.
            self.0 = rest;
        }
    }
}

#[cfg(test)]
mod tests;
