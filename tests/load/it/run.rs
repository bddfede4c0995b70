//! The program as people run it: a small measurement of a real server, against a real ceiling.

use std::process::Command;

use serde_json::Value;

#[test]
fn a_read_and_a_write_are_measured_against_their_ceilings() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("found.json");
    let output = Command::new(env!("CARGO_BIN_EXE_astro-load"))
        .args(["get-item", "create", "--items", "50", "--seconds", "0.3", "--json"])
        .arg(&file)
        .arg("--database-url")
        .arg(format!("sqlite://{}", folder.path().join("astro.db").display()))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let report: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!(report["failures"], Value::Array(Vec::new()), "{said}");
    let rows = report["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 3, "{said}");
    for row in rows {
        assert!(row["rate"].as_f64().unwrap() > 0.0, "{row}");
        assert!(row["latency_ms"][2].as_f64().unwrap() > 0.0, "{row}");
        assert!(row["peak_memory_bytes"].as_u64().unwrap() > 1 << 20, "{row}");
        assert!(row["ceiling"]["ratio"].as_f64().unwrap() > 0.0, "{row}");
    }
    let table = String::from_utf8_lossy(&output.stdout);
    assert!(table.contains("## get-item") && table.contains("the bare database"), "{table}");
}

#[test]
fn a_scenario_that_is_not_there_is_told_with_where_to_look() {
    let output = Command::new(env!("CARGO_BIN_EXE_astro-load")).arg("get-itme").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("astro-load list"), "{said}");
}
