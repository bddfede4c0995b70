//! How Java writes what the contract names.

use crate::docs::contract::Names;
use crate::docs::last;
use crate::model::{Enum, EnumValue, EventType, Field, Type};

impl Names for super::Java {
    fn field(&self, field: &Field) -> String {
        let name = upper_camel(&field.name);
        match (&field.map_key, field.repeated) {
            (Some(_), _) => format!("get{name}Map()"),
            (None, true) => format!("get{name}List()"),
            (None, false) => format!("get{name}()"),
        }
    }

    fn field_type(&self, field: &Field) -> String {
        let many = field.repeated || field.map_key.is_some();
        let value = java_type(&field.ty, many);
        match &field.map_key {
            Some(key) => format!("Map<{}, {value}>", java_type(key, true)),
            None if field.repeated => format!("List<{value}>"),
            None => value,
        }
    }

    fn enum_value(&self, found: &Enum, value: &EnumValue) -> String {
        format!("{}.{}", found.name, value.name)
    }

    fn event_type(&self, event: &EventType) -> String {
        format!("EventType.{}", event.constant)
    }

    fn reason(&self, name: &str) -> String {
        format!("Reason.{name}")
    }

    fn error(&self, code: &str) -> String {
        exception(code)
    }
}

/// `boxed`: as the type of a collection's entries.
fn java_type(ty: &Type, boxed: bool) -> String {
    let scalar = match ty {
        Type::Message(name) | Type::Enum(name) => return last(name).to_owned(),
        Type::Scalar(scalar) => scalar.as_str(),
    };
    let (plain, object) = match scalar {
        "bool" => ("boolean", "Boolean"),
        "string" => ("String", "String"),
        "bytes" => ("ByteString", "ByteString"),
        "float" => ("float", "Float"),
        "double" => ("double", "Double"),
        "int32" | "uint32" | "sint32" | "fixed32" | "sfixed32" => ("int", "Integer"),
        _ => ("long", "Long"),
    };
    if boxed { object.to_owned() } else { plain.to_owned() }
}

/// `NOT_FOUND` is `NotFoundException`.
pub(super) fn exception(code: &str) -> String {
    format!("{}Exception", upper_camel(&code.to_lowercase()))
}

/// `item_id` is `ItemId`.
pub(super) fn upper_camel(name: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at(word.len().min(1));
        format!("{}{rest}", first.to_ascii_uppercase())
    };
    name.split('_').map(word).collect()
}

/// `item_id` is `itemId`.
pub(super) fn lower_camel(name: &str) -> String {
    let camel = upper_camel(name);
    let (first, rest) = camel.split_at(camel.len().min(1));
    format!("{}{rest}", first.to_ascii_lowercase())
}

/// A name that Java can have; its own words get an underscore.
pub(super) fn identifier(name: &str) -> String {
    const KEYWORDS: [&str; 53] = [
        "abstract",
        "assert",
        "boolean",
        "break",
        "byte",
        "case",
        "catch",
        "char",
        "class",
        "const",
        "continue",
        "default",
        "do",
        "double",
        "else",
        "enum",
        "extends",
        "false",
        "final",
        "finally",
        "float",
        "for",
        "goto",
        "if",
        "implements",
        "import",
        "instanceof",
        "int",
        "interface",
        "long",
        "native",
        "new",
        "null",
        "package",
        "private",
        "protected",
        "public",
        "return",
        "short",
        "static",
        "strictfp",
        "super",
        "switch",
        "synchronized",
        "this",
        "throw",
        "throws",
        "transient",
        "true",
        "try",
        "void",
        "volatile",
        "while",
    ];
    if KEYWORDS.contains(&name) { format!("{name}_") } else { name.to_owned() }
}

/// A comment of the contract as Javadoc's lines, without margin.
pub(super) fn javadoc(docs: &str) -> String {
    let escaped = docs.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let escaped = escaped.replace('@', "&#64;").replace("*/", "*&#47;");
    let lines: Vec<String> = escaped.lines().map(|line| format!(" * {line}")).collect();
    lines.join("\n").replace(" * \n", " *\n")
}

#[cfg(test)]
mod tests {
    use super::{exception, identifier, javadoc, lower_camel};

    #[test]
    fn names_are_javas() {
        assert_eq!(lower_camel("release_reservation"), "releaseReservation");
        assert_eq!(exception("NOT_FOUND"), "NotFoundException");
        assert_eq!(identifier("import"), "import_");
        assert_eq!(identifier("get"), "get");
    }

    #[test]
    fn a_comment_cannot_leave_its_javadoc() {
        assert_eq!(javadoc("A <b>.\n\n*/ @x"), " * A &lt;b&gt;.\n *\n * *&#47; &#64;x");
    }
}
