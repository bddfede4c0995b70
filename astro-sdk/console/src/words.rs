//! What is said to people: one file for each language, and nothing of it anywhere else.
//!
//! A sentence is a field of [`Words`]. In one with a number, `|` parts the form for one from the form
//! for many. `{}` stands for what is filled in, in order.

/// The sentences of a language, in lines as their writer likes them: rustfmt leaves a macro's braces
/// alone.
macro_rules! sentences {
    // The first language says which sentences there are.
    (struct $name:ident; $($field:ident: $text:literal,)*) => {
        /// Every sentence that pages say.
        pub(crate) struct Words { $(pub $field: &'static str,)* }

        impl Words {
            /// All of them by name.
            #[cfg(test)]
            pub(crate) fn all(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($field), self.$field),)*]
            }
        }

        /// The first language.
        pub(crate) static $name: Words = Words { $($field: $text,)* };
    };
    // Every other one says the same, or does not compile.
    (static $name:ident; $($field:ident: $text:literal,)*) => {
        /// A further language.
        pub(crate) static $name: crate::words::Words = crate::words::Words { $($field: $text,)* };
    };
}

mod de;
mod en;

use std::fmt::Display;

pub(crate) use en::Words;

/// A language that pages are written in.
pub(crate) struct Language {
    /// As browsers name it.
    pub code: &'static str,
    /// As its speakers name it.
    pub name: &'static str,
    pub words: &'static Words,
}

/// All languages; the first one is for whoever speaks none of them.
pub(crate) static LANGUAGES: &[&Language] = &[
    &Language { code: "en", name: "English", words: &en::EN },
    &Language { code: "de", name: "Deutsch", words: &de::DE },
];

/// Puts what is told into a sentence's places.
pub(crate) fn fill(sentence: &str, told: &[&dyn Display]) -> String {
    let mut pieces = sentence.split("{}");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for (at, piece) in pieces.enumerate() {
        if let Some(told) = told.get(at) {
            text.push_str(&told.to_string());
        }
        text.push_str(piece);
    }
    text
}

/// A sentence with a number, in the form that the number takes.
pub(crate) fn count(sentence: &str, number: u64) -> String {
    let (one, many) = sentence.split_once('|').unwrap_or((sentence, sentence));
    fill(if number == 1 { one } else { many }, &[&spaced(number)])
}

/// The same for what is counted here.
pub(crate) fn count_of(sentence: &str, number: usize) -> String {
    count(sentence, u64::try_from(number).unwrap_or(u64::MAX))
}

/// A number with a thin space before each three digits.
pub(crate) fn spaced(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_their_sentences() {
        assert_eq!(spaced(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(spaced(999), "999");
        assert_eq!(count("{} item|{} items", 1), "1 item");
        assert_eq!(count("{} item|{} items", 1000), "1\u{202f}000 items");
        assert_eq!(fill("{} of {}", &[&1, &"two"]), "1 of two");
    }

    #[test]
    fn every_language_fills_the_same_places() {
        let places = |text: &str| text.split('|').map(|form| form.matches("{}").count()).max();
        let german = de::DE.all();
        for ((name, english), (_, german)) in en::EN.all().iter().zip(german) {
            assert!(!german.is_empty(), "{name} is not translated");
            assert_eq!(places(english), places(german), "{name}");
            assert_eq!(english.contains('|'), german.contains('|'), "{name}");
        }
    }
}
