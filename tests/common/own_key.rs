//! The program's own key, in every spelling, and an organization that takes it.

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::TOKEN;
use super::devin::{Devin, Sessions, state};

/// A key that has no shape by which it could be told.
pub const KEY: &str = "0wn-kEy-Of-this-0rg-77";

/// The key as programs write it.
pub fn spellings() -> Vec<String> {
    let each = |write: &dyn Fn(u8) -> String| KEY.bytes().map(write).collect::<String>();
    let percent = utf8_percent_encode(KEY, NON_ALPHANUMERIC).to_string();
    vec![
        KEY.to_string(),
        KEY.to_uppercase(),
        KEY.to_lowercase(),
        percent.clone(),
        percent.replace('%', "%25"),
        BASE64_STANDARD.encode(KEY),
        BASE64_STANDARD.encode(format!("user:{KEY}")),
        BASE64_URL_SAFE_NO_PAD.encode(format!("ab{KEY}")),
        each(&|byte| format!("{byte:02x}")),
        each(&|byte| format!("\\u{byte:04x}")),
        each(&|byte| format!("&#{byte};")),
        KEY.replace("Of", "O\nf"),
        KEY.chars().map(|c| format!("{c}\u{200b}")).collect(),
    ]
}

/// Texts that hold the key anew once what is seen of it at first has been taken out: a key within a key, and a dump with the
/// letters beside their numbers.
pub fn inside_itself() -> Vec<String> {
    let (before, after) = KEY.split_at(9);
    let within = |key: String| format!("{before}{key}{after}");
    let row = |(number, bytes): (usize, &[u8])| {
        let hexadecimal: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{:08x}  {:<48} |{}|", number * 16, hexadecimal.join(" "), String::from_utf8_lossy(bytes))
    };
    let dump = |text: &str| text.as_bytes().chunks(16).enumerate().map(row).collect::<Vec<_>>().join("\n");
    vec![
        within(KEY.to_string()),
        (0..20).fold(KEY.to_string(), |key, _| within(key)),
        dump(&format!("token={KEY}")),
        dump(&format!("Authorization: Bearer {KEY}\r\n")),
    ]
}

/// An organization that takes the key, and whose sessions end well.
pub fn finished() -> Devin {
    let sessions = Sessions::new().on_look(|_| state("running/finished", true));
    Devin::start(move |heard| {
        // The sessions know another key.
        let mut heard = heard.clone();
        let is_ours = |(name, value): &&mut (String, String)| name == "authorization" && value.ends_with(KEY);
        heard.headers.iter_mut().filter(is_ours).for_each(|(_, value)| *value = format!("Bearer {TOKEN}"));
        sessions.answer(&heard)
    })
}
