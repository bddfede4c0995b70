//! Which characters of a text may reach a database, a terminal or a page.

/// Whether the character is no part of a text but changes how what is around it is shown: control
/// characters, separators of lines, and those that turn the direction of writing, by which a name
/// can look like another. Joiners stay: names in several scripts, and emoji, need them.
pub fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
        )
}

/// The text without such characters, cut after `max` characters.
pub fn clean(text: &str, max: usize) -> String {
    text.chars().filter(|c| !is_control(*c)).take(max).collect()
}

/// The address if it is one of `hosts` or below, over https, and has at most `max` bytes; otherwise
/// nothing: people are shown it as a picture or a link.
pub fn https_address(text: &str, hosts: &[&str], max: usize) -> String {
    // No user, no port, and nothing that browsers read otherwise than we do.
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-._~%?=&+#".contains(c);
    let rest = text.strip_prefix("https://").filter(|rest| rest.chars().all(plain));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    let below = |own: &&str| {
        host.strip_suffix(*own).is_some_and(|left| left.is_empty() || left.ends_with('.'))
    };
    if text.len() <= max && hosts.iter().any(below) { text.to_owned() } else { String::new() }
}

/// The ISO 3166 code of a country as Steam writes it, two capitals; anything else is none.
pub fn country(code: &str) -> String {
    let known = code.len() == 2 && code.bytes().all(|letter| letter.is_ascii_uppercase());
    if known { code.to_owned() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_turns_or_breaks_lines_is_left_out_and_what_joins_stays() {
        assert_eq!(clean("a\0b\nc\u{202e}d\u{2066}e\u{200f}\u{2028}f", 100), "abcdef");
        let family = "👨\u{200d}👩\u{200d}👧 Zoë م\u{200c}ن";
        assert_eq!(clean(family, 100), family);
        assert_eq!(clean("aaaa", 3), "aaa");
    }

    #[test]
    fn only_https_addresses_of_these_hosts_are_kept() {
        let kept = |text: &str| !https_address(text, &["steamcommunity.com"], 60).is_empty();
        assert!(kept("https://steamcommunity.com/id/ann/"));
        assert!(kept("https://avatars.steamcommunity.com/a_full.jpg"));
        for wrong in [
            "",
            "http://steamcommunity.com/id/ann",
            "https://steamcommunity.com.evil.example/",
            "https://evil-steamcommunity.com/",
            "https://evil.example/steamcommunity.com",
            "https://evil.example\\.steamcommunity.com/",
            "https://steamcommunity.com@evil.example/",
            "https://evil.example#.steamcommunity.com/",
            "https://steamcommunity.com:8443/id/ann",
            "https://steamcommunity.com/\"onload=x",
            "https://steamcommunity.com/\u{202e}gpj",
            "javascript:alert(1)//https://steamcommunity.com/",
        ] {
            assert!(!kept(wrong), "{wrong}");
        }
        assert!(!kept(&format!("https://steamcommunity.com/{}", "a".repeat(60))));
    }
}
