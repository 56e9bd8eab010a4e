//! The JSON schema of `profiles.toml`, for editors: they complete keys and mark mistakes while one types.
//!
//! The strict reader is the judge; the schema says of a file what a schema can. Tests hold the two together.

/// The schema's text.
pub const SCHEMA: &str = include_str!("profiles.schema.json");
/// Its name, beside the file that it describes.
pub const FILE: &str = "profiles.schema.json";
/// The line by which a file names it (as Taplo, tombi and Even Better TOML read it).
pub const LINE: &str = "#:schema ./profiles.schema.json";

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::profile::keys::{Form, KEYS, OF_CHIPP};

    fn schema() -> Value {
        serde_json::from_str(SCHEMA).unwrap()
    }

    fn names(value: &Value) -> Vec<&str> {
        let mut names: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn the_schema_describes_every_key_and_no_other() {
        let schema = schema();
        let described = &schema["$defs"]["profile"]["properties"];
        let mut known: Vec<_> = KEYS.iter().map(|key| key.name).collect();
        known.sort_unstable();
        assert_eq!(names(described), known);
        for key in KEYS {
            let text = described[key.name]["description"].as_str().unwrap_or_default();
            assert!(text.len() > 20 && text.ends_with('.'), "{}: {text}", key.name);
        }
    }

    #[test]
    fn the_schema_has_the_same_words_and_types() {
        let schema = schema();
        for key in KEYS {
            let described = &schema["$defs"]["profile"]["properties"][key.name];
            match key.form {
                Form::Word(words) => assert_eq!(described["enum"], serde_json::json!(words), "{}", key.name),
                Form::Switch => assert_eq!(described["type"], "boolean", "{}", key.name),
                Form::Port => assert_eq!(described["type"], "integer", "{}", key.name),
                Form::List(_) => assert_eq!(described["type"], "array", "{}", key.name),
                Form::Table(_) => assert_eq!(described["type"], "object", "{}", key.name),
                Form::Text(_) => assert!(described["$ref"].is_string() || described["type"] == "string"),
            }
        }
    }

    #[test]
    fn what_has_no_meaning_without_oauth_is_what_the_table_says() {
        let schema = schema();
        let idle = &schema["$defs"]["profile"]["allOf"][0]["then"]["properties"];
        let mut oauth: Vec<_> = KEYS.iter().filter(|key| key.oauth).map(|key| key.name).collect();
        oauth.sort_unstable();
        assert_eq!(names(idle), oauth);
        let mut of_chipp = OF_CHIPP.to_vec();
        of_chipp.sort_unstable();
        assert_eq!(names(&schema["properties"]["profiles"]["properties"]["chipp"]["properties"]), of_chipp);
    }
}
