//! What looks like a secret in foreign text, and how it is masked. Pure.
//!
//! Reads left to right and looks at every byte a bounded number of times. A false alarm costs a word, a miss costs a
//! key, so in doubt it masks.

use super::MASK;

/// Which characters the rest of a key may have.
type Alphabet = fn(u8) -> bool;

const WORD: Alphabet = |byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
const UPPER: Alphabet = |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit();
const DOTTED: Alphabet = |byte| WORD(byte) || byte == b'.';
const PATH: Alphabet = |byte| WORD(byte) || byte == b'/';
const BASE64: Alphabet = |byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
const CREDENTIAL: Alphabet = |byte| DOTTED(byte) || b"~+/=%".contains(&byte);

/// Beginnings of keys, the least number of characters after them, and which.
const PREFIXES: [(&str, usize, Alphabet); 44] = [
    ("cog_", 6, WORD),
    ("apk_", 6, WORD),
    ("ghp_", 16, WORD),
    ("gho_", 16, WORD),
    ("ghu_", 16, WORD),
    ("ghs_", 16, WORD),
    ("ghr_", 16, WORD),
    ("github_pat_", 16, WORD),
    ("glpat-", 16, WORD),
    ("AKIA", 16, UPPER),
    ("ASIA", 16, UPPER),
    ("xoxa-", 8, WORD),
    ("xoxb-", 8, WORD),
    ("xoxp-", 8, WORD),
    ("xoxr-", 8, WORD),
    ("xoxs-", 8, WORD),
    ("xoxe-", 8, WORD),
    ("xoxe.", 8, DOTTED),
    ("xoxc-", 8, WORD),
    ("xoxd-", 8, WORD),
    ("xapp-", 8, WORD),
    ("sk_test_", 8, WORD),
    ("whsec_", 8, WORD),
    ("glsa_", 16, WORD),
    ("glc_", 16, WORD),
    ("hf_", 20, WORD),
    ("dop_v1_", 16, WORD),
    ("hooks.slack.com/services/", 8, PATH),
    ("sk_live_", 8, WORD),
    ("rk_live_", 8, WORD),
    ("sk-", 20, WORD),
    ("AIza", 30, WORD),
    ("npm_", 30, WORD),
    ("SG.", 30, DOTTED),
    ("ya29.", 16, DOTTED),
    ("hvs.", 16, WORD),
    ("pypi-AgEI", 8, WORD),
    ("glrt-", 16, WORD),
    ("gldt-", 16, WORD),
    ("dckr_pat_", 16, WORD),
    ("lin_api_", 16, WORD),
    ("shpat_", 16, WORD),
    ("NRAK-", 16, WORD),
    ("discord.com/api/webhooks/", 16, PATH),
];

/// Ends of names that keep secrets, in lower case without `-`, `_` and `.`.
const SECRET_NAMES: [&str; 24] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "secret",
    "token",
    "apikey",
    "appkey",
    "accesskey",
    "accesskeyid",
    "secretkey",
    "privatekey",
    "signingkey",
    "credential",
    "credentials",
    "authorization",
    "cookie",
    "signature",
    "connectionstring",
    "accountkey",
    "clientkey",
    "secretvalue",
    "pass",
];

/// Words that end like one of those and keep none.
const HARMLESS_NAMES: [&str; 3] = ["bypass", "compass", "encompass"];

/// Names whose value goes on to the end of the line: schemes, and pairs after a semicolon.
const WHOLE_LINE_NAMES: [&str; 2] = ["authorization", "cookie"];

/// Names that keep secrets in the query of an address only.
const SECRET_PARAMETERS: [&str; 6] = ["key", "sig", "code", "auth", "session", "jwt"];

/// How far after `://` a password is looked for that is not escaped.
const USER_INFO: usize = 256;

/// How far after `-----BEGIN` the words `PRIVATE KEY` may stand.
const HEADING: usize = 40;

/// `text` with `****` for everything that looks like a secret.
pub fn mask_secrets(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = None;
    while let Some(character) = rest.chars().next() {
        let (shown, hidden) = secret_at(rest, before).unwrap_or((character.len_utf8(), 0));
        out.push_str(&rest[..shown]);
        if hidden > 0 {
            out.push_str(MASK);
        }
        rest = &rest[shown + hidden..];
        before = last_character(&text[..text.len() - rest.len()]);
    }
    out
}

/// What `text` ends with; `None` for nothing, or for an escaped character like `%20`.
fn last_character(text: &str) -> Option<u8> {
    let is_escape = |end: &[u8]| end[0] == b'%' && end[1..].iter().all(u8::is_ascii_hexdigit);
    match text.as_bytes() {
        [.., a, b, c] if is_escape(&[*a, *b, *c]) => None,
        bytes => bytes.last().copied(),
    }
}

/// Whether what belongs to `name` is a secret: `db_password`, `X-Api-Key`, `token`.
pub fn is_secret_name(name: &str) -> bool {
    let name = bare(name);
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    ends(&SECRET_NAMES) && !ends(&HARMLESS_NAMES)
}

fn bare(name: &str) -> String {
    name.chars().filter(|c| !"-_.".contains(*c)).map(|c| c.to_ascii_lowercase()).collect()
}

/// How many bytes at the beginning of `rest` to show, and how many after them to hide; `None` for no secret here.
fn secret_at(rest: &str, before: Option<u8>) -> Option<(usize, usize)> {
    if rest.starts_with("-----BEGIN") {
        return private_key(rest);
    }
    if rest.starts_with("://") {
        return user_info(rest);
    }
    if before.is_some_and(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let found = known_key(rest).or_else(|| bearer(rest)).or_else(|| basic(rest));
    // What reads a whole run of characters does so at its beginning only, not at each of its words.
    let begins = before.is_none_or(|byte| !DOTTED(byte));
    found.or_else(|| if begins { json_web_token(rest).or_else(|| pair(rest, before)) } else { None })
}

/// A block from `-----BEGIN … PRIVATE KEY-----` to its end, or to the text's.
fn private_key(rest: &str) -> Option<(usize, usize)> {
    let heading = rest[..super::boundary(rest, HEADING)].split('\n').next()?;
    heading.find("PRIVATE KEY")?;
    let end = rest.find("-----END").map_or(rest.len(), |end| {
        let closing = &rest[end + "-----END".len()..];
        closing.find("-----").map_or(rest.len(), |length| end + "-----END".len() + length + "-----".len())
    });
    Some((0, end))
}

/// `user:password@` after `://`.
fn user_info(rest: &str) -> Option<(usize, usize)> {
    let after = &rest["://".len()..];
    let end = |text: &str, ends: &str| text.find(|c: char| c.is_whitespace() || ends.contains(c)).unwrap_or(text.len());
    let authority = &after[..end(after, "/?#\"'<>`\\")];
    let length = match authority.rfind('@') {
        Some(length) => length,
        // Passwords come unescaped, too; what follows a host's colon is a port.
        None if has_password(authority) => {
            let near = &after[..super::boundary(after, USER_INFO)];
            near[..end(near, "\"'<>`\\")].rfind('@')?
        }
        None => return None,
    };
    (length > 0).then_some(("://".len(), length))
}

fn has_password(authority: &str) -> bool {
    let after_colon = authority.split_once(':').map_or("", |(_, rest)| rest);
    !authority.starts_with('[') && !after_colon.bytes().all(|byte| byte.is_ascii_digit())
}

fn known_key(rest: &str) -> Option<(usize, usize)> {
    PREFIXES.iter().find_map(|(prefix, least, alphabet)| {
        let length = run(rest.strip_prefix(prefix)?, *alphabet);
        (length >= *least).then_some((0, prefix.len() + length))
    })
}

/// `eyJ….….…`
fn json_web_token(rest: &str) -> Option<(usize, usize)> {
    if !rest.starts_with("eyJ") {
        return None;
    }
    let length = run(rest, DOTTED);
    let parts: Vec<&str> = rest[..length].split('.').collect();
    (parts.len() >= 3 && parts[0].len() >= 10 && parts[1].len() >= 4).then_some((0, length))
}

/// A credential after `Bearer`, unless it is an ordinary word.
fn bearer(rest: &str) -> Option<(usize, usize)> {
    let (shown, credential) = after_scheme(rest, "bearer", CREDENTIAL)?;
    let is_word = credential.len() < 20 && !credential.bytes().any(|byte| byte.is_ascii_digit());
    (credential.len() >= 8 && !is_word).then_some((shown, credential.len()))
}

/// A user and a password in Base64 after `Basic`, which is an ordinary word as well.
fn basic(rest: &str) -> Option<(usize, usize)> {
    let (shown, credential) = after_scheme(rest, "basic", BASE64)?;
    let has = |kind: fn(&u8) -> bool| credential.bytes().any(|byte| kind(&byte));
    let is_base64 = credential.len() % 4 == 0 && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
    (credential.len() >= 12 && is_base64).then_some((shown, credential.len()))
}

/// What stands after the name of a scheme and blanks, escaped or not, and where it begins.
fn after_scheme<'a>(rest: &'a str, scheme: &str, alphabet: Alphabet) -> Option<(usize, &'a str)> {
    rest.get(..scheme.len()).filter(|word| word.eq_ignore_ascii_case(scheme))?;
    let after = &rest[scheme.len()..];
    let blanks = if after.starts_with("%20") { "%20".len() } else { run(after, |byte| byte == b' ') };
    let credential = &after[blanks..][..run(&after[blanks..], alphabet)];
    (blanks > 0).then_some((scheme.len() + blanks, credential))
}

/// The value of `password=…`, `"token": "…"`, `--secret …` and their like.
fn pair(rest: &str, before: Option<u8>) -> Option<(usize, usize)> {
    let name = &rest[..run(rest, DOTTED)];
    let is_parameter = matches!(before, Some(b'?' | b'&')) && SECRET_PARAMETERS.contains(&bare(name).as_str());
    if !is_parameter && !is_secret_name(name) {
        return None;
    }
    let mut at = name.len();
    at += run(&rest[at..], |byte| b"\\\"'".contains(&byte));
    let quoted_name = at > name.len();
    let blanks = run(&rest[at..], |byte| byte == b' ');
    let sign = run(&rest[at + blanks..], |byte| b":=>".contains(&byte));
    let is_flag = name.starts_with('-') && !quoted_name && blanks > 0;
    if sign == 0 && !is_flag {
        return None;
    }
    at += blanks + sign;
    at += run(&rest[at..], |byte| byte == b' ');
    let (open, length) = if WHOLE_LINE_NAMES.iter().any(|ending| bare(name).ends_with(ending)) && sign > 0 {
        whole_line(&rest[at..])
    } else {
        value(&rest[at..])
    };
    let hidden = &rest[at + open..][..length];
    (length > 0 && hidden != MASK).then_some((at + open, length))
}

/// What [`value`] answers for a header: to its closing quotation mark, or to the end of the line.
fn whole_line(rest: &str) -> (usize, usize) {
    match value(rest) {
        (0, _) => (0, rest.find(['\n', '"', '\'', '<']).unwrap_or(rest.len())),
        quoted => quoted,
    }
}

/// How many bytes of quotation marks open the value, and how long it is without them.
fn value(rest: &str) -> (usize, usize) {
    let slashes = run(rest, |byte| byte == b'\\');
    let Some(quote) = rest[slashes..].chars().next().filter(|c| "\"'".contains(*c)) else {
        let ends = |c: char| c.is_whitespace() || ",;&\"'`)]}>|".contains(c);
        return (0, rest.find(ends).unwrap_or(rest.len()));
    };
    let open = slashes + 1;
    let inner = &rest[open..];
    let mut preceding = 0;
    for (at, character) in inner.char_indices() {
        match character {
            '\\' => preceding += 1,
            '\n' => return (open, at),
            _ if character == quote && preceding <= slashes => return (open, at - preceding),
            _ => preceding = 0,
        }
    }
    (open, inner.len())
}

/// How many bytes at the beginning of `text` are of the alphabet, which is ASCII.
fn run(text: &str, alphabet: Alphabet) -> usize {
    text.bytes().position(|byte| !alphabet(byte)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(texts: &[&str]) -> String {
        texts.iter().map(|text| format!("{}\n", mask_secrets(text))).collect()
    }

    #[test]
    fn keys_are_masked_by_how_they_begin() {
        let digits = "0123456789abcdefghijklmnopqrstuvwxyz";
        let keys = [
            "cog_",
            "apk_user_",
            "ghp_",
            "ghs_",
            "github_pat_11A_",
            "glpat-",
            "xoxb-12-",
            "xapp-1-",
            "sk_live_",
            "sk-ant-",
            "AIza",
            "npm_",
            "SG.",
            "ya29.",
            "hvs.",
            "discord.com/api/webhooks/",
        ];
        for key in keys {
            assert_eq!(mask_secrets(&format!("saw ({key}{digits}), twice")), "saw (****), twice", "{key}");
        }
        insta::assert_snapshot!(check(&[
            "AKIAIOSFODNN7EXAMPLE and x_ASIAIOSFODNN7EXAMPLE",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl.",
            "cog_ keys, apk_1, AKIA, sk-learn, eyJ, SG.de, npm_config stay",
        ]), @"
        **** and x_****
        ****
        cog_ keys, apk_1, AKIA, sk-learn, eyJ, SG.de, npm_config stay
        ");
    }

    #[test]
    fn credentials_are_masked_by_what_stands_before_them() {
        insta::assert_snapshot!(check(&[
            "Authorization: Bearer abcDEF123.x-y_z~+/= trailing",
            "authorization=Basic dXNlcjpwYXNzd29yZA==; path=/",
            "sent bearer 0123456789abcdef",
            "bearer authentication failed, bearer token expired",
            "password=hunter2 user=bob PASSWORD: hunter2",
            "db.password = 'correct horse \\' battery', next",
            r#"{"client_secret":"s3","n":1,"api-key" : "k3"}"#,
            r#"message "{\"token\":\"abc\\\"d\",\"a\":1}" end"#,
            "mysql --password hunter2 --host db, _token=abc, my-secret: x",
            "postgres://app:p%40ss@db.example:5432/app?sslmode=off",
            "curl https://ghost@h.example/a?key=abc&code=def&page=2&sig=ghi#top",
            "token: \"unclosed to the end of the line\nnext line stays",
            "token: , password= , the token is missing, max_tokens: 512, key=visible, code: 500",
            "mail ops@example.com about http://h.example/@user",
            "postgres://app:p/ss#w?rd@db.example/app and http://h.example:8080/@user http://[::1]:80/@user",
            "GET /?header=Bearer%20abcDEF123.x-y_z%3D&next=%2Fcb%3Dghp_0123456789abcdefghij HTTP/1.1",
            "next=%20eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl%26",
            "sent Basic YWRtaW46cGFzc3dvcmQx to it; basic authentication, Basic Authorization2",
            "bypass=true compass: north db_pass=x",
        ]), @r#"
        Authorization: ****
        authorization=****
        sent bearer ****
        bearer authentication failed, bearer token expired
        password=**** user=bob PASSWORD: ****
        db.password = '****', next
        {"client_secret":"****","n":1,"api-key" : "****"}
        message "{\"token\":\"****\",\"a\":1}" end
        mysql --password **** --host db, _token=****, my-secret: ****
        postgres://****@db.example:5432/app?sslmode=off
        curl https://****@h.example/a?key=****&code=****&page=2&sig=****
        token: "****
        next line stays
        token: , password= , the token is missing, max_tokens: 512, key=visible, code: 500
        mail ops@example.com about http://h.example/@user
        postgres://****@db.example/app and http://h.example:8080/@user http://[::1]:80/@user
        GET /?header=Bearer%20****&next=%2Fcb%3D**** HTTP/1.1
        next=%20****%26
        sent Basic **** to it; basic authentication, Basic Authorization2
        bypass=true compass: north db_pass=****
        "#);
    }

    #[test]
    fn private_keys_are_masked_as_a_whole() {
        insta::assert_snapshot!(check(&[
            "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----\nb",
            "a -----BEGIN OPENSSH PRIVATE KEY----- never ends",
            "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        ]), @"
        a
        ****
        b
        a ****
        -----BEGIN CERTIFICATE-----
        MIIB
        -----END CERTIFICATE-----
        ");
    }

    #[test]
    fn masking_twice_changes_nothing_more() {
        for text in [
            "password=hunter2, token: x",
            "https://a:b@h/?key=1",
            "Authorization: Bearer abcdefgh1",
            "\"secret\": \"a b\"",
        ] {
            let once = mask_secrets(text);
            assert_eq!(mask_secrets(&once), once);
        }
    }

    #[test]
    fn odd_texts_do_not_stop_it() {
        for text in [
            "",
            "é",
            "token=é",
            "token='é",
            "password=\\",
            "://",
            "://@",
            "-----BEGIN",
            "é-----BEGIN PRIVATE KEY",
            "token=>\\\"",
            "Bearer é",
        ] {
            mask_secrets(text);
        }
        for part in [
            "-----BEGIN ",
            "a-",
            "eyJ-",
            "://",
            "token",
            "token=\"",
            "bearer ",
            "\\\"",
            "token=****,",
            "://a:b/",
            "%20eyJ-",
            "basic%20",
        ] {
            assert!(mask_secrets(&part.repeat(30_000)).len() <= 2_000_000, "{part}");
        }
    }
}
