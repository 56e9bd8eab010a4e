//! What a server says where it refuses: its code, its words, in whichever members they are.

use serde_json::Value;

use super::members::Members;

/// A server's refusal, as sent: nothing of it is cleaned.
pub(super) struct Said {
    /// The error code.
    pub(super) code: String,
    /// The explanation; empty if there is none.
    pub(super) description: String,
    /// Codes of the provider's own that came beside it: HubSpot's `status`, Google's `error_subtype`. Never
    /// shown; a remedy may be known for them.
    pub(super) beside: String,
}

/// `error` and `error_description`, in the shapes that occur: nested (`{"error": {"code": …}}`), Slack's
/// `ok: false`, Supabase's `error_code`, Okta's `errorCode`, HubSpot's `status`.
pub(super) fn said(members: &Members, success: bool) -> Option<Said> {
    let first = |names: &[&str]| names.iter().find_map(|name| members.text(name)).map(str::to_owned);
    let description =
        || first(&["error_description", "message", "msg", "errorSummary", "detail"]).unwrap_or_default();
    let beside = ["status", "error_subtype"].into_iter().filter_map(|name| members.text(name));
    let beside = beside.collect::<Vec<_>>().join(" ");
    let say = |code: String, description: String| Some(Said { code, description, beside: beside.clone() });
    let unnamed = || say("error".to_owned(), description());
    match members.get("error") {
        Some(Value::String(code)) if !code.is_empty() => return say(code.clone(), description()),
        Some(Value::Object(nested)) => {
            let text =
                |name: &&str| nested.get(*name).and_then(Value::as_str).filter(|text| !text.is_empty());
            let code = ["error", "code", "type", "status"].iter().find_map(text).unwrap_or("error");
            let words = ["message", "error_description"].iter().find_map(text).unwrap_or_default();
            return say(code.to_owned(), words.to_owned());
        }
        Some(Value::Bool(true)) => return unnamed(),
        Some(Value::Array(list)) if !list.is_empty() => return unnamed(),
        _ => {}
    }
    let said_no = |name: &str| members.get(name) == Some(&Value::Bool(false));
    match first(&["error_code", "errorCode"]) {
        Some(code) => say(code, description()),
        // In a success these are names of other things.
        None if !success => {
            let code = first(&["code"]).or_else(|| first(&["status"]).filter(|status| is_code(status)));
            code.and_then(|code| say(code, description()))
        }
        None if said_no("ok") || said_no("success") => unnamed(),
        None => None,
    }
}

/// Whether this is a code as HubSpot's first API has them (`BAD_AUTH_CODE`), and not a word like `error`.
fn is_code(status: &str) -> bool {
    status.contains('_') && status.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
}
