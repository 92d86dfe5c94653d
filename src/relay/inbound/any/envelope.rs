//! A message that another one carries as text: queues and topics hand on what they were given that way. Pure.

use serde_json::Value;

use super::super::encoded::decoded;
use super::super::fields::Fields;
use super::super::json;
use super::is_sure_itself;
use crate::relay::alert::Format;

/// Fields in which SNS, SQS, and programs behind an API gateway have the JSON of a message.
const TEXTS: [&str; 3] = ["Message", "Body", "body"];

/// Where Pub/Sub has it in Base64.
const BASE64: &str = "message.data";

/// The object that is carried, if there is one.
pub fn carried(value: &Value) -> Option<Value> {
    let fields = Fields { format: Format::Any, value };
    let in_text = TEXTS.iter().find_map(|name| json(fields.at(name)?.value.as_str()?.as_bytes()).ok());
    in_text.or_else(|| json(&decoded(&fields.text(BASE64)?)?).ok()).filter(Value::is_object)
}

/// The object that is carried, where it is an alert for sure.
pub fn carried_alert(value: &Value) -> Option<Value> {
    carried(value).filter(|value| is_sure_itself(Fields { format: Format::Any, value }))
}
