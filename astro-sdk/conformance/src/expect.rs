//! Expectations: whether an answer is what a scenario says, and the fixtures that it names.

use anyhow::{Context, bail};
use serde_json::{Map, Value};

/// What may stand instead of a value.
const MATCHERS: [&str; 8] = ["min", "max", "matches", "is", "not", "contains", "without", "one_of"];

/// The values behind `$items.0.id`, `$capture.x` and the like.
#[derive(Debug, Clone, Default)]
pub struct Fixtures {
    values: Map<String, Value>,
}

impl Fixtures {
    /// Sets `$name`.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.values.insert(name.to_owned(), value.into());
    }

    /// The value with every `$…` in it replaced by what it stands for. A text that is nothing else
    /// becomes the value itself.
    ///
    /// # Errors
    /// When a fixture has no such part.
    pub fn fill(&self, value: &Value) -> anyhow::Result<Value> {
        Ok(match value {
            Value::String(text) => self.fill_text(text)?,
            Value::Array(list) => {
                Value::Array(list.iter().map(|entry| self.fill(entry)).collect::<Result<_, _>>()?)
            }
            Value::Object(object) => Value::Object(self.fill_object(object)?),
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        })
    }

    /// The same for an object.
    ///
    /// # Errors
    /// When a fixture has no such part.
    pub fn fill_object(&self, object: &Map<String, Value>) -> anyhow::Result<Map<String, Value>> {
        let filled = object.iter().map(|(key, value)| Ok((key.clone(), self.fill(value)?)));
        filled.collect()
    }

    fn fill_text(&self, text: &str) -> anyhow::Result<Value> {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            let (before, from) = rest.split_at(at);
            out.push_str(before);
            let path = path_of(&from[1..]);
            let root = path.split('.').next().unwrap_or_default();
            if !self.values.contains_key(root) {
                out.push('$');
                rest = &from[1..];
                continue;
            }
            let found = self.get(path)?;
            if before.is_empty() && out.is_empty() && path.len() + 1 == text.len() {
                return Ok(found.clone());
            }
            match found.as_str() {
                Some(text) => out.push_str(text),
                None => out.push_str(&found.to_string()),
            }
            rest = &from[1 + path.len()..];
        }
        out.push_str(rest);
        Ok(Value::String(out))
    }

    fn get(&self, path: &str) -> anyhow::Result<&Value> {
        let mut parts = path.split('.');
        let mut value = parts.next().and_then(|root| self.values.get(root));
        for part in parts {
            value = value.and_then(|value| match part.parse::<usize>() {
                Ok(at) if value.is_array() => value.get(at),
                Ok(_) | Err(_) => value.get(part),
            });
        }
        value.with_context(|| format!("there is no ${path}"))
    }

    fn captured(&mut self) -> anyhow::Result<&mut Map<String, Value>> {
        let captured = self.values.entry("capture").or_insert_with(|| Value::Object(Map::new()));
        captured.as_object_mut().context("$capture is an object")
    }
}

/// The longest dotted name at the start.
fn path_of(text: &str) -> &str {
    let known = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let end = text.find(|c| !known(c)).unwrap_or(text.len());
    text[..end].trim_end_matches('.')
}

/// Compares `found` with what is `expected`; captures what is captured. Gives every difference.
///
/// # Errors
/// When the expectation itself is wrong.
pub fn compare(
    expected: &Value,
    found: Option<&Value>,
    fixtures: &mut Fixtures,
) -> anyhow::Result<Vec<String>> {
    let mut comparison = Comparison { fixtures, differences: Vec::new() };
    comparison.value("", expected, found)?;
    Ok(comparison.differences)
}

struct Comparison<'a> {
    fixtures: &'a mut Fixtures,
    differences: Vec<String>,
}

impl Comparison<'_> {
    fn differ(&mut self, at: &str, expected: &str, found: Option<&Value>) {
        let at = if at.is_empty() { "the answer" } else { at };
        let found = found.map_or_else(|| "nothing".to_owned(), shorten);
        self.differences.push(format!("{at}: expected {expected}, got {found}"));
    }

    fn value(&mut self, at: &str, expected: &Value, found: Option<&Value>) -> anyhow::Result<()> {
        if let Value::String(text) = expected
            && let Some(name) = text.strip_prefix("$capture.")
        {
            return self.capture(at, name, found);
        }
        if let Value::Object(object) = expected {
            if !object.is_empty() && object.keys().all(|key| MATCHERS.contains(&key.as_str())) {
                return self.matchers(at, object, found);
            }
            return self.object(at, object, found);
        }
        if let (Value::Array(wanted), Some(Value::Array(list))) = (expected, found) {
            return self.list(at, wanted, list);
        }
        let filled = self.fixtures.fill(expected)?;
        if !equal(&filled, found) {
            self.differ(at, &shorten(&filled), found);
        }
        Ok(())
    }

    fn object(
        &mut self,
        at: &str,
        expected: &Map<String, Value>,
        found: Option<&Value>,
    ) -> anyhow::Result<()> {
        let nothing = Map::new();
        let object = match found {
            Some(Value::Object(object)) => object,
            // A message without a value is not written.
            None if expected.values().all(may_be_absent) => &nothing,
            _ => {
                self.differ(at, &shorten(&Value::Object(expected.clone())), found);
                return Ok(());
            }
        };
        for (key, value) in expected {
            let at = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
            self.value(&at, value, object.get(key))?;
        }
        Ok(())
    }

    fn list(&mut self, at: &str, expected: &[Value], found: &[Value]) -> anyhow::Result<()> {
        if expected.len() != found.len() {
            let shown = shorten(&Value::Array(found.to_vec()));
            let (want, got) = (expected.len(), found.len());
            self.differences.push(format!("{at}: expected {want} entries, got {got}: {shown}"));
            return Ok(());
        }
        for (number, (expected, found)) in expected.iter().zip(found).enumerate() {
            self.value(&format!("{at}.{number}"), expected, Some(found))?;
        }
        Ok(())
    }

    fn capture(&mut self, at: &str, name: &str, found: Option<&Value>) -> anyhow::Result<()> {
        let captured = self.fixtures.captured()?;
        match (captured.get(name), found) {
            (Some(known), found) if !equal(known, found) => {
                let known = format!("{} as before ($capture.{name})", shorten(known));
                self.differ(at, &known, found);
            }
            (Some(_), _) => {}
            (None, Some(found)) => {
                captured.insert(name.to_owned(), found.clone());
            }
            (None, None) => self.differ(at, &format!("a value for $capture.{name}"), None),
        }
        Ok(())
    }

    fn matchers(
        &mut self,
        at: &str,
        matchers: &Map<String, Value>,
        found: Option<&Value>,
    ) -> anyhow::Result<()> {
        for (name, wanted) in matchers {
            let wanted = self.fixtures.fill(wanted)?;
            if !self.matcher(name, &wanted, found)? {
                self.differ(at, &format!("{name}: {}", shorten(&wanted)), found);
            }
        }
        Ok(())
    }

    fn matcher(
        &mut self,
        name: &str,
        wanted: &Value,
        found: Option<&Value>,
    ) -> anyhow::Result<bool> {
        Ok(match (name, wanted) {
            ("min", _) => {
                let least = number(wanted).context("min takes a number")?;
                found.and_then(number).is_some_and(|found| found >= least)
            }
            ("max", _) => {
                let most = number(wanted).context("max takes a number")?;
                found.and_then(number).is_some_and(|found| found <= most)
            }
            ("matches", Value::String(pattern)) => {
                let pattern = regex::Regex::new(pattern)?;
                found.and_then(Value::as_str).is_some_and(|text| pattern.is_match(text))
            }
            ("is", Value::String(kind)) => is(kind, found)?,
            ("not", _) => {
                let mut attempt = self.fixtures.clone();
                !compare(wanted, found, &mut attempt)?.is_empty()
            }
            ("one_of", Value::Array(all)) => all.iter().any(|one| equal(one, found)),
            ("contains", Value::String(text)) => {
                found.is_some_and(|found| holds(found, &|inner| inner.contains(text)))
            }
            ("without", Value::String(text)) => {
                !found.is_some_and(|found| holds(found, &|inner| inner.contains(text)))
            }
            _ => bail!("`{name}` does not take {wanted}"),
        })
    }
}

fn is(kind: &str, found: Option<&Value>) -> anyhow::Result<bool> {
    Ok(match kind {
        "present" => !is_empty(found),
        "absent" => is_empty(found),
        "uuid" => found.and_then(Value::as_str).is_some_and(is_uuid),
        _ => bail!("`is` takes present, absent or uuid, not {kind:?}"),
    })
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && text.chars().all(|c| c == '-' || matches!(c, '0'..='9' | 'a'..='f'))
}

/// Whether a text anywhere within is like that, the names of fields included.
fn holds(value: &Value, like: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => like(text),
        Value::Array(list) => list.iter().any(|entry| holds(entry, like)),
        Value::Object(object) => object.iter().any(|(key, inner)| like(key) || holds(inner, like)),
        Value::Null => false,
        Value::Bool(_) | Value::Number(_) => like(&value.to_string()),
    }
}

fn may_be_absent(expected: &Value) -> bool {
    let Some(object) = expected.as_object() else { return is_empty(Some(expected)) };
    object.get("is").is_some_and(|kind| kind == "absent") || object.contains_key("without")
}

/// Protobuf's JSON leaves out what has no value.
fn is_empty(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null | Value::Bool(false)) => true,
        Some(Value::String(text)) => text.is_empty() || text == "0",
        Some(Value::Array(list)) => list.is_empty(),
        Some(Value::Object(object)) => object.is_empty(),
        Some(Value::Number(number)) => number.as_f64() == Some(0.0),
        Some(Value::Bool(true)) => false,
    }
}

/// As it is, but for numbers, which may be written as text.
fn equal(expected: &Value, found: Option<&Value>) -> bool {
    match (expected, found) {
        (_, None) => !expected.is_null() && is_empty(Some(expected)),
        (Value::Number(number), Some(Value::String(text)))
        | (Value::String(text), Some(Value::Number(number))) => number.to_string() == *text,
        (Value::Number(one), Some(Value::Number(other))) => {
            one == other || (!one.is_u64() || !other.is_u64()) && one.as_f64() == other.as_f64()
        }
        (Value::Array(list), Some(Value::Array(found))) => {
            let pairs = list.len() == found.len();
            pairs && list.iter().zip(found).all(|(one, other)| equal(one, Some(other)))
        }
        (Value::Object(object), Some(Value::Object(found))) => {
            let pairs = object.len() == found.len();
            pairs && object.iter().all(|(key, value)| equal(value, found.get(key)))
        }
        (expected, Some(found)) => expected == found,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn shorten(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(400) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn differences(expected: &Value, found: &Value) -> Vec<String> {
        let mut fixtures = Fixtures::default();
        fixtures.set("items", json!([{"id": "i-0"}]));
        compare(expected, Some(found), &mut fixtures).unwrap()
    }

    #[test]
    fn an_object_may_have_more_and_a_list_may_not() {
        let found = json!({"a": 1, "b": [1, 2], "c": {"d": "x"}});
        assert!(differences(&json!({"a": 1, "c": {"d": "x"}}), &found).is_empty());
        let wrong = differences(&json!({"b": [1]}), &found);
        assert_eq!(wrong, ["b: expected 1 entries, got 2: [1,2]"]);
        let wrong = differences(&json!({"c": {"d": "y"}}), &found);
        assert_eq!(wrong, ["c.d: expected \"y\", got \"x\""]);
    }

    #[test]
    fn fixtures_stand_for_values_and_within_texts() {
        assert!(differences(&json!({"id": "$items.0.id"}), &json!({"id": "i-0"})).is_empty());
        assert!(differences(&json!("a/$items.0.id/b$"), &json!("a/i-0/b$")).is_empty());
        let missing = compare(&json!("$items.1.id"), None, &mut {
            let mut fixtures = Fixtures::default();
            fixtures.set("items", json!([]));
            fixtures
        });
        assert_eq!(missing.unwrap_err().to_string(), "there is no $items.1.id");
    }

    #[test]
    fn a_captured_value_must_come_again() {
        let mut fixtures = Fixtures::default();
        let expected = json!({"etag": "$capture.e"});
        assert!(compare(&expected, Some(&json!({"etag": "1"})), &mut fixtures).unwrap().is_empty());
        assert!(compare(&expected, Some(&json!({"etag": "1"})), &mut fixtures).unwrap().is_empty());
        assert!(
            !compare(&expected, Some(&json!({"etag": "2"})), &mut fixtures).unwrap().is_empty()
        );
        assert_eq!(fixtures.fill(&json!("$capture.e")).unwrap(), json!("1"));
        let wrong = compare(&json!({"not": "$capture.e"}), Some(&json!("1")), &mut fixtures);
        assert!(!wrong.unwrap().is_empty());
    }

    #[test]
    fn matchers_match_what_they_say() {
        let good = [
            (json!({"min": 2, "max": 3}), json!(2)),
            (json!({"min": 2}), json!("18446744073709551615")),
            (json!({"matches": "^a.c$"}), json!("abc")),
            (json!({"is": "uuid"}), json!("01890000-0000-7000-8000-000000000000")),
            (json!({"is": "absent"}), json!("")),
            (json!({"is": "present"}), json!("x")),
            (json!({"not": 1}), json!(2)),
            (json!({"contains": "b"}), json!(["abc"])),
            (json!({"without": "z"}), json!({"a": ["abc"]})),
        ];
        for (expected, found) in good {
            assert!(differences(&expected, &found).is_empty(), "{expected} {found}");
        }
        let bad = [
            (json!({"min": 2, "max": 3}), json!(4)),
            (json!({"matches": "^b"}), json!("abc")),
            (json!({"is": "uuid"}), json!("01890000")),
            (json!({"is": "absent"}), json!("x")),
            (json!({"is": "present"}), json!("")),
            (json!({"not": 1}), json!(1)),
            (json!({"contains": "z"}), json!(["abc"])),
            (json!({"without": "b"}), json!({"a": ["abc"]})),
        ];
        for (expected, found) in bad {
            assert!(!differences(&expected, &found).is_empty(), "{expected} {found}");
        }
    }

    #[test]
    fn numbers_may_be_text_and_lose_nothing() {
        assert!(differences(&json!(5), &json!("5")).is_empty());
        assert!(
            !differences(&json!("18446744073709551615"), &json!(1.8446744073709552e19)).is_empty()
        );
        assert!(
            !differences(&json!(18446744073709551615u64), &json!(18446744073709551614u64))
                .is_empty()
        );
        assert!(differences(&json!(1), &json!(1.0)).is_empty());
    }

    #[test]
    fn what_has_no_value_may_be_left_out() {
        assert!(differences(&json!({"items": [], "text": ""}), &json!({})).is_empty());
        assert!(!differences(&json!({"text": "x"}), &json!({})).is_empty());
        assert!(!differences(&json!({"text": {"is": "present"}}), &json!({})).is_empty());
    }
}
