//! Which bytes a word may be made of. Pure.

/// Which characters the rest of a key may have.
pub(crate) type Alphabet = fn(u8) -> bool;

pub(crate) const WORD: Alphabet = |byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
pub(crate) const DOTTED: Alphabet = |byte| WORD(byte) || byte == b'.';
pub(crate) const UPPER: Alphabet = |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit();
pub(crate) const CAPITALS: Alphabet = |byte| UPPER(byte) || byte == b'-';
pub(crate) const HEX: Alphabet = |byte| byte.is_ascii_hexdigit();
pub(crate) const DIGIT: Alphabet = |byte| byte.is_ascii_digit();
pub(crate) const ALNUM: Alphabet = |byte| byte.is_ascii_alphanumeric();
pub(crate) const PATH: Alphabet = |byte| DOTTED(byte) || b"/:@".contains(&byte);
pub(crate) const DIVIDED: Alphabet = |byte| byte.is_ascii_alphanumeric() || byte == b'$';
pub(crate) const EXCLAIMED: Alphabet = |byte| DOTTED(byte) || byte == b'!';
pub(crate) const COLONED: Alphabet = |byte| WORD(byte) || byte == b':';
pub(crate) const TOKEN: Alphabet = |byte| DOTTED(byte) || b"+/=~".contains(&byte);
