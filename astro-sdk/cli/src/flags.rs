//! Arguments of a command, made from the fields of its request; the request, made from arguments.

use std::collections::HashSet;
use std::ffi::OsStr;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command};
use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, MethodDescriptor,
    ReflectMessage, Value,
};

use crate::contract::{
    comment_of_field, is_event_type, is_leaf, is_organization, is_person, quoted, sentence,
};
use crate::{values, words};

/// Fields that no argument fills: the SDK does, or the command itself.
const BY_ITSELF: [&str; 4] = ["org_id", "request_id", "update_mask", "page_token"];
/// Options that every command has, or every list.
const TAKEN: &str = "all allow-insecure api-key api-key-file ca-cert client-cert client-key endpoint field help limit org output page-token wide";

/// What an argument does to its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    /// Fills it.
    Fill,
    /// Changes it in an update: to the value, or to what it is when nobody sets it.
    Set,
    Clear,
    /// Changes a list or a map in part.
    Add,
    Remove,
}

/// One argument: the path of its field, from the request on, and what it does to it.
pub(crate) struct Flag {
    path: Vec<FieldDescriptor>,
    deed: Deed,
}

/// Whether a request is for a page of a list.
pub(crate) fn is_paged(request: &MessageDescriptor) -> bool {
    ["page_size", "page_token"].iter().all(|name| request.get_field_by_name(name).is_some())
}

/// What an update changes, as a field of its request, and the field that names the changes.
pub(crate) fn edited(request: &MessageDescriptor) -> Option<(FieldDescriptor, FieldDescriptor)> {
    let mask = request.get_field_by_name("update_mask")?;
    let mut fields = request.fields();
    Some((fields.find(|it| it.kind().as_message().is_some_and(|it| !is_leaf(it)))?, mask))
}

/// The arguments of a method.
pub(crate) fn of(method: &MethodDescriptor) -> Vec<Flag> {
    let request = method.input();
    let fill = |path| Flag { path, deed: Deed::Fill };
    let edited = edited(&request);
    let mut flags = Vec::new();
    for field in request.fields() {
        let own = is_organization(&field) && words::of_field(&field).is_some();
        let paged = field.name() == "page_size" && is_paged(&request);
        match (&edited, field.kind().as_message()) {
            _ if paged || (BY_ITSELF.contains(&field.name()) && !own) => {}
            (Some((thing, mask)), Some(of)) if *thing == field => {
                let beside = ["id", "etag"].into_iter().filter_map(|it| of.get_field_by_name(it));
                flags.extend(beside.map(|inner| fill(vec![field.clone(), inner])));
                flags.extend(edits(&field, of, &comment_of_field(mask)));
            }
            (_, Some(of)) if of.name().ends_with("Filter") && !field.is_list() => {
                flags.extend(of.fields().map(|inner| fill(vec![field.clone(), inner])));
            }
            (_, _) => flags.push(fill(vec![field])),
        }
    }
    flags
}

/// Arguments for what may change of a thing, as the comment of the mask lists it; all, if it does not.
fn edits(thing: &FieldDescriptor, of: &MessageDescriptor, mask: &str) -> Vec<Flag> {
    let mut names = quoted(mask);
    let all: Vec<_> = of.fields().collect();
    if names.is_empty() {
        names = all.iter().map(FieldDescriptor::name).collect();
        names.retain(|name| !["id", "etag"].contains(name));
    }
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert(*name));
    let mut flags = Vec::new();
    for field in names.into_iter().filter_map(|name| of.get_field_by_name(name)) {
        let single = !field.is_map() && !field.is_list();
        let kind = field.kind();
        let inner = kind.as_message().filter(|inner| single && !is_leaf(inner));
        let before = [thing.clone(), field.clone()];
        let paths = match inner {
            Some(inner) => inner.fields().map(|it| [&before[..], &[it]].concat()).collect(),
            None => vec![before.to_vec()],
        };
        for path in paths {
            let field = path.last().expect("a path names a field");
            let deeds: &[Deed] = match field {
                field if is_changed_in_part(field) => &[Deed::Remove, Deed::Add],
                field if field.is_list() || field.supports_presence() => &[Deed::Set, Deed::Clear],
                _ => &[Deed::Set],
            };
            flags.extend(deeds.iter().map(|deed| Flag { path: path.clone(), deed: *deed }));
        }
    }
    flags
}

/// Whether an update adds to the field and takes out of it. Other lists are replaced whole.
fn is_changed_in_part(field: &FieldDescriptor) -> bool {
    field.is_map() || (field.is_list() && is_person(field))
}

/// Whether a word is that of an argument that has a place: `ITEM_ID`.
fn is_placed(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

/// Adds the arguments to a command, each with another name.
pub(crate) fn add(flags: &[Flag], mut command: Command) -> Command {
    let mut taken: HashSet<String> = TAKEN.split(' ').map(str::to_owned).collect();
    let mut placed = false;
    for flag in flags {
        let mut argument = flag.argument(placed, &mut taken);
        placed |= argument.is_positional();
        let oneof = flag.field().containing_oneof();
        for other in oneof.iter().flat_map(|oneof| oneof.fields()).filter(|it| it != flag.field()) {
            argument = argument.conflicts_with(other.name().to_owned());
        }
        command = command.arg(argument);
    }
    let settings: Vec<String> = flags.iter().filter(|it| it.is_edit()).map(Flag::id).collect();
    if settings.is_empty() {
        return command;
    }
    command.group(ArgGroup::new("setting").args(settings).required(true).multiple(true))
}

impl Flag {
    /// The field that it fills or changes.
    pub(crate) fn field(&self) -> &FieldDescriptor {
        self.path.last().expect("a path names a field")
    }

    fn is_edit(&self) -> bool {
        self.deed != Deed::Fill
    }

    /// Whether it names what an update is of.
    fn is_thing(&self) -> bool {
        self.path.len() == 2 && !self.is_edit() && self.field().name() == "id"
    }

    /// Whether it is typed without a value.
    fn is_switch(&self) -> bool {
        let is_yes = self.field().kind() == Kind::Bool && !self.field().is_list();
        self.deed == Deed::Clear || (is_yes && !self.is_edit())
    }

    /// The path of its field, as the server writes it.
    fn id(&self) -> String {
        let names: Vec<&str> = self.path.iter().map(FieldDescriptor::name).collect();
        let before = match self.deed {
            Deed::Fill | Deed::Set | Deed::Add => "",
            Deed::Clear => "clear:",
            Deed::Remove => "remove:",
        };
        before.to_owned() + &names.join(".")
    }

    /// What is typed for it, and what undoes that. `placed`: whether an argument before has a place
    /// already; the first id that is required has one, since it names what the command is about.
    fn words(&self, placed: bool, is_required: bool) -> (String, String) {
        let field = self.field();
        let listed = words::of_field(field);
        let word = match listed {
            Some((word, _)) => word.to_owned(),
            None if self.is_thing() => format!("{}_ID", self.path[0].name().to_uppercase()),
            None if !is_required || placed || !field.name().ends_with("_id") => {
                words::option(field)
            }
            None if is_person(field) => "STEAM_ID".to_owned(),
            None => field.name().to_uppercase(),
        };
        let no = if is_changed_in_part(field) { "remove" } else { "no" };
        let undo = listed.and_then(|(_, undo)| undo).map(str::to_owned);
        let undo = undo.unwrap_or_else(|| format!("{no}-{word}"));
        (word, undo)
    }

    fn argument(&self, placed: bool, taken: &mut HashSet<String>) -> Arg {
        let field = self.field();
        let docs = comment_of_field(field);
        let is_required = match self.is_thing() {
            true => !is_organization(field),
            false => docs.starts_with("Required.") && !self.is_edit(),
        };
        let (mut word, undo) = self.words(placed, is_required);
        let argument = Arg::new(self.id()).required(is_required);
        let argument = match self.deed {
            Deed::Clear => {
                let set = self.id().replace("clear:", "");
                argument.help(format!("Unset what --{word} sets")).conflicts_with(set)
            }
            Deed::Remove => argument.help(format!("Take out what --{word} puts in")),
            Deed::Fill | Deed::Set | Deed::Add => self.explained(argument, &docs),
        };
        let many = field.is_list() || field.is_map();
        let signed = matches!(field.kind(), Kind::Int32 | Kind::Int64 | Kind::Float | Kind::Double);
        let argument = match self.is_switch() {
            true => argument.action(ArgAction::SetTrue),
            false => argument
                .action(if many { ArgAction::Append } else { ArgAction::Set })
                .value_parser(Reader { field: field.clone(), key: self.deed == Deed::Remove })
                .value_name(self.value_name(&word))
                // They are a table in astro-sdk/CONTRACT.md; the completion has them too.
                .hide_possible_values(is_event_type(field))
                .allow_negative_numbers(signed),
        };
        if is_placed(&word) {
            return argument;
        }
        if matches!(self.deed, Deed::Clear | Deed::Remove) {
            return argument.long(undo);
        }
        // A list without page tokens has its limit by a field.
        while !taken.insert(word.clone()) && field.name() != "page_size" {
            word = format!("set-{word}");
        }
        // Names have commas of their own.
        let separated = field.is_list() && !field.name().ends_with("names");
        argument.long(word).value_delimiter(separated.then_some(','))
    }

    /// With the first sentence of the field's comment, and the whole of it.
    fn explained(&self, argument: Arg, docs: &str) -> Arg {
        let field = self.field();
        let mut docs = docs.trim_start_matches("Required. ").replace("SteamID64", "SteamID");
        if is_organization(field) {
            docs =
                "Organisation, by its id or its short name; left out, that of --org or of the key"
                    .to_owned();
        } else if self.is_thing() {
            docs = "Id".to_owned();
        }
        let short = sentence(&docs).to_owned();
        if is_person(field) {
            docs += " In any form: 7656119…, STEAM_0:…, [U:1:…] or the address of a profile.";
        }
        if field.is_list() || field.is_map() {
            docs += " May be given several times.";
        }
        argument.help(short).long_help(docs)
    }

    /// What stands for the value in the help.
    fn value_name(&self, word: &str) -> String {
        let field = self.field();
        let kind = field.kind();
        let ends = |ends: &[&str]| ends.iter().any(|end| field.name().ends_with(end));
        let name = match kind.as_message().map(MessageDescriptor::name) {
            Some("Timestamp") => "TIME",
            Some("Duration") => "DURATION",
            Some("Money") => "MONEY",
            Some(_) if field.is_map() && self.deed == Deed::Remove => "KEY",
            Some(_) if field.is_map() => "KEY=VALUE",
            Some(_) => "JSON",
            None if is_placed(word) => word,
            None if is_person(field) => "STEAM_ID",
            None if kind == Kind::Bool => "BOOL",
            None if ends(&["_token"]) => "TOKEN",
            None if ends(&["_seconds"]) => "SECONDS",
            None if ends(&["_cents"]) => "CENTS",
            None if ends(&["_id", "_ids"]) => &format!("{}-id", word.trim_end_matches("-id")),
            None if matches!(kind, Kind::Int32 | Kind::Uint32 | Kind::Int64) => "N",
            None => word,
        };
        name.to_uppercase().replace('-', "_")
    }

    /// What was typed for it, if anything was.
    fn given(&self, matches: &ArgMatches) -> Option<Value> {
        let id = &self.id();
        if self.is_switch() {
            return matches.get_flag(id).then_some(Value::Bool(true));
        }
        let mut values = matches.get_many::<Value>(id)?.cloned();
        if self.field().is_map() && self.deed != Deed::Remove {
            let pairs = values.filter_map(|value| Some(value.as_map()?.clone())).flatten();
            return Some(Value::Map(pairs.collect()));
        }
        match self.field().is_list() || self.deed == Deed::Remove {
            true => Some(Value::List(values.collect())),
            false => values.next(),
        }
    }

    fn apply(&self, value: Value, request: &mut DynamicMessage) {
        let (field, before) = self.path.split_last().expect("a path names a field");
        let mut message = request;
        for step in before {
            message = inner(message, step);
        }
        match (self.deed, value) {
            (Deed::Clear, _) => message.clear_field(field),
            (Deed::Fill | Deed::Set, value) => message.set_field(field, value),
            (Deed::Add | Deed::Remove, value) => {
                change_in_part(message.get_field_mut(field), value, self.deed == Deed::Add);
            }
        }
    }

    /// Whether it needs the rest of what it changes, which is replaced whole.
    fn is_part(&self) -> bool {
        self.path.len() > 2 || matches!(self.deed, Deed::Add | Deed::Remove)
    }
}

/// The message in this field, made if there is none.
pub(crate) fn inner<'a>(
    message: &'a mut DynamicMessage,
    field: &FieldDescriptor,
) -> &'a mut DynamicMessage {
    message.get_field_mut(field).as_message_mut().expect("the caller passes a message's field")
}

/// Adds values to a list or a map, or takes them out.
fn change_in_part(field: &mut Value, values: Value, adds: bool) {
    match (field, values) {
        (Value::Map(map), Value::Map(pairs)) => map.extend(pairs),
        (Value::Map(map), Value::List(keys)) => {
            let keys: Vec<MapKey> = keys.into_iter().filter_map(Value::into_map_key).collect();
            map.retain(|key, _| !keys.contains(key));
        }
        (Value::List(list), Value::List(mut values)) if adds => {
            values.retain(|value| !list.contains(value));
            list.extend(values);
        }
        (Value::List(list), Value::List(values)) => list.retain(|value| !values.contains(value)),
        (_, _) => {}
    }
}

/// The request that the arguments describe, without what an update changes.
pub(crate) fn fill(
    flags: &[Flag],
    method: &MethodDescriptor,
    matches: &ArgMatches,
) -> DynamicMessage {
    let mut request = DynamicMessage::new(method.input());
    for flag in flags.iter().filter(|flag| !flag.is_edit()) {
        if let Some(value) = flag.given(matches) {
            flag.apply(value, &mut request);
        }
    }
    request
}

/// Whether the arguments change something in part, so that the rest must be known.
pub(crate) fn needs_before(flags: &[Flag], matches: &ArgMatches) -> bool {
    flags.iter().any(|flag| flag.is_edit() && flag.is_part() && flag.given(matches).is_some())
}

/// Makes the changes of an update, over what was `before`, and names them in its mask.
pub(crate) fn change(
    flags: &[Flag],
    matches: &ArgMatches,
    before: Option<&DynamicMessage>,
    request: &mut DynamicMessage,
) {
    let Some((thing, mask)) = edited(&request.descriptor()) else { return };
    let mut paths = Vec::new();
    for flag in flags.iter().filter(|flag| flag.is_edit()) {
        let Some(value) = flag.given(matches) else { continue };
        let field = &flag.path[1];
        let path = Value::String(field.name().to_owned());
        if !paths.contains(&path) {
            paths.push(path);
            if let Some(before) = before.filter(|_| flag.is_part()) {
                inner(request, &thing).set_field(field, before.get_field(field).into_owned());
            }
        }
        flag.apply(value, request);
    }
    inner(request, &mask).set_field_by_name("paths", Value::List(paths));
}

/// Reads what is typed for a field.
#[derive(Clone)]
struct Reader {
    field: FieldDescriptor,
    /// Only the key, if the field is a map.
    key: bool,
}

impl TypedValueParser for Reader {
    type Value = Value;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Value, clap::Error> {
        if is_event_type(&self.field) {
            return values::event_types().parse_ref(command, argument, value).map(Value::String);
        }
        let Self { field, key } = self.clone();
        let read = move |text: &str| match field.kind().as_message().filter(|_| key) {
            Some(entry) if field.is_map() => {
                values::scalar(&entry.map_entry_key_field().kind(), text)
            }
            _ => values::read(&field, text),
        };
        TypedValueParser::parse_ref(&read, command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        if is_event_type(&self.field) {
            return Some(Box::new(
                values::event_types().possible_values()?.collect::<Vec<_>>().into_iter(),
            ));
        }
        let kind = self.field.kind();
        let values = values::names(kind.as_enum()?).into_iter();
        let shown =
            values.map(|(name, docs)| PossibleValue::new(name).help(sentence(&docs).to_owned()));
        Some(Box::new(shown))
    }
}
