//! How templates are read: a tag on a line of its own leaves no line.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, Value};
use serde::Serialize;

/// What a template is given: names with what serde makes of their values, and beneath them those of
/// another value.
macro_rules! context {
    (@ $key:ident) => { $key };
    (@ $key:ident $value:expr) => { $value };
    ($($key:ident $(=> $value:expr)?),* $(, ..$rest:expr)? $(,)?) => {
        minijinja::context! {
            $($key => $crate::templates::value(&$crate::templates::context!(@ $key $($value)?)),)*
            $(..$crate::templates::value($rest),)?
        }
    };
}
pub(crate) use context;

/// What serde makes of this, for templates.
pub(crate) fn value<T: Serialize + ?Sized>(of: &T) -> Value {
    Value::from(Serde(of))
}

/// An environment for templates of pages and code.
pub(crate) fn environment() -> Environment<'static> {
    with_end_of_line(false)
}

/// The same for templates of pieces, whose last line keeps its end.
pub(crate) fn pieces() -> Environment<'static> {
    with_end_of_line(true)
}

fn with_end_of_line(kept: bool) -> Environment<'static> {
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(kept)
        .build()
        .expect("the default marks of tags");
    environment.set_syntax(syntax);
    environment
}
