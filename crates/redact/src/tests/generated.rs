//! Passwords as generators make them, of all printable characters, in the quoting of the format that they stand in.

use super::random::Numbers;
use crate::{redact, scan};

/// So many characters in a row that stay visible are a part of the password.
const PART: usize = 4;

/// How many passwords each generator makes.
const EACH: usize = 125;

/// Of a thousand passwords in one context, so many may leave a part, or take a word around them along. In some texts without
/// quotation marks both are as good a reading: `password=Ab1…&z=42`, `password=Ab1…"}])`.
const MOST_LEFT: usize = 5;
const MOST_TAKEN: usize = 4;

/// The same over all contexts.
const MOST_LEFT_OF_ALL: usize = 40;
const MOST_TAKEN_OF_ALL: usize = 10;

const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// Generators: the marks that they use besides letters and digits, and how long their passwords are.
const GENERATORS: [(&str, usize, usize); 8] = [
    // `pwgen -y`, and KeePass with all kinds.
    ("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", 12, 24),
    // The same, but with more marks than letters, as few choose.
    ("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", 16, 32),
    // `aws secretsmanager get-random-password`
    ("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", 32, 32),
    // `openssl rand -base64`
    ("+/", 24, 44),
    // 1Password
    ("!@.-_*", 20, 20),
    // Bitwarden
    ("!@#$%^&*", 14, 20),
    // RDS, which takes no `/`, `@`, `"` and blank.
    ("!#$%&'()*+,-.:;<=>?[\\]^_`{|}~", 16, 28),
    // LastPass
    ("!@#$%^&*()_-+={}[]|:;<>,.?", 12, 16),
];

/// How a character of a password is written where it is quoted.
type Quoting = fn(char) -> String;

fn plain(c: char) -> String {
    c.to_string()
}

fn json(c: char) -> String {
    if "\"\\".contains(c) { format!("\\{c}") } else { c.to_string() }
}

fn json_twice(c: char) -> String {
    json(c).chars().map(json).collect()
}

fn shell_double(c: char) -> String {
    if "\"\\$`".contains(c) { format!("\\{c}") } else { c.to_string() }
}

fn shell_single(c: char) -> String {
    if c == '\'' { "'\"'\"'".to_string() } else { c.to_string() }
}

fn shell_single_by_backslash(c: char) -> String {
    if c == '\'' { "'\\''".to_string() } else { c.to_string() }
}

fn doubled(c: char) -> String {
    if c == '\'' { "''".to_string() } else { c.to_string() }
}

fn by_backslash(c: char) -> String {
    if "'\\".contains(c) { format!("\\{c}") } else { c.to_string() }
}

fn xml(c: char) -> String {
    match c {
        '&' => "&amp;".to_string(),
        '<' => "&lt;".to_string(),
        '>' => "&gt;".to_string(),
        '"' => "&quot;".to_string(),
        '\'' => "&apos;".to_string(),
        c => c.to_string(),
    }
}

fn percent(c: char) -> String {
    if c.is_ascii_alphanumeric() || "-._~".contains(c) { c.to_string() } else { format!("%{:02X}", u32::from(c)) }
}

/// What stands before a password and after it, and how it is quoted there.
const CONTEXTS: [(&str, &str, Quoting); 39] = [
    ("password=", "", plain),
    ("2026-11-29 12:00:01 ERROR db: password=", " user=bob", plain),
    ("level=error password=", "\nlevel=info x=1", plain),
    ("login failed, password: ", "", plain),
    ("password: ", "\nuser: bob", plain),
    ("PASSWORD=", "\nUSER=bob\n", plain),
    ("export DB_PASSWORD=", "\n", plain),
    ("PASSWORD='", "'", shell_single),
    ("export DB_PASSWORD='", "' && ./run", shell_single),
    ("DB_PASSWORD='", "' ./run.sh --port 80", shell_single_by_backslash),
    ("DB_PASSWORD=\"", "\"\nDB_HOST=db", shell_double),
    ("{\"password\": \"", "\", \"host\": \"db\"}", json),
    ("{\"user\":\"bob\",\"password\":\"", "\"}", json),
    ("{\"log\": \"{\\\"password\\\":\\\"", "\\\",\\\"host\\\":\\\"db\\\"}\"}", json_twice),
    ("{\"msg\": \"connect password=", "\"}", json),
    ("password: '", "'\nhost: db", doubled),
    ("  db_password: \"", "\"\n  host: db", json),
    ("ALTER USER app WITH PASSWORD '", "';", doubled),
    ("UPDATE users SET password = '", "' WHERE id = 3", doubled),
    ("UPDATE users SET password = '", "' WHERE id = 3", by_backslash),
    ("CREATE USER app IDENTIFIED BY '", "';", doubled),
    ("<add name=\"db\" password=\"", "\" host=\"db\"/>", xml),
    ("<password>", "</password>", xml),
    ("password = '", "'", by_backslash),
    ("app --password=", "", plain),
    ("app --password=", " --port 80", plain),
    ("mysqld --password ", " --port 80", plain),
    ("docker run -e DB_PASSWORD=", " app:1", plain),
    ("docker run -e 'DB_PASSWORD=", "' app:1", shell_single),
    ("curl -u bob:", " https://h.example/x", plain),
    ("curl -u 'bob:", "' https://h.example/x", shell_single),
    ("postgres://app:", "@db.example:5432/app", percent),
    ("postgres://app:", "@db.example:5432/app", plain),
    ("url=postgres://app:", "@db.example/app host=db", plain),
    ("{\"url\": \"postgres://app:", "@db.example/app\"}", json),
    ("https://bob:", "@git.example/x.git", percent),
    ("https://h.example/x?password=", "&page=2", percent),
    ("user=bob&password=", "&remember=1", percent),
    ("spring.datasource.password=", "\nspring.datasource.username=app", plain),
];

/// A password of letters, digits and marks, with some of each kind.
fn password(numbers: &mut Numbers, marks: &str, length: usize) -> String {
    let alphabet: Vec<char> = LETTERS.chars().chain(marks.chars()).collect();
    loop {
        let word: String = (0..length).map(|_| alphabet[numbers.below(alphabet.len())]).collect();
        let has = |kind: fn(&char) -> bool| word.chars().any(|c| kind(&c));
        if has(char::is_ascii_lowercase) && has(char::is_ascii_uppercase) && has(char::is_ascii_digit) {
            return word;
        }
    }
}

/// What becomes of a password in its context.
#[derive(PartialEq, Eq)]
enum Outcome {
    Gone,
    PartLeft,
    /// A letter or digit around it has gone, too.
    WordTaken,
}

fn outcome((before, after, quoting): (&str, &str, Quoting), password: &str) -> Outcome {
    let mut text = before.to_string();
    let mut ends = vec![text.len()];
    for c in password.chars() {
        text.push_str(&quoting(c));
        ends.push(text.len());
    }
    let end = text.len();
    text.push_str(after);
    let found = scan::secrets(&text);
    let is_hidden = |from: usize, to: usize| found.iter().any(|range| range.start < to && from < range.end);
    let shown: Vec<bool> = ends.windows(2).map(|part| !is_hidden(part[0], part[1])).collect();
    if shown.windows(PART).any(|part| part.iter().all(|shown| *shown)) {
        return Outcome::PartLeft;
    }
    let around = text.char_indices().filter(|(at, c)| c.is_alphanumeric() && !(before.len()..end).contains(at));
    let is_taken = around.map(|(at, _)| at).any(|at| is_hidden(at, at + 1));
    if is_taken { Outcome::WordTaken } else { Outcome::Gone }
}

#[test]
fn no_part_of_a_generated_password_is_left_in_any_quoting() {
    let mut numbers = Numbers(20_261_129);
    let (mut told, mut all, mut all_left, mut all_taken) = (String::new(), 0, 0, 0);
    for context in CONTEXTS {
        let (mut left, mut taken) = (0, 0);
        for (marks, least, most) in GENERATORS {
            for _ in 0..EACH {
                let length = least + numbers.below(most - least + 1);
                let password = password(&mut numbers, marks, length);
                let outcome = outcome(context, &password);
                left += usize::from(outcome == Outcome::PartLeft);
                taken += usize::from(outcome == Outcome::WordTaken);
                all += 1;
                if outcome != Outcome::Gone {
                    let quoted: String = password.chars().map(context.2).collect();
                    let text = format!("{}{quoted}{}", context.0, context.1);
                    told += &format!("{text}\n  got {}\n", redact(&text));
                }
            }
        }
        assert!(left <= MOST_LEFT && taken <= MOST_TAKEN, "{}: {left} left, {taken} taken:\n{told}", context.0);
        (all_left, all_taken) = (all_left + left, all_taken + taken);
    }
    println!("generated: of {all} passwords, a part of {all_left} is left, {all_taken} take a word along");
    assert!(
        all_left <= MOST_LEFT_OF_ALL && all_taken <= MOST_TAKEN_OF_ALL,
        "{all_left} left, {all_taken} taken:\n{told}"
    );
}
