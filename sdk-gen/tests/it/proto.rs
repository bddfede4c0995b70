//! Descriptors written as `.proto` files.

use std::path::Path;

use prost_types::{FieldOptions, FileDescriptorProto, MethodOptions};
use sdk_gen::prune::prune_with_comments;
use sdk_gen::schema::Schema;

/// All that a file can have, in the form in which it is written.
const WHOLE: &str = include_str!("proto/whole.proto");

/// Compiles a file, which may import Google's.
fn compile(root: &Path, name: &str) -> FileDescriptorProto {
    let mut compiler = protox::Compiler::new([root]).unwrap();
    compiler.include_source_info(true).include_imports(false);
    compiler.open_file(name).unwrap();
    compiler.file_descriptor_set().file.remove(0)
}

/// Compiles this text.
fn compile_text(text: &str) -> FileDescriptorProto {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("whole.proto"), text).unwrap();
    compile(folder.path(), "whole.proto")
}

#[track_caller]
fn complaint(text: &str) -> String {
    format!("{:#}", sdk_gen::proto::text(&compile_text(text)).unwrap_err())
}

#[test]
fn a_file_is_written_as_it_was_read() {
    let file = compile_text(WHOLE);
    pretty_eq(&sdk_gen::proto::text(&file).unwrap(), WHOLE);
}

/// Names the first line that differs.
#[track_caller]
fn pretty_eq(found: &str, wanted: &str) {
    for (at, (found, wanted)) in found.lines().zip(wanted.lines()).enumerate() {
        assert_eq!(found, wanted, "line {}", at + 1);
    }
    assert_eq!(found, wanted);
}

#[test]
fn a_block_comment_becomes_lines() {
    let file = compile_text("syntax = \"proto3\";\n\n/* One.\n * Two. */\nmessage Empty {}\n");
    let text = sdk_gen::proto::text(&file).unwrap();
    assert!(text.ends_with("\n// One.\n// Two. \nmessage Empty {\n}\n"), "{text}");
}

#[test]
fn what_proto3_has_no_words_for_is_refused() {
    let old = complaint("syntax = \"proto2\";\nmessage Old { required string id = 1; }\n");
    assert!(old.starts_with("whole.proto as text: its syntax is"), "{old}");
    let extended = complaint(
        "syntax = \"proto3\";\nimport \"google/protobuf/descriptor.proto\";\n\
         extend google.protobuf.FieldOptions { string unit = 50000; }\n",
    );
    assert!(extended.ends_with("it has extensions"), "{extended}");
}

#[test]
fn the_projects_contract_comes_back_whole() {
    let root = sdk_gen::find_root(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let contract = prune_with_comments(&Schema::load(&root).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let files = || contract.file.iter().filter(|file| file.package() == "astro.v1");
    assert!(files().count() > 5);
    for file in files() {
        let path = folder.path().join(file.name());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, sdk_gen::proto::text(file).unwrap()).unwrap();
    }
    for file in files() {
        let written = compile(folder.path(), file.name());
        let text = |file| sdk_gen::proto::text(file).unwrap();
        pretty_eq(&text(&written), &text(file));
        assert!(bare(written) == bare(file.clone()), "{} has changed", file.name());
    }
}

/// Without comments, and without options that are empty: those are what pruning leaves.
fn bare(mut file: FileDescriptorProto) -> FileDescriptorProto {
    file.source_code_info = None;
    for method in file.service.iter_mut().flat_map(|service| &mut service.method) {
        method.options = method.options.take().filter(|set| *set != MethodOptions::default());
    }
    for field in file.message_type.iter_mut().flat_map(|message| &mut message.field) {
        field.options = field.options.take().filter(|set| *set != FieldOptions::default());
    }
    file
}
