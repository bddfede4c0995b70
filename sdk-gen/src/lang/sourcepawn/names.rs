//! What things are called in SourcePawn, how long texts are, and how comments are written.

use super::PREFIX;
use crate::docs::last;

/// Letters of a name that the compiler tells apart.
const NAME_MAX: usize = 63;
/// A 64-bit number as text, and the end of the text: what a cell of 32 bits cannot have.
pub(super) const LONG_SIZE: usize = 21;
/// A UUID, and the end of the text.
const ID_SIZE: usize = 37;
/// What a text has unless a rule of [`text_size`] says otherwise.
const TEXT_SIZE: usize = 128;
/// A text that people write or read at length. What is longer is cut, between two characters.
const PROSE_SIZE: usize = 256;
/// JSON of a map or an object inside a message that is read.
pub(super) const JSON_SIZE: usize = 384;

/// Words that cannot be names.
const KEYWORDS: [&str; 90] = [
    "acquire",
    "any",
    "as",
    "assert",
    "begin",
    "bool",
    "break",
    "builtin",
    "case",
    "cast_to",
    "catch",
    "cellsof",
    "char",
    "const",
    "continue",
    "decl",
    "default",
    "defined",
    "delete",
    "do",
    "double",
    "else",
    "end",
    "enum",
    "exit",
    "explicit",
    "finalizer",
    "finally",
    "float",
    "for",
    "foreach",
    "forward",
    "from",
    "funcenum",
    "functag",
    "function",
    "goto",
    "handle",
    "if",
    "implicit",
    "import",
    "in",
    "int",
    "int16",
    "int32",
    "int64",
    "int8",
    "interface",
    "intn",
    "let",
    "methodmap",
    "namespace",
    "native",
    "new",
    "null",
    "object",
    "operator",
    "out",
    "package",
    "private",
    "protected",
    "public",
    "readonly",
    "return",
    "sealed",
    "sizeof",
    "static",
    "stock",
    "struct",
    "switch",
    "tagof",
    "this",
    "throw",
    "true",
    "try",
    "typedef",
    "typeof",
    "typeset",
    "uint16",
    "uint32",
    "uint64",
    "uint8",
    "union",
    "using",
    "var",
    "variant",
    "view_as",
    "void",
    "while",
    "with",
];

/// `astro.v1.Item` is `AstroItem`.
pub(super) fn type_name(full_name: &str) -> String {
    identifier(&format!("{PREFIX}{}", last(full_name)))
}

/// `item_ids` is `itemIds`.
pub(super) fn field_name(json_name: &str) -> String {
    identifier(json_name)
}

/// A name that the compiler takes: no keyword, and told apart from all others by its beginning.
pub(super) fn identifier(name: &str) -> String {
    if KEYWORDS.contains(&name) {
        return format!("{name}_");
    }
    if name.len() <= NAME_MAX {
        return name.to_owned();
    }
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let kept: String = name.chars().take(NAME_MAX - 9).collect();
    format!("{kept}_{:08x}", hash >> 32)
}

/// `IN_OFFER` is `InOffer`.
pub(super) fn pascal(constant: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_ascii_uppercase() + &rest.to_ascii_lowercase()
    };
    constant.split('_').map(word).collect()
}

/// `ReserveItems` is `RESERVE_ITEMS`.
pub(super) fn constant(name: &str) -> String {
    crate::model::shape::snake(name).to_ascii_uppercase()
}

/// Bytes of a text with its end, by the field's name and what the contract says of its length.
/// `stated`: characters at most, as told anywhere of a field of this name.
pub(super) fn text_size(name: &str, repeated: bool, stated: Option<usize>) -> usize {
    let one = if repeated { name.strip_suffix('s').unwrap_or(name) } else { name };
    let ends = |endings: &[&str]| {
        endings.iter().any(|end| one == *end || one.ends_with(&format!("_{end}")))
    };
    match stated {
        // Characters beyond ASCII take more bytes than one; what does not fit is cut between two.
        Some(characters) => (characters + 1).min(PROSE_SIZE),
        None if ends(&["id"]) => ID_SIZE,
        // It has a position in the log, or the values of a row by which a list is sorted.
        None if ends(&["resume_token"]) => 256,
        None if ends(&["page_token"]) => 1024,
        None if ends(&["etag"]) => 64,
        None if ends(&["currency_code", "country_code"]) => 8,
        None if ends(&["order_by", "event_category"]) => 32,
        None if ends(&["url", "message", "description", "detail", "note", "update_mask"]) => {
            PROSE_SIZE
        }
        None => TEXT_SIZE,
    }
}

/// The number in "at most 40 characters", where a comment says so.
pub(super) fn stated(docs: &str) -> Option<usize> {
    let words: Vec<&str> = docs.split_whitespace().collect();
    words.windows(2).find_map(|pair| match pair {
        [number, unit] if unit.starts_with("characters") => number.parse().ok(),
        _ => None,
    })
}

/// A comment as SourceMod's own includes have it.
pub(super) fn comment(docs: &str, depth: usize) -> String {
    let docs = docs.replace("*/", "* /");
    let margin = "\t".repeat(depth);
    let lines: Vec<&str> = docs.lines().collect();
    match lines.as_slice() {
        [] => String::new(),
        [one] => format!("{margin}/** {one} */"),
        many => {
            let line = |line: &&str| format!("{margin} * {line}").trim_end().to_owned();
            let many: Vec<String> = many.iter().map(line).collect();
            format!("{margin}/**\n{}\n{margin} */", many.join("\n"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{comment, constant, identifier, pascal, stated, text_size};

    #[test]
    fn keywords_and_long_names_are_escaped() {
        assert_eq!(identifier("state"), "state");
        assert_eq!(identifier("default"), "default_");
        let (long, other) = ("x".repeat(70), "x".repeat(71));
        assert_eq!(identifier(&long).len(), 63);
        assert_ne!(identifier(&long), identifier(&other));
    }

    #[test]
    fn names_change_their_case() {
        assert_eq!(pascal("IN_OFFER"), "InOffer");
        assert_eq!(constant("ReserveItems"), "RESERVE_ITEMS");
    }

    #[test]
    fn a_text_is_as_long_as_its_name_and_the_contract_say() {
        assert_eq!(stated("Kind, at most 40 characters; default \"manual\"."), Some(40));
        assert_eq!(stated("Context, at most 16 KiB as JSON."), None);
        assert_eq!(text_size("assignment_type", false, Some(40)), 41);
        assert_eq!(text_size("external_id", false, Some(200)), 201);
        assert_eq!(text_size("item_ids", true, None), 37);
        assert_eq!(text_size("item_name", false, None), 128);
        assert_eq!(text_size("grid", false, None), 128);
    }

    #[test]
    fn a_comment_cannot_end_early() {
        assert_eq!(comment("Types (item.*/all).", 1), "\t/** Types (item.* /all). */");
        assert_eq!(comment("One.\n\nTwo.", 0), "/**\n * One.\n *\n * Two.\n */");
    }
}
