//! `profile presets`: what is known of providers, from where, and since when.

use serde_json::json;

use super::list::aligned;
use crate::cli::context::Context;
use crate::error::Result;
use crate::profile::preset;

pub(super) fn run(context: &Context<'_>) -> Result<u8> {
    if context.ui.json() {
        let object = |preset: &preset::Preset| {
            json!({
                "preset": preset.id,
                "provider": preset.name,
                "source": preset.source,
                "checked": preset.checked,
                "console_url": preset.console_url,
                "settings_url": preset.settings_url,
                "variables": preset.variables,
                "notes": preset.notes,
            })
        };
        let presets: Vec<_> = preset::all().iter().map(object).collect();
        context.ui.object(&json!({"presets": presets}));
        return Ok(0);
    }
    let mut rows = vec![["PRESET", "PROVIDER", "CHECKED", "VARIABLES", "SOURCE"].map(str::to_owned)];
    for preset in preset::all() {
        let variables: Vec<_> = preset.variables.keys().cloned().collect();
        let variables = if variables.is_empty() { "-".to_owned() } else { variables.join(", ") };
        rows.push([
            preset.id.to_owned(),
            preset.name.clone(),
            preset.checked.clone(),
            variables,
            preset.source.clone(),
        ]);
    }
    aligned(context, &rows);
    Ok(0)
}
