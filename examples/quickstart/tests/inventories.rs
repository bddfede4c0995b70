//! The first command, with an inventory that somebody saved from Steam.

use std::process::Command;

/// One document of Steam's `/inventory`: a hat with a name of its own, and a stack, which is no prize.
const INVENTORY: &str = r#"{
    "assets": [
        {"appid": 440, "contextid": "2", "assetid": "9100", "classid": "7", "instanceid": "1",
         "amount": "1"},
        {"appid": 440, "contextid": "2", "assetid": "9200", "classid": "8", "instanceid": "0",
         "amount": "40"}
    ],
    "descriptions": [
        {"appid": 440, "classid": "7", "instanceid": "1", "tradable": 1, "marketable": 1,
         "name": "''Grandfather's hat''", "market_hash_name": "Team Captain",
         "market_name": "Team Captain", "type": "Hat"},
        {"appid": 440, "classid": "8", "instanceid": "0", "tradable": 1, "marketable": 1,
         "name": "Wood", "market_hash_name": "Wood", "market_name": "Wood", "type": "Resource"}
    ],
    "total_inventory_count": 2, "success": 1
}"#;

#[test]
fn a_renamed_item_of_a_saved_inventory_is_seen_to_arrive() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("inventory.json");
    std::fs::write(&file, INVENTORY).unwrap();
    let ran = Command::new(env!("CARGO_BIN_EXE_astro-quickstart"))
        .args(["--once", "--items", "1", "--inventory"])
        .arg(&file)
        .current_dir(folder.path())
        .env_remove("ASTRO_DATABASE_URL")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success(), "{told}{}", String::from_utf8_lossy(&ran.stderr));
    assert!(told.contains("delivered 1 of 1 items"), "{told}");
    assert!(!told.contains("PROBLEM"), "{told}");
}
