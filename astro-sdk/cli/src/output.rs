//! Printing: tables and records for people, protojson for programs.

use std::io::{self, Write};

use clap::ValueEnum;
use prost::{Message, Name};
use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MapKey, ReflectMessage, SerializeOptions, Value,
};
use unicode_width::UnicodeWidthStr;

use crate::contract::{POOL, is_leaf, short_name, told};
use crate::values;
use crate::words::columns;

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Aligned columns, for people.
    Table,
    /// JSON with 64-bit numbers as strings, for programs.
    Json,
}

/// Where results go, and how.
pub(crate) struct Output<'a> {
    format: Format,
    /// The only field to print.
    field: Option<String>,
    out: &'a mut (dyn Write + Send),
    err: &'a mut (dyn Write + Send),
}

impl<'a> Output<'a> {
    /// Results go to `out`, remarks to `err`; of each result only `field` is printed, if given.
    pub(crate) fn new(
        format: Format,
        field: Option<String>,
        out: &'a mut (dyn Write + Send),
        err: &'a mut (dyn Write + Send),
    ) -> Self {
        Self { format, field, out, err }
    }

    /// Prints an answer: the one thing that it is about, if there is one.
    pub(crate) fn answer(&mut self, answer: &DynamicMessage) -> io::Result<()> {
        let of = answer.descriptor();
        self.remarks(answer)?;
        let mut single = of.fields().filter(|it| !it.is_list() && !it.is_map());
        match (single.next(), single.next()) {
            (Some(field), None) if field.kind().as_message().is_some() => {
                // A server that answers without the thing itself has nothing to show.
                let thing = answer.has_field(&field).then(|| answer.get_field(&field));
                thing.and_then(|it| it.as_message().cloned()).map_or(Ok(()), |it| self.record(&it))
            }
            (_, _) => self.record(answer),
        }
    }

    /// Tells what an answer says in words beside the thing that it is about, such as warnings.
    fn remarks(&mut self, answer: &DynamicMessage) -> io::Result<()> {
        for list in answer.descriptor().fields().filter(FieldDescriptor::is_list) {
            let entries = answer.get_field(&list);
            let entries =
                entries.as_list().unwrap_or_default().iter().filter_map(Value::as_message);
            for text in entries.filter_map(|it| it.get_field_by_name("message")) {
                self.remark(&format!("{}: {}", list.name(), text.as_str().unwrap_or_default()))?;
            }
        }
        Ok(())
    }

    /// Prints one thing: a line for each field that is set.
    pub(crate) fn record(&mut self, message: &DynamicMessage) -> io::Result<()> {
        match self.format {
            _ if self.field.is_some() => self.only_field(message),
            Format::Json => self.json_pretty(message),
            Format::Table => {
                let mut rows = Vec::new();
                flatten("", message, &mut rows);
                self.aligned(rows)
            }
        }
    }

    /// Prints the one field that was asked for, on a line.
    fn only_field(&mut self, message: &DynamicMessage) -> io::Result<()> {
        let path = self.field.clone().unwrap_or_default();
        let Some(value) = find(message, &path) else {
            // What was done is done: its result must not be lost for a typing error.
            writeln!(self.err, "{}", shown_json(&to_json(message), true)?)?;
            return Err(unknown_field(&path, "the result above"));
        };
        writeln!(self.out, "{}", plain(&value))?;
        self.out.flush()
    }

    /// Prints a response whose first message field is a list; `wide`: with every column.
    pub(crate) fn list(&mut self, response: &DynamicMessage, wide: bool) -> io::Result<()> {
        if self.format == Format::Json && self.field.is_none() {
            return self.json_pretty(response);
        }
        let list = told(&response.descriptor()).expect("the caller passes the response of a list");
        let kind = list.kind();
        let columns = columns(kind.as_message().expect("it has messages"), wide);
        let entries = response.get_field(&list);
        let entries = entries.as_list().unwrap_or_default().iter();
        let mut entries =
            entries.map(|it| it.as_message().expect("lists of the contract have messages"));
        if self.field.is_some() {
            entries.try_for_each(|entry| self.only_field(entry))?;
        } else {
            let header = columns.iter().map(|path| path.to_uppercase().replace('.', "_")).collect();
            let row = |entry| columns.iter().map(|path| lookup(entry, path)).collect();
            self.aligned(std::iter::once(header).chain(entries.map(row)).collect())?;
        }
        let next = response.get_field_by_name("next_page_token");
        match next.as_deref().and_then(Value::as_str) {
            Some(token) if !token.is_empty() => {
                self.remark(&format!("There is more: add --all, or --page-token {token}"))
            }
            _ => Ok(()),
        }
    }

    /// Prints what a message of a stream tells, a line for each entry.
    pub(crate) fn entries(&mut self, message: &DynamicMessage, wide: bool) -> io::Result<()> {
        let value = told(&message.descriptor()).map(|it| message.get_field(&it).into_owned());
        let entries = match value {
            Some(Value::List(entries)) => entries,
            Some(entry) => vec![entry],
            None => Vec::new(),
        };
        entries.iter().filter_map(Value::as_message).try_for_each(|entry| {
            let columns = columns(&entry.descriptor(), wide);
            let cells: Vec<String> = columns.iter().map(|path| lookup(entry, path)).collect();
            self.entry(entry, cells.join("  ").trim_end())
        })
    }

    /// Prints one entry of a stream on one line: `text` for people.
    pub(crate) fn entry(&mut self, message: &DynamicMessage, text: &str) -> io::Result<()> {
        match self.format {
            _ if self.field.is_some() => self.only_field(message),
            Format::Json => self.json_line(message),
            Format::Table => {
                writeln!(self.out, "{}", plain(text))?;
                self.out.flush()
            }
        }
    }

    /// Prints rows of plain texts, the first as the header; as JSON, one object of `names` a row.
    pub(crate) fn rows(&mut self, names: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
        if let Some(path) = self.field.clone() {
            let column = names.iter().position(|name| *name == path);
            let column = column.ok_or_else(|| unknown_field(&path, "the result"))?;
            return rows.iter().try_for_each(|row| writeln!(self.out, "{}", plain(&row[column])));
        }
        match self.format {
            Format::Json => {
                let object = |row: &Vec<String>| -> serde_json::Map<_, _> {
                    names
                        .iter()
                        .map(|name| (*name).to_owned())
                        .zip(row.iter().cloned().map(Into::into))
                        .collect()
                };
                let objects = rows.iter().map(|row| object(row).into()).collect();
                writeln!(self.out, "{}", shown_json(&serde_json::Value::Array(objects), true)?)
            }
            Format::Table => {
                let header = names.iter().map(|name| name.to_uppercase()).collect();
                self.aligned(std::iter::once(header).chain(rows.iter().cloned()).collect())
            }
        }
    }

    /// Prints a message as JSON on several lines.
    pub(crate) fn json_pretty(&mut self, message: &DynamicMessage) -> io::Result<()> {
        if self.field.is_some() {
            return self.only_field(message);
        }
        writeln!(self.out, "{}", shown_json(&to_json(message), true)?)
    }

    /// Prints a message as JSON on one line, at once.
    pub(crate) fn json_line(&mut self, message: &DynamicMessage) -> io::Result<()> {
        if self.field.is_some() {
            return self.only_field(message);
        }
        writeln!(self.out, "{}", shown_json(&to_json(message), false)?)?;
        self.out.flush()
    }

    /// Prints a line as it is.
    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{}", plain(text))
    }

    /// Tells something that is no result.
    pub(crate) fn remark(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.err, "{}", plain(text))
    }

    fn aligned(&mut self, rows: Vec<Vec<String>>) -> io::Result<()> {
        let rows: Vec<Vec<String>> =
            rows.into_iter().map(|row| row.iter().map(|cell| plain(cell)).collect()).collect();
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| rows.iter().map(|row| row[column].width()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &rows {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                line.push_str(cell);
                line.extend(std::iter::repeat_n(' ', width - cell.width() + 2));
            }
            writeln!(self.out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// A text without what could lead a terminal astray: names are chosen by strangers.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if is_astray(c) { ' ' } else { c }).collect()
}

/// Control characters, and the invisible ones that turn the direction of what follows, break a line
/// or carry a text that nobody sees.
fn is_astray(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{206f}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// JSON with the same characters as escapes: a program reads the same text, a terminal is safe.
fn shown_json(value: &serde_json::Value, pretty: bool) -> serde_json::Result<String> {
    let text =
        if pretty { serde_json::to_string_pretty(value)? } else { serde_json::to_string(value)? };
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        // Outside of strings there is ASCII only, and inside ASCII's own are escaped but for DEL.
        if is_astray(c) && (c == '\u{7f}' || !c.is_ascii()) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                shown.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            shown.push(c);
        }
    }
    Ok(shown)
}

fn unknown_field(path: &str, of: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("--field: {of} has no field {path:?}"))
}

/// The same message with its descriptor.
pub(crate) fn dynamic<M: Message + Name>(message: &M) -> DynamicMessage {
    let descriptor = POOL.get_message_by_name(&M::full_name());
    let descriptor = descriptor.expect("the SDK has descriptors of all its messages");
    DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice())
        .expect("both come from one contract")
}

/// Protojson with every field, so that programs find them all.
fn to_json(message: &DynamicMessage) -> serde_json::Value {
    let options = SerializeOptions::new().skip_default_fields(false);
    message
        .serialize_with_options(serde_json::value::Serializer, &options)
        .unwrap_or_else(|error| format!("cannot be shown as JSON: {error}").into())
}

/// `path  value` for every field that is set, with those of inner messages below their own path.
fn flatten(prefix: &str, message: &DynamicMessage, rows: &mut Vec<Vec<String>>) {
    for (field, value) in message.fields() {
        let path = format!("{prefix}{}", field.name());
        let inner = value.as_message().filter(|inner| !is_leaf(&inner.descriptor()));
        let entries = value.as_list().unwrap_or_default();
        if let Some(inner) = inner {
            flatten(&format!("{path}."), inner, rows);
        } else if matches!(field.kind(), Kind::Message(_)) && !entries.is_empty() {
            for (index, entry) in entries.iter().filter_map(Value::as_message).enumerate() {
                flatten(&format!("{path}.{index}."), entry, rows);
            }
        } else {
            rows.push(vec![path, cell(&field.kind(), value)]);
        }
    }
}

/// The cell for the field at `path` (`asset.app_id`); empty when it is not set.
fn lookup(message: &DynamicMessage, path: &str) -> String {
    find(message, path).unwrap_or_default()
}

/// The same, with `items.0.id` for an entry of a list; none when there is no such field.
fn find(message: &DynamicMessage, path: &str) -> Option<String> {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let field = message.descriptor().get_field_by_name(name)?;
    let value = message.get_field(&field);
    match (rest, value.as_ref()) {
        (None, _) if field.supports_presence() && !message.has_field(&field) => Some(String::new()),
        (None, value) => Some(cell(&field.kind(), value)),
        (Some(rest), Value::Message(inner)) => {
            let found = find(inner, rest);
            if message.has_field(&field) { found } else { found.map(|_| String::new()) }
        }
        (Some(rest), Value::List(entries)) => {
            let (index, rest) = rest.split_once('.')?;
            find(entries.get(index.parse::<usize>().ok()?)?.as_message()?, rest)
        }
        (Some(_), _) => None,
    }
}

fn cell(kind: &Kind, value: &Value) -> String {
    match value {
        Value::Bool(flag) => if *flag { "yes" } else { "no" }.to_owned(),
        // An id of nobody and nothing.
        Value::U64(0) => String::new(),
        Value::EnumNumber(number) => {
            kind.as_enum().map_or(number.to_string(), |of| short_name(of, *number))
        }
        Value::String(text) => text.clone(),
        Value::List(list) => {
            list.iter().map(|entry| cell(kind, entry)).collect::<Vec<_>>().join(",")
        }
        Value::Map(map) => map_cell(map),
        Value::Message(message) => message_cell(message),
        Value::Bytes(bytes) => format!("{} bytes", bytes.len()),
        Value::I32(number) => number.to_string(),
        Value::I64(number) => number.to_string(),
        Value::U32(number) => number.to_string(),
        Value::U64(number) => number.to_string(),
        Value::F32(number) => number.to_string(),
        Value::F64(number) => number.to_string(),
    }
}

fn map_cell(map: &std::collections::HashMap<MapKey, Value>) -> String {
    let mut pairs: Vec<String> = map
        .iter()
        .map(|(key, value)| {
            let key = key.as_str().map(str::to_owned).unwrap_or_else(|| format!("{key:?}"));
            format!("{key}={}", value.as_str().unwrap_or_default())
        })
        .collect();
    pairs.sort();
    pairs.join(",")
}

fn message_cell(message: &DynamicMessage) -> String {
    if message.descriptor().full_name() == "astro.v1.Money"
        && let Ok(money) = message.transcode_to()
    {
        return values::show_money(&money);
    }
    let json = to_json(message);
    json.as_str().map_or_else(|| json.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests;
