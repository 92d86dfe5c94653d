//! How much is looked at: hostile text may not take more than its length.

use super::{LOOKED_AT, OWN};
use crate::redact::{Redactor, redact};

/// Eight times the text may not be much more than eight times the work, whatever is repeated.
#[test]
fn hostile_text_takes_linear_time() {
    let parts = [
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\n",
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
        "authorization: a ",
        "cookie: b ",
        "a:",
        "a:b@",
        "-u a ",
        "mysql -p ",
        "password is a ",
        "token=a,",
        "token=(",
        "token={",
        "('token', ",
        "%3A%2F%2F",
        "AAAA\n",
        "cog_",
        "é",
        "%",
        "\\u0026",
        "S3cr3t",
        "[\"password\",",
        "key=\"Password\" ",
        "-u",
        "authorization=",
        "cookie=\"",
        "password is ",
        "password is now to be ",
        "docker login -p ",
        "password=new ",
        "[a]:1 b:",
        "use with ",
        "log in as a with ",
        "/hook/a",
        "creds for ",
        "u: p: ",
        "a|b\"c",
        "://a:b\"c@",
        "1:AA",
        "jdbc:x://a:1;b=",
        "name: password\n",
        "password: [\"a\",",
        "oracle:thin:a/",
        "$6$",
        "</password>",
        "mnemonic: a ",
        "0x53",
        "-----END PRIVATE KEY-----",
        "AAAAbbbb0000CCCCdddd\n-----END PRIVATE KEY-----\n",
        "BEGIN PRIVATE KEY\n",
        "<password a=\"",
        "<b>password</b><i>",
        "password: {\"a\": ",
        "password: !a &b ",
        "password:\n",
        "| password | ",
        "{\"value\":\"a\",\"name\":\"password\"},",
        "value=a name=",
        "echo a | ",
        "values (",
        "(password) values ('a', ",
        "auth a ",
        "creds a/",
        "a:5432:a:a:",
        "пароль",
        "密码：",
        "\u{1b}[31m",
        "[[[",
        "\\u0022password\\u0022:",
        "%22password%22%3A",
        "&quot;",
        "password,",
        "password|a\n",
        "a,password\nb,hunter2Zq9\n",
        "passwords:\n - hunter2Zq9\n",
        " - hunter2Zq9\n",
        "\"password\",\"value",
        "\"password\",\"a\":",
        "password: a = ",
        "LOGIN ",
        "password \"a\" -> \"b\"",
        "password for a",
        "password......",
        "<wbr>",
        "password=a(",
        "session=",
        "key=a&",
        "?key=",
        "password:a:",
        "password=$",
        "secret=a-",
        "secrets: {",
        "secrets: {a: b, ",
        "secret:\n a: b\n",
        "password: got a, want b ",
        "password: \"a\" -> ",
        "passwords: a1, ",
        "connect(",
        "connect('a', ",
        "values ('a'),(",
        "('a'),",
        "data: {kind: Secret, ",
        "kind: Secret\ndata:\n a: b\n",
        "stringData",
        "Authorization: Bearer ",
        "cookie: a=b; ",
        "Some(",
        "password: Some(",
        "user a on >b ",
        "echo a\n+ ",
        "AUTH PLAIN\n334",
        "AB  TOKEN\nc  d\n",
        "x | base64 -d\n",
        "x | base64 -d\nhunter2Zq9Xy\n",
        "admin:",
        "-p S3cr3tPass ",
        "machine a login b password c ",
        "334 UGFzc3dvcmQ6\n",
        "USER a\nPASS b\n",
        "username / password: a / ",
        "create user a password '",
        "password 'a' ",
        "variable \"password\" {",
        "variable \"password\" { default = ",
        "fly secrets set A=",
        "A=",
        "::add-mask::",
        "##vso[task.setvariable ",
        "htpasswd -b a ",
        "username a password ",
        "password $a$",
        "password='a''",
        "'''",
        ":password \"",
        "\"password\";s:8:",
        "password New value: ",
        "following password is a: ",
        "postgres://a:b@c/d@",
        "a1 LOGIN a ",
        "docker login -p=a ",
        "auth=(\"a\", ",
        "('root', ",
        "community string ",
        "YWFhYWFhYWFhYWFhYWFhYWFh ",
        "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh",
        "cGFzc3dvcmQ6aHVudGVyMmh1bnRlcjI= ",
        "echo cGFzc3dvcmQ= | base64 -d ",
        "the key is ",
        "admin / ",
        "bob/b0b-on-H0st on ",
        "form-data; name=\"password\"\n",
        "--password\n",
        "private key\nY7uIo0pA9sD6fG4hJ2kL7zX8cV1bN0q3W5e7R9t1Y2u4I6o8P0a1S3d5F7g9H1j2\n",
        "Y7uIo0pA9sD6fG4hJ2kL7zX8cV1bN0q3W5e7R9t1Y2u4I6o8P0a1S3d5F7g9H1j2\n",
        "__construct('mysql:a', 'b', ",
        "CURLOPT_USERPWD, ",
        "creds for the a: ",
        "{a}}",
        "your code is ",
        "密码是",
        "密码是a",
        "EXEC sp_addlogin N'a', ",
        "password: a, now it's ",
        "password [a",
        "AUTH a",
    ];
    let work = |text: &str| {
        LOOKED_AT.set(0);
        redact(text);
        LOOKED_AT.get() + text.len()
    };
    let mut slow = Vec::new();
    for part in parts {
        let (small, large) = (part.repeat(2_000 / part.len()), part.repeat(16_000 / part.len()));
        let ratio = work(&large) / work(&small);
        if ratio > 12 {
            slow.push(format!("{part:?}: 8 times the text is {ratio} times the work"));
        }
    }
    assert!(slow.is_empty(), "{}", slow.join("\n"));
}

/// Eight times the text may not be much more than eight times the work, whatever of the own key is repeated.
#[test]
fn an_own_key_is_looked_for_in_linear_time() {
    let uniform = "a".repeat(40);
    for key in [OWN, "hunter2-Xy9", "a!b@c#d$e^f.g", "abc123", &uniform] {
        let redactor = Redactor::new([key]);
        let work = |text: &str| {
            LOOKED_AT.set(0);
            redactor.redact(text);
            LOOKED_AT.get() + text.len()
        };
        let half = &key[..key.len() / 2];
        let parts =
            [key, half, "a", "S3cr3t-0wnK3yO", "%53", "%2553", "\\u0053", "&#83;", "53", "YWFh", "\u{e9}", "%", "&#"];
        for part in parts {
            let (small, large) = (part.repeat(4_000 / part.len()), part.repeat(32_000 / part.len()));
            let ratio = work(&large) / work(&small);
            assert!(ratio <= 12, "{key}, {part:?}: 8 times the text is {ratio} times the work");
        }
    }
}
