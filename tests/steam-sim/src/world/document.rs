//! Reads inventories which were saved from Steam's `/inventory` endpoint.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::books::{Asset, AssetKey, Books, Origin};
use super::class::{Class, ClassKey, ClassRef};
use crate::ids::{AssetId, SteamId, number};

/// The six fields every asset has; others are kept as they are.
#[derive(Deserialize)]
struct AssetFields {
    #[serde(flatten)]
    class: ClassRef,
    #[serde(rename = "contextid", deserialize_with = "number")]
    context: u64,
    #[serde(rename = "assetid")]
    id: AssetId,
    #[serde(default = "one", deserialize_with = "number")]
    amount: u64,
}

fn one() -> u64 {
    1
}

const ASSET_FIELDS: [&str; 6] =
    ["appid", "contextid", "assetid", "classid", "instanceid", "amount"];

/// A document, parsed and joined, which no inventory has taken in yet.
pub(crate) struct Document {
    assets: Vec<Asset>,
    classes: HashMap<ClassKey, Class>,
}

impl Document {
    /// Parses one document, or a JSON array of the pages of one inventory. Assets which overlapping
    /// pages repeat are taken once.
    ///
    /// # Errors
    /// What is wrong and where: the page, the entry's number in it and the field.
    pub(crate) fn parse(json: &[u8], owner: SteamId) -> anyhow::Result<Self> {
        let value: Value = serde_json::from_slice(json).context("not a JSON document")?;
        let mut pages = match value {
            Value::Array(pages) => pages,
            page @ (Value::Object(_)
            | Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)) => vec![page],
        };
        let mut classes = HashMap::new();
        let mut properties = HashMap::new();
        for (index, page) in pages.iter_mut().enumerate() {
            let place = format!("page {}", index + 1);
            check_page(page).context(place.clone())?;
            read_classes(page, &mut classes).context(place.clone())?;
            read_properties(page, &mut properties).context(place)?;
        }
        let mut assets: HashMap<AssetKey, Asset> = HashMap::new();
        let mut order = Vec::new();
        for (index, page) in pages.iter_mut().enumerate() {
            for (number, entry) in take_list(page, "assets")?.into_iter().enumerate() {
                let place = || format!("page {}, assets[{number}]", index + 1);
                let asset = read_asset(entry, owner, &classes).with_context(place)?;
                let properties = properties.remove(&asset.key);
                order.push(asset.key);
                assets.entry(asset.key).or_insert(Asset { properties, ..asset });
            }
        }
        let assets = order.into_iter().filter_map(|key| assets.remove(&key)).collect();
        Ok(Self { assets, classes })
    }

    /// Puts the document's assets behind those the account has; ones it has already are left alone.
    ///
    /// # Errors
    /// When another account holds one of the assets: then nothing was changed.
    pub(crate) fn load_into(self, books: &mut Books) -> anyhow::Result<usize> {
        for asset in &self.assets {
            if let Some(held) = books.asset(asset.key) {
                ensure!(
                    held.owner == asset.owner,
                    "asset {} of app {} already lies in the inventory of {}",
                    asset.key.id,
                    asset.key.app,
                    held.owner
                );
            }
        }
        for (key, class) in self.classes {
            books.classes.entry(key).or_insert_with(|| Arc::new(class));
        }
        let mut loaded = 0;
        for asset in self.assets {
            if books.asset(asset.key).is_none() {
                asset.key.id.skip_past();
                books.mint(asset);
                loaded += 1;
            }
        }
        Ok(loaded)
    }
}

fn check_page(page: &Value) -> anyhow::Result<()> {
    if page.is_null() {
        bail!("`null` is what Steam answers for a private inventory; there is nothing to load");
    }
    ensure!(page.is_object(), "expected an object with `assets` and `descriptions`");
    let success = page.get("success").context("the field `success` is missing")?;
    ensure!(
        success == &Value::from(1) || success == &Value::Bool(true),
        "`success` is {success}: Steam did not answer with an inventory"
    );
    Ok(())
}

fn take_list(page: &mut Value, field: &str) -> anyhow::Result<Vec<Value>> {
    match page.get_mut(field).map(Value::take) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(list)) => Ok(list),
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
            bail!("`{field}` is not a list")
        }
    }
}

fn read_classes(page: &mut Value, into: &mut HashMap<ClassKey, Class>) -> anyhow::Result<()> {
    for (number, entry) in take_list(page, "descriptions")?.into_iter().enumerate() {
        let place = || format!("descriptions[{number}]");
        let key = ClassRef::deserialize(&entry).with_context(place)?.key().with_context(place)?;
        if let Value::Object(fields) = entry {
            into.entry(key).or_insert_with(|| Class::new(key, fields));
        }
    }
    Ok(())
}

#[derive(Deserialize)]
struct PropertiesOf {
    #[serde(rename = "appid")]
    app: u32,
    #[serde(rename = "assetid")]
    id: AssetId,
}

fn read_properties(page: &mut Value, into: &mut HashMap<AssetKey, Value>) -> anyhow::Result<()> {
    for (number, entry) in take_list(page, "asset_properties")?.into_iter().enumerate() {
        let of = PropertiesOf::deserialize(&entry)
            .with_context(|| format!("asset_properties[{number}]"))?;
        into.insert(AssetKey { app: of.app, id: of.id }, entry);
    }
    Ok(())
}

fn read_asset(
    entry: Value,
    owner: SteamId,
    classes: &HashMap<ClassKey, Class>,
) -> anyhow::Result<Asset> {
    let fields = AssetFields::deserialize(&entry)?;
    let class = fields.class.key()?;
    let ClassKey { app, class_id, instance_id } = class;
    ensure!(fields.amount > 0, "asset {} has the amount 0", fields.id);
    ensure!(
        classes.contains_key(&class),
        "asset {} has no description: none has appid {app}, classid {class_id} and instanceid \
         {instance_id}",
        fields.id
    );
    let mut extra = match entry {
        Value::Object(extra) => extra,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    };
    extra.retain(|name, _| !ASSET_FIELDS.contains(&name.as_str()));
    Ok(Asset {
        key: AssetKey { app, id: fields.id },
        context: fields.context,
        owner,
        amount: fields.amount,
        class,
        origin: Origin::Loaded,
        history: Vec::new(),
        protected_until: None,
        extra,
        properties: None,
        position: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: SteamId = SteamId(76_561_197_961_265_729);

    fn page(assets: &str) -> String {
        format!(
            r#"{{"assets":[{assets}],"descriptions":[{{"appid":440,"classid":"7",
            "instanceid":"0","tradable":0,"market_hash_name":"Key","odd":[1]}}],
            "total_inventory_count":2,"success":1,"rwgrsn":-2}}"#
        )
    }

    fn asset(id: u64) -> String {
        format!(
            r#"{{"appid":440,"contextid":"2","assetid":"{id}","classid":"7","instanceid":"0",
            "amount":"3"}}"#
        )
    }

    #[track_caller]
    fn refuses(json: &str, said: &str) {
        let error = Document::parse(json.as_bytes(), OWNER).err().expect("an error");
        let text = format!("{error:#}");
        assert!(text.contains(said), "{text:?} does not say {said:?}");
    }

    #[test]
    fn overlapping_pages_are_joined_and_every_description_field_is_kept() {
        let pages = format!(
            "[{},{}]",
            page(&[asset(5), asset(4)].join(",")),
            page(&[asset(4), asset(3)].join(","))
        );
        let mut books = Books::default();
        let document = Document::parse(pages.as_bytes(), OWNER).unwrap();
        assert_eq!(document.load_into(&mut books).unwrap(), 3);
        let ids: Vec<_> = books.assets_of(OWNER).iter().map(|asset| asset.key.id.0).collect();
        assert_eq!(ids, [5, 4, 3], "in the order of the document");
        let first = books.assets_of(OWNER)[0].clone();
        assert_eq!(first.amount, 3);
        let class = books.class(first.class).unwrap();
        assert!(!class.tradable());
        assert_eq!(class.fields["odd"], serde_json::json!([1]));
        assert_eq!(books.audit(), Vec::<String>::new());
    }

    #[test]
    fn a_malformed_document_is_refused_with_the_place_and_the_reason() {
        refuses("{\"assets\": [", "EOF");
        refuses("null", "private");
        refuses("{\"success\":1,\"assets\":{}}", "`assets` is not a list");
        refuses("{\"success\":8}", "`success` is 8");
        refuses("{\"assets\":[]}", "`success` is missing");
        refuses(&page(&asset(5).replace("\"7\"", "\"8\"")), "asset 5 has no description");
        refuses(&page(&asset(5).replace("assetid", "asset")), "missing field `assetid`");
        refuses(&page(&asset(5).replace("\"2\"", "\"two\"")), "page 1, assets[0]");
    }

    #[test]
    fn an_asset_of_somebody_else_is_refused_and_nothing_is_loaded() {
        let mut books = Books::default();
        let json = page(&asset(5));
        Document::parse(json.as_bytes(), OWNER).unwrap().load_into(&mut books).unwrap();
        let other = SteamId(OWNER.0 + 1);
        let both = page(&[asset(6), asset(5)].join(","));
        let document = Document::parse(both.as_bytes(), other).unwrap();
        assert!(document.load_into(&mut books).unwrap_err().to_string().contains("asset 5"));
        assert!(books.assets_of(other).is_empty());
    }
}
