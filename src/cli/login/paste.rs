//! What somebody pastes while the listener waits.

use std::future::pending;

use secrecy::SecretString;

use crate::cli::terminal::{Echo, Typed};
use crate::cli::ui::Ui;
use crate::error::Result;
use crate::login::{Expected, paste};

/// Begins to read; `None` where nobody can paste.
pub(super) fn start() -> Option<Typed> {
    Typed::start(Echo::Hidden)
}

/// Waits for a right answer; a wrong one costs a line and nothing else. Never ends where nobody can paste.
///
/// # Errors
/// What the answer says, if it is no code.
pub(super) async fn pasted(ui: &Ui, typed: Option<Typed>, expected: &Expected) -> Result<SecretString> {
    let Some(mut typed) = typed else { return pending().await };
    loop {
        let Some(line) = typed.line().await else { return pending().await };
        match paste::read(&line, expected) {
            Ok(outcome) => return outcome,
            Err(wrong) => {
                ui.waited();
                ui.must_see(&format!("That was not used: {wrong}."));
            }
        }
    }
}
