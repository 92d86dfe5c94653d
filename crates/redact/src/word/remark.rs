//! Words that say something about a secret and are none, that sentences have, and that programming languages have. Pure.

use super::predicate::describes;
use super::shape::looks_drawn;
use super::tongue;

/// Values that say something about a secret and are none.
const REMARKS: &str = "null none nil undefined true false yes no on off ok expired missing invalid required obligatoria obligatorio mismatch empty \
    redacted revoked incorrect wrong failed unknown unset absent denied refused rejected set not is was has unauthorized forbidden malformed \
    valid changed rotated disabled enabled hidden masked filtered n/a nan error failure timeout exceeded unavailable unsupported \
    sensitive blank optional given provided removed deleted omitted suppressed secret secrets password passwords passphrase passwd token tokens example changeme 1password \
    must should cannot can't may needs too minimum maximum length contains does doesn't isn't wasn't has have \
    base64 plaintext plain encrypted hashed md5 sha1 sha256 sha384 sha512 hmac rs256 hs256 es256 ed25519 rsa bcrypt argon2 aes256 \
    all any sorry désolé gesperrt unbekannt siehe locked inconnu known expected got received enter see same falsch ungültig abgelaufen fehlt incorrecta incorrecto inválida caducada incorreta expirada incorrect expiré requis \
    inválido incorreto expirado expirou caducado errada errado errata scaduta scaduto valida sbagliata invalide expirée onjuist ongeldig \
    verlopen ontbreekt fel felaktigt ogiltigt nieprawidłowe nieprawidłowy błędne błędny wygasło wygasł hatalı geçersiz \
    unbekannter zurückgesetzt liegt läuft bloqueada bloqueado bloqué réinitialisé voir véase vedi zie \
    yanlış неверный неправильный неверен истёк истек 错误 无效 过期 必填 空 無効 無効です 間違い 期限切れ 필수 오류 잘못된";

/// Types and words of programming languages.
const CODE: &str = "str string bytes int integer number boolean bool object any void char uuid text option optional secretstr \
    securestring secretstring secretbox passwordhash never await new self this return const let var func function def nil null none undefined noneType";

/// Words after a word that make it one of a sentence: `-p requires a value`, `--password via the command line`.
const PROSE: &str = "a an the of via be is are was instead your this that option flag as argument";

/// Words that sentences have and phrases that stand for a password have not.
const OF_CLAUSES: &str =
    "a an the is are was were must should can may not no be been has have had for of with from than in on at by";

/// Whether a word of small letters is one of a sentence, by the word after it.
pub(crate) fn is_prose(word: &str, after: &str) -> bool {
    // `a.zip` is no word of a sentence.
    let next = after.trim_start_matches(' ').split(char::is_whitespace).next().unwrap_or_default();
    let next = next.trim_matches(|c: char| c.is_ascii_punctuation());
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()) && is_one_of(PROSE, next)
}

/// Whether quoted words are a sentence or a part of one.
pub(crate) fn is_clause(text: &str) -> bool {
    text.split(' ').any(|word| is_one_of(OF_CLAUSES, &word.to_lowercase()))
}

/// Whether words with dashes or small letters were drawn by lot, and no part of them says anything of a password.
pub(crate) fn is_drawn(text: &str) -> bool {
    let is_said = |part: &str| is_one_of(REMARKS, part) || is_one_of(OF_CLAUSES, part);
    looks_drawn(text) && !text.split('-').any(is_said) && !describes("password", text)
}

/// Whether a word is one that says something about a secret.
pub(crate) fn is_remark(word: &str) -> bool {
    is_remark_itself(word) || tongue::is_state(word)
}

/// The same without the languages that have a row of their own.
pub(crate) fn is_remark_itself(word: &str) -> bool {
    is_one_of(REMARKS, word)
}

/// Whether a word is a type or a word of a programming language.
pub(crate) fn is_of_code(word: &str) -> bool {
    is_one_of(CODE, &word.to_lowercase())
}

/// Whether a table of words has this one.
pub(crate) fn is_one_of(table: &str, word: &str) -> bool {
    table.split_ascii_whitespace().any(|known| known == word)
}
