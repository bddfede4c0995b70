//! An archive whose bytes follow from what is in it.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};

use anyhow::Context;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// Files by their paths, which are written in the order of their names.
#[derive(Debug, Default)]
pub(super) struct Archive {
    files: BTreeMap<String, Vec<u8>>,
}

impl Archive {
    pub(super) fn add(&mut self, path: &str, bytes: Vec<u8>) {
        self.files.insert(path.to_owned(), bytes);
    }

    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// The archive itself. Times and permissions are the same everywhere.
    ///
    /// # Errors
    /// When a file has a name that archives cannot have.
    pub(super) fn bytes(&self) -> anyhow::Result<Vec<u8>> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .unix_permissions(0o644);
        for (path, bytes) in &self.files {
            writer.start_file(path.as_str(), options).with_context(|| path.clone())?;
            writer.write_all(bytes)?;
        }
        Ok(writer.finish()?.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::Archive;

    #[test]
    fn the_order_of_adding_leaves_no_trace() {
        let bytes = |order: [&str; 2]| {
            let mut archive = Archive::default();
            for name in order {
                archive.add(name, name.as_bytes().to_vec());
            }
            archive.bytes().unwrap_or_default()
        };
        assert!(!bytes(["a", "b/c"]).is_empty());
        assert_eq!(bytes(["a", "b/c"]), bytes(["b/c", "a"]));
    }
}
