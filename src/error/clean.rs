//! Cleans text that came from a server before a person or a model sees it.

/// Makes text from a server fit for a terminal and for a log: no control, escape, bidirectional or
/// invisible formatting characters, white space in single blanks, 300 characters at most.
///
/// Raw remote text on a terminal was git's CVE-2024-52005.
pub fn clean(text: &str) -> String {
    let mut out = String::new();
    let mut count = 0;
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if word.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push(' ');
            count += 1;
        }
        // Coarse on purpose: the whole word goes, whatever stands around the token.
        let word = if word.contains("chipp_at_") || word.contains("chipp_rt_") { "[token]" } else { word };
        for c in word.chars().filter(|c| !is_format(*c)) {
            if count >= 300 {
                out.push('…');
                return out;
            }
            out.push(c);
            count += 1;
        }
    }
    out
}

/// Unicode's bidirectional and invisible formatting characters.
fn is_format(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_text_loses_everything_that_a_terminal_would_act_on() {
        assert_eq!(clean("a\u{1b}[31mred\r\n\tb\u{202e}c"), "a [31mred bc");
        assert_eq!(clean(&"x".repeat(1000)).chars().count(), 301);
    }

    #[test]
    fn nothing_that_looks_like_a_token_of_ours_is_ever_shown() {
        assert_eq!(clean("token chipp_rt_abc.D-9 is dead"), "token [token] is dead");
        assert_eq!(clean("(chipp_at_x)"), "[token]");
    }
}
