use super::*;

#[test]
fn names_are_unique_and_every_sentence_is_one_line() {
    let mut seen = std::collections::HashSet::new();
    for name in Name::ALL {
        let row = name.row();
        assert!(seen.insert(row.text), "{} twice", row.text);
        assert!(!row.hint.contains('\n') && !row.hint.ends_with('.'), "{}", row.text);
        assert!(row.exit != 0, "{}", row.text);
    }
}

#[test]
fn the_hint_names_the_target_only_where_one_was_typed() {
    let error = Error::new(Name::LoginRequired, "you are not signed in");
    assert_eq!(error.hint(), "run `chipp-auth login`");
    let error = error.for_target(Some("https://example.com/mcp")).for_target(Some("other"));
    assert_eq!(error.hint(), "run `chipp-auth login https://example.com/mcp`");
}
