//! The question behind the `?`: flat parameters, arrays as repeated keys, unknown names ignored.

use percent_encoding::percent_decode_str;

use super::problem::{InvalidParameter, Problem};

/// The decoded parameters in the order they were sent.
#[derive(Debug, Default)]
pub struct Query {
    parameters: Vec<(String, String)>,
}

impl Query {
    /// Reads what stands behind the `?`; a part without `=` has an empty value.
    pub fn parse(text: &str) -> Query {
        let parameters = text
            .split('&')
            .filter(|part| !part.is_empty())
            .map(|part| part.split_once('=').unwrap_or((part, "")))
            .map(|(name, value)| (decode(name), decode(value)))
            .collect();
        Query { parameters }
    }

    /// The last value of a parameter; `None` when it was not sent.
    pub fn last(&self, name: &str) -> Option<&str> {
        let mut sent = self.parameters.iter().rev();
        sent.find(|(sent, _)| sent == name).map(|(_, value)| value.as_str())
    }

    /// Every value of a repeated parameter; `None` when it was not sent.
    pub fn all(&self, name: &str) -> Option<Vec<&str>> {
        let sent = self.parameters.iter().filter(|(sent, _)| sent == name);
        let values: Vec<&str> = sent.map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then_some(values)
    }

    /// A whole number, such as Unix seconds.
    ///
    /// # Errors
    /// 422 when it is not one.
    pub fn integer(&self, name: &'static str) -> Result<Option<i64>, Problem> {
        let Some(value) = self.last(name) else {
            return Ok(None);
        };
        let invalid = InvalidParameter {
            name,
            input: value.to_owned(),
            kind: "int_parsing",
            message: "Input should be a valid integer".to_owned(),
        };
        value.parse().map(Some).map_err(|_| Problem::invalid(invalid))
    }

    /// A truth value in any of the spellings the real API's framework takes.
    ///
    /// # Errors
    /// 422 when it is not one.
    pub fn boolean(&self, name: &'static str) -> Result<Option<bool>, Problem> {
        let Some(value) = self.last(name) else {
            return Ok(None);
        };
        match value.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "y" | "on" | "t" => Ok(Some(true)),
            "false" | "0" | "no" | "n" | "off" | "f" => Ok(Some(false)),
            _ => Err(Problem::invalid(InvalidParameter {
                name,
                input: value.to_owned(),
                kind: "bool_parsing",
                message: "Input should be a valid boolean".to_owned(),
            })),
        }
    }

    /// Every value of a repeated parameter that knows only certain words.
    ///
    /// # Errors
    /// 422 for any other word.
    pub fn words(&self, name: &'static str, known: &[&'static str]) -> Result<Option<Vec<&str>>, Problem> {
        let Some(values) = self.all(name) else {
            return Ok(None);
        };
        match values.iter().find(|value| !known.contains(value)) {
            None => Ok(Some(values)),
            Some(stranger) => Err(Problem::invalid(InvalidParameter {
                name,
                input: (*stranger).to_owned(),
                kind: "enum",
                message: format!("Input should be one of: {}", known.join(", ")),
            })),
        }
    }
}

/// One segment of a path, decoded; bytes that are no UTF-8 become replacement characters.
pub fn decode_segment(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn decode(text: &str) -> String {
    decode_segment(&text.replace('+', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_and_repeated_keys_are_lists() {
        let query = Query::parse("tags=a%20b&tags=c+d&after=x%2By%3D%3D&flag&&first=7");
        insta::assert_debug_snapshot!(
            (query.all("tags"), query.last("after"), query.last("flag"), query.last("none")), @r#"
        (
            Some(
                [
                    "a b",
                    "c d",
                ],
            ),
            Some(
                "x+y==",
            ),
            Some(
                "",
            ),
            None,
        )
        "#);
        assert_eq!(query.integer("first").unwrap(), Some(7));
    }

    #[test]
    fn a_value_of_the_wrong_type_is_refused() {
        let query = Query::parse("first=many&is_archived=perhaps&origins=api&origins=moon");
        let refusals = [
            query.integer("first").unwrap_err(),
            query.boolean("is_archived").unwrap_err(),
            query.words("origins", &["api", "webapp"]).unwrap_err(),
        ];
        let told: Vec<String> = refusals.iter().map(|refusal| refusal.body("/x")).collect();
        insta::assert_snapshot!(told.join("\n"), @r#"
        {"type":"about:blank","title":"Unprocessable Entity","status":422,"detail":"the request has an invalid parameter","instance":"/x","errors":[{"loc":["query","first"],"msg":"Input should be a valid integer","type":"int_parsing","input":"many"}]}
        {"type":"about:blank","title":"Unprocessable Entity","status":422,"detail":"the request has an invalid parameter","instance":"/x","errors":[{"loc":["query","is_archived"],"msg":"Input should be a valid boolean","type":"bool_parsing","input":"perhaps"}]}
        {"type":"about:blank","title":"Unprocessable Entity","status":422,"detail":"the request has an invalid parameter","instance":"/x","errors":[{"loc":["query","origins"],"msg":"Input should be one of: api, webapp","type":"enum","input":"moon"}]}
        "#);
    }
}
