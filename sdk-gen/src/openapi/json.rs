//! JSON that keeps the order in which it was made: `serde_json` sorts names, unless all of the
//! workspace gives that up.

/// Characters of a line, up to which a list or an object stands on one.
const LINE_MAX: usize = 140;

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Json {
    /// True or false.
    Flag(bool),
    /// A whole number.
    Number(i32),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// Names, each once, with their values.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// An object without members.
    pub(super) fn object() -> Self {
        Self::Object(Vec::new())
    }

    /// What a component is called from elsewhere: `schemas/Item`.
    pub(super) fn reference(to: &str) -> Self {
        Self::object().with("$ref", format!("#/components/{to}"))
    }

    /// This object with one more member.
    pub(super) fn with(mut self, name: impl Into<String>, value: impl Into<Self>) -> Self {
        if let Self::Object(members) = &mut self {
            members.push((name.into(), value.into()));
        }
        self
    }

    /// This object with one more member, if there is something in it.
    pub(super) fn with_some(self, name: &str, value: impl Into<Self>) -> Self {
        let value = value.into();
        let nothing = match &value {
            Self::Flag(is) => !is,
            Self::Number(_) => false,
            Self::Text(text) => text.is_empty(),
            Self::List(values) => values.is_empty(),
            Self::Object(members) => members.is_empty(),
        };
        if nothing { self } else { self.with(name, value) }
    }

    /// The text for a file: indented, what fits into a line on one.
    pub(super) fn pretty(&self) -> String {
        self.lines(0, 0) + "\n"
    }

    /// The text on one line.
    pub(super) fn line(&self) -> String {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        match self {
            Self::Flag(is) => is.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => quoted(text),
            Self::List(values) => {
                let values: Vec<String> = values.iter().map(Self::line).collect();
                format!("[{}]", values.join(", "))
            }
            Self::Object(members) => {
                let member = |(name, value): &(String, Self)| quoted(name) + ": " + &value.line();
                let members: Vec<String> = members.iter().map(member).collect();
                format!("{{{}}}", members.join(", "))
            }
        }
    }

    /// `used`: characters that the line has before.
    fn lines(&self, depth: usize, used: usize) -> String {
        let line = self.line();
        if depth > 0 && fits(used, &line) {
            return line;
        }
        let margin = "  ".repeat(depth + 1);
        let (open, close, parts) = match self {
            Self::Object(members) => ('{', '}', lines_of_members(members, depth + 1)),
            Self::List(values) => ('[', ']', lines_of_values(values, depth + 1)),
            Self::Flag(_) | Self::Number(_) | Self::Text(_) => return line,
        };
        let parts = parts.join(&format!(",\n{margin}"));
        format!("{open}\n{margin}{parts}\n{}{close}", "  ".repeat(depth))
    }
}

/// Whether a line has room for this, and for the comma behind it.
fn fits(used: usize, line: &str) -> bool {
    used + line.chars().count() < LINE_MAX
}

fn lines_of_members(members: &[(String, Json)], depth: usize) -> Vec<String> {
    let member = |(name, value): &(String, Json)| {
        let name = serde_json::Value::from(name.as_str()).to_string() + ": ";
        let value = value.lines(depth, 2 * depth + name.chars().count());
        name + &value
    };
    members.iter().map(member).collect()
}

/// A value a line; plain ones as many as a line takes.
fn lines_of_values(values: &[Json], depth: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for value in values {
        let text = value.lines(depth, 2 * depth);
        let plain = !matches!(value, Json::List(_) | Json::Object(_));
        let has_room = |last: &&mut String| fits(2 * depth + last.chars().count() + 2, &text);
        match lines.last_mut().filter(|_| plain).filter(has_room) {
            Some(last) => *last += &format!(", {text}"),
            None => lines.push(text),
        }
    }
    lines
}

impl From<bool> for Json {
    fn from(is: bool) -> Self {
        Self::Flag(is)
    }
}

impl From<i32> for Json {
    fn from(number: i32) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl<T: Into<Self>> From<Vec<T>> for Json {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

impl FromIterator<(String, Json)> for Json {
    fn from_iter<I: IntoIterator<Item = (String, Json)>>(members: I) -> Self {
        Self::Object(members.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::Json;

    #[test]
    fn what_fits_into_a_line_stands_on_one() {
        let short = Json::object().with("b", vec![1, 2]).with("a", "\"");
        assert_eq!(short.line(), r#"{"b": [1, 2], "a": "\""}"#);
        let long = Json::object().with("short", short).with("list", vec!["x".repeat(60); 3]);
        let x = format!("{:?}", "x".repeat(60));
        let list = format!("[\n    {x}, {x},\n    {x}\n  ]");
        let short = r#"{"b": [1, 2], "a": "\""}"#;
        let expected = format!("{{\n  \"short\": {short},\n  \"list\": {list}\n}}\n");
        assert_eq!(long.pretty(), expected);
    }

    #[test]
    fn what_has_nothing_in_it_is_left_out() {
        let empty = Json::object().with_some("a", "").with_some("b", false);
        assert_eq!(empty.with_some("c", Vec::<i32>::new()).with_some("d", 0).line(), "{\"d\": 0}");
    }
}
