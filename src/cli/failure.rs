//! How a failure looks at the end: a line that says what happened, a line that says what to do, and the
//! exit code. With `--json`, one object on stdout.

use super::ui::{Tone, Ui, paint};
use crate::error::Error;

/// Shows a failure; returns the exit code.
pub(super) fn report(error: &Error, ui: &Ui) -> u8 {
    if ui.json() {
        ui.object(&error.to_json());
    } else {
        let name = paint(Tone::Bad, error.name().row().text);
        ui.must_see(&format!("chipp-auth: {name}: {}.", error.what()));
        ui.must_see(&format!("chipp-auth: {}: {}.", paint(Tone::Strong, "hint"), error.hint()));
    }
    error.exit()
}
