//! What words look like: names of objects, versions, dates, identifiers and causes; and what no name looks like. Pure.

use super::random::{is_varied, looks_random};
use crate::text::alphabet::DOTTED;
use crate::text::place::run;

/// So long is what is odd: shorter names have digits inside, too.
const SHORTEST_ODD: usize = 8;

/// Words with a digit inside.
const NUMERONYMS: &str = "k8s k3s i18n l10n a11y o11y o365 e2e b2b b2c p2p m2m s2s c2c w3c h264 h265 mp3 mp4 x86 x64 v1beta1 v1beta2 \
    v1alpha1";

/// Whether `value` is the name of an object: `checkout-tls`, `prod/checkout/db2`.
pub(crate) fn is_label(value: &str) -> bool {
    let is_part = |part: &str| {
        let word = part.trim_end_matches(|c: char| c.is_ascii_digit());
        part.len() - word.len() <= 3 && word.bytes().all(|byte| byte.is_ascii_lowercase()) && word.len() < 20
    };
    value.contains(['-', '/', '.']) && value.split(['-', '/', '.', '_']).all(is_part)
}

/// Whether a word has digits inside of its parts, where names have none: `m0ngo-4uth`.
pub(crate) fn is_odd(text: &str) -> bool {
    let is_odd = |part: &str| {
        let word = part.trim_end_matches(|c: char| c.is_ascii_digit());
        let inner = word.bytes().any(|byte| byte.is_ascii_digit());
        inner
            && word.bytes().any(|byte| byte.is_ascii_alphabetic())
            && !NUMERONYMS.split(' ').any(|known| known.eq_ignore_ascii_case(part))
    };
    text.len() >= SHORTEST_ODD
        && !is_identifying(text)
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"/:.,=".contains(&byte))
        && text.split(['-', '_']).any(is_odd)
}

/// Whether `text` is a word with a month or day behind: `kid-2024-11`.
pub(crate) fn is_dated(text: &str) -> bool {
    let mut parts = text.split('-');
    let is_word =
        parts.next().is_some_and(|word| word.len() <= 8 && word.bytes().all(|byte| byte.is_ascii_lowercase()));
    is_word && text.contains("-20") && parts.all(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether `word` is a version: `v2`.
pub(crate) fn is_version(word: &str) -> bool {
    word.strip_prefix('v')
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
}

/// Whether a value begins as identifiers do: 32 hexadecimal digits, or after a word and a dash.
pub(crate) fn is_identifier(value: &str) -> bool {
    let (digits, least) = value.strip_prefix("devin-").map_or((value, 32), |digits| (digits, 8));
    run(digits, |byte| byte.is_ascii_hexdigit() || byte == b'-') >= least
}

/// Whether `value` only identifies something, or tells a time or a place: a UUID, a path, an address, a date.
pub(crate) fn is_identifying(value: &str) -> bool {
    let is_date = value.len() >= 10 && value.bytes().take(10).all(|byte| byte.is_ascii_digit() || byte == b'-');
    is_uuid(value)
        || is_identifier(value)
        || is_date && value.contains('-')
        || value.contains("://")
        || value.starts_with("arn:aws")
        || value.starts_with('/')
}

/// Whether words and numbers with colons between are the key of something that is kept for a while: `orders:48213:cart`.
pub(crate) fn is_key_of_cache(text: &str) -> bool {
    let is_of = |part: &str, kind: fn(u8) -> bool| !part.is_empty() && part.bytes().all(kind);
    let is_word = |part: &str| is_of(part, |byte| byte.is_ascii_lowercase() || b"-_".contains(&byte));
    let is_number = |part: &str| is_of(part, |byte| byte.is_ascii_digit());
    let mut parts = text.split(':');
    text.contains(':') && parts.next().is_some_and(is_word) && parts.all(|part| is_word(part) || is_number(part))
}

/// Whether a text is a user behind the domain that has it: `CORP\svc-backup`.
pub(crate) fn is_user_of_domain(text: &str) -> bool {
    let Some((domain, user)) = text.split_once('\\') else { return false };
    let user = user.trim_start_matches('\\').trim_end_matches('$');
    let is_word = |word: &str| word.len() > 1 && word.bytes().all(DOTTED);
    is_word(domain) && is_word(user) && !is_varied(user)
}

/// Whether `value` has the form of a UUID.
pub(crate) fn is_uuid(value: &str) -> bool {
    let groups: Vec<&str> = value.split('-').collect();
    let lengths = groups.iter().map(|group| group.len());
    lengths.eq([8, 4, 4, 4, 12]) && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Whether letters are a cause such as `AccessDenied` or `ENOENT`, and no letters at random.
pub(crate) fn is_cause(value: &str) -> bool {
    if value.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return value.len() <= 12;
    }
    let words: Vec<&[u8]> = value.as_bytes().chunk_by(|_, next| next.is_ascii_lowercase()).collect();
    let long = words.iter().filter(|word| word.len() >= 3).count();
    let has_vowel = |word: &&[u8]| word.iter().any(|byte| b"aeiouyAEIOUY".contains(byte));
    long * 2 >= words.len()
        && words.iter().filter(|word| word.len() >= 3).all(has_vowel)
        && value.len() >= 3 * words.len()
}

/// Whether a word has the form of kubeadm's tokens: six letters and digits, a dot, and sixteen more.
pub(crate) fn is_of_kubeadm(word: &str) -> bool {
    let is_part = |part: &str| part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    word.split_once('.').is_some_and(|(id, rest)| id.len() == 6 && rest.len() == 16 && is_part(id) && is_part(rest))
        && looks_random(word, 12)
}

/// Whether a word has the form of keys of products: four blocks or more of capitals and digits: `8F3K-22LM-9QWE-77ZX`.
pub(crate) fn is_in_blocks(word: &str) -> bool {
    let is_block = |block: &str| {
        (4..=6).contains(&block.len()) && block.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    word.split('-').count() >= 4 && word.split('-').all(is_block) && word.bytes().any(|byte| byte.is_ascii_digit())
}

/// Whose codes have capitals among their digits, as no number of a fault has that is called so: `A7KQ2`.
const SPOKEN: [&str; 6] = ["access", "door", "gate", "activation", "pairing", "setup"];

/// Whether the value of the name of a code opens something: so many digits, or parts with digits, `204-51-873`, `KT37-QW92-ZX81`.
/// `None` where it has another form. The alarms of machines have numbers, too, which are shorter.
pub(crate) fn opens(name: &str, text: &str) -> Option<bool> {
    let owner = name.strip_suffix("code")?;
    let is_alarm = owner.ends_with("alarm");
    // `4821#` is typed.
    let typed = text.trim_matches(['#', '*']);
    if typed.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some((if is_alarm { 6 } else { 4 }..=8).contains(&typed.len()) && !owner.is_empty());
    }
    let count = |kind: fn(&u8) -> bool| text.bytes().filter(kind).count();
    if SPOKEN.iter().any(|known| owner.ends_with(known)) && (5..=12).contains(&text.len()) {
        let (digits, capitals) = (count(u8::is_ascii_digit), count(u8::is_ascii_uppercase));
        if digits > 1 && capitals > 1 && digits + capitals == text.len() {
            return Some(true);
        }
    }
    let is_part =
        |part: &str| part.len() > 1 && part.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let has_digit = |part: &&str| part.bytes().any(|byte| byte.is_ascii_digit());
    let parts = text.split('-').count();
    let is_date = text.bytes().all(|byte| !byte.is_ascii_uppercase()) && text.split('-').map(str::len).eq([4, 2, 2]);
    let is_code = (8..=32).contains(&text.len())
        && parts > 1
        && text.split('-').all(is_part)
        && text.split('-').filter(has_digit).count() * 2 > parts;
    (is_code && !owner.is_empty()).then_some(!is_alarm && !is_date)
}

/// Whether a word is a group of a seed that is shown in groups: `JBSW`.
pub(crate) fn is_group(word: &str) -> bool {
    word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Whether `text` is the path of a file, whose parts are words: `/etc/ssl/private/server.key`.
pub(crate) fn is_file(text: &str) -> bool {
    let mut parts = text.split('/');
    parts.next() == Some("") && text.len() > 1 && parts.all(|part| !looks_random(part, 12))
}

/// A phrase that was drawn by lot has so many words at least, of so many letters.
const FEWEST_DRAWN: usize = 4;
const DRAWN: std::ops::RangeInclusive<usize> = 3..=10;

/// Letters that were drawn by lot are so many at least, with so many consonants in a row, which no word has.
const FEWEST_LETTERS: usize = 12;
const CONSONANTS: usize = 5;

/// Whether words with dashes or small letters look as if they were drawn by lot: `maple-cactus-winter-orbit`, `qwkdjshfkslqpa`.
pub(crate) fn looks_drawn(text: &str) -> bool {
    let is_lower = |part: &str| part.bytes().all(|byte| byte.is_ascii_lowercase());
    if text.contains('-') {
        return text.split('-').count() >= FEWEST_DRAWN
            && text.split('-').all(|part| DRAWN.contains(&part.len()) && is_lower(part));
    }
    let is_vowel = |byte: &u8| b"aeiouy".contains(byte);
    let mut runs = text.as_bytes().chunk_by(|one, next| !is_vowel(one) && !is_vowel(next));
    text.len() >= FEWEST_LETTERS && is_lower(text) && runs.any(|run| run.len() >= CONSONANTS)
}

/// The shortest word that a mark between letters tells.
const SHORTEST_MARKED: usize = 8;

/// Whether a word has a mark between letters, as passwords have and words have not.
pub(crate) fn has_mark_inside(word: &str) -> bool {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let mark = word.find(['!', '#', '$', '%', '^', '*', '+', '?']);
    word.len() >= SHORTEST_MARKED
        && mark.is_some_and(|mark| {
            is_letter(word[..mark].chars().next_back()) && is_letter(word[mark + 1..].chars().next())
        })
}

/// Names of programs and protocols that stand with the number of their version, which is all that is told of them.
const PRODUCTS: &str = "firefox chrome chromium edge safari python py node nodejs java jdk ubuntu debian fedora rhel centos alpine suse sles windows \
    win kernel linux macos ios android php ruby perl bash redis postgres postgresql pg pgbouncer mysql mariadb sqlite mongodb oracle \
    office outlook exchange excel git gitlab docker podman kafka helm terraform ansible openssl openssh ssh tls ssl http https ipv \
    sha md smb nfs usb vlan eth port level version vnc rdp ldap saml oauth kerberos wpa app api web db host server release build step \
    stage phase option line page section chapter table room rack desk team group role test demo sandbox";

/// Whether a word is the name of a program with its version, or of a thing with its number: `Firefox115`, `desk4`.
pub(crate) fn is_numbered_thing(text: &str) -> bool {
    let stem = text.trim_end_matches(|c: char| c.is_ascii_digit() || ".-_".contains(c)).to_ascii_lowercase();
    stem.len() < text.len() && PRODUCTS.split_ascii_whitespace().any(|known| known == stem)
}
