//! What an address or a form asks: names and values, in order.

use url::form_urlencoded;

/// Names with values; a name may come several times.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Asked(Vec<(String, String)>);

impl Asked {
    /// Reads `a=1&b=2`.
    pub(crate) fn parse(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// The first value of this name without the blanks around it; empty if there is none.
    pub(crate) fn one(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value.trim())
    }

    /// All values of this name that say something, each once.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let mut all: Vec<&str> = Vec::new();
        let values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.trim());
        for value in values.filter(|value| !value.is_empty()) {
            if !all.contains(&value) {
                all.push(value);
            }
        }
        all
    }

    /// Whether the name is there, whatever its value.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key == name)
    }

    /// All of it, without the names that are given.
    pub(crate) fn without(&self, names: &[&str]) -> Vec<(String, String)> {
        let kept = self
            .0
            .iter()
            .filter(|(key, value)| !names.contains(&key.as_str()) && !value.trim().is_empty());
        kept.cloned().collect()
    }
}

/// An address of this path and these parameters, those without a value left out.
pub(crate) fn address<K: AsRef<str>, V: AsRef<str>>(path: &str, asked: &[(K, V)]) -> String {
    let mut text = form_urlencoded::Serializer::new(String::new());
    for (name, value) in asked.iter().filter(|(_, value)| !value.as_ref().is_empty()) {
        text.append_pair(name.as_ref(), value.as_ref());
    }
    let text = text.finish();
    if text.is_empty() { path.to_owned() } else { format!("{path}?{text}") }
}

/// A path within the console that may be gone to after signing in; `/` for anything else, so that no
/// link leads from here to another site.
pub(crate) fn back(text: &str) -> &str {
    let within = text.starts_with('/') && !text.starts_with("//");
    let plain = text.chars().all(|c| c != '\\' && !c.is_control());
    if within && plain && !text.starts_with("/sign-") { text } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_read_as_a_browser_writes_them() {
        let asked = Asked::parse("q=+two+words+&item=a&item=b&item=a&item=&flag");
        assert_eq!(asked.one("q"), "two words");
        assert_eq!(asked.one("none"), "");
        assert_eq!(asked.all("item"), ["a", "b"]);
        assert!(asked.has("flag") && !asked.has("none"));
        let rest = asked.without(&["item"]);
        assert_eq!(address("/x", &rest), "/x?q=+two+words+");
        assert_eq!(address("/x", &[("a", ""), ("b", "<&>")]), "/x?b=%3C%26%3E");
    }

    #[test]
    fn the_way_back_stays_within_the_console() {
        for good in ["/", "/items?q=a", "/people/7656"] {
            assert_eq!(back(good), good);
        }
        for bad in ["", "items", "//host", "/\\host", "https://host", "/a\r\nb", "/sign-out"] {
            assert_eq!(back(bad), "/", "{bad:?}");
        }
    }
}
