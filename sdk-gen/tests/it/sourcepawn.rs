//! What the SourcePawn files say, and that they are SourcePawn.

use std::collections::HashSet;
use std::path::Path;

use crate::contract::Contract;

const INCLUDE: &str = "astro-sdk/sourcemod/scripting/include/astro";
/// What a game server gets of things, whole.
const THINGS: &str = include_str!("sourcepawn/thing.inc");

/// The small contract, in which a client's key may do something with things.
fn contract() -> Contract {
    let contract = Contract::new();
    contract.edit("thing_service.proto", "things.read", "items.read");
    contract.edit("thing_service.proto", "things.write", "items.write");
    contract.edit(
        "thing_service.proto",
        "  // Idempotency key.\n",
        "  // Name, at most 40 characters.\n  string name = 2;\n  // Owners.\n  repeated uint64 \
         owners = 3;\n  // Idempotency key.\n",
    );
    contract
}

fn things(contract: &Contract) -> String {
    sdk_gen::generate(contract.root()).unwrap();
    contract.get(&format!("{INCLUDE}/types/thing.inc"))
}

#[track_caller]
fn complaint(contract: &Contract) -> String {
    format!("{:#}", sdk_gen::generate(contract.root()).unwrap_err())
}

/// Where a text is no SourcePawn: lines.
fn faults(text: &str) -> Vec<String> {
    let mut parser = tree_sitter::Parser::new();
    parser.set_language(&tree_sitter_sourcepawn::language()).unwrap();
    let tree = parser.parse(text, None).unwrap();
    let mut faults = Vec::new();
    let mut nodes = vec![tree.root_node()];
    while let Some(node) = nodes.pop() {
        if node.is_error() || node.is_missing() {
            let row = node.start_position().row;
            faults.push(format!("{}: {}", row + 1, text.lines().nth(row).unwrap_or_default()));
        } else if node.has_error() {
            let mut cursor = node.walk();
            nodes.extend(node.children(&mut cursor));
        }
    }
    faults
}

#[test]
fn sourcepawn_has_messages_and_requests_as_the_contract_says() {
    let found = things(&contract());
    assert!(found == THINGS, "it differs from tests/it/sourcepawn/thing.inc:\n{found}");
}

#[test]
fn a_new_rpc_gets_into_sourcepawn_by_generating_alone() {
    let contract = contract();
    contract.put("proto/astro/v1/gadget_service.proto", crate::languages::REST);
    let before = contract.path(&format!("{INCLUDE}/types/gadget.inc"));
    assert!(!before.exists());
    sdk_gen::generate(contract.root()).unwrap();
    assert!(
        contract.get(&format!("{INCLUDE}/types.inc")).contains("#include <astro/types/gadget>")
    );
    let gadgets = contract.get(&format!("{INCLUDE}/types/gadget.inc"));
    for name in ["enum struct AstroGadget\n", " Astro_Req_WindGadget(", " Astro_Req_ListGadgets("] {
        assert!(gadgets.contains(name), "no {name} in:\n{gadgets}");
    }
}

#[test]
fn what_no_clients_key_may_call_and_what_streams_is_left_out() {
    let text = things(&contract());
    assert!(text.contains("Astro_Req_ChangeThing("), "{text}");
    assert!(!text.contains("WatchThings"), "{text}");
    let contract = contract();
    contract.edit("thing_service.proto", "items.write", "keys.write");
    let text = things(&contract);
    assert!(!text.contains("ChangeThing"), "{text}");
    assert!(text.contains("Astro_Req_ListThings("), "{text}");
}

#[test]
fn a_message_that_would_not_fit_on_a_plugins_stack_is_named() {
    let contract = contract();
    let field = "  // Token.\n  string next_page_token = 1;\n";
    let many: String =
        (10..50).map(|n| format!("  // Text.\n  string text_{n} = {n};\n")).collect();
    contract.edit("thing_service.proto", field, &format!("{field}{many}"));
    let told = complaint(&contract);
    assert!(told.contains("astro.v1.ListThingsResponse takes"), "{told}");
}

#[test]
fn a_message_that_has_itself_inside_is_named() {
    let contract = contract();
    let field = "  // Token.\n  string next_page_token = 1;\n";
    let more = "  // Itself.\n  repeated ListThingsResponse next = 2;\n";
    contract.edit("thing_service.proto", field, &format!("{field}{more}"));
    let told = complaint(&contract);
    assert!(told.contains("astro.v1.ListThingsResponse has itself inside"), "{told}");
}

#[test]
fn words_of_the_language_and_ends_of_comments_are_no_trouble() {
    let contract = contract();
    contract.edit(
        "thing_service.proto",
        "  // Size.\n  int32 page_size = 1;\n",
        "  // Size */ and more.\n  int32 page_size = 1;\n  // Which.\n  string default = 4;\n  // \
         Part of the name.\n  string text = 5;\n",
    );
    let text = things(&contract);
    assert!(text.contains("/** Size * / and more. */"), "{text}");
    assert!(text.contains("char default_[128];"), "{text}");
    assert!(text.contains("AppendQueryParam(\"default\", \"%s\", request.default_);"), "{text}");
    assert_eq!(faults(&text), [] as [&str; 0]);
}

#[test]
fn the_contracts_descriptors_are_told_by_their_hash() {
    let contract = contract();
    let hash = |contract: &Contract| {
        sdk_gen::generate(contract.root()).unwrap();
        let text = contract.get(&format!("{INCLUDE}/types.inc"));
        let line = text.lines().find(|line| line.starts_with("#define ASTRO_CONTRACT ")).unwrap();
        line.to_owned()
    };
    let before = hash(&contract);
    assert_eq!(before.len(), "#define ASTRO_CONTRACT ".len() + 66, "{before}");
    assert_eq!(hash(&contract), before);
    contract.edit("thing_service.proto", "string name = 2", "string title = 2");
    assert_ne!(hash(&contract), before);
}

#[test]
fn every_file_of_the_kit_is_sourcepawn() {
    let root = sdk_gen::find_root(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let mut files = sdk_gen::sourcemod::files(&root.join(sdk_gen::sourcemod::SCRIPTING)).unwrap();
    files.extend(sdk_gen::sourcemod::files(&root.join(sdk_gen::sourcemod::STUBS)).unwrap());
    assert!(files.len() > 10, "{files:?}");
    let mut found = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        found.extend(faults(&text).into_iter().map(|fault| format!("{}:{fault}", file.display())));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert_ne!(faults("int y = ;"), [] as [&str; 0], "the parser finds faults");
}

#[test]
fn names_are_told_apart_by_the_letters_that_the_compiler_looks_at() {
    let root = sdk_gen::find_root(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let mut names = HashSet::new();
    for file in sdk_gen::sourcemod::files(&root.join(INCLUDE)).unwrap() {
        let text = std::fs::read_to_string(&file).unwrap();
        // Declarations begin a line; fields of different structs may have one name.
        for line in text.lines().filter(|line| !line.starts_with(['\t', ' ', '/'])) {
            let mut words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let name = match words.next() {
                Some("stock") => words.nth(1),
                Some("enum") => words.find(|word| *word != "struct"),
                _ => continue,
            };
            let name = name.unwrap().to_owned();
            assert!(name.len() <= 63, "{name}");
            assert!(names.insert(name.clone()), "{name} is there twice");
        }
    }
    assert!(names.len() > 200, "{names:?}");
}
