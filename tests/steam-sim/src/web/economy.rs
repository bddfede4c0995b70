//! `ISteamEconomy`: descriptions by class, in the oldest of Steam's three forms for them.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::api_account;
use crate::core::Core;
use crate::http::{Call, Reply};
use crate::world::class::{Class, ClassKey};

/// Steam answers for no more classes at once.
const CLASSES_MAX: usize = 100;

/// `GetAssetClassInfo`.
pub(super) fn class_info(core: &Core, call: &Call) -> Reply {
    if let Err(reply) = api_account(core, call) {
        return *reply;
    }
    let app = call.number("appid").unwrap_or(0);
    let count = call.number("class_count").unwrap_or(0).min(CLASSES_MAX);
    let keys = (0..count).filter_map(|index| {
        let class_id = call.number(&format!("classid{index}"))?;
        let instance_id = call.number(&format!("instanceid{index}")).unwrap_or(0);
        Some(ClassKey { app, class_id, instance_id })
    });
    core.read(|world| {
        let classes = keys.filter_map(|key| world.books.class(key));
        let mut result: Map<_, _> = classes.map(entry).collect();
        result.insert("success".to_owned(), true.into());
        Reply::json(StatusCode::OK, &json!({ "result": result }))
    })
}

fn entry(class: &Class) -> (String, Value) {
    let ClassKey { class_id, instance_id, .. } = class.key;
    let name =
        if instance_id == 0 { class_id.to_string() } else { format!("{class_id}_{instance_id}") };
    let mut fields = class.fields.clone();
    if let Some(tags) = fields.get_mut("tags").and_then(Value::as_array_mut) {
        tags.iter_mut().for_each(rename_tag);
    }
    let fields: Map<_, _> =
        fields.into_iter().map(|(name, value)| (name, old_form(value))).collect();
    (name, Value::Object(fields))
}

/// Tags have other names for two fields here.
fn rename_tag(tag: &mut Value) {
    let Some(tag) = tag.as_object_mut() else { return };
    for (new, old) in [("localized_category_name", "category_name"), ("localized_tag_name", "name")]
    {
        if let Some(value) = tag.remove(new) {
            tag.insert(old.to_owned(), value);
        }
    }
}

/// Numbers and flags are strings here, lists are objects by index, and empty lists are `""`.
fn old_form(value: Value) -> Value {
    match value {
        Value::Bool(flag) => Value::String(u8::from(flag).to_string()),
        Value::Number(number) => Value::String(number.to_string()),
        Value::Array(list) if list.is_empty() => Value::String(String::new()),
        Value::Array(list) => {
            let entries = list.into_iter().enumerate();
            entries.map(|(index, entry)| (index.to_string(), old_form(entry))).collect()
        }
        Value::Object(fields) => {
            fields.into_iter().map(|(name, field)| (name, old_form(field))).collect()
        }
        other @ (Value::Null | Value::String(_)) => other,
    }
}
