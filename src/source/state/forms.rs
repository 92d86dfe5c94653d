//! What a state's fields may look like: other connectors and people write them, too. What cannot be read is left out. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::source::fingerprint::Fingerprints;
use crate::source::recent::Recent;

/// From here on, a number is taken for milliseconds: as seconds, it would lie in the year 5138.
const MILLISECONDS: i64 = 100_000_000_000;

/// A state's time: an integer, a float, or an integer as text, as other connectors write it; in seconds, or in
/// milliseconds where it could be nothing else. `None` where it is no time.
pub fn seconds(value: &Value) -> Option<i64> {
    let mut number = match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|seconds| seconds as i64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }?;
    while number >= MILLISECONDS {
        number /= 1000;
    }
    Some(number)
}

/// A time, as [`seconds`] reads it; `None` where it is none.
pub fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Ok(seconds(&Value::deserialize(deserializer)?))
}

/// A version that is no number is newer than all that are.
pub fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Ok(Value::deserialize(deserializer)?.as_u64().unwrap_or(u64::MAX))
}

/// The fields of an object, as far as they can be read; of anything else, none.
fn of_object<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    read: impl Fn(&Value) -> Option<T>,
) -> Result<BTreeMap<String, T>, D::Error> {
    let fields = match Value::deserialize(deserializer)? {
        Value::Object(fields) => fields,
        _ => return Ok(BTreeMap::new()),
    };
    Ok(fields.into_iter().filter_map(|(name, value)| Some((name, read(&value)?))).collect())
}

/// A text for each name; an empty one where it is none.
pub fn fingerprints<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Fingerprints, D::Error> {
    of_object(deserializer, |value| Some(value.as_str().unwrap_or_default().to_string()))
}

/// Where a time is missing, everything is wanted of that session.
pub fn times<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, i64>, D::Error> {
    of_object(deserializer, |value| Some(seconds(value).unwrap_or(0)))
}

/// A time and a fingerprint for each name; what has another form is left out.
pub fn entries<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Recent, D::Error> {
    of_object(deserializer, |value| match value.as_array()?.as_slice() {
        [at, print] => Some((seconds(at)?, print.as_str()?.to_string())),
        _ => None,
    })
}
