//! The configured catalog: which streams a platform wants, and how. Pure.

use serde::{Deserialize, Deserializer};

use super::message::StreamDescriptor;

/// What `--catalog` holds. Keys that are not named here are the platform's and are ignored.
#[derive(Debug, Clone, Deserialize)]
pub struct ConfiguredCatalog {
    pub streams: Vec<ConfiguredStream>,
}

/// One wanted stream.
#[derive(Debug, Clone, Deserialize)]
pub struct ConfiguredStream {
    pub stream: StreamDescriptor,
    /// Absent means full refresh.
    #[serde(default, deserialize_with = "or_default")]
    pub sync_mode: SyncMode,
    /// What the destination does with the records; the platform's own words, and open to new ones.
    #[serde(default)]
    destination_sync_mode: Option<String>,
}

impl ConfiguredStream {
    /// Whether the destination tells records apart by their key: one without it ends the sync.
    pub fn needs_key(&self) -> bool {
        self.destination_sync_mode.as_deref().is_some_and(|mode| mode.ends_with("_dedup"))
    }
}

/// How a stream is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncMode {
    #[default]
    FullRefresh,
    Incremental,
    /// A word that is none of the protocol's.
    #[serde(untagged)]
    Unknown(String),
}

/// Null means the same as absent.
fn or_default<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SyncMode, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

impl ConfiguredCatalog {
    /// Reads a catalog.
    ///
    /// # Errors
    /// A sentence that says what is wrong and where; it quotes nothing of the file.
    pub fn parse(text: &str) -> Result<ConfiguredCatalog, String> {
        let text = text.trim_start_matches('\u{feff}');
        // serde would also fill a catalog from a list, field by field.
        if text.trim_start().starts_with('[') {
            return Err("is not a configured catalog: it is a list, not an object with streams".to_string());
        }
        serde_json::from_str(text).map_err(|error| {
            if text.trim().is_empty() {
                return "is empty".to_string();
            }
            if text.contains(r#""type":"CATALOG""#) {
                return "is discover's answer and no configured catalog, which wraps each wanted stream: {\"streams\": [{\"stream\": {\"name\": …}, \"sync_mode\": …}]}".to_string();
            }
            let (line, column) = (error.line(), error.column());
            if error.is_data() {
                format!("is no configured catalog: expected {{\"streams\": [{{\"stream\": {{\"name\": …}}, \"sync_mode\": …}}]}} (line {line}, column {column})")
            } else {
                format!("is not valid JSON (line {line}, column {column})")
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> String {
        match ConfiguredCatalog::parse(text) {
            Ok(catalog) => {
                let streams: Vec<String> = catalog
                    .streams
                    .iter()
                    .map(|stream| format!("{} {:?}", stream.stream.name, stream.sync_mode))
                    .collect();
                streams.join(", ")
            }
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn a_catalog_is_read_for_names_and_modes_only() {
        insta::assert_snapshot!(check(r#"{"streams":[{"stream":{"name":"sessions","json_schema":{},"supported_sync_modes":["full_refresh"],"namespace":null},"sync_mode":"full_refresh","destination_sync_mode":"overwrite","generation_id":3,"minimum_generation_id":3,"sync_id":9},{"stream":{"name":"secrets"},"sync_mode":"incremental"},{"stream":{"name":"x"},"sync_mode":"INVALID"},{"stream":{"name":"y"}},{"stream":{"name":"z"},"sync_mode":null}]}"#), @r#"sessions FullRefresh, secrets Incremental, x Unknown("INVALID"), y FullRefresh, z FullRefresh"#);
        insta::assert_snapshot!(check(r#"{"streams":[]}"#), @"");
    }

    #[test]
    fn what_is_no_catalog_is_said_with_its_place() {
        insta::assert_snapshot!(check("{\"streams\":\n[1]}"), @r#"error: is no configured catalog: expected {"streams": [{"stream": {"name": …}, "sync_mode": …}]} (line 2, column 2)"#);
        insta::assert_snapshot!(check("{"), @"error: is not valid JSON (line 1, column 1)");
        insta::assert_snapshot!(check("[]"), @"error: is not a configured catalog: it is a list, not an object with streams");
    }
}
