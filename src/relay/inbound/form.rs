//! A form whose field `payload` holds the message as JSON, as older webhooks send it. Pure.

use percent_encoding::percent_decode;

/// The JSON in the field `payload` of a form; `None` where the bytes are no such form.
pub fn payload(bytes: &[u8]) -> Option<Vec<u8>> {
    let value = bytes.trim_ascii().split(|byte| *byte == b'&').find_map(|field| field.strip_prefix(b"payload="))?;
    let spaced: Vec<u8> = value.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let text: Vec<u8> = percent_decode(&spaced).collect();
    matches!(text.trim_ascii_start().first(), Some(b'{' | b'[')).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_field_that_holds_json_is_taken() {
        let read = |form: &str| payload(form.as_bytes()).map(|text| String::from_utf8(text).unwrap());
        assert_eq!(read("payload=%7B%22a+b%22%3A%22%2B%22%7D").as_deref(), Some("{\"a b\":\"+\"}"));
        assert_eq!(read("token=x&payload=[1]\r\n").as_deref(), Some("[1]"));
        for other in ["{\"payload=\": 1}", "payload=yes", "my_payload={}", ""] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
