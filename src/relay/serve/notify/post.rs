//! A request with a message. Pure.

/// A request with a JSON body.
#[derive(Clone, PartialEq, Eq)]
pub struct Post {
    /// It may be a secret.
    pub url: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Post {
    /// A request to this address.
    pub fn new(url: impl Into<String>, body: &serde_json::Value) -> Post {
        Post { url: url.into(), headers: Vec::new(), body: body.to_string().into_bytes() }
    }

    /// With another header.
    pub fn with(mut self, name: &'static str, value: String) -> Post {
        self.headers.push((name, value));
        self
    }
}
