//! The texts of others in the languages of the targets: shown as they stand, and nothing more. Pure.

/// For Slack's `mrkdwn`: nobody is called, and nothing becomes a link.
pub fn slack(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// As code on one line of Markdown, in which nothing is a mention, a reference, a link or an image.
pub fn code(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| {
            if c == '`' {
                '\''
            } else if c.is_control() {
                ' '
            } else {
                c
            }
        })
        .collect();
    let line = line.trim();
    if line.is_empty() { String::new() } else { format!("`{line}`") }
}

/// An address of a web page in Markdown, as itself.
pub fn address(url: &str) -> String {
    format!("<{}>", url.replace('<', "%3C").replace('>', "%3E").replace(' ', "%20"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_called_and_nothing_is_a_link() {
        assert_eq!(
            slack("<!channel> & <https://evil.example|bank>"),
            "&lt;!channel&gt; &amp; &lt;https://evil.example|bank&gt;"
        );
        assert_eq!(
            code("@team #1 ``` ![x](https://evil.example)\n# big"),
            "`@team #1 ''' ![x](https://evil.example) # big`"
        );
        assert_eq!(code(" ` "), "`'`");
        assert_eq!(code(""), "");
        assert_eq!(address("https://h.example/a>b"), "<https://h.example/a%3Eb>");
    }
}
