//! The pages a browser may see, as constants.
//!
//! Each is one self-contained document: no script, no link, no request to anywhere, light or dark
//! as the reader's system has it. They are put together by the compiler from one frame, one
//! stylesheet and a drawing, so that no code runs between a request and its page (L4).

/// The content security policy of every answer: nothing but this one stylesheet, by its hash, and
/// the empty icon, which keeps the browser from asking for `/favicon.ico` with the callback's
/// address as its referrer.
pub const POLICY: &str = "default-src 'none'; style-src 'sha256-yt29smhAw8qCJIv/1vh/rzO3NXNYt/850Ao4I1sYdHA='; \
    img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// How a sign-in ended, as the browser shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// The tokens are stored and were read back (I8).
    SignedIn,
    /// The user or the server said no.
    Denied,
    /// It failed; the terminal says why.
    Failed,
    /// It is not known yet.
    Pending,
}

impl Page {
    /// Every page.
    pub const ALL: [Page; 4] = [Page::SignedIn, Page::Denied, Page::Failed, Page::Pending];

    /// The whole document.
    pub const fn html(self) -> &'static str {
        match self {
            Page::SignedIn => SIGNED_IN,
            Page::Denied => DENIED,
            Page::Failed => FAILED,
            Page::Pending => PENDING,
        }
    }
}

// The hyphen in running text is U+2011, at which no line is broken; nor is it at U+00A0.
macro_rules! page {
    ($tone:literal, $icon:literal, $title:literal, $text:literal, $next:literal) => {
        concat!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
            "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n",
            "<meta name=\"color-scheme\" content=\"light dark\">\n",
            "<meta name=\"robots\" content=\"noindex\">\n",
            "<title>",
            $title,
            " · chipp-auth</title>\n",
            "<link rel=\"icon\" href=\"data:,\">\n<style>",
            include_str!("page/style.css"),
            "</style>\n</head>\n<body class=\"",
            $tone,
            "\">\n<main>\n",
            include_str!(concat!("page/", $icon, ".svg")),
            "<h1>",
            $title,
            "</h1>\n<p class=\"text\">",
            $text,
            "</p>\n",
            "<p class=\"next\">",
            $next,
            "</p>\n",
            "</main>\n<footer><span class=\"mark\"></span><span><b>chipp-auth</b>, running on this computer</span></footer>\n",
            "</body>\n</html>\n"
        )
    };
}

const SIGNED_IN: &str = page!(
    "good",
    "check",
    "You’re signed in",
    "Your sign\u{2011}in is stored safely on this computer. There is nothing more to do here.",
    "You can close this tab."
);
const DENIED: &str = page!(
    "calm",
    "minus",
    "Sign-in declined",
    "No access was given, and nothing on this computer has changed.",
    "Changed your mind? Start\u{a0}over and choose Authorize."
);
const FAILED: &str = page!(
    "bad",
    "cross",
    "Sign-in didn’t work",
    "Something went wrong before it was complete.",
    "Your terminal says what happened and what to do."
);
const PENDING: &str = page!(
    "calm",
    "dots",
    "Almost there",
    "Your approval has arrived, and the last step is taking a little longer.",
    "Return to your terminal to see how it ends."
);

/// 400.
pub(super) const NOT_OURS: &str = page!(
    "calm",
    "question",
    "Not the answer we expect",
    "This address doesn’t belong to the sign\u{2011}in that is waiting here, so it was ignored.",
    "If you are signing in, use the browser tab that was opened for it."
);
/// 403.
pub(super) const FOREIGN: &str = page!(
    "bad",
    "cross",
    "Refused",
    "This request didn’t come from your own sign\u{2011}in, so it was refused.",
    "Nothing has changed, and you can close this tab."
);
/// 404.
pub(super) const NOTHING: &str = page!(
    "calm",
    "question",
    "Nothing here",
    "A program on your computer waits here for a sign\u{2011}in. It has no page at this address.",
    "You can close this tab."
);
/// 405.
pub(super) const METHOD: &str = page!(
    "bad",
    "cross",
    "Refused",
    "The answer to a sign\u{2011}in has to arrive as a plain page visit, and this was something else.",
    "Nothing was read. Your terminal says how to go on."
);
/// 409.
pub(super) const TAKEN: &str = page!(
    "calm",
    "dots",
    "Already received",
    "The answer to this sign\u{2011}in has arrived before; it counts only once.",
    "Return to your terminal to see how it ends."
);
/// 503.
pub(super) const PREFETCH: &str =
    page!("calm", "dots", "Not yet", "This page can’t be loaded in advance.", "Reload it to go on.");

#[cfg(test)]
mod tests;
