//! A descriptor as the text of a `.proto` file: the way back from what [`crate::prune`] has left.
//!
//! Compiling the text gives the same descriptor, comments included. Block comments become line
//! comments, and where proto3 has no words for something there is an error and no text.

use std::collections::HashMap;

use anyhow::{Context, bail, ensure};
use prost_reflect::prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, Kind, Value};
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::source_code_info::Location;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    MethodDescriptorProto, ServiceDescriptorProto,
};

/// Numbers of descriptor.proto's fields, which lead to an element's comment.
mod place {
    pub(super) const PACKAGE: i32 = 2;
    pub(super) const SYNTAX: i32 = 12;
    /// In a file.
    pub(super) const MESSAGE: i32 = 4;
    pub(super) const ENUM: i32 = 5;
    pub(super) const SERVICE: i32 = 6;
    /// In a message; in an enum its values, in a service its methods.
    pub(super) const MEMBER: i32 = 2;
    pub(super) const NESTED_MESSAGE: i32 = 3;
    pub(super) const NESTED_ENUM: i32 = 4;
    pub(super) const ONEOF: i32 = 8;
}

/// The text of this file.
///
/// # Errors
/// When it is not of proto3, or has an extension, a group, a public import or an option whose value
/// is a message or a list.
pub fn text(file: &FileDescriptorProto) -> anyhow::Result<String> {
    let locations = file.source_code_info.iter().flat_map(|info| &info.location);
    let comments = locations.map(|location| (location.path.as_slice(), location)).collect();
    let mut writer = Writer { comments, text: String::new(), depth: 0 };
    writer.file(file).with_context(|| format!("{} as text", file.name()))?;
    Ok(writer.text)
}

struct Writer<'a> {
    comments: HashMap<&'a [i32], &'a Location>,
    text: String,
    /// Blocks that are open.
    depth: usize,
}

impl Writer<'_> {
    fn file(&mut self, file: &FileDescriptorProto) -> anyhow::Result<()> {
        ensure!(file.syntax() == "proto3", "its syntax is {:?}", file.syntax());
        ensure!(file.extension.is_empty(), "it has extensions");
        let links = file.public_dependency.len() + file.weak_dependency.len();
        ensure!(links == 0, "it has public or weak imports");
        self.statement(&[place::SYNTAX], "syntax = \"proto3\"");
        self.gap();
        if let Some(package) = &file.package {
            self.statement(&[place::PACKAGE], &format!("package {package}"));
            self.gap();
        }
        for name in &file.dependency {
            self.line(&format!("import {};", quoted(name)));
        }
        self.gap();
        self.options("google.protobuf.FileOptions", &file.options)?;
        for (service, at) in file.service.iter().zip(0..) {
            self.gap();
            self.service(service, &[place::SERVICE, at])?;
        }
        for (found, at) in file.enum_type.iter().zip(0..) {
            self.gap();
            self.enumeration(found, &[place::ENUM, at])?;
        }
        for (message, at) in file.message_type.iter().zip(0..) {
            self.gap();
            let name = format!(".{}.{}", file.package(), message.name()).replace("..", ".");
            self.message(message, &name, &[place::MESSAGE, at])?;
        }
        Ok(())
    }

    fn service(&mut self, service: &ServiceDescriptorProto, path: &[i32]) -> anyhow::Result<()> {
        self.open(path, &format!("service {}", service.name()));
        self.options("google.protobuf.ServiceOptions", &service.options)?;
        for (method, at) in service.method.iter().zip(0..) {
            self.method(method, &below(path, place::MEMBER, at))?;
        }
        self.close();
        Ok(())
    }

    fn method(&mut self, method: &MethodDescriptorProto, path: &[i32]) -> anyhow::Result<()> {
        let stream = |streams: bool| if streams { "stream " } else { "" };
        let (name, input, output) = (method.name(), method.input_type(), method.output_type());
        let (sent, got) = (stream(method.client_streaming()), stream(method.server_streaming()));
        let head = format!("rpc {name}({sent}{input}) returns ({got}{output})");
        if settings("google.protobuf.MethodOptions", &method.options)?.is_empty() {
            self.statement(path, &head);
        } else {
            self.open(path, &head);
            self.options("google.protobuf.MethodOptions", &method.options)?;
            self.close();
        }
        Ok(())
    }

    fn enumeration(&mut self, found: &EnumDescriptorProto, path: &[i32]) -> anyhow::Result<()> {
        self.open(path, &format!("enum {}", found.name()));
        self.options("google.protobuf.EnumOptions", &found.options)?;
        for range in &found.reserved_range {
            self.reserved_range(range.start(), range.end());
        }
        self.reserved_names(&found.reserved_name);
        for (value, at) in found.value.iter().zip(0..) {
            let options = settings("google.protobuf.EnumValueOptions", &value.options)?;
            let text = format!("{} = {}{}", value.name(), value.number(), bracketed(&options));
            self.statement(&below(path, place::MEMBER, at), &text);
        }
        self.close();
        Ok(())
    }

    /// `name`: the full one, as types are named in descriptors.
    fn message(
        &mut self,
        message: &DescriptorProto,
        name: &str,
        path: &[i32],
    ) -> anyhow::Result<()> {
        let extended = message.extension.len() + message.extension_range.len();
        ensure!(extended == 0, "{name} has extensions");
        self.open(path, &format!("message {}", message.name()));
        self.options("google.protobuf.MessageOptions", &message.options)?;
        for range in &message.reserved_range {
            self.reserved_range(range.start(), range.end() - 1);
        }
        self.reserved_names(&message.reserved_name);
        for (found, at) in message.enum_type.iter().zip(0..) {
            self.enumeration(found, &below(path, place::NESTED_ENUM, at))?;
        }
        self.members(message, name, path)?;
        self.close();
        Ok(())
    }

    /// Fields and nested messages, these in their order among the entries of maps.
    fn members(
        &mut self,
        message: &DescriptorProto,
        name: &str,
        path: &[i32],
    ) -> anyhow::Result<()> {
        let mut nested = message.nested_type.iter().zip(0..);
        let mut open = None;
        for (field, at) in message.field.iter().zip(0..) {
            let oneof = field.oneof_index.filter(|_| !field.proto3_optional());
            if oneof != open {
                if open.is_some() {
                    self.close();
                }
                if let Some(index) = oneof {
                    self.oneof(message, index, path)?;
                }
                open = oneof;
            }
            let entry = entry(message, name, field);
            if let Some(entry) = entry {
                let earlier = nested.by_ref().take_while(|(found, _)| found.name() != entry.name());
                self.nested(earlier, name, path)?;
            }
            self.field(field, entry, &below(path, place::MEMBER, at))?;
        }
        if open.is_some() {
            self.close();
        }
        self.nested(nested, name, path)
    }

    fn nested<'a>(
        &mut self,
        messages: impl Iterator<Item = (&'a DescriptorProto, i32)>,
        outer: &str,
        path: &[i32],
    ) -> anyhow::Result<()> {
        for (message, at) in messages {
            let name = format!("{outer}.{}", message.name());
            ensure!(!is_entry(message), "{name} is the entry of no map");
            self.message(message, &name, &below(path, place::NESTED_MESSAGE, at))?;
        }
        Ok(())
    }

    fn oneof(&mut self, message: &DescriptorProto, index: i32, path: &[i32]) -> anyhow::Result<()> {
        let oneof = usize::try_from(index).ok().and_then(|at| message.oneof_decl.get(at));
        let oneof = oneof.with_context(|| format!("{} has no oneof {index}", message.name()))?;
        self.open(&below(path, place::ONEOF, index), &format!("oneof {}", oneof.name()));
        self.options("google.protobuf.OneofOptions", &oneof.options)
    }

    /// `entry`: the message of a map's entries.
    fn field(
        &mut self,
        field: &FieldDescriptorProto,
        entry: Option<&DescriptorProto>,
        path: &[i32],
    ) -> anyhow::Result<()> {
        let ty = match entry.map(|entry| entry.field.as_slice()) {
            Some([key, value]) => format!("map<{}, {}>", type_name(key)?, type_name(value)?),
            Some(_) => bail!("the map {} has entries without key or value", field.name()),
            None => type_name(field)?,
        };
        let label = match field.label() {
            Label::Repeated if entry.is_none() => "repeated ",
            Label::Optional if field.proto3_optional() => "optional ",
            Label::Repeated | Label::Optional => "",
            Label::Required => bail!("the field {} is required", field.name()),
        };
        let mut options = settings("google.protobuf.FieldOptions", &field.options)?;
        if let Some(json) = field.json_name.as_ref().filter(|json| **json != camel(field.name())) {
            options.push(format!("json_name = {}", quoted(json)));
        }
        let (name, number) = (field.name(), field.number());
        self.statement(path, &format!("{label}{ty} {name} = {number}{}", bracketed(&options)));
        Ok(())
    }

    fn reserved_range(&mut self, first: i32, last: i32) {
        self.line(&format!("reserved {first} to {last};"));
    }

    fn reserved_names(&mut self, names: &[String]) {
        for name in names {
            self.line(&format!("reserved {};", quoted(name)));
        }
    }

    fn options<M: Message>(&mut self, name: &str, options: &Option<M>) -> anyhow::Result<()> {
        for setting in settings(name, options)? {
            self.line(&format!("option {setting};"));
        }
        Ok(())
    }

    /// The element at `path`, with its comments.
    fn statement(&mut self, path: &[i32], text: &str) {
        self.commented(path, &format!("{text};"), 0);
    }

    fn open(&mut self, path: &[i32], text: &str) {
        self.commented(path, &format!("{text} {{"), 1);
    }

    fn close(&mut self) {
        self.depth -= 1;
        self.line("}");
    }

    /// Empty lines tell comments apart: what stands alone belongs to nothing, what comes right after
    /// an element and before an empty line belongs to that one, anything else to the next.
    /// `opens`: blocks that the text begins.
    fn commented(&mut self, path: &[i32], text: &str, opens: usize) {
        let location = self.comments.get(path).copied();
        for alone in location.iter().flat_map(|location| &location.leading_detached_comments) {
            self.gap();
            self.comment(alone);
            self.gap();
        }
        self.comment(location.map_or("", Location::leading_comments));
        self.line(text);
        self.depth += opens;
        if let Some(after) = location.and_then(|location| location.trailing_comments.as_ref()) {
            self.comment(after);
            self.gap();
        }
    }

    fn comment(&mut self, text: &str) {
        for line in text.lines() {
            self.line(&format!("//{line}"));
        }
    }

    fn line(&mut self, text: &str) {
        let margin = "  ".repeat(self.depth);
        self.text.push_str(&format!("{margin}{text}\n"));
    }

    /// An empty line, if there is none yet.
    fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }
}

fn below(path: &[i32], place: i32, at: i32) -> Vec<i32> {
    [path, &[place, at]].concat()
}

fn is_entry(message: &DescriptorProto) -> bool {
    message.options.as_ref().is_some_and(|options| options.map_entry())
}

/// The message of the field's entries, if it is a map.
fn entry<'a>(
    message: &'a DescriptorProto,
    name: &str,
    field: &FieldDescriptorProto,
) -> Option<&'a DescriptorProto> {
    let short = field.type_name().strip_prefix(name)?.strip_prefix('.')?;
    message.nested_type.iter().find(|found| is_entry(found) && found.name() == short)
}

/// Types that have a name begin with a dot, so that no nested type can be taken for them.
fn type_name(field: &FieldDescriptorProto) -> anyhow::Result<String> {
    let ty = field.r#type();
    ensure!(ty != Type::Group, "{} is a group", field.name());
    if matches!(ty, Type::Message | Type::Enum) {
        return Ok(field.type_name().to_owned());
    }
    Ok(ty.as_str_name().trim_start_matches("TYPE_").to_lowercase())
}

/// Each option that is set, as `name = value`. `name`: the full one of the options' message.
fn settings<M: Message>(name: &str, options: &Option<M>) -> anyhow::Result<Vec<String>> {
    let Some(options) = options else { return Ok(Vec::new()) };
    let message = DescriptorPool::global().get_message_by_name(name);
    let message = message.with_context(|| format!("no message {name}"))?;
    let options = DynamicMessage::decode(message, options.encode_to_vec().as_slice())?;
    let mut settings = Vec::new();
    for (field, value) in options.fields() {
        let kind = field.kind();
        let plain = !field.is_list() && !matches!(kind, Kind::Message(_));
        ensure!(plain, "the option {} cannot be written", field.name());
        let text = match (&kind, value) {
            (Kind::Enum(values), Value::EnumNumber(number)) => {
                let value = values.get_value(*number);
                value.with_context(|| format!("{} is {number}", field.name()))?.name().to_owned()
            }
            (_, value) => value.to_string(),
        };
        settings.push(format!("{} = {text}", field.name()));
    }
    Ok(settings)
}

fn bracketed(options: &[String]) -> String {
    if options.is_empty() { String::new() } else { format!(" [{}]", options.join(", ")) }
}

fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

/// The name in JSON that a field has by itself.
fn camel(name: &str) -> String {
    let mut camel = String::new();
    let mut begins = false;
    for letter in name.chars() {
        if letter == '_' {
            begins = true;
        } else if begins {
            camel.push(letter.to_ascii_uppercase());
            begins = false;
        } else {
            camel.push(letter);
        }
    }
    camel
}
