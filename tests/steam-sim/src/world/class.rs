//! What an asset looks like: the descriptions which Steam keeps apart from the assets.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::ids::number;

/// The key by which an asset finds its description.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize)]
pub struct ClassKey {
    /// The game, such as 440.
    pub app: u32,
    /// Steam's `classid`.
    pub class_id: u64,
    /// Steam's `instanceid`, 0 when the document has none.
    pub instance_id: u64,
}

/// A description, with every field it was loaded with.
#[derive(Clone, Debug)]
pub struct Class {
    /// The key assets refer to it by.
    pub key: ClassKey,
    /// The fields as `/inventory` serves them.
    pub fields: Map<String, Value>,
    /// `fields` as JSON, made once: an inventory of 100,000 assets is served from these texts.
    pub(crate) text: String,
}

/// What to make with `give_items`: a name, and anything else a description should say.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ItemSpec {
    /// `market_hash_name`, `market_name` and `name`.
    pub market_hash_name: String,
    /// Whether it may be traded. Default: true.
    #[serde(default = "yes")]
    pub tradable: bool,
    /// The description's `type`, such as `Level 5 Tool`.
    #[serde(default, rename = "type")]
    pub kind: String,
    /// How many units the asset is, at least 1. Default: 1.
    #[serde(default = "one")]
    pub amount: u64,
    /// Further description fields, such as `tags` or `icon_url`; they win over the made ones.
    #[serde(default)]
    pub fields: Map<String, Value>,
}

fn yes() -> bool {
    true
}

fn one() -> u64 {
    1
}

impl ItemSpec {
    /// A tradable item of this name.
    pub fn named(market_hash_name: impl Into<String>) -> Self {
        Self {
            market_hash_name: market_hash_name.into(),
            tradable: true,
            kind: String::new(),
            amount: 1,
            fields: Map::new(),
        }
    }

    /// A stack of so many units, at least 1.
    pub fn stack_of(self, amount: u64) -> Self {
        Self { amount: amount.max(1), ..self }
    }

    /// The same item with a name of its own, as its owner's tag gives it one: in quotes, while the
    /// `market_hash_name` stays.
    pub fn renamed(mut self, name: &str) -> Self {
        self.fields.insert("name".to_owned(), format!("''{name}''").into());
        self
    }

    /// The same item, bound to its owner.
    pub fn untradable(self) -> Self {
        Self { tradable: false, ..self }
    }
}

impl Class {
    pub(crate) fn new(key: ClassKey, fields: Map<String, Value>) -> Self {
        let text = Value::Object(fields.clone()).to_string();
        Self { key, fields, text }
    }

    /// Makes the description of `spec`; equal specs of one app share one class.
    pub(crate) fn of_spec(app: u32, spec: &ItemSpec) -> Self {
        let class_id = small_hash(&[&app.to_string(), &spec.market_hash_name]);
        let extras = Value::Object(spec.fields.clone()).to_string();
        let instance_id = small_hash(&[&spec.tradable.to_string(), &spec.kind, &extras]);
        let key = ClassKey { app, class_id, instance_id };
        let flag = u8::from(spec.tradable);
        let made = json!({
            "appid": app,
            "classid": class_id.to_string(),
            "instanceid": instance_id.to_string(),
            "currency": 0,
            "background_color": "3C352E",
            "icon_url": format!("sim-picture-of-{class_id}"),
            "icon_url_large": format!("sim-picture-of-{class_id}-large"),
            "descriptions": [{"type": "html", "value": "Made by the Steam simulator"}],
            "tradable": flag,
            "name": spec.market_hash_name,
            "name_color": "7D6D00",
            "type": spec.kind,
            "market_name": spec.market_hash_name,
            "market_hash_name": spec.market_hash_name,
            "commodity": 0,
            "market_tradable_restriction": 7,
            "market_marketable_restriction": 0,
            "marketable": flag,
            "sealed": 0,
            "tags": [{
                "category": "Quality", "internal_name": "Unique", "color": "7D6D00",
                "localized_category_name": "Quality", "localized_tag_name": "Unique",
            }],
        });
        let mut fields = Map::new();
        if let Value::Object(made) = made {
            fields.extend(made);
        }
        fields.extend(spec.fields.clone());
        Self::new(key, fields)
    }

    /// Whether assets of this class may be traded.
    pub fn tradable(&self) -> bool {
        self.fields.get("tradable").is_some_and(truthy)
    }

    /// The name the platform knows it by; empty when the document gave none.
    pub fn market_hash_name(&self) -> &str {
        self.fields.get("market_hash_name").and_then(Value::as_str).unwrap_or_default()
    }

    /// The description as `/inventory` serves it while an asset is protected.
    pub(crate) fn protected_text(&self, until: i64) -> String {
        let mut fields = self.fields.clone();
        let note =
            format!("This item is protected and cannot be traded until [date]{until}[/date]");
        for (name, value) in [
            ("tradable", json!(0)),
            ("marketable", json!(0)),
            ("sealed", json!(1)),
            ("sealed_type", json!(0)),
            ("owner_descriptions", json!([{"type": "bbcode", "value": note}])),
        ] {
            fields.insert(name.to_owned(), value);
        }
        Value::Object(fields).to_string()
    }

    /// The form of `IEconService`, where the flags are booleans.
    pub(crate) fn for_offers(&self) -> Value {
        let mut fields = self.fields.clone();
        for flag in ["tradable", "marketable", "commodity"] {
            if let Some(value) = fields.get_mut(flag) {
                *value = Value::Bool(truthy(value));
            }
        }
        Value::Object(fields)
    }
}

/// Steam writes booleans as `true`, `1` and `"1"`.
fn truthy(value: &Value) -> bool {
    match value {
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_u64() != Some(0),
        Value::String(text) => !matches!(text.as_str(), "" | "0" | "false"),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// A stable number of at most ten digits, as class ids have.
fn small_hash(parts: &[&str]) -> u64 {
    let hash = Sha256::digest(parts.join("\u{1f}"));
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash[..8]);
    1 + u64::from_be_bytes(bytes) % 9_999_999_999
}

/// The join key within a saved document's description or asset.
#[derive(Deserialize)]
pub(crate) struct ClassRef {
    #[serde(rename = "appid", deserialize_with = "number")]
    app: u64,
    #[serde(rename = "classid", deserialize_with = "number")]
    class_id: u64,
    #[serde(rename = "instanceid", default, deserialize_with = "number")]
    instance_id: u64,
}

impl ClassRef {
    pub(crate) fn key(&self) -> anyhow::Result<ClassKey> {
        let app = u32::try_from(self.app)
            .map_err(|_| anyhow::anyhow!("appid {} is not an app's number", self.app))?;
        Ok(ClassKey { app, class_id: self.class_id, instance_id: self.instance_id })
    }
}
