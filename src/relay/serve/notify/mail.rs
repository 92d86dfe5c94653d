//! A message as an e-mail: plain text, and no text of others but in the subject and the body, where it cannot end them. Pure.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::DateTime;

use super::notice::Notice;
use super::words::Words;
use crate::relay::serve::secret::Secret;

/// The most of a subject's text in one encoded word, in bytes: its line must not grow longer than 76 characters.
const WORD: usize = 39;

/// How long a line of the body is.
const LINE: usize = 76;

/// A server that takes e-mails, and whom they are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    pub server: String,
    pub port: u16,
    pub encryption: Encryption,
    /// `None` where the server asks for none.
    pub login: Option<(String, Secret)>,
    pub from: String,
    pub to: Vec<String>,
}

/// How a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// From its beginning.
    Implicit,
    /// After a command, without which nothing is sent.
    StartTls,
    /// Not at all.
    None,
}

/// The whole e-mail, its lines ended as SMTP ends them.
pub fn message(mail: &Mail, notice: &Notice, words: &Words) -> String {
    let host = mail.from.rsplit('@').next().unwrap_or_default();
    let subject = encoded(&format!("[alert-relay] {}: {}", words.opening(), words.title));
    let date = DateTime::from_timestamp_millis(notice.at).unwrap_or_default().to_rfc2822();
    let thread = format!("<{}@{host}>", token(&notice.job_id));
    let mut lines = vec![
        format!("From: alert-relay <{}>", mail.from),
        format!("To: {}", mail.to.join(",\r\n ")),
        format!("Subject: {subject}"),
        format!("Date: {date}"),
        // The same whenever it is sent; all of a job are one conversation.
        format!("Message-ID: <{}@{host}>", token(&notice.id)),
        format!("In-Reply-To: {thread}"),
        format!("References: {thread}"),
        "Auto-Submitted: auto-generated".to_string(),
        "MIME-Version: 1.0".to_string(),
        "Content-Type: text/plain; charset=utf-8".to_string(),
        "Content-Transfer-Encoding: base64".to_string(),
        String::new(),
    ];
    let body = BASE64_STANDARD.encode(words.plain().replace('\n', "\r\n"));
    lines.extend(body.as_bytes().chunks(LINE).map(|line| String::from_utf8_lossy(line).into_owned()));
    lines.join("\r\n") + "\r\n"
}

/// A header's text in words that hold nothing but letters and digits.
fn encoded(text: &str) -> String {
    let (mut words, mut word) = (Vec::new(), String::new());
    for character in text.chars().filter(|character| !character.is_control()) {
        if word.len() + character.len_utf8() > WORD {
            words.push(std::mem::take(&mut word));
        }
        word.push(character);
    }
    words.push(word);
    let words = words.iter().map(|word| format!("=?utf-8?B?{}?=", BASE64_STANDARD.encode(word)));
    words.collect::<Vec<_>>().join("\r\n ")
}

fn token(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::serve::notify::Event;
    use redact::Redactor;

    #[test]
    fn no_text_of_others_adds_a_header_or_ends_the_message() {
        let mail = Mail {
            server: "mail.example.com".to_string(),
            port: 587,
            encryption: Encryption::StartTls,
            login: None,
            from: "relay@example.com".to_string(),
            to: vec!["ops@example.com".to_string(), "dev@example.com".to_string()],
        };
        let notice = Notice {
            id: "notice-1".to_string(),
            event: Event::Done,
            at: 0,
            alert: "ar-1".to_string(),
            dedupe_key: "k\r\n.\r\nMAIL FROM:<x>".to_string(),
            title: "disk\r\nBcc: all@example.com\r\n\r\n.\r\n é".to_string(),
            severity: None,
            rule: "default".to_string(),
            integration: "main".to_string(),
            job_id: "job-1".to_string(),
            session_id: None,
            session_url: None,
            pr_url: None,
            reason: None,
            is_test: false,
        };
        let text = message(&mail, &notice, &Words::of(&notice, &Redactor::default()));
        assert!(text.lines().all(|line| line.len() <= 998 && line != "." && !line.starts_with("Bcc")), "{text}");
        insta::assert_snapshot!(text.replace("\r\n", "\n"), @"
        From: alert-relay <relay@example.com>
        To: ops@example.com,
         dev@example.com
        Subject: =?utf-8?B?W2FsZXJ0LXJlbGF5XSBEZXZpbiBpcyBkb25lOiBkaXNrIEJjYzog?=
         =?utf-8?B?YWxsQGV4YW1wbGUuY29tIC4gw6k=?=
        Date: Thu, 1 Jan 1970 00:00:00 +0000
        Message-ID: <notice-1@example.com>
        In-Reply-To: <job-1@example.com>
        References: <job-1@example.com>
        Auto-Submitted: auto-generated
        MIME-Version: 1.0
        Content-Type: text/plain; charset=utf-8
        Content-Transfer-Encoding: base64

        RGV2aW4gaXMgZG9uZTogZGlzayBCY2M6IGFsbEBleGFtcGxlLmNvbSAuIMOpDQpBbGVydDogayAu
        IE1BSUwgRlJPTTo8eD4NClJ1bGU6IGRlZmF1bHQNCkpvYjogam9iLTENCg==
        ");
    }
}
