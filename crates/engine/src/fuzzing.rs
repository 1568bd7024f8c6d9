//! Internals of this crate for the fuzz targets; compiled only for them.

use std::path::Path;

use wilco_connection::{Address, EnabledDialect, Proxy};
pub use wilco_mqtt::fuzzing::{broker, proxy};
pub use wilco_store::fuzzing::{stored_bytes, stored_fact};

use crate::{approval, catalogue, device_file, evidence_file, fleet::Search, import_export, ipc, traffic::TopicFilter};

/// Reads a CSV file of devices to its end.
pub fn device_file(path: &Path) {
    let Ok(mut lines) = device_file::Lines::open(path) else { return };
    let columns = lines.columns().len();
    assert!(columns > 0);
    while let Some(line) = lines.next() {
        if let Err(wrong) = line {
            assert!(wrong.message.ends_with('.'), "{}", wrong.message);
        }
    }
    let (read, total) = lines.progress();
    assert!(read <= total);
}

/// Reads a list of devices.
pub fn device_list(text: &str) {
    if let Some(Err(wrong)) = device_file::device_column(text) {
        assert!(!wrong.is_empty());
    }
}

/// Reads exported connections.
pub fn exported_connections(path: &Path) {
    let _ = import_export::read(path, None);
}

/// Reads an exported catalogue of commands.
pub fn exported_catalogue(path: &Path) {
    let _ = catalogue::file::read(path);
}

/// Reads files that another installation has signed, or claims to have signed.
pub fn signed_files(path: &Path) {
    let _ = evidence_file::read(path);
    approval::read_any(path);
}

/// Reads a line from the local socket, as the engine and as the command line.
pub fn local_socket(line: &str) {
    ipc::read_line(line);
}

/// Reads an address of a broker and of a proxy.
pub fn addresses(text: &str) {
    if let Ok(address) = Address::parse(text) {
        assert!(!address.url().is_empty());
    }
    if let Ok(proxy) = Proxy::parse(text) {
        assert!(!proxy.url().is_empty());
    }
}

/// Reads a dialect with its settings, and a topic filter.
pub fn dialect_and_filter(text: &str) {
    let _ = text.parse::<EnabledDialect>();
    let _ = TopicFilter::parse(text);
}

/// Parses a search for devices, and parses its canonical form again.
pub fn search(text: &str) {
    match Search::read(text) {
        Ok(search) => {
            let written = search.to_string();
            let again = Search::read(&written).map(|search| search.to_string());
            assert_eq!(again.ok(), Some(written));
        }
        Err(failure) => assert!(failure.hint.is_some(), "{failure:?}"),
    }
}
