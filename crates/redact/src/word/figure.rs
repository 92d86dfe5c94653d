//! Figures of metrics whose names end like that of a secret: `time_to_first_token=1.4s`, `users_without_password: 12`. Pure.

use crate::text::place::run;

/// Words of the names of what is measured or counted, of which any figure follows.
const MEASURES: &str = "seconds minutes hours days weeks ms age size length count number total sum avg mean median latency duration since \
    until per errors failures attempts rate ratio";

/// Words of which a figure with its unit follows, and those of which the date follows.
const WITH_UNIT: &str = "time inter first last next max min p50 p90 p95 p99 ttl";
const DATED: &str = "last first since until next oldest newest";

/// Words of names that tell what is wrong, and of those that tell what is done: small counts follow.
const FAULTS: &str = "wrong bad missing invalid incorrect expired failed without rejected unknown";
const DONE: &str = "reset login logins change changed forgot with using by";

/// How many digits such counts have at most, and those of what is measured.
const MOST_OF_FAULTS: usize = 5;
const MOST_OF_DONE: usize = 3;
const MOST_OF_MEASURES: usize = 10;

/// Units of figures.
const UNITS: &str = "s ms us µs ns m h d w y % b kb mb gb kib mib gib /s /min sec min hours days";

/// Whether what begins `text` is a figure of the metric that is called `name`.
pub(crate) fn follows(name: &str, text: &str) -> bool {
    let text = text.trim_start_matches(['"', '\'']);
    let digits = run(text, |byte| byte.is_ascii_digit());
    let end = text.find(|c: char| c.is_whitespace() || "\"',;)]}|\\".contains(c)).unwrap_or(text.len().min(16));
    let Some(figure) = text.get(..end).filter(|_| digits > 0) else { return false };
    let words = words(name);
    let before = words.split_last().map_or(&[][..], |(_, before)| before);
    let has = |table: &str| before.iter().any(|word| table.split_ascii_whitespace().any(|known| known == word));
    if is_date(figure) {
        return has(DATED);
    }
    let figure = figure.trim_end_matches('.');
    let number = figure.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = figure[number.len()..].to_lowercase();
    let is_number = number.split('.').count() <= 2 && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let most = match () {
        () if has(MEASURES) => MOST_OF_MEASURES,
        () if has(FAULTS) => MOST_OF_FAULTS,
        () if has(DONE) => MOST_OF_DONE,
        () if has(WITH_UNIT) && (!unit.is_empty() || number.contains('.')) => MOST_OF_FAULTS,
        () => 0,
    };
    let is_unit = unit.is_empty() || UNITS.split(' ').any(|known| known == unit);
    is_number && is_unit && digits <= most && number.len() <= digits + MOST_OF_FAULTS
}

/// Whether a text is a day, or a time of one: `2025-10-14`, `2025-10-14T10:00:00Z`.
fn is_date(text: &str) -> bool {
    let parts = text.split('T').next().unwrap_or_default().split('-').map(str::len);
    parts.eq([4, 2, 2]) && text.bytes().all(|byte| byte.is_ascii_digit() || b"-:TZ.+".contains(&byte))
}

/// The words of a name, in lower case.
fn words(name: &str) -> Vec<String> {
    let is_one = |one: &char, next: &char| !(one.is_ascii_lowercase() && next.is_ascii_uppercase());
    let letters: Vec<char> = name.chars().collect();
    let humps = letters.chunk_by(is_one).map(|hump| hump.iter().collect::<String>().to_lowercase());
    humps.flat_map(|hump| hump.split(['_', '-', '.', ':']).map(ToString::to_string).collect::<Vec<_>>()).collect()
}
