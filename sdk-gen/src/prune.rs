//! The contract as clients get it: without the platform's own packages and options.
//!
//! An option or import that a client's toolchain does not know is what most often breaks SDKs made
//! of descriptors, so none is left.

use std::collections::HashSet;

use prost_types::field_options::JsType;
use prost_types::{FileDescriptorProto, FileDescriptorSet};

use crate::model::PUBLIC_PACKAGES;
use crate::schema::Schema;

/// The public packages, then, before them, the files of Google's that they import; comments left
/// out. Each file comes after those that it imports.
pub fn prune(schema: &Schema) -> FileDescriptorSet {
    let mut pruned = prune_with_comments(schema);
    for file in &mut pruned.file {
        file.source_code_info = None;
    }
    pruned
}

/// The same with the comments, for generators of source code.
pub fn prune_with_comments(schema: &Schema) -> FileDescriptorSet {
    let is_public = |file: &FileDescriptorProto| PUBLIC_PACKAGES.contains(&file.package());
    let mut wanted: HashSet<String> = HashSet::new();
    let mut files = Vec::new();
    for file in schema.plain.file.iter().filter(|file| is_public(file)) {
        wanted.insert(file.name().to_owned());
        wanted.extend(file.dependency.iter().filter(|name| is_googles(name)).cloned());
    }
    for file in schema.plain.file.iter().filter(|file| wanted.contains(file.name())) {
        let mut file = file.clone();
        file.dependency.retain(|name| wanted.contains(name));
        // Their numbers are places in the list of imports, which has changed.
        file.public_dependency.clear();
        file.weak_dependency.clear();
        files.push(file);
    }
    FileDescriptorSet { file: files }
}

/// `google/protobuf/descriptor.proto` is for options only.
fn is_googles(name: &str) -> bool {
    name.starts_with("google/protobuf/") && name != "google/protobuf/descriptor.proto"
}

/// Marks every 64-bit number so that JavaScript gets it as a string, which loses nothing.
pub fn long_as_string(set: &mut FileDescriptorSet) {
    use prost_types::field_descriptor_proto::Type;
    const LONG: [Type; 5] =
        [Type::Int64, Type::Uint64, Type::Sint64, Type::Fixed64, Type::Sfixed64];
    let ours = set.file.iter_mut().filter(|file| !file.name().starts_with("google/"));
    let fields =
        ours.flat_map(|file| &mut file.message_type).flat_map(|message| &mut message.field);
    for field in fields.filter(|field| LONG.contains(&field.r#type())) {
        field.options.get_or_insert_default().set_jstype(JsType::JsString);
    }
}
